"""An EC2 whose answers are wrong: a clear fault for the item or the call, the rest stands; its clock may be off."""

from __future__ import annotations

import datetime
import random
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from email.utils import format_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcelib.drivers import clock
from gcelib.errors import Unauthenticated, Unavailable, Uncertain
from tests.backends.moto import Moto
from tests.faults.between import NO_ANSWERS, Answer, Between, Lie, anywhere_in_xml, truth
from tests.faults.lied_to import LiedTo, lied_to

REGION = "eu-west-2"
"""One that no other test uses: Moto is shared."""
ZONE = "eu-west-2a"
HERE = f"zones/{ZONE}/instances"
LISTS = {
    "zones": "DescribeAvailabilityZones", f"zones/{ZONE}/machineTypes": "DescribeInstanceTypes",
    "global/images": "DescribeImages", HERE: "DescribeInstances", f"zones/{ZONE}/disks": "DescribeVolumes",
    "global/networks": "DescribeSubnets", "global/firewalls": "DescribeSecurityGroups",
    "regions/eu-west/addresses": "DescribeAddresses", "global/snapshots": "DescribeSnapshots",
}
"""A list of GCE's, and the action that tells what it is mainly made of."""
HOURS = datetime.timedelta(hours=5)
XML = {"Content-Type": "text/xml"}
SKEWED = {
    "RequestTimeTooSkewed": "The difference between the request time and the current time is too large.",
    "RequestExpired": "Request has expired.",
    "SignatureDoesNotMatch": "Signature expired: 20261127T010000Z is now earlier than 20261127T060000Z",
}


def changed(home: Moto, facet: str, verb: str, **args: object) -> str:
    """A change made at Moto itself; the thing's id."""
    cloud = home.cloud(REGION)
    job = cloud.submit(facet, verb, args, str(uuid.uuid4()))
    cloud.close()
    return job.target


@pytest.fixture(scope="module")
def lied(moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiedTo]:
    """A gcelib over Moto, which holds some of everything, with a liar between them."""
    cloud = moto.cloud(REGION)
    image = next(each.id for each in cloud.images.list())
    for number in range(3):
        disk = changed(moto, "volumes", "create", name=f"disk-{number}", zone_id=ZONE, size_gb=8)
        changed(moto, "snapshots", "create", name=f"copy-{number}", volume_id=disk)
        changed(moto, "addresses", "acquire", zone_id=ZONE, network_id="any")
        changed(moto, "nodes", "create", name=f"vm-{number}", zone_id=ZONE, size_id="t3.micro", image_id=image)
    cloud.close()
    between = Between(moto.url)
    told = moto.clouds(REGION).replace(moto.url, between.url).replace("timeout = 10", "timeout = 3")
    with lied_to(tmp_path_factory.mktemp("lied"), between, told) as found:
        yield found


@pytest.mark.parametrize("path", LISTS)
def test_a_row_with_a_lie_in_it_leaves_the_others_as_they_are(lied: LiedTo, path: str) -> None:
    between, action = lied.between, LISTS[path]
    between.lie = truth
    status, names = lied.told(path)
    assert status == 200
    for seed in range(3):
        chance = random.Random(f"{path} {seed}")

        def lie(asked: str, answer: Answer, chance: random.Random = chance) -> Answer:
            return (*answer[:2], in_first_row(answer[2], chance)) if asked == action else answer

        between.lie = lie
        status, left = lied.told(path)
        assert status == 200
        assert len(names - left) <= 2, (seed, names - left)
    lied.well(path, names)


def in_first_row(body: bytes, chance: random.Random) -> bytes:
    """A lie within the first row of the first list of an answer."""
    root = ElementTree.fromstring(body)
    listed = next((each for each in root if len(each)), None)
    if listed is None:
        return body
    row = listed[0]
    listed[0] = ElementTree.fromstring(anywhere_in_xml(ElementTree.tostring(row), chance))
    return ElementTree.tostring(root)


