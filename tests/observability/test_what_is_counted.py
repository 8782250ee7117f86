"""What requests, calls and operations leave in figures and log: all of it, and nothing that a client can invent."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gcelib import errors
from gcelib.drivers.base import FACETS
from gcelib.server import metrics
from gcelib.simulator import Simulator
from tests.conftest import Launch, launched
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
SERIES = re.compile(r'^(\w+?)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Live, Simulator]]:
    """A server whose log is for machines."""
    with Simulator(job_delay=0.05) as cloud:
        live = launched(tmp_path_factory.mktemp("watched"), cloud, server_extra='log_format = "json"')
        yield live, cloud
        assert live.stop() == 0


def series(live: Live) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every series by name and labels."""
    text = requests.get(f"http://127.0.0.1:{live.admin}/metrics", timeout=10).text
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = SERIES.match(line)
            assert match, line
            found[match[1], tuple(LABEL.findall(match[2] or ""))] = float(match[3])
    return found


def value(live: Live, name: str, **labels: str) -> float:
    """One series."""
    return series(live).get((name, tuple(sorted(labels.items()))), 0.0)


def wild(live: Live, mark: str) -> None:
    """Requests with a client's own words wherever there is room for any."""
    head = {"Authorization": f"Bearer {live.sign_in()}", "X-Request-Id": mark}
    demo = f"{live.url}/compute/v1/projects/demo"
    session = requests.Session()
    for verb, url, headers in (
        ("GET", f"{demo}/{HERE}/{mark}", head), ("GET", f"{demo}/zones/{mark}/instances", head),
        ("GET", f"{live.url}/compute/v1/projects/{mark}/zones", head), ("GET", f"{live.url}/{mark}", head),
        ("GET", f"{demo}/{mark}/x/{mark}", head), ("GET", f"{demo}/global/{mark}", head), (mark.upper(), demo, head),
        ("GET", f"{demo}/zones", {"Authorization": f"Bearer {mark}"}), ("GET", f"{demo}/zones?filter={mark}", head),
        ("GET", f"{demo}/zones/ch-gv2/diskTypes", {**head, "X-Goog-User-Project": mark}),
        ("GET", f"{demo}/global/sslCertificates", head), ("DELETE", f"{demo}/global/sslCertificates/{mark}", head),
        ("GET", f"{live.url}/oauth2/auth?client_id={mark}", {}), ("POST", f"{live.url}/batch", head),
    ):
        session.request(verb, url, headers=headers, timeout=30)
    operation = session.post(f"{demo}/{HERE}", headers=head, json=machine(mark), timeout=30).json()
    live.api().until_done(operation)
    live.api().change("DELETE", f"{HERE}/{mark}")


def test_the_number_of_series_does_not_grow_with_what_clients_say(watched: tuple[Live, Simulator]) -> None:
    live, _ = watched
    # Both ask the cloud for a sign of life, which is a call as well.
    requests.get(f"http://127.0.0.1:{live.admin}/readyz", timeout=10)
    wild(live, "first-of-all")
    before = set(series(live))
    for mark in ("another", "yetanother"):
        wild(live, mark)
    after = set(series(live))
    # Whether a list was still remembered is chance.
    grown = {key for key in after - before if key[0] != "gcelib_cache_lookups_total"}
    assert not grown
    assert len(after) < 3000
    text = json.dumps([list(key) for key in after])
    for word in ("another", "first-of-all", "demo", "tester@"):
        assert word not in text.replace(str(live.home), "")


def test_every_label_has_a_value_out_of_a_list(watched: tuple[Live, Simulator]) -> None:
    live, _ = watched
    wild(live, "values")
    reasons = {"ok", "refused", *(kind.reason for kind in errors.KINDS.values())}
    kinds = {"ok", "Away", "Crowded", "Rejected", "Strange", *errors.KINDS}
    allowed: dict[str, set[str]] = {
        "cloud": {"sim"}, "provider": {"cloudstack"}, "facet": {*FACETS, "jobs", "other", "answers", "notes"},
        "state": {"PENDING", "RUNNING"}, "subject": {"", "sim", f"{live.home}/state"}, "place": {f"{live.home}/state"},
    }  # fmt: skip
    for (name, labels), _ in series(live).items():
        if not name.startswith("gcelib_"):
            continue
        for label, said in labels:
            assert said in allowed.get(label, {said}), (name, label, said)
            if label == "outcome":
                assert said in reasons | kinds | {"done", "failed", "hit", "miss", "shared", "stale"}
            if label == "method":
                assert said in {"-", "discovery", "batch", "oauth2", "home", metrics.UNSERVED} or "compute." in said
    methods = {dict(labels).get("method") for name, labels in series(live) if name == "gcelib_requests_total"}
    assert metrics.UNSERVED in methods
    assert "compute.sslCertificates.list" not in methods


