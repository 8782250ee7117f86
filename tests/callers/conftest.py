"""A cloud with two accounts, a gcelib over it that keeps no key of its own, and the accounts' holders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gcelib.simulator import Simulator
from tests.callers.cloud import Holder, Served, served

Launch = Callable[..., tuple[Served, Simulator]]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Simulator]:
    """The cloud that the tests of one file share."""
    with Simulator(job_delay=0.05) as made:
        yield made


@pytest.fixture(scope="module")
def live(cloud: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The gcelib process that the tests of one file share."""
    server = served(tmp_path_factory.mktemp("callers"), cloud)
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.said(), server.said()


@pytest.fixture(scope="module")
def demo(live: Served, cloud: Simulator) -> Holder:
    """Who holds the keys of account demo."""
    return Holder.of(live, cloud, "demo")


@pytest.fixture(scope="module")
def other(live: Served, cloud: Simulator) -> Holder:
    """Who holds the keys of account other."""
    return Holder.of(live, cloud, "other")


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Makes a cloud and a gcelib process of the test's own; both end with the test."""
    servers: list[Served] = []
    clouds: list[Simulator] = []

    def make(*, job_delay: float = 0.05, **options: str) -> tuple[Served, Simulator]:
        made = Simulator(job_delay=job_delay)
        made.start()
        clouds.append(made)
        servers.append(served(tmp_path / f"server{len(servers)}", made, **options))
        return servers[-1], made

    yield make
    for server in servers:
        if server.process is not None:
            server.stop()
    for made in clouds:
        made.stop()
