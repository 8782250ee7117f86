"""The twenty rules that break a client when missed: each is a sentence here."""

from __future__ import annotations

import base64
import socket
import time
import uuid
from typing import Any

import pytest
import requests

from tests.api import Api
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


def test_rule_1_the_discovery_document_points_here_and_needs_no_token(live: Live) -> None:
    answer = requests.get(f"{live.url}/discovery/v1/apis/compute/v1/rest", timeout=30)
    assert answer.status_code == 200
    document = answer.json()
    assert document["rootUrl"] + document["servicePath"] == f"{live.url}/compute/v1/"
    assert document["version"] == "v1"
    assert set(document["resources"]) >= {
        "disks", "firewalls", "globalOperations", "images", "instances", "machineTypes", "networks", "projects",
        "routes", "snapshots", "zoneOperations", "zones",
    }


@pytest.mark.parametrize(("path", "kind"), [
    ("zones", "compute#zoneList"), ("regions", "compute#regionList"), (HERE, "compute#instanceList"),
    ("zones/ch-gv2/machineTypes", "compute#machineTypeList"), ("zones/ch-gv2/disks", "compute#diskList"),
    ("zones/ch-gv2/diskTypes", "compute#diskTypeList"), ("global/images", "compute#imageList"),
    ("global/networks", "compute#networkList"), ("global/firewalls", "compute#firewallList"),
    ("zones/ch-gv2/operations", "compute#operationList"), ("regions/ch/operations", "compute#operationList"),
    ("global/operations", "compute#operationList"),
    ("aggregated/instances", "compute#instanceAggregatedList"), ("aggregated/disks", "compute#diskAggregatedList"),
    ("aggregated/machineTypes", "compute#machineTypeAggregatedList"),
    ("aggregated/diskTypes", "compute#diskTypeAggregatedList"),
    ("aggregated/operations", "compute#operationAggregatedList"),
])
def test_rules_2_and_3_a_list_says_its_kind_and_an_aggregated_one_always_has_items(
    api: Api, path: str, kind: str
) -> None:
    found = api.get(path)
    assert found["kind"] == kind
    if path.startswith("aggregated/"):
        assert isinstance(found["items"], dict)
        for scope, entry in found["items"].items():
            assert list(entry) != [], scope
            assert entry.get("warning", {"code": "NO_RESULTS_ON_PAGE"})["code"] == "NO_RESULTS_ON_PAGE"


def test_rule_4_and_7_every_item_of_a_list_has_a_link_that_works(api: Api) -> None:
    for path in ("zones", "regions", "global/images", "global/networks", "zones/ch-gv2/machineTypes"):
        for item in api.get(path)["items"][:4]:
            assert api.get("/compute" + item["selfLink"].partition("/compute")[2])["selfLink"] == item["selfLink"]


def test_rules_5_and_6_an_operation_has_all_its_links_and_they_never_change(api: Api, live: Live) -> None:
    operation = api.start("POST", HERE, machine("rule-five"))
    base = f"{live.url}/compute/v1/projects/demo/zones/ch-gv2"
    assert operation["targetLink"] == f"{base}/instances/rule-five"
    assert operation["zone"] == base
    assert operation["selfLink"] == f"{base}/operations/{operation['name']}"
    assert operation["operationType"] == "insert"
    assert operation["targetId"].isdigit()
    assert operation["status"] in ("PENDING", "RUNNING")
    done = api.until_done(operation)
    assert done["targetId"] == operation["targetId"] == api.get(f"{HERE}/rule-five")["id"]
    assert done["progress"] == 100
    listed = next(row for row in api.get("zones/ch-gv2/operations")["items"] if row["name"] == operation["name"])
    assert listed == done


def test_rule_8_links_begin_with_the_base_the_client_was_given(api: Api, live: Live) -> None:
    for host in ("localhost", "127.0.0.1"):
        other = Api(f"http://{host}:{live.port}", api.token)
        assert other.get("zones")["selfLink"].startswith(f"http://{host}:{live.port}/compute/v1/")


def test_rule_9_an_idle_connection_is_still_good_after_a_pause(live: Live, api: Api) -> None:
    # The listener's own tests wait out its limits; this one shows that a pause past the read limit does no harm.
    with socket.create_connection(("127.0.0.1", live.port), timeout=30) as connection:
        ask = f"GET /compute/v1/projects/demo/zones HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n\r\n"
        for _ in range(2):
            connection.sendall(ask.encode())
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += connection.recv(65536)
            head, _, body = answer.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)
            assert b" 200 " in head.splitlines()[0]
            assert b"close" not in head.lower()
            time.sleep(2)


