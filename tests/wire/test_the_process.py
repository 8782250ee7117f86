"""The daemon as its operator sees it: health, figures, log, and an end that cuts nobody off."""

from __future__ import annotations

import signal
import threading
import time

import pytest
import requests

from tests.conftest import Launch
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


def test_it_tells_of_its_health_and_its_work(launch: Launch) -> None:
    live, cloud = launch(job_delay=1.0, forked=False)
    api = live.api()
    admin = f"http://127.0.0.1:{live.admin}"
    operation = api.start("POST", HERE, machine("counted"))
    ready = requests.get(f"{admin}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["clouds"]) == (200, {"sim": "ok"})
    figures = requests.get(f"{admin}/metrics", timeout=10).text
    assert 'gcelib_operations{state="RUNNING"} 1.0' in figures
    assert 'gcelib_cloud_calls_total{cloud="sim",facet="nodes",outcome="ok",provider="cloudstack"}' in figures
    api.until_done(operation)
    figures = requests.get(f"{admin}/metrics", timeout=10).text
    assert 'gcelib_operations_ended_total{outcome="done"} 1.0' in figures
    assert 'gcelib_requests_total{method="compute.instances.insert",outcome="ok",status="200"} 1.0' in figures
    cloud.stop()
    live.stop()
    live.start()
    gone = requests.get(f"{admin}/readyz", timeout=30)
    assert gone.status_code == 503
    assert "'sim'" in gone.json()["clouds"]["sim"]


def test_sigterm_answers_those_who_wait_and_the_next_start_goes_on(launch: Launch) -> None:
    live, cloud = launch(job_delay=3.0, forked=False)
    api = live.api()
    operation = api.start("POST", HERE, machine("handed-over"))
    path = operation["selfLink"].partition("/projects/demo/")[2]
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(live.api().call("POST", f"{path}/wait")))
    waiting.start()
    time.sleep(0.5)
    started = time.monotonic()
    assert live.stop() == 0
    assert time.monotonic() - started < 5
    waiting.join()
    assert answers[0].data["status"] == "RUNNING"
    live.start()
    assert "error" not in api.until_done(operation)
    assert [row["name"] for row in cloud.world.machines()] == ["handed-over"]


def test_a_reload_offers_other_projects_without_a_pause(launch: Launch) -> None:
    live, _ = launch(forked=False)
    api = live.api("other-name")
    assert api.call("GET", "zones").status == 404
    live.config.write_text(live.config.read_text().replace('"demo@example.com"', '"other-name"'))
    assert live.process
    live.process.send_signal(1)
    assert api.until(lambda: api.call("GET", "zones"), 200).data["selfLink"].endswith("/projects/other-name/zones")


def test_an_alias_is_the_project_under_another_name(launch: Launch) -> None:
    live, _ = launch()
    api = live.api("demo@example.com")
    assert api.get("zones")["selfLink"] == f"{live.url}/compute/v1/projects/demo@example.com/zones"
    operation = api.change("POST", HERE, machine("aliased"))
    assert "/projects/demo@example.com/" in operation["targetLink"]
    other = live.api().get(f"zones/ch-gv2/operations/{operation['name']}")
    assert "/projects/demo/" in other["targetLink"]


def test_a_second_server_on_the_same_state_is_refused_until_the_first_has_ended(launch: Launch) -> None:
    live, _ = launch(forked=False)
    second = Live(live.home, live.endpoint, live.key, live.secret)
    with pytest.raises(AssertionError) as refused:
        second.start()
    assert live.process is not None
    assert f"another gcelib (process {live.process.pid}) serves from" in str(refused.value)
    live.write()
    api = live.api()
    api.change("POST", HERE, machine("undisturbed"))
    live.stop(signal.SIGKILL)
    live.start()
    assert api.get(f"{HERE}/undisturbed")["status"] == "RUNNING"
