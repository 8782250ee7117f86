"""EC2's query API without a cloud: parameters, answers of any namespace, errors by their codes, options."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from libcloud.common.types import InvalidCredsError

from gcelib import errors
from gcelib.config.options import CloudConfig
from gcelib.drivers.ec2 import wire
from gcelib.drivers.ec2.building import settings_of
from gcelib.drivers.ec2.codes import code, fault_of
from gcelib.drivers.ec2.driver import endpoint_of
from gcelib.drivers.faults import At, Garbled

AT = At("lab", "ec2", ("secret-of-the-lab",))
ANSWER = """<?xml version="1.0" encoding="UTF-8"?>
<DescribeThingsResponse xmlns="{}"><requestId>1</requestId>
<thingSet><item><id>a</id><tagSet><item><key>Name</key><value>web</value></item></tagSet><n>3</n></item>
<item><id>b</id><tagSet/></item></thingSet><emptySet/></DescribeThingsResponse>"""
REFUSAL = """<Response{}><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors></Response>"""


def http(status: int, body: str) -> Any:
    """An HTTP answer as libcloud hands it on."""
    return SimpleNamespace(headers={}, reason="", status_code=status, request=None, iter_content=None, text=body)


def asked(action: str) -> Any:
    """A connection that was asked to do this."""
    return SimpleNamespace(context={wire.ACTION: action})


def test_parameters_are_spelt_as_ec2_takes_them() -> None:
    params = {
        "Id": ["a", "b"], "Filter": [{"Name": "x", "Value": ["1"]}], "On": True, "Size": 0, "Nothing": "", "No": None,
        "None": [],
    }
    assert wire.spelt(params) == {
        "Id.1": "a", "Id.2": "b", "Filter.1.Name": "x", "Filter.1.Value.1": "1", "On": "true", "Size": "0"}


@pytest.mark.parametrize("namespace", ["http://ec2.amazonaws.com/doc/2016-11-15/", "urn:another", ""])
def test_an_answer_is_read_in_any_namespace(namespace: str) -> None:
    found = wire.Answer(http(200, ANSWER.format(namespace)), asked("DescribeThings")).object
    things = wire.rows(found, "thingSet")
    assert [wire.text(each, "id") for each in things] == ["a", "b"]
    assert (wire.tags(things[0]), wire.tags(things[1]), wire.number(things[0], "n")) == ({"Name": "web"}, {}, 3)
    assert (wire.rows(found, "emptySet"), wire.part(found, "nothing"), wire.text(found, "nothing")) == ([], {}, "")


@pytest.mark.parametrize("namespace", [' xmlns="http://ec2.amazonaws.com/doc/2016-11-15"', ""])
def test_a_refusal_keeps_its_code_and_words(namespace: str) -> None:
    with pytest.raises(wire.Refusal) as told:
        wire.Answer(http(400, REFUSAL.format(namespace, "VolumeInUse", "It is attached")), None)
    assert (told.value.status, told.value.code, told.value.words) == (400, "VolumeInUse", "It is attached")


def test_wrong_keys_and_pages_that_are_no_answers_are_told_apart() -> None:
    with pytest.raises(InvalidCredsError):
        wire.Answer(http(401, REFUSAL.format("", "AuthFailure", "no")), None)
    with pytest.raises(InvalidCredsError):
        wire.Answer(http(403, "Failure: 403 Forbidden"), None)
    with pytest.raises(Garbled) as broken:
        wire.Answer(http(500, "<!doctype html><title>500"), None)
    assert not broken.value.refused
    with pytest.raises(Garbled):
        wire.Answer(http(200, "<html><p>a portal"), asked("DescribeThings"))


@pytest.mark.parametrize("words", [
    "Not authorized for images: [ami-0a0b0c0d0e0f01234]", "The address '203.0.113.9' does not belong to you.",
    "You do not have permission to access the specified resource.",
])
def test_a_thing_that_is_anothers_does_not_make_the_keys_wrong(words: str) -> None:
    with pytest.raises(wire.Refusal) as told:
        wire.Answer(http(403, REFUSAL.format("", "AuthFailure", words)), None)
    assert type(fault_of(told.value, AT, "DisassociateAddress", writes=True)) is errors.Forbidden


@pytest.mark.parametrize(("told", "status", "kind"), [
    ("InvalidInstanceID.NotFound", 400, errors.NotFound),
    ("InvalidAMIID.Unavailable", 400, errors.NotFound),
    ("InvalidInstanceID", 400, errors.NotReady),
    ("SnapshotCreationPerVolumeRateExceeded", 400, errors.TooMany),
    ("InvalidPermission.Duplicate", 400, errors.Exists),
    ("InvalidAMIName.Duplicate", 400, errors.Exists),
    ("IncorrectInstanceState", 400, errors.NotReady),
    ("InstanceLimitExceeded", 400, errors.Exceeded),
    ("VcpuLimitExceeded", 400, errors.Exceeded),
    ("AddressLimitExceeded", 400, errors.Exceeded),
    ("InsufficientInstanceCapacity", 500, errors.NoCapacity),
    ("VolumeInUse", 400, errors.InUse),
    ("DependencyViolation", 400, errors.InUse),
    ("UnauthorizedOperation", 403, errors.Forbidden),
    ("RequestLimitExceeded", 503, errors.TooMany),
    ("InvalidParameterValue", 400, errors.Refused),
    ("InvalidAction", 400, errors.Unsupported),
    ("Client.InvalidParameterValue", 400, errors.Refused),
    ("InternalError", 500, errors.Unavailable),
    ("ServiceUnavailable", 503, errors.Unavailable),
    ("", 502, errors.Unavailable),
])  # fmt: skip
def test_every_code_is_the_fault_it_means(told: str, status: int, kind: type[errors.Fault]) -> None:
    fault = fault_of(wire.Refusal(status, told, "key secret-of-the-lab"), AT, "DoThings", writes=False)
    assert type(fault) is kind
    assert "Cloud 'lab' (ec2)" in fault.message
    assert "DoThings" in fault.message
    assert "secret-of-the-lab" not in fault.message
    assert code(fault) == told


def test_a_change_that_ec2_broke_at_may_have_happened() -> None:
    for told in ("InternalError", "ServerInternal", "ServiceUnavailable"):
        assert type(fault_of(wire.Refusal(500, told, ""), AT, "RunInstances", writes=True)) is errors.Uncertain
    # One that was not let in has not.
    assert type(fault_of(wire.Refusal(503, "RequestLimitExceeded", ""), AT, "X", writes=True)) is errors.TooMany


def test_a_regions_endpoint_follows_amazons_rule() -> None:
    assert endpoint_of("eu-west-1") == "https://ec2.eu-west-1.amazonaws.com"
    assert endpoint_of("xx-new-7") == "https://ec2.xx-new-7.amazonaws.com"
    assert endpoint_of("cn-north-1") == "https://ec2.cn-north-1.amazonaws.com.cn"


def test_options_of_ours_are_taken_and_the_drivers_are_left() -> None:
    def options(**told: Any) -> Any:
        return settings_of(CloudConfig("lab", "ec2", options=told))

    found, left = options(image_owners="self, 123", instance_types=["t3.*"], region="r", token="t")
    assert (found.image_owners, found.instance_types) == (("self", "123"), ("t3.*",))
    assert left == {"region": "r", "token": "t"}
    for wrong in ({"volume_type": "io2"}, {"public_addresses": "some"}):
        with pytest.raises(errors.Unsupported, match=next(iter(wrong))):
            options(**wrong)
