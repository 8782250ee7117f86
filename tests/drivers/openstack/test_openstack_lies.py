"""An OpenStack whose answers are wrong: a clear fault for the item or the call; its clock may be off."""

from __future__ import annotations

import datetime
import json
import random
from collections.abc import Iterator
from email.utils import format_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_cloud import PASSWORD, PROJECT, USER, Recorded, recorded

from gcelib.drivers import clock
from gcelib.errors import Unavailable, Uncertain
from gcelib.models import JobState
from tests.faults.between import NO_ANSWERS, Answer, Between, Lie, in_rows, truth
from tests.faults.lied_to import LiedTo, lied_to
from tests.faults.lying import MISSING, WRONG, anywhere

HERE = "zones/zone-a/instances"
LISTS = {
    "zones": ("/os-availability-zone", "availabilityZoneInfo"),
    "zones/zone-a/machineTypes": ("/flavors/detail", "flavors"),
    "global/images": ("/images", "images"), HERE: ("/servers/detail", "servers"),
    "zones/zone-a/disks": ("/volumes/detail", "volumes"), "global/networks": ("/networks", "networks"),
    "global/firewalls": ("/security-groups", "security_groups"),
    "regions/zone/addresses": ("/floatingips", "floatingips"),
    "global/snapshots": ("/snapshots/detail", "snapshots"), "zones/zone-a/diskTypes": ("/types", "volume_types"),
}
"""A list of GCE's, the end of the path of what it is mainly made of, and what the answer calls its rows."""
HOURS = datetime.timedelta(hours=5)


@pytest.fixture(scope="module")
def lied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiedTo]:
    """A gcelib over recorded answers that pass a liar."""
    with recorded() as site:
        between = Between(site.url)
        clouds = (f'[clouds.lab]\nprovider = "openstack"\nendpoint = "{between.url}/v3"\nkey = "{USER}"\n'
                  f'secret = "{PASSWORD}"\ntimeout = 3\n[clouds.lab.options]\nex_tenant_name = "{PROJECT}"\n'
                  '[projects.demo]\nclouds = ["lab"]\n')
        with lied_to(tmp_path_factory.mktemp("lied"), between, clouds) as found:
            yield found


@pytest.mark.parametrize("path", LISTS)
def test_a_row_with_a_wrong_field_leaves_the_others_as_they_are(lied: LiedTo, path: str) -> None:
    between, (end, key) = lied.between, LISTS[path]
    between.lie = truth
    status, names = lied.told(path)
    assert status == 200
    true = next(answer for asked, answer in between.seen.items() if asked.endswith(end))
    chance = random.Random(path)
    row = json.loads(true[2])[key][0]
    for name in chance.sample(sorted(row), min(5, len(row))):
        value = chance.choice((*WRONG, MISSING, MISSING))

        def lie(asked: str, answer: Answer, name: str = name, value: object = value) -> Answer:
            return (*answer[:2], in_rows(answer[2], key, 0, name, value)) if asked.endswith(end) else answer

        between.lie = lie
        status, left = lied.told(path)
        assert status == 200, (name, value)
        # One thing, which may be shown under another name; twins of it may be named apart anew.
        assert len(names - left) <= 2, (name, value, names - left)
    lied.well(path, names)


def test_a_row_that_is_none_is_left_out_and_named_in_the_log(lied: LiedTo) -> None:
    between = lied.between
    between.lie = truth
    _, names = lied.told(HERE)

    def lie(asked: str, answer: Answer) -> Answer:
        if not asked.endswith("/servers/detail"):
            return answer
        rows = json.loads(answer[2])["servers"]
        odd = [None, "a server", {"name": "nameless-one"}, {"id": ["x"], "name": "listed-one"}]
        return (*answer[:2], json.dumps({"servers": [*odd, *rows, *rows]}).encode())

    between.lie = lie
    assert lied.told(HERE) == (200, names)
    said = lied.live.said()
    assert "ServerRow 'nameless-one' is left out" in said
    assert "4 of " in said
    lied.well(HERE, names)


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_what_is_no_answer_is_a_503_that_names_the_cloud(lied: LiedTo, name: str) -> None:
    between = lied.between
    between.lie = truth
    _, names = lied.told(HERE)
    between.lie = lambda asked, answer: NO_ANSWERS[name] if asked.endswith("/servers/detail") else answer
    assert lied.told(HERE)[0] == 503
    between.lie = lambda asked, answer: NO_ANSWERS[name]
    assert lied.told(HERE)[0] == 503
    lied.well(HERE, names)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(sorted(LISTS)), seed=st.integers(0, 2**32))
