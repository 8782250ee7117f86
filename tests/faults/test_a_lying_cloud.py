"""A cloud whose answers are wrong: a clear fault for the item or the call, the rest stands, and gcelib never breaks."""

from __future__ import annotations

import datetime
import gzip
import json
import random
from collections.abc import Iterator
from email.utils import format_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcelib.simulator import Simulator
from tests.api import Api
from tests.faults.lying import JSON, MISSING, WRONG, Liar, in_one_row, rows_of, truth
from tests.faults.lying import anywhere as lie_anywhere
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
LISTS = {
    "zones": "listZones", "zones/ch-gv2/machineTypes": "listServiceOfferings", "global/images": "listTemplates",
    HERE: "listVirtualMachines", "zones/ch-gv2/disks": "listVolumes", "global/networks": "listNetworks",
    "global/firewalls": "listSecurityGroups", "regions/de/addresses": "listPublicIpAddresses",
    "global/snapshots": "listSnapshots",
}  # fmt: skip

Setting = tuple[Live, Api, Liar]


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """A gcelib that remembers nothing, over a cloud with machines whose answers pass a liar."""
    with Simulator(job_delay=0, preload=6) as cloud:
        liar = Liar(f"{cloud.url}/client/api" if not cloud.url.endswith("/client/api") else cloud.url)
        account = cloud.accounts["demo"]
        forgetful = "[cache]\nzones = 0\nsizes = 0\nimages = 0\nnodes = 0\nother = 0\n"
        live = Live(tmp_path_factory.mktemp("lied-to"), liar.url, account.api_key, account.secret_key,
                    extra=forgetful).start()
        yield live, live.api(), liar
        liar.lie = truth
        assert live.stop() == 0
        liar.close()
    assert "Traceback" not in live.said(), live.said()[-5000:]


def told(setting: Setting, path: str) -> tuple[int, set[str]]:
    """The status and the names in the answer to one list, which may be no mistake of gcelib's."""
    answer = setting[1].call("GET", path)
    assert answer.status != 500, answer.data
    if answer.status == 503:
        assert "'sim'" in answer.message
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status, {item["name"] for item in answer.data.get("items", [])}


@pytest.mark.parametrize("path", LISTS)
def test_a_row_with_a_wrong_field_leaves_the_others_as_they_are(setting: Setting, path: str) -> None:
    _, _, liar = setting
    command = LISTS[path]
    liar.lie = truth
    status, names = told(setting, path)
    assert status == 200
    rows = rows_of(json.loads(liar.seen[command]))
    chance = random.Random(path)
    for name in sorted(rows[0]) if rows else ():
        value = chance.choice((*WRONG, MISSING, MISSING))
        lie = in_one_row(0, name, value)
        liar.lie = lambda asked, body, lie=lie: (200, JSON, lie(body) if asked == command else body)  # type: ignore[misc]
        status, left = told(setting, path)
        assert status == 200, (name, value)
        lost = names - left
        # One thing, which may be shown under another name; twins of it may be named apart anew.
        assert len(lost) <= 3, (name, value, lost)
    liar.lie = truth
    assert told(setting, path) == (200, names)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(sorted(LISTS)), seed=st.integers(0, 2**32))
