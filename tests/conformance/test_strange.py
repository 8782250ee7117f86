"""Drivers that block, break, lie and answer nothing: answers are honest and without secrets, nothing is made twice."""

from __future__ import annotations

import concurrent.futures
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conformance.strange.site import TOKEN, Strange, begun, body

INSTANCES = "zones/east-1/instances"
RAISED = [
    "Exception", "KeyError", "TypeError", "ValueError", "RuntimeError", "AssertionError", "ZeroDivisionError",
    "StrangeError", "LibcloudError", "InvalidCredsError", "MalformedResponseError", "ProviderError", "ReadTimeout",
    "ConnectTimeout", "ConnectionError", "OSError", "400", "401", "404", "409", "500", "503", "no code",
]


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Strange]:
    """A gcelib over strange drivers; whatever they do, it ends well and its log knows no secret."""
    found = begun(tmp_path_factory.mktemp("strange"))
    yield found
    code, said = found.live.stop(), found.live.said()
    found.cloud.kill()
    found.cloud.communicate()
    assert code == 0
    assert TOKEN not in said
    assert "Traceback" not in said, said


def ended(strange: Strange, operation: Any, seconds: float = 20) -> Any:
    """An operation once it is done, or as it is after a while."""
    until = time.monotonic() + seconds
    path = operation["selfLink"].partition("/projects/demo/")[2]
    while (found := strange.api.get(path))["status"] != "DONE" and time.monotonic() < until:
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("kind", RAISED)
def test_a_list_that_fails_is_a_cloud_that_is_away_whatever_is_raised(strange: Strange, kind: str) -> None:
    with strange.moody(list_nodes=f"raise {kind}"):
        answer = strange.ask(INSTANCES)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert "Cloud 'strange' (strange)" in answer.json()["error"]["message"]
    assert TOKEN not in answer.text


def test_a_cloud_that_is_asked_too_often_says_when_to_come_again(strange: Strange) -> None:
    for kind, seconds in (("429", "9"), ("RateLimitReachedError", "7")):
        with strange.moody(list_nodes=f"raise {kind}"):
            answer = strange.ask(INSTANCES)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, seconds)


@pytest.mark.parametrize("mood", ["exit", "broken generator"])
def test_a_driver_that_ends_itself_ends_nothing_else(strange: Strange, mood: str) -> None:
    with strange.moody(list_nodes=mood):
        answer = strange.ask(INSTANCES)
    assert answer.status_code == 503
    assert "libcloud's driver broke" in answer.json()["error"]["message"]
    assert strange.ask(INSTANCES).status_code == 200


@pytest.mark.parametrize("mood", ["none", "false", "generator"])
def test_a_list_may_be_nothing_or_a_generator(strange: Strange, mood: str) -> None:
    with strange.moody(list_nodes=mood, list_images=mood, list_volumes=mood, list_sizes=mood):
        assert strange.ask(INSTANCES).status_code == 200
        assert strange.ask("global/images").status_code == 200


def test_volumes_and_places_that_a_driver_only_pretends_to_have_are_none(strange: Strange) -> None:
    strange.api.change("POST", INSTANCES, body("steady"))
    with strange.moody(list_volumes="raise NotImplementedError"):
        assert [row["name"] for row in strange.ask(INSTANCES).json()["items"]] == ["steady"]
    with strange.moody(list_locations="raise NotImplementedError"):
        assert "strange-a" in [row["name"] for row in strange.ask("zones").json()["items"]]
    assert "east-1" in [row["name"] for row in strange.ask("zones").json()["items"]]
    strange.api.change("DELETE", f"{INSTANCES}/steady")


@pytest.mark.parametrize("mood", [
    "no id", "other id", "another name", "then none", "late 1", "then raise Exception", "then raise KeyError",
    "then raise StrangeError", "then raise 409", "then raise 500", "then raise 503",
])
def test_a_machine_that_was_made_is_found_whatever_its_driver_answers(strange: Strange, mood: str) -> None:
    name = "made-" + mood.lower().replace(" ", "-")
    with strange.felt("create_node", mood):
        done = ended(strange, strange.api.start("POST", INSTANCES, body(name)))
    assert done["status"] == "DONE"
    assert "error" not in done
    assert done["targetId"] == strange.api.get(f"{INSTANCES}/{name}")["id"]
    assert strange.machines(name) == 1


