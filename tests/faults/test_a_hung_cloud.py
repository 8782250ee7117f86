"""A cloud that hangs: its requests are told so with when to come again, and nobody else waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.hung import measure, quantile, two_clouds
from tests.hybrid.clouds import Cloud
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"

Setting = tuple[Live, Cloud, Cloud]


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """gcelib with eight threads, and two clouds that may take four seconds for a call."""
    live, well, sick = two_clouds(tmp_path_factory.mktemp("hung"), timeout=4, threads=8)
    yield live, well, sick
    live.stop()
    well.kill()
    sick.kill()
    assert "Traceback" not in live.said(), live.said()


@pytest.mark.alone
def test_a_storm_for_a_hung_cloud_holds_no_thread_of_another(setting: Setting) -> None:
    live, _, sick = setting
    figures = measure(live, sick, requests=600, clients=60, well=100)
    assert figures.storm["503"] > 400, figures.report()
    assert sum(figures.storm.values()) == 600
    assert figures.without_retry == 0
    # Held up, requests of the other would have waited for the four seconds of the time-outs.
    assert max(figures.beside) < 1500, figures.report()
    assert quantile(figures.beside, 0.5) < 10 * quantile(figures.alone, 0.5), figures.report()


@pytest.mark.alone
def test_a_cloud_known_to_hang_is_told_at_once_and_asked_again_when_it_answers(setting: Setting) -> None:
    live, _, sick = setting
    api = live.api("sick")
    api.until(lambda: api.call("GET", HERE), 200, 40)
    with sick.hanging():
        first = api.call("GET", HERE)
        started = time.monotonic()
        for verb, path in (("GET", HERE), ("GET", "zones/ch-gv2/disks"), ("POST", HERE)):
            answer = api.call(verb, path, machine("no") if verb == "POST" else None)
            assert (answer.status, answer.reason) == (503, "backendError")
            assert "'sick'" in answer.message
            assert int(answer.headers["Retry-After"]) > 0
        waited = time.monotonic() - started
    assert first.status == 503
    assert waited < 3
    api.until(lambda: api.call("GET", HERE), 200, 40)
    assert "no" not in sick.machine_names()


@pytest.mark.alone
def test_who_waits_for_operations_leaves_threads_to_others(setting: Setting) -> None:
    live, well, _ = setting
    api = live.api()
    with well.failing(command="deployVirtualMachine", kind="job_stuck"):
        operation = api.start("POST", HERE, machine("stuck"))
    path = operation["selfLink"].partition("/projects/demo/")[2]
    waiting = [
        threading.Thread(target=lambda: live.api().call("POST", f"{path}/wait"), daemon=True) for _ in range(20)
    ]
    for thread in waiting:
        thread.start()
    took = []
    for _ in range(20):
        started = time.monotonic()
        api.get("zones")
        took.append(time.monotonic() - started)
    assert sorted(took)[10] < 1
    assert max(took) < 5
