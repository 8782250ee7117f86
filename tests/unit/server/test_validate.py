"""What a query and a body may hold, and what is said about what they may not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gcelib.errors import Fault, Invalid, Malformed, Missing, TooLarge
from gcelib.server import validate
from gcelib.server.routes import RouteTable

TABLE = RouteTable.load()
UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


def query(id: str, *pairs: tuple[str, str]) -> dict[str, Any]:
    return validate.query(TABLE.methods[f"compute.{id}"], list(pairs))


def body(
    id: str, value: Any, *, strict: bool = False, content_type: str = ""
) -> tuple[dict[str, Any], list[str]]:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return validate.body(TABLE.methods[f"compute.{id}"], TABLE.schemas, raw, content_type, strict=strict)


def refusal(id: str, value: Any, **more: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        body(id, value, **more)
    return caught.value


def test_query_values_are_typed() -> None:
    found = query(
        "instances.aggregatedList", ("maxResults", "7"), ("filter", "name eq a"), ("includeAllScopes", "True")
    )
    assert found == {"maxResults": 7, "filter": "name eq a", "includeAllScopes": True}
    views = [("views", "DEFAULT"), ("views", "WITH_UTILIZATION")]
    assert query("subnetworks.list", *views)["views"] == ["DEFAULT", "WITH_UTILIZATION"]
    found = query("instances.getSerialPortOutput", ("start", "9007199254740993"), ("port", "2"))
    assert found == {"start": 9007199254740993, "port": 2}


def test_parameters_of_no_concern_are_left_out() -> None:
    pairs = [("alt", "json"), ("alt", "json"), ("key", "k"), ("trace", "t"), ("zone", "z"), ("nonsense", "")]
    found = query("instances.list", *pairs, ("prettyPrint", "false"), ("fields", "items/name"))
    assert found == {"prettyPrint": False, "fields": "items/name"}


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "1"])
def test_clients_spell_true_in_their_own_ways(word: str) -> None:
    pairs = [("deviceName", "d"), ("autoDelete", word)]
    assert query("instances.setDiskAutoDelete", *pairs)["autoDelete"] is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("maxResults", "501"),
        ("maxResults", "-1"),
        ("maxResults", "many"),
        ("maxResults", "1.5"),
        ("alt", "media"),
        ("includeAllScopes", "perhaps"),
        ("filter", "name eq \0"),
    ],
)
def test_a_senseless_parameter_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        query("instances.aggregatedList", (name, value))
    assert caught.value.field == name
    assert f"'{name}'" in caught.value.message


@pytest.mark.parametrize("value", ["x", "00000000-0000-0000-0000-000000000000", UUID + "0", "{" + UUID[1:]])
def test_a_request_id_must_be_a_uuid(value: str) -> None:
    with pytest.raises(Invalid, match="requestId"):
        query("instances.insert", ("requestId", value))


def test_a_request_id_has_one_spelling() -> None:
    assert query("instances.insert", ("requestId", UUID.upper()))["requestId"] == UUID


def test_a_parameter_given_twice_differently_is_refused() -> None:
    with pytest.raises(Invalid, match="more than once"):
        query("instances.list", ("filter", "a=1"), ("filter", "a=2"))


def test_an_enum_parameter_takes_its_words_only() -> None:
    assert query("instances.update", ("minimalAction", "RESTART")) == {"minimalAction": "RESTART"}
    with pytest.raises(Invalid, match="Must be one of"):
        query("instances.update", ("minimalAction", "restart"))


def test_a_required_parameter_is_missed() -> None:
    with pytest.raises(Missing) as caught:
        query("instances.detachDisk")
    assert caught.value.field == "deviceName"


def test_a_body_is_cleaned() -> None:
    sent = {
        "kind": "compute#instance",
        "name": "n",
        "description": None,
        "status": "RUNNING",
        "disks": [{"boot": "true", "diskSizeGb": 20, "initializeParams": {"diskType": None}}, None],
        "labels": {"a": "b"},
        "metadata": {"items": [{"key": "k", "value": "v"}], "fingerprint": "FXI9TH-3wfM="},
        "scheduling": {"onHostMaintenance": "terminate"},
        "bogus": {"x": 1},
        "networkInterfaces": [{"accessConfigs": [{"typo": 1}]}],
    }
    cleaned, unknown = body("instances.insert", sent, content_type="application/json; charset=utf-8")
    assert cleaned == {
        "name": "n",
        "disks": [{"boot": True, "diskSizeGb": "20", "initializeParams": {}}],
        "labels": {"a": "b"},
        "metadata": {"items": [{"key": "k", "value": "v"}], "fingerprint": "FXI9TH-3wfM="},
        "scheduling": {"onHostMaintenance": "TERMINATE"},
        "networkInterfaces": [{"accessConfigs": [{}]}],
    }
    assert unknown == ["resource.bogus", "resource.networkInterfaces[0].accessConfigs[0].typo"]


def test_a_kind_is_known_to_every_body() -> None:
    assert body("projects.setUsageExportBucket", {"kind": "compute#usageExportLocation"}, strict=True) == ({}, [])


def test_strictness_refuses_the_first_unknown_field() -> None:
    fault = refusal("instances.insert", {"name": "n", "bogus": 1, "worse": 2}, strict=True)
    assert isinstance(fault, Invalid)
    assert fault.field == "resource.bogus"


def test_numbers_may_come_as_text() -> None:
    cleaned, _ = body("httpHealthChecks.patch", {"port": "8080", "timeoutSec": 5.0})
    assert cleaned == {"port": 8080, "timeoutSec": 5}


def test_a_single_port_may_come_as_a_number() -> None:
    cleaned, _ = body("forwardingRules.insert", {"name": "n", "portRange": 80})
    assert cleaned == {"name": "n", "portRange": "80"}
    cleaned, _ = body("firewalls.insert", {"name": "n", "allowed": [{"IPProtocol": "tcp", "ports": [22, "80-90"]}]})
    assert cleaned["allowed"][0]["ports"] == ["22", "80-90"]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"disks": [{"boot": "x"}]}, "disks[0].boot"),
        ({"disks": [{"diskSizeGb": "big"}]}, "disks[0].diskSizeGb"),
        ({"disks": [{"diskSizeGb": 2**63}]}, "disks[0].diskSizeGb"),
        ({"disks": [{"diskSizeGb": 10**30}]}, "disks[0].diskSizeGb"),
        ({"disks": [{"diskSizeGb": True}]}, "disks[0].diskSizeGb"),
        ({"disks": {"boot": True}}, "disks"),
        ({"disks": ["x"]}, "disks[0]"),
        ({"scheduling": []}, "scheduling"),
        ({"scheduling": {"onHostMaintenance": "FLEE"}}, "scheduling.onHostMaintenance"),
        ({"disks": [{"mode": "read_write"}]}, "disks[0].mode"),
        ({"machineType": 7}, "machineType"),
        ({"description": "a\0b"}, "description"),
        ({"tags": {"items": ["ok", "Not ok"]}}, "tags.items[1]"),
        ({"tags": {"fingerprint": "?"}}, "tags.fingerprint"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"labels": {"a\0": "b"}}, "labels"),
        ({"metadata": {"items": [{"key": "no spaces", "value": "v"}]}}, "metadata.items[0].key"),
    ],
)
def test_a_wrong_value_is_refused_by_its_path(value: dict[str, Any], field: str) -> None:
    fault = refusal("instances.insert", {"name": "n", **value})
    assert type(fault) is Invalid
    assert fault.field == f"resource.{field}"
    assert fault.message.startswith(f"Invalid value for field 'resource.{field}': ")


@pytest.mark.parametrize("name", ["bad_name", "vmA", "1a", "a-", "a" * 64, "a.b", "", "a\n"])
def test_a_bad_name_is_refused_as_google_does(name: str) -> None:
    fault = refusal("instances.insert", {"name": name})
    assert fault.field == "resource.name"
    assert fault.message == (
        f"Invalid value for field 'resource.name': '{name}'. "
        "Must be a match of regex '(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'"
    )


def test_a_secret_is_not_repeated() -> None:
    sent = {"name": "n", "metadata": {"items": [{"key": "password", "value": {"hunter2": 1}}]}}
    assert "hunter2" not in refusal("instances.insert", sent).message


@pytest.mark.parametrize("sent", [{}, {"name": None}, {"description": "d"}, b""])
def test_a_missing_name_is_missed(sent: Any) -> None:
    fault = refusal("instances.insert", sent)
    assert isinstance(fault, Missing)
    assert fault.reason == "required"
    assert fault.field in {"resource", "resource.name"}


def test_a_patch_gives_only_what_it_changes() -> None:
    assert body("firewalls.patch", {"description": "d"})[0] == {"description": "d"}
    assert isinstance(refusal("firewalls.insert", {"description": "d"}), Missing)


def test_a_null_takes_away_what_a_patch_can_take_away() -> None:
    sent = {"description": None, "sourceRanges": None, "name": None, "allowed": [{"IPProtocol": "tcp", "ports": None}]}
    assert body("firewalls.patch", sent)[0] == {
        "description": "", "sourceRanges": [], "allowed": [{"IPProtocol": "tcp"}]}
    assert body("firewalls.update", {"name": "n", "description": None, "sourceRanges": None})[0] == {"name": "n"}


def test_an_empty_word_counts_as_absent() -> None:
    assert body("instances.setScheduling", {"onHostMaintenance": ""})[0] == {}


@pytest.mark.parametrize("raw", [b"", b"{}", b'"ignored"', b'""', b"null", b"  \r\n"])
@pytest.mark.parametrize("id", ["instances.reset", "instances.setScheduling"])
def test_an_empty_body_has_many_spellings(id: str, raw: bytes) -> None:
    assert body(id, raw) == ({}, [])


def test_a_method_without_a_body_knows_no_fields() -> None:
    assert body("instances.reset", {"x": 1}) == ({}, ["resource.x"])


@pytest.mark.parametrize(
    "raw",
    [
        *(
            b"{",
            b"[]",
            b'"other"',
            b"7",
            b'{"name":NaN}',
            b'{"a":1e999}',
            b'{"name":"\\ud800"}',
            b"\xff",
            b"a=b",
        ),
        *(b'{"disks":' * 5000, b"[" * 100_000),
    ],
)
def test_what_is_no_json_object_is_malformed(raw: bytes) -> None:
    assert isinstance(refusal("instances.insert", raw), Malformed)


def test_a_multipart_body_is_malformed() -> None:
    assert isinstance(refusal("instances.insert", {"name": "n"}, content_type="multipart/related"), Malformed)


def test_every_request_schema_takes_an_object_of_unknown_fields() -> None:
    for method in TABLE.methods.values():
        if method.request:
            try:
                _, unknown = body(method.id.removeprefix("compute."), {"surely unknown": [{}]})
            except Missing:
                continue
            assert unknown == ["resource.surely unknown"]


def test_a_body_larger_than_any_method_needs_is_refused_before_it_is_read() -> None:
    most = b'{"kind":"' + b"a" * (validate.MAX_BODY - 11) + b'"}'
    assert len(most) == validate.MAX_BODY
    assert body("networks.patch", most)
    assert isinstance(refusal("networks.patch", most + b" "), TooLarge)


@pytest.mark.parametrize(("value", "field"), [
    ({"sourceRanges": ["10.0.0.0/8"] * 1001}, "resource.sourceRanges"),
    ({"allowed": [{"IPProtocol": "tcp", "ports": ["22"] * 1001}]}, "resource.allowed[0].ports"),
    ({"description": "d" * 2049}, "resource.description"),
])
def test_more_than_any_cloud_could_carry_is_refused_by_field(value: dict[str, Any], field: str) -> None:
    refused = refusal("firewalls.insert", {"name": "f", **value})
    assert (type(refused), refused.field) == (Invalid, field)
    assert len(refused.message) < 300


def test_a_map_may_not_hold_too_much_either() -> None:
    labels = {f"k{number}": "v" for number in range(1001)}
    assert refusal("instances.setLabels", {"labels": labels}).field == "resource.labels"


def test_of_many_unknown_fields_a_hundred_are_named() -> None:
    _, unknown = body("networks.insert", {"name": "n", **{f"x{number}" * 70: 1 for number in range(5000)}})
    assert len(unknown) == 100
    assert max(map(len, unknown)) == 200