def test_a_row_that_is_none_is_left_out_with_a_line_in_the_log(lied: LiedTo) -> None:
    between = lied.between
    between.lie = truth
    disks = f"zones/{ZONE}/disks"
    _, names = lied.told(disks)

    def lie(asked: str, answer: Answer) -> Answer:
        if asked != "DescribeVolumes":
            return answer
        root = ElementTree.fromstring(answer[2])
        rows = next(each for each in root if each.tag.endswith("volumeSet"))
        ElementTree.SubElement(rows, "item").text = "a volume"
        ElementTree.SubElement(ElementTree.SubElement(rows, "item"), "size").text = "8"
        # One that is told twice is there once.
        rows.append(rows[0])
        return (*answer[:2], ElementTree.tostring(root))

    between.lie = lie
    before = lied.live.said()
    assert lied.told(disks) == (200, names)
    said = lied.live.said().removeprefix(before)
    assert said.count("Cloud 'lab' (ec2): a row of volumeSet is left out: it has no volumeId") == 2
    lied.well(disks, names)


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_a_503_that_names_the_cloud(lied: LiedTo, name: str) -> None:
    between = lied.between
    between.lie = truth
    _, names = lied.told(HERE)
    between.lie = lambda asked, answer: NO_ANSWERS[name] if asked == "DescribeInstances" else answer
    assert lied.told(HERE)[0] == 503
    lied.well(HERE, names)


def test_an_answer_without_its_list_is_no_empty_list(lied: LiedTo) -> None:
    between = lied.between
    between.lie = truth
    _, names = lied.told(HERE)
    for inside in (b"<requestId>1</requestId>", b"<reservationSet>none</reservationSet>",
                   b"<reservationSet><other/></reservationSet>"):
        told = b"<DescribeInstancesResponse>" + inside + b"</DescribeInstancesResponse>"
        between.lie = lambda asked, answer, told=told: (200, XML, told) if asked == "DescribeInstances" else answer  # type: ignore[misc]
        assert lied.told(HERE)[0] == 503
    lied.well(HERE, names)


@settings(max_examples=18, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(sorted(LISTS)), seed=st.integers(0, 2**32))
def test_lies_anywhere_in_any_answer_are_no_mistake_of_ours(lied: LiedTo, path: str, seed: int) -> None:
    between = lied.between

    def lie(asked: str, answer: Answer) -> Answer:
        # The same lie to the same question, however often and in which order they are asked.
        chance = random.Random(f"{seed} {asked}")
        wrong = chance.random() < 0.5 and answer[0] < 300
        return (*answer[:2], anywhere_in_xml(answer[2], chance)) if wrong else answer

    between.lie = lie
    lied.told(path)
    between.lie = truth
    lied.api.until(lambda: lied.api.call("GET", path), 200)


@pytest.mark.parametrize("body", [b"<{}Response/>", b"<{}Response><volumeId/></{}Response>", b"<p>Hi</p>", b""])
def test_a_change_whose_answer_makes_no_sense_is_looked_for_and_found(moto: Moto, body: bytes) -> None:
    between = Between(moto.url)
    between.lie = lambda asked, answer: (
        (200, XML, body.replace(b"{}", b"CreateVolume")) if asked == "CreateVolume" else answer)
    cloud = moto.cloud(REGION, endpoint=between.url)
    key = str(uuid.uuid4())
    args = {"name": "lost", "zone_id": ZONE, "size_gb": 8}
    with pytest.raises(Uncertain, match="whether it was carried out is not known"):
        cloud.submit("volumes", "create", args, key)
    found = cloud.seek("volumes", "create", args, key)
    assert found is not None
    cloud.submit("volumes", "destroy", {"id": found.target}, str(uuid.uuid4()))
    cloud.close()
    between.close()