def test_lies_anywhere_in_any_answer_are_no_mistake_of_ours(setting: Setting, path: str, seed: int) -> None:
    _, api, liar = setting

    def lie(command: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        # The same lie to the same question, however often and in which order they are asked.
        chance = random.Random(f"{seed} {command}")
        return 200, JSON, lie_anywhere(body, chance) if chance.random() < 0.5 else body

    liar.lie = lie
    told(setting, path)
    liar.lie = truth
    # Nothing is left of one example for the next: neither a cloud that is left alone nor a list that was not right.
    api.until(lambda: api.call("GET", path), 200)


@pytest.mark.parametrize(("status", "headers", "body"), [
    (200, {"Content-Type": "text/html"}, b"<html>Welcome</html>"),
    (200, JSON, b""),
    (200, JSON, b"[" * 100_000),
    (200, JSON, b'{"listzonesresponse": {"count": 1, "zone": [{"id": "1"'),
    (200, JSON, b'{"listprojectsresponse": "x"}'),
    (200, JSON, b"\xff\xfe\x00"),
    (302, {**JSON, "Location": "http://127.0.0.1:1/"}, b""),
    (204, {}, b""),
    (200, {**JSON, "Content-Encoding": "gzip"}, b"no gzip at all"),
    (200, {**JSON, "Content-Encoding": "gzip"}, gzip.compress(b" " * (300 * 1024 * 1024), 1)),
], ids=["page", "empty", "deep", "cut", "text", "binary", "elsewhere", "nothing", "no-gzip", "bomb"])
def test_what_is_no_answer_is_a_503_that_names_the_cloud(
    setting: Setting, status: int, headers: dict[str, str], body: bytes
) -> None:
    setting[2].lie = lambda command, true: (status, headers, body)
    assert told(setting, HERE)[0] == 503
    setting[2].lie = truth
    # What took long to come, as the bomb, keeps requests away from the cloud for a second.
    setting[1].until(lambda: setting[1].call("GET", HERE), 200)


def test_an_answer_in_another_content_type_is_read_all_the_same(setting: Setting) -> None:
    setting[2].lie = lambda command, true: (200, {"Content-Type": "text/javascript"}, true)
    assert told(setting, HERE)[0] == 200


def test_the_answer_of_another_call_is_not_taken_for_an_empty_list(setting: Setting) -> None:
    _, _, liar = setting
    liar.lie = truth
    told(setting, HERE)
    other = liar.seen["listZones"]
    liar.lie = lambda command, true: (200, JSON, other if command == "listVirtualMachines" else true)
    assert told(setting, HERE)[0] == 503


@pytest.mark.parametrize("seed", range(12))
def test_lies_about_a_change_end_it_and_are_no_mistake_of_ours(setting: Setting, seed: int) -> None:
    _, api, liar = setting
    chance = random.Random(seed)
    liar.lie = lambda command, body: (
        200, JSON, lie_anywhere(body, chance) if command in ("deployVirtualMachine", "queryAsyncJobResult") else body)
    answer = api.call("POST", HERE, machine(f"lied-about-{seed}"))
    assert answer.status != 500, answer.data
    liar.lie = truth
    if answer.status == 200:
        done = api.until_done(answer.data)
        assert "INTERNAL_ERROR" not in json.dumps(done.get("error", {})), done


def test_a_row_that_is_left_out_is_named_in_the_log(setting: Setting) -> None:
    live, _, liar = setting
    liar.lie = truth
    _, names = told(setting, HERE)
    rows = rows_of(json.loads(liar.seen["listVirtualMachines"]))
    gone = in_one_row(0, "id", MISSING)
    liar.lie = lambda command, body: (200, JSON, gone(body) if command == "listVirtualMachines" else body)
    before = live.said()
    status, left = told(setting, HERE)
    said = live.said().removeprefix(before)
    assert (status, len(left)) == (200, len(names) - 1)
    assert f"not a usable VmRow '{rows[0]['name']}'" in said
    assert f"Cloud 'sim' (cloudstack): 1 of {len(rows)} rows of listVirtualMachines are left out" in said
    liar.lie = truth
    assert told(setting, HERE) == (200, names)


def test_signatures_that_are_refused_are_told_with_the_clock(setting: Setting) -> None:
    live, _, liar = setting
    words = "unable to verify user credentials and/or request signature"
    when = format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=3), usegmt=True)
    refused = json.dumps({"errorresponse": {"errorcode": 401, "errortext": words}}).encode()
    liar.lie = lambda command, body: (401, {**JSON, "Date": when}, refused)
    answers = [setting[1].call("GET", HERE) for _ in range(2)]
    assert {answer.status for answer in answers} == {503}
    assert all("Its clock is 3 hours ahead of this machine's: look which one is wrong" in answer.message
               for answer in answers)
    # Once an hour is enough for the log of what every answer tells.
    assert live.said().count("cloud sim: Its clock is 3 hours ahead") == 1
    liar.lie = truth
    assert told(setting, HERE)[0] == 200
