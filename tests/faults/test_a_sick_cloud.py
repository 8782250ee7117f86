"""The cloud is down, slow, resets, or answers rubbish: a clear 503, and everybody else is served meanwhile."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.conftest import Launch
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


@pytest.mark.parametrize(("kind", "options"), [
    ("status", {"status": 500}),
    ("status", {"status": 503}),
    ("reset", {}),
    ("truncate", {}),
    ("garbage", {}),
    ("html", {}),
])
def test_rubbish_is_a_503_that_names_the_cloud_and_passes(launch: Launch, kind: str, options: dict[str, Any]) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.faults.add(command="listVirtualMachines", kind=kind, times=0, **options)
    answer = api.call("GET", HERE)
    assert (answer.status, answer.reason) == (503, "backendError"), answer.data
    assert "'sim'" in answer.message
    assert int(answer.headers["Retry-After"]) > 0
    account = cloud.accounts["demo"]
    assert account.api_key not in answer.message
    assert account.secret_key not in live.said()
    assert account.api_key not in live.said()
    cloud.faults.clear()
    assert api.get(HERE)["kind"] == "compute#instanceList"


def test_a_cloud_that_is_gone_is_a_503_and_its_return_is_noticed(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.stop()
    answer = api.call("GET", HERE)
    assert (answer.status, answer.reason) == (503, "backendError")
    refused = api.call("POST", HERE, machine("nowhere"))
    assert refused.status == 503


@pytest.mark.alone
def test_a_slow_cloud_slows_only_those_who_ask_it(launch: Launch) -> None:
    live, cloud = launch(server_extra="threads = 8")
    api = live.api()
    api.get("zones")
    cloud.faults.add(command="listVirtualMachines", kind="delay", times=0, seconds=3)
    asking = [threading.Thread(target=lambda: live.api().call("GET", HERE)) for _ in range(6)]
    for thread in asking:
        thread.start()
    quick = []
    for _ in range(10):
        started = time.monotonic()
        api.get("zones")
        quick.append(time.monotonic() - started)
    assert sorted(quick)[5] < 0.5
    for thread in asking:
        thread.join()


@pytest.mark.parametrize("kind", ["reset_after", "truncate"])
def test_a_lost_answer_makes_no_second_machine(launch: Launch, kind: str) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.faults.add(command="deployVirtualMachine", kind=kind)
    done = api.until_done(api.start("POST", HERE, machine("once")))
    assert "error" not in done
    assert [row["name"] for row in cloud.world.machines()] == ["once"]
    assert api.get(f"{HERE}/once")["id"] == done["targetId"]


def test_a_request_that_never_arrived_is_sent_again(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.faults.add(command="deployVirtualMachine", kind="reset")
    done = api.until_done(api.start("POST", HERE, machine("resent")))
    assert "error" not in done
    assert [row["name"] for row in cloud.world.machines()] == ["resent"]


def test_a_job_whose_record_is_lost_is_judged_by_what_it_did(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.faults.add(command="deployVirtualMachine", kind="job_lost")
    done = api.until_done(api.start("POST", HERE, machine("unrecorded")))
    assert "error" not in done
    assert api.get(f"{HERE}/unrecorded")["status"] == "RUNNING"


def test_a_poll_that_fails_is_hidden_from_who_waits(launch: Launch) -> None:
    live, cloud = launch(job_delay=0.5)
    api = live.api()
    operation = api.start("POST", HERE, machine("patient"))
    cloud.faults.add(command="queryAsyncJobResult", kind="status", status=503, times=3)
    assert "error" not in api.until_done(operation)


def test_wrong_keys_are_the_operators_matter_not_the_clients(launch: Launch) -> None:
    live, _ = launch()
    live.stop()
    live.secret = "x" * 40
    live.start()
    answer = live.api().call("GET", HERE)
    assert answer.status == 503
    assert "'sim'" in answer.message
    assert "x" * 40 not in answer.message