@pytest.mark.parametrize("seed", range(4))
def test_lies_about_a_change_end_it_and_are_no_mistake_of_ours(lied: LiedTo, seed: int) -> None:
    between, name = lied.between, f"lied-about-{seed}"

    def lie(asked: str, answer: Answer) -> Answer:
        chance = random.Random(f"{seed} {asked}")
        wrong = asked in ("CreateVolume", "DescribeVolumes") and answer[0] < 300
        return (*answer[:2], anywhere_in_xml(answer[2], chance)) if wrong else answer

    between.lie = lie
    answer = lied.api.call("POST", f"zones/{ZONE}/disks", {"name": name, "sizeGb": "8"})
    assert answer.status != 500, answer.data
    between.lie = truth
    if answer.status == 200:
        done = lied.api.until_done(answer.data)
        assert "INTERNAL_ERROR" not in str(done.get("error", {})), done
        assert [each for each in lied.told(f"zones/{ZONE}/disks")[1] if each == name]


def test_a_machine_gets_disk_and_address_when_it_is_made_and_not_before(lied: LiedTo) -> None:
    api, looks = lied.api, 4
    lied.between.lie = truth
    api.change("POST", "regions/eu-west/addresses", {"name": "of-early"})
    ip = api.get("regions/eu-west/addresses/of-early")["address"]

    def lie(asked: str, answer: Answer) -> Answer:
        nonlocal looks
        if asked in ("RunInstances", "DescribeInstances") and looks > 0 and b">early<" in answer[2]:
            looks -= asked == "DescribeInstances"
            return (*answer[:2], answer[2].replace(b"<name>running</name>", b"<name>pending</name>"))
        if asked in ("AttachVolume", "AssociateAddress", "CreateTags") and looks > 0:
            told = "<Response><Errors><Error><Code>IncorrectState</Code><Message>not running</Message></Error></Errors>"
            return 400, XML, f"{told}</Response>".encode()
        return answer

    lied.between.lie = lie
    image = next(row["selfLink"] for row in api.get("global/images")["items"])
    done = api.until_done(api.call("POST", HERE, {
        "name": "early", "machineType": f"zones/{ZONE}/machineTypes/t3-micro", "labels": {"team": "blue"},
        "networkInterfaces": [{"accessConfigs": [{"natIP": ip}]}],
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": image}},
                  {"autoDelete": True, "initializeParams": {"diskSizeGb": "8"}}],
    }).data)  # fmt: skip
    assert (done.get("error"), done.get("warnings"), looks) == (None, None, 0)
    shown = api.get(f"{HERE}/early")
    assert (len(shown["disks"]), shown["labels"]) == (2, {"team": "blue"})
    assert shown["networkInterfaces"][0]["accessConfigs"][0]["natIP"] == ip
    api.change("DELETE", f"{HERE}/early")
    api.change("DELETE", "regions/eu-west/addresses/of-early")


def dated(by: datetime.timedelta, code: str, words: str) -> Lie:
    """A cloud whose clock is off by this, and that refuses requests because of it."""
    told = f"<Response><Errors><Error><Code>{code}</Code><Message>{words}</Message></Error></Errors></Response>"
    date = format_datetime(datetime.datetime.now(datetime.UTC) + by, usegmt=True)
    return lambda asked, answer: (400, {**XML, "Date": date}, told.encode())


@pytest.mark.parametrize("owned", [True, False])
@pytest.mark.parametrize("code", SKEWED)
def test_a_request_of_another_time_is_about_clocks_whoever_has_signed_it(
    moto: Moto, code: str, owned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_AHEAD", {})
    between = Between(moto.url)
    between.lie = dated(HOURS, code, SKEWED[code])
    cloud = moto.cloud(REGION, endpoint=between.url, owned=owned)
    with pytest.raises(Unavailable, match=r"clocks of this machine and of the cloud\. Its clock is 5 hours ahead"):
        cloud.nodes.list()
    cloud.close()
    between.close()


def test_keys_that_are_refused_are_told_with_the_clock(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_AHEAD", {})
    between = Between(moto.url)
    words = "AWS was not able to validate the provided access credentials"
    between.lie = dated(-HOURS, "AuthFailure", words)
    for owned, kind in ((True, Unavailable), (False, Unauthenticated)):
        cloud = moto.cloud(REGION, endpoint=between.url, owned=owned)
        with pytest.raises(kind, match="Its clock is 5 hours behind this machine's"):
            cloud.nodes.list()
        cloud.close()
    between.close()
