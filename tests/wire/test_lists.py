"""Long lists: 1 203 machines, all of them, each by its name, while others come and go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import launched
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
COUNT = 1203


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A gcelib process over an account with 1 203 machines."""
    cloud = Simulator(job_delay=0.05, preload=COUNT)
    cloud.start()
    server = launched(tmp_path_factory.mktemp("many"), cloud)
    yield server
    server.stop()
    cloud.stop()


def pages(api: Api, path: str, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Every page of a list."""
    token = ""
    while True:
        found = api.get(path, **query, **({"pageToken": token} if token else {}))
        if path.startswith("aggregated/"):
            yield [item for entry in found["items"].values() for item in entry.get("instances", [])]
        else:
            yield found.get("items", [])
        token = found.get("nextPageToken", "")
        if not token:
            return


@pytest.mark.parametrize(("path", "size"), [(HERE, 500), (HERE, 77), ("aggregated/instances", 500)])
def test_every_machine_is_listed_once(many: Live, path: str, size: int) -> None:
    names = [item["name"] for page in pages(many.api(), path, maxResults=size) for item in page]
    assert len(names) == len(set(names)) >= COUNT


def test_each_machine_is_reached_by_its_name(many: Live) -> None:
    api = many.api()
    names = [item["name"] for page in pages(api, HERE) for item in page]
    for name in names[::100]:
        assert api.get(f"{HERE}/{name}")["name"] == name
        found = api.get("aggregated/instances", filter=f"name eq {name}", maxResults=2)["items"]["zones/ch-gv2"]
        assert [item["name"] for item in found["instances"]] == [name]


def test_pages_neither_repeat_nor_skip_while_machines_come_and_go(many: Live) -> None:
    api = many.api()
    before = {item["name"] for page in pages(api, HERE) for item in page}
    seen: list[str] = []
    gone = sorted(before)[40::300]
    for number, page in enumerate(pages(api, HERE, maxResults=250)):
        seen += [item["name"] for item in page]
        api.change("POST", HERE, machine(f"aaa-{number}"))
        if number < len(gone):
            api.change("DELETE", f"{HERE}/{gone[number]}")
    stayed = before - set(gone)
    assert len(seen) == len(set(seen))
    assert stayed <= set(seen)


def test_the_newest_come_first_when_asked_for(many: Live) -> None:
    api = many.api()
    times = [item["creationTimestamp"] for page in pages(api, HERE, orderBy="creationTimestamp desc") for item in page]
    assert times == sorted(times, reverse=True)


def test_a_page_token_is_refused_elsewhere(many: Live) -> None:
    api = many.api()
    token = api.get(HERE, maxResults=5)["nextPageToken"]
    assert api.call("GET", "zones/fr-sg1/instances", pageToken=token).status == 400
    assert api.call("GET", HERE, pageToken=token, filter="name eq x").status == 400
    assert api.call("GET", HERE, pageToken=token[:-2]).status == 400


def test_an_operation_that_is_not_there_is_missed_by_its_own_name_whatever_that_ends_in(api: Api) -> None:
    for name in ("operation-1795777722426-66140153da4be-626093e7-12345678", "operation-1795777722426-a-b-12ab34cd"):
        answer = api.call("GET", f"zones/ch-gv2/operations/{name}")
        assert (answer.status, answer.reason) == (404, "notFound")
        assert f"operations/{name}'" in answer.message