def test_a_look_at_a_list_is_a_hit_or_a_miss_and_a_call_is_of_its_facet(watched: tuple[Live, Simulator]) -> None:
    live, _ = watched
    api = live.api()
    before = series(live)
    headers = {"Authorization": f"Bearer {api.token}", "Cache-Control": "no-cache"}
    url = f"{live.url}/compute/v1/projects/demo/zones/ch-gv2/diskTypes"
    assert requests.get(url, headers=headers, timeout=30).status_code == 200
    api.get("zones/ch-gv2/diskTypes")
    api.get("zones/ch-gv2/diskTypes")
    after = series(live)

    def more(name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return after.get(key, 0.0) - before.get(key, 0.0)

    lookups = {(facet, outcome): more("gcelib_cache_lookups_total", facet=facet, outcome=outcome)
               for facet in ("volumes", "zones", "answers") for outcome in ("hit", "miss")}  # fmt: skip
    assert sum(count for (_, outcome), count in lookups.items() if outcome == "hit") >= 1
    assert lookups["volumes", "miss"] >= 1
    assert more("gcelib_cloud_calls_total", cloud="sim", provider="cloudstack", facet="volumes", outcome="ok") >= 1


def test_an_operation_is_counted_when_it_ends_with_its_age_and_its_steps(watched: tuple[Live, Simulator]) -> None:
    live, _ = watched
    before = value(live, "gcelib_operation_seconds_count", outcome="done")
    steps = value(live, "gcelib_operation_steps_total", facet="nodes", outcome="done")
    live.api().change("POST", HERE, machine("aged"))
    assert value(live, "gcelib_operation_seconds_count", outcome="done") == before + 1
    assert value(live, "gcelib_operation_steps_total", facet="nodes", outcome="done") == steps + 1
    assert value(live, "gcelib_operations", state="RUNNING") == 0
    assert value(live, "gcelib_pool_threads") == 32
    assert value(live, "gcelib_queue_up") == 1


def lines(live: Live, wanted: Any, count: int = 1) -> list[dict[str, Any]]:
    """The log's lines that are wanted, when there are so many."""
    end = time.monotonic() + 10
    while True:
        found = [line for line in live.log_lines() if wanted(line)]
        if len(found) >= count:
            return found
        assert time.monotonic() < end, live.said()[-2000:]
        time.sleep(0.05)


def test_a_request_and_its_steps_are_a_line_each_with_the_id_that_the_client_sees(
    watched: tuple[Live, Simulator]
) -> None:
    live, _ = watched
    answer = live.api().call("POST", HERE, machine("told"))
    mark, name = answer.headers["X-Request-Id"], answer.data["name"]
    live.api().until_done(answer.data)
    (asked,) = lines(live, lambda line: line["logger"] == "gcelib.access" and line.get("request_id") == mark)
    assert (asked["method"], asked["status"], asked["operation"]) == ("compute.instances.insert", 200, name)
    of_step = lines(live, lambda line: line["logger"] == "gcelib.operations.step" and line.get("step") == "node"
                    and line["operation"] == name)  # fmt: skip
    assert len(of_step) == 1
    assert {key: of_step[0][key] for key in ("request_id", "facet", "verb", "cloud", "outcome", "tries")} == {
        "request_id": mark, "facet": "nodes", "verb": "create", "cloud": "sim", "outcome": "done", "tries": 1}
    assert of_step[0]["ms"] > 0
    ended = lines(live, lambda line: line.get("event") == "operation" and line.get("operation") == name)
    assert ended[0]["request_id"] == mark


def test_a_step_that_fails_says_of_what_cloud_and_why(watched: tuple[Live, Simulator]) -> None:
    live, cloud = watched
    cloud.faults.add("deployVirtualMachine", "job_fail", 1, errorcode=533, text="No room in the inn")
    answer = live.api().call("POST", HERE, machine("unlucky"))
    mark = answer.headers["X-Request-Id"]
    (failed,) = lines(live, lambda line: line.get("request_id") == mark and line.get("outcome") == "failed"
                      and line["logger"] == "gcelib.operations.step")  # fmt: skip
    assert (failed["step"], failed["cloud"], failed["reason"]) == ("node", "sim", "NoCapacity")
    assert "No room in the inn" in failed["error"]
    refused = live.api().call("GET", f"{HERE}/nobody")
    (line,) = lines(live, lambda line: line.get("request_id") == refused.headers["X-Request-Id"]
                    and line["logger"] == "gcelib.access")  # fmt: skip
    assert line["reason"] == "notFound"


def test_after_a_kill_the_steps_still_carry_the_id_of_the_request(launch: Launch) -> None:
    live, _ = launch(job_delay=1.5, server_extra='log_format = "json"')
    answer = live.api().call("POST", HERE, machine("survivor"))
    mark = answer.headers["X-Request-Id"]
    live.stop(signal.SIGKILL)
    before = len(live.log_lines())
    assert not [line for line in live.log_lines() if line.get("step") == "node"]
    live.start()
    live.api().until_done(answer.data)
    of_step = [line for line in live.log_lines()[before:] if line.get("step") == "node"]
    assert [line["request_id"] for line in of_step] == [mark]


def test_what_is_named_in_the_page_is_what_there_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()
    named = set(re.findall(r"`(gcelib_\w+)`", page))
    assert named == set(metrics.reference())
