"""Zones, sizes and images of a cloud that does not answer are told as they were last, and said to be stale."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import launched
from tests.wire.machines import machine

OFFERS = ("zones", "zones/ch-gv2/machineTypes", "aggregated/machineTypes", "global/images", "zones/ch-gv2", "regions")
STALE = '110 - "Response is Stale"'
DOWN = {"kind": "status", "times": 0, "status": 503}


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Simulator]]:
    """A cloud, and a gcelib that remembers for a moment only."""
    short = "[cache]\nzones = 0.2\nsizes = 0.2\nimages = 0.2\nnodes = 0.2\nother = 0.2\n"
    with Simulator(job_delay=0, preload=1) as cloud:
        live = launched(tmp_path_factory.mktemp("offers"), cloud, extra=short)
        yield live.api(), cloud
        cloud.faults.clear()
        assert live.stop() == 0


def ask(api: Api, path: str, **headers: str) -> requests.Response:
    """One read, once nothing is remembered any more."""
    time.sleep(0.25)
    headers["Authorization"] = f"Bearer {api.token}"
    return requests.get(f"{api.url}/compute/v1/projects/demo/{path}", headers=headers, timeout=30)


def test_what_a_cloud_offers_is_told_as_it_was_last(site: tuple[Api, Simulator]) -> None:
    api, cloud = site
    well = {path: ask(api, path) for path in OFFERS[:5]}
    assert not any("Warning" in answer.headers for answer in well.values())
    cloud.faults.add(**DOWN)  # type: ignore[arg-type]
    for path, before in well.items():
        answer = ask(api, path)
        assert (answer.status_code, answer.headers["Warning"]) == (200, STALE), path
        assert answer.content == before.content
        again = ask(api, path, **{"If-None-Match": before.headers["ETag"]})
        assert (again.status_code, again.headers["Warning"]) == (304, STALE)
    cloud.faults.clear()
    for path in well:
        answer = ask(api, path)
        assert answer.status_code == 200
        assert "Warning" not in answer.headers


def test_nothing_else_is(site: tuple[Api, Simulator]) -> None:
    api, cloud = site
    for path in (*OFFERS, "zones/ch-gv2/instances", "zones/ch-gv2/disks", "global/networks"):
        assert ask(api, path).status_code == 200
    cloud.faults.add(**DOWN)  # type: ignore[arg-type]
    for path in ("zones/ch-gv2/instances", "zones/ch-gv2/instances/preloaded-1", "zones/ch-gv2/disks",
                 "global/networks"):
        check_away(ask(api, path))
    for path in OFFERS[:4]:
        check_away(ask(api, path, **{"Cache-Control": "no-cache"}))
    time.sleep(0.25)
    for verb, path, body in (
        ("POST", "zones/ch-gv2/instances", machine("new")), ("DELETE", "global/images/any", None),
        ("POST", "zones/ch-gv2/instances/preloaded-1/stop", None),
    ):  # fmt: skip
        assert api.call(verb, path, body).status == 503


def test_whoever_may_no_longer_ask_is_told_nothing(site: tuple[Api, Simulator]) -> None:
    api, cloud = site
    for path in OFFERS:
        assert ask(api, path).status_code == 200
    refused: dict[str, Any] = {**DOWN, "status": 401}
    cloud.faults.add(**refused)
    check_away(ask(api, "global/images"))
    cloud.faults.clear()
    cloud.faults.add(**DOWN)  # type: ignore[arg-type]
    for path in OFFERS:
        check_away(ask(api, path))


def check_away(answer: requests.Response) -> None:
    """The cloud's silence is told, and nothing of before."""
    assert answer.status_code == 503, answer.text
    assert "Warning" not in answer.headers