def test_rule_10_waiting_for_an_operation_blocks_until_it_is_done(api: Api) -> None:
    operation = api.start("POST", HERE, machine("rule-ten"))
    path = operation["selfLink"].partition("/projects/demo/")[2]
    done = api.call("POST", f"{path}/wait")
    assert done.data["status"] == "DONE"


def test_rule_11_a_batch_answers_each_part_by_its_id(live: Live, api: Api) -> None:
    parts = "".join(
        f"--b\nContent-Type: application/http\nContent-ID: <abc+{n}>\n\nGET {path} HTTP/1.1\nAccept: x\n\n\n"
        for n, path in enumerate(["/compute/v1/projects/demo/zones", "/compute/v1/projects/nobody/zones"])
    ) + "--b--"
    for url in ("/batch/compute/v1", "/batch"):
        answer = requests.post(live.url + url, parts.encode(), timeout=30, headers={
            "Authorization": f"Bearer {api.token}", "Content-Type": 'multipart/mixed; boundary="b"'})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("multipart/mixed; boundary=")
        assert "<response-abc+0>" in answer.text
        assert "HTTP/1.1 200" in answer.text
        assert "HTTP/1.1 404" in answer.text


def test_rule_12_an_image_project_that_is_not_there_is_404(api: Api) -> None:
    for project in ("debian-cloud", "centos-cloud", "windows-cloud", "somebody-elses"):
        answer = api.call("GET", f"/compute/v1/projects/{project}/global/images")
        assert (answer.status, answer.reason) == (404, "notFound")
        assert answer.message == f"The resource 'projects/{project}' was not found"


def test_rules_13_and_14_fingerprints_are_compared_as_bytes_and_may_be_left_out(api: Api) -> None:
    current = api.get("")["commonInstanceMetadata"]["fingerprint"]
    assert not set(current) & {"+", "/"}
    spelled = base64.urlsafe_b64encode(base64.b64decode(current)).decode()
    items = [{"key": "rule", "value": "13"}]
    api.change("POST", "setCommonInstanceMetadata", {"fingerprint": spelled, "items": items})
    stale = api.call("POST", "setCommonInstanceMetadata", {"fingerprint": current, "items": []})
    assert (stale.status, stale.reason) == (412, "conditionNotMet")
    api.change("POST", "setCommonInstanceMetadata", {"items": items})
    assert api.get("")["commonInstanceMetadata"]["items"] == items
    api.change("POST", "setCommonInstanceMetadata", {})
    assert "items" not in api.get("")["commonInstanceMetadata"]


@pytest.mark.parametrize("word", ["true", "True", "false", "False"])
def test_rule_15_booleans_in_the_query_come_in_any_case(api: Api, word: str) -> None:
    found = api.get("aggregated/instances", includeAllScopes=word, returnPartialSuccess=word)
    assert found["kind"] == "compute#instanceAggregatedList"


def test_rule_16_a_body_may_hold_nulls_unknown_and_output_only_fields(api: Api) -> None:
    body = machine("rule-sixteen", kind="compute#instance", status="RUNNING", cpuPlatform="x", description=None,
                   fingerprint="abc=", somethingNew=1, scheduling=None)
    disk: dict[str, Any] = body["disks"][0]
    disk["diskSizeGb"] = None
    disk["initializeParams"]["diskSizeGb"] = 10
    done = api.change("POST", HERE, body)
    assert [warning["code"] for warning in done["warnings"]] == ["UNDECLARED_PROPERTIES"]
    assert "somethingNew" in done["warnings"][0]["message"]
    for empty in ("ignored", {}, None):
        assert api.call("POST", f"{HERE}/rule-sixteen/reset", empty).status == 200
    bad = requests.post(f"{api.url}/compute/v1/projects/demo/{HERE}", b"{", timeout=30, headers={
        "Authorization": f"Bearer {api.token}", "Content-Type": "application/json"})
    assert (bad.status_code, bad.json()["error"]["errors"][0]["reason"]) == (400, "parseError")


def test_rule_17_links_come_from_any_host_and_version(api: Api) -> None:
    google = "https://www.googleapis.com/compute/v1beta16/projects/demo"
    api.change("POST", HERE, machine(
        "rule-seventeen", machineType=f"{google}/zones/ch-gv2/machineTypes/micro",
        networkInterfaces=[{"network": "/compute/v1/projects/demo/global/networks/default"}]))