@pytest.mark.parametrize(("mood", "status"), [
    ("false", 400), ("raise Exception", 400), ("raise NotImplementedError", 400), ("raise 403", 403),
    ("raise StrangeError", 404), ("raise 409", 409), ("raise 429", 429), ("raise 401", 503), ("raise 503", 503),
    ("raise ConnectTimeout", 503),
])
def test_a_machine_that_is_refused_is_refused_and_not_there(strange: Strange, mood: str, status: int) -> None:
    with strange.moody(create_node=mood):
        answer = strange.api.call("POST", INSTANCES, body("refused"))
    assert answer.status == status
    assert "Cloud 'strange' (strange)" in answer.message
    assert TOKEN not in str(answer.data)
    assert strange.machines("refused") == 0


def test_a_stop_that_was_lost_is_sent_again_and_a_machine_that_may_come_yet_is_waited_for(strange: Strange) -> None:
    strange.api.change("POST", INSTANCES, body("lost"))
    waited = {}
    for number, mood in enumerate(("none", "raise KeyError", "raise RuntimeError", "raise 500", "raise ReadTimeout")):
        with strange.felt("create_node", mood):
            waited[f"may-{number}"] = strange.api.start("POST", INSTANCES, body(f"may-{number}"))
    with strange.felt("ex_shutdown_node", "raise ReadTimeout"):
        operation = strange.api.start("POST", f"{INSTANCES}/lost/stop")
    assert "error" not in strange.api.until_done(operation)
    assert strange.api.get(f"{INSTANCES}/lost")["status"] == "TERMINATED"
    for name, each in waited.items():
        assert ended(strange, each, 0)["status"] == "RUNNING"
        assert strange.machines(name) == 0
        again = strange.api.call("POST", INSTANCES, body(name))
        assert (again.status, again.reason) == (409, "alreadyExists")


def test_a_change_that_blocks_is_an_operation_and_slows_nobody(strange: Strange) -> None:
    with strange.moody(create_node="block 7"):
        begun_at = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            started = [pool.submit(strange.api.start, "POST", INSTANCES, body(f"slow-{n}")) for n in range(10)]
            time.sleep(1.5)
            slowest = max(strange.ask(INSTANCES).elapsed.total_seconds() for _ in range(5))
            operations = [each.result() for each in started]
        answered = time.monotonic() - begun_at
    assert {each["status"] for each in operations} == {"RUNNING"}
    assert answered < 7
    assert slowest < 2
    assert all("error" not in ended(strange, each) for each in operations)
    assert [strange.machines(f"slow-{n}") for n in range(10)] == [1] * 10


def test_of_two_machines_that_were_being_made_at_a_crash_neither_is_made_twice(strange: Strange) -> None:
    """One that the cloud never heard of, and one that it made while its driver still waited."""
    cut = [threading.Thread(target=attempt, args=(strange, name)) for name in ("unsent", "sent")]
    with strange.felt("create_node", "block 60"):
        cut[0].start()
    with strange.moody(create_node="late 60"):
        cut[1].start()
        strange.until(lambda: strange.machines("sent") == 1)
        strange.live.stop(signal.SIGKILL)
    for each in cut:
        each.join()
    strange.live.start()
    assert "error" not in strange.api.until_done(strange.operation("sent"))
    assert strange.operation("unsent")["status"] == "RUNNING"
    assert (strange.machines("sent"), strange.machines("unsent")) == (1, 0)


def attempt(strange: Strange, name: str) -> None:
    """Ask for a machine, and be cut off."""
    with pytest.raises(Exception, match="Connection"):
        strange.api.call("POST", INSTANCES, body(name))


def test_disks_and_snapshots_are_as_honest(strange: Strange) -> None:
    moods = ("no id", "then none", "then raise KeyError", "then raise 500")
    for kind, path, call in (("disk", "zones/east-1/disks", "create_volume"),
                             ("copy", "zones/east-1/disks/disk-{}/createSnapshot", "create_volume_snapshot")):
        begun = []
        for number, mood in enumerate(moods):
            with strange.felt(call, mood):
                size = {"sizeGb": "5"} if kind == "disk" else {}
                begun.append(strange.api.start("POST", path.format(number), {"name": f"{kind}-{number}", **size}))
        assert ["error" in ended(strange, each) for each in begun] == [False] * 4
    for number in range(4):
        assert strange.api.get(f"global/snapshots/copy-{number}")["sourceDisk"].endswith(f"/disks/disk-{number}")