def test_lies_anywhere_in_any_answer_are_no_mistake_of_ours(lied: LiedTo, path: str, seed: int) -> None:
    between = lied.between

    def lie(asked: str, answer: Answer) -> Answer:
        # The same lie to the same question, however often and in which order they are asked.
        chance = random.Random(f"{seed} {asked}")
        wrong = chance.random() < 0.5 and answer[0] < 300
        return (*answer[:2], anywhere(answer[2], chance)) if wrong else answer

    between.lie = lie
    lied.told(path)
    between.lie = truth
    lied.api.until(lambda: lied.api.call("GET", path), 200)


def test_nothing_is_taken_for_gone_because_of_a_page(site: Recorded) -> None:
    cloud = site.cloud()
    for answer in ((404, "<h1>no such page</h1>"), (200, ""), (200, None), (200, {"server": "gone"}), (200, [])):
        site.script = lambda method, path, body, answer=answer: answer if "/servers/" in path else None  # type: ignore[misc]
        with pytest.raises(Unavailable):
            cloud.seek("nodes", "destroy", {"id": "x", "volume_ids": []}, "key")
    site.script = lambda method, path, body: (404, {"itemNotFound": {"message": "no"}}) if "/servers/" in path else None
    found = cloud.seek("nodes", "destroy", {"id": "x", "volume_ids": []}, "key")
    assert found is not None
    assert found.state is JobState.DONE
    cloud.close()


@pytest.mark.parametrize("answer", [{}, [], {"volume": []}, {"volume": {"name": "x"}}, {"volume": {"id": None}}, ""])
def test_a_change_whose_answer_makes_no_sense_is_looked_for(site: Recorded, answer: object) -> None:
    cloud = site.cloud()
    site.script = lambda method, path, body: (202, answer) if method == "POST" else None
    with pytest.raises(Uncertain, match="whether it was carried out is not known"):
        cloud.submit("volumes", "create", {"name": "x", "zone_id": "zone-a", "size_gb": 1}, "key")
    cloud.close()


def shifted(by: datetime.timedelta) -> Lie:
    """What a cloud tells whose clock is off by this: its `Date`, and tokens that last an hour."""
    def lie(asked: str, answer: Answer) -> Answer:
        now = datetime.datetime.now(datetime.UTC) + by
        status, headers, body = answer
        if asked.endswith("/auth/tokens") and b"expires_at" in body:
            told = json.loads(body)
            told["token"]["expires_at"] = (now + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
            body = json.dumps(told).encode()
        return status, {**headers, "Date": format_datetime(now, usegmt=True)}, body

    return lie


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("by", [-HOURS, HOURS])
def test_a_clock_that_is_off_makes_nobody_sign_in_again_and_again(
    by: datetime.timedelta, dated: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_AHEAD", {})
    monkeypatch.setattr(clock, "_SAID", {})
    with recorded() as site:
        between = Between(site.url)
        off = shifted(by)
        undated = {} if dated else {"Date": "soon"}

        def lie(asked: str, answer: Answer) -> Answer:
            status, headers, body = off(asked, answer)
            return status, {**headers, **undated}, body

        between.lie = lie
        cloud = site.cloud(endpoint=between.url)
        for _ in range(3):
            cloud.nodes.list()
            cloud.images.list()
        cloud.close()
        between.close()
    assert site.given == 1
    told = "5 hours behind" if by < datetime.timedelta(0) else "5 hours ahead of"
    assert (told in caplog.text) == dated
    assert caplog.text.count("Its clock is") == dated


def test_wrong_keys_and_a_wrong_clock_are_told_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_AHEAD", {})
    with recorded() as site:
        between = Between(site.url)
        cloud = site.cloud(endpoint=between.url, password="wrong")
        with pytest.raises(Unavailable, match=r"check key and secret of \[clouds.lab\], and the clock\.$"):
            cloud.ping()
        between.lie = shifted(HOURS)
        with pytest.raises(Unavailable, match=r"clock\. Its clock is 5 hours ahead of this machine's: look which"):
            cloud.ping()
        cloud.close()
        between.close()


def test_what_was_made_is_found_though_the_clouds_clock_is_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_AHEAD", {})
    now = datetime.datetime.now(datetime.UTC)
    with recorded() as site:
        between = Between(site.url)
        row = {"id": "made", "name": "fresh", "status": "active", "visibility": "private",
               "created_at": (now - HOURS + datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")}
        site.script = lambda method, path, body: (200, {"images": [row]}) if "/v2/images" in path else None
        cloud = site.cloud(endpoint=between.url)
        args = {"name": "fresh", "volume_id": "v", "submitted": now.isoformat()}
        assert cloud.seek("images", "create", args, "key") is None
        between.lie = shifted(-HOURS)
        found = cloud.seek("images", "create", args, "key")
        assert found is not None
        assert (found.state, found.target) == (JobState.DONE, "made")
        # What is older than the change is still another's.
        older = {**args, "submitted": (now + datetime.timedelta(minutes=1)).isoformat()}
        assert cloud.seek("images", "create", older, "key") is None
        cloud.close()
        between.close()