@pytest.mark.parametrize(("text", "found"), [
    ("name eq rule-eight.*", ["rule-eighteen"]),
    ("name eq rule-eight", []),
    ('name eq ".*\\brule\\-eighteen\\b.*"', ["rule-eighteen"]),
    ("(name eq rule-eigh.*)(status eq RUNNING)", ["rule-eighteen"]),
    ('name = "rule-eighteen"', ["rule-eighteen"]),
    ("name=rule-eighteen AND labels.a = b", ["rule-eighteen"]),
    ("labels.a:* AND NOT labels.a = c", ["rule-eighteen"]),
])
def test_rule_18_both_filter_languages_are_spoken(api: Api, text: str, found: list[str]) -> None:
    if api.call("GET", f"{HERE}/rule-eighteen").status == 404:
        api.change("POST", HERE, machine("rule-eighteen", labels={"a": "b"}))
    assert [item["name"] for item in api.get(HERE, filter=text).get("items", [])] == found


@pytest.mark.parametrize("text", ["name eq (", "name", "name foo bar", 'name = "x', "AND", "(name = x"])
def test_rule_18_a_filter_that_makes_no_sense_is_400(api: Api, text: str) -> None:
    answer = api.call("GET", HERE, filter=text)
    assert (answer.status, answer.reason) == (400, "invalid")


def test_rule_19_no_token_and_a_bad_token_are_401(live: Live) -> None:
    for token, reason in (("", "required"), ("nonsense", "authError"), ("a.b.c", "authError")):
        answer = Api(live.url, token).call("GET", "zones")
        assert (answer.status, answer.reason) == (401, reason)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")


def test_rule_20_a_region_is_a_zones_name_cut_at_its_last_dash(api: Api) -> None:
    for zone in api.get("zones")["items"]:
        region = zone["region"].rpartition("/")[2]
        assert zone["name"].rpartition("-")[0] == region
        assert zone["selfLink"] in api.get(f"regions/{region}")["zones"]


def test_the_same_request_id_gives_the_same_operation(api: Api) -> None:
    id = str(uuid.uuid4())
    first = api.start("POST", HERE, machine("only-once"), requestId=id)
    again = api.start("POST", HERE, machine("only-once"), requestId=id)
    assert again["name"] == first["name"]
    api.until_done(first)
    other = api.call("POST", HERE, machine("another"), requestId=id)
    assert other.status == 400


def test_a_request_id_stands_for_one_set_of_parameters(api: Api) -> None:
    id, one = str(uuid.uuid4()), f"{HERE}/under-one-id"
    api.change("POST", HERE, machine("under-one-id"))
    first = api.change("POST", f"{one}/setDeletionProtection", deletionProtection="true", requestId=id)
    other = api.call("POST", f"{one}/setDeletionProtection", deletionProtection="false", requestId=id)
    assert (other.status, first["name"] in other.message) == (400, True)
    again = api.start("POST", f"{one}/setDeletionProtection", deletionProtection="true", requestId=id, fields="name,"
                      "kind,selfLink")
    assert again["name"] == first["name"]
    api.change("POST", f"{one}/setDeletionProtection", deletionProtection="false")
    api.change("DELETE", one)


@pytest.mark.parametrize("query", [
    {"maxResults": "501"}, {"maxResults": "-1"}, {"maxResults": "x"}, {"orderBy": "size"}, {"fields": "items("},
    {"pageToken": "abc"}, {"alt": "xml"},
])
def test_a_query_that_makes_no_sense_is_400_and_names_the_parameter(api: Api, query: dict[str, str]) -> None:
    answer = api.call("GET", HERE, **query)
    assert answer.status == 400
    assert next(iter(query)) in answer.message + str(answer.data)


def test_a_request_id_that_is_no_uuid_is_400(api: Api) -> None:
    assert api.call("POST", HERE, machine("no-uuid"), requestId="seven").status == 400


def test_fields_selects_parts_of_an_answer(api: Api) -> None:
    assert set(api.get("zones", fields="items/name,nextPageToken")) == {"items"}
    assert set(api.get("zones", fields="items(name,region)")["items"][0]) == {"name", "region"}


def test_an_operation_can_be_read_listed_and_deleted(api: Api) -> None:
    done = api.change("POST", "setCommonInstanceMetadata", {"items": [{"key": "x", "value": "y"}]})
    path = f"global/operations/{done['name']}"
    assert api.get(path) == done
    everywhere = api.get("aggregated/operations")["items"]
    assert done["name"] in [row["name"] for row in everywhere["global"]["operations"]]
    assert api.call("DELETE", path).status == 204
    assert api.call("GET", path).status == 404
    assert api.call("GET", "zones/ch-gv2/operations/nothing").status == 404