@pytest.mark.parametrize("mood", ["then none", "then raise 404", "then raise KeyError"])
def test_what_is_gone_is_deleted_whatever_the_driver_answers(strange: Strange, mood: str) -> None:
    strange.api.change("POST", INSTANCES, body("going"))
    with strange.felt("destroy_node", mood):
        done = ended(strange, strange.api.start("DELETE", f"{INSTANCES}/going"))
    assert (done["status"], done.get("error")) == ("DONE", None)
    assert strange.machines("going") == 0


def test_a_driver_whose_arguments_have_no_names_gets_them_all(strange: Strange) -> None:
    api = strange.live.api("open")
    api.change("POST", "zones/west-1/instances", {
        **body("opened"), "machineType": "zones/west-1/machineTypes/large",
    })
    assert api.get("zones/west-1/instances/opened")["machineType"].endswith("/large")


def test_an_argument_that_a_driver_insists_on_is_named_and_taken_from_the_configuration(strange: Strange) -> None:
    refused = strange.live.api("needy").call("POST", INSTANCES, body("needed"))
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert "ex_contract" in refused.message
    assert "options.arguments.create_node" in refused.message
    strange.live.api("sated").change("POST", INSTANCES, body("needed"))


def test_a_driver_that_cannot_be_made_is_a_cloud_that_is_away(strange: Strange) -> None:
    # One mood after the other without a good one between: a question that is still under way would make a driver in it.
    with strange.moody(__init__="Exception"):
        for kind in ("Exception", "TypeError", "RuntimeError", "InvalidCredsError", "401", "ReadTimeout"):
            strange.write({"__init__": kind})
            answer = strange.ask(INSTANCES, "sullen")
            made = strange.live.api("sullen").call("POST", INSTANCES, body("sullen"))
            for status, text in ((answer.status_code, answer.text), (made.status, str(made.data))):
                assert status == 503, (kind, text)
                assert "Cloud 'sullen' (sullen)" in text
                assert TOKEN not in text


def test_thousands_of_odd_things_are_listed_each_under_a_name_that_finds_it(strange: Strange) -> None:
    api = strange.live.api("crowded")
    images = api.get("global/images", maxResults=500)["items"]
    assert len({row["name"] for row in images}) == 500
    zone = api.get("zones")["items"][0]["name"]
    machines = [row for part in api.get("aggregated/instances")["items"].values() for row in part.get("instances", ())]
    assert len({row["name"] for row in machines}) == len(machines) == 7
    said = strange.live.said()
    assert "Cloud 'crowded' (crowded): 1 of 10 rows of list_nodes are left out" in said
    assert "Cloud 'crowded' (crowded): one of its images is left out: it is no usable NodeImage 'i-odd'" in said
    states = {row["name"]: row["status"] for row in machines}
    assert (states["caps"], states["groe-5"], "gone" in states) == ("TERMINATED", "RUNNING", False)
    shown = next(row for row in machines if row["name"] == "groe-5")
    assert shown["networkInterfaces"][0]["networkIP"] == "10.0.0.5"
    disks = [row for part in api.get("aggregated/disks")["items"].values() for row in part.get("disks", ())]
    copies = api.get("global/snapshots")["items"]
    types = api.get(f"zones/{zone}/machineTypes", maxResults=5)["items"]
    assert [row["memoryMb"] for row in types if row["name"] == "endless"] == [0]
    for row in (*images[:4], *machines, *disks, *copies, *types):
        assert api.get(row["selfLink"].partition("/projects/crowded/")[2])["name"] == row["name"]


def test_a_cloud_that_hangs_is_given_up_after_its_time(strange: Strange) -> None:
    strange.cloud.send_signal(signal.SIGSTOP)
    try:
        answer = strange.ask(INSTANCES)
    finally:
        strange.cloud.send_signal(signal.SIGCONT)
    assert answer.status_code == 503
    assert answer.elapsed.total_seconds() < 12
