"""One simulator and one gcelib process that the tests of a session share, and fresh ones for those who break things."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.api import Api
from tests.clock import Clock
from tests.forked import STARTER
from tests.live import Live

Launch = Callable[..., tuple[Live, Simulator]]


def launched(home: Path, simulator: Simulator, **options: Any) -> Live:
    """A gcelib process over this simulator's `demo` account."""
    home.mkdir(parents=True, exist_ok=True)
    account = simulator.accounts["demo"]
    return Live(home, simulator.url, account.api_key, account.secret_key, **options).start()


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """The cloud most tests share: jobs take a twentieth of a second."""
    with_jobs = Simulator(job_delay=0.05)
    with_jobs.start()
    yield with_jobs
    with_jobs.stop()


def portal(simulator: Simulator) -> CloudStack:
    """What the account `demo` sees of the cloud itself, through a client that is not ours."""
    account = simulator.accounts["demo"]
    return CloudStack(endpoint=simulator.url, key=account.api_key, secret=account.secret_key, poll_interval=0.05)


@pytest.fixture(scope="session")
def cloudstack(simulator: Simulator) -> CloudStack:
    """The shared cloud as its own portal shows it."""
    return portal(simulator)


@pytest.fixture(scope="session")
def live(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The gcelib process most tests share, without TLS."""
    server = launched(tmp_path_factory.mktemp("live"), simulator)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def api(live: Live) -> Api:
    """A checked client of the shared process, signed in as an admin of project demo."""
    return live.api()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Makes a simulator and a gcelib process of the test's own; both end with the test."""
    servers: list[Live] = []
    clouds: list[Simulator] = []

    def make(*, job_delay: float = 0.05, preload: int = 0, **options: Any) -> tuple[Live, Simulator]:
        cloud = Simulator(job_delay=job_delay, preload=preload)
        cloud.start()
        clouds.append(cloud)
        servers.append(launched(tmp_path / f"server{len(servers)}", cloud, **options))
        return servers[-1], cloud

    yield make
    for server in servers:
        if server.process is not None:
            server.stop()
    for cloud in clouds:
        cloud.stop()


ALONE = ("security/load", "security/hostile")
"""Folders whose tests measure time or memory."""
PAIRED = ("security/listener", "unit/listener", "unit/operations", "simulator", "console/test_console_in_chromium",
          "observability/test_what_is_wrong")
"""Folders whose tests have to do with time, and bear one neighbour."""


LONG = ("examples", "contract/test_ansible", "faults/test_crashes", "faults/test_half_way", "documents",
        "contract/test_gcloud_lines", "contract/test_client_docs", "conformance/test_strange", "replicas", "faults",
        "wire/test_firewalls", "cli", "contract", "backends", "callers", "hybrid", "wire", "drivers",
        "security/secrets")
"""Files that take long, the longest first: begun last they would be waited for by idle workers."""
RUNS = {"not alone and not paired": "", "paired": "paired", "alone": "alone"}
"""What `make test` has pytest look for, one after the other, and the mark of those tests."""


def pytest_configure(config: pytest.Config) -> None:
    """Have gcelib forked, but for tests that measure time or memory."""
    STARTER.forked = config.option.markexpr != "alone"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files of whose tests none would be run: importing them all takes pytest eight seconds."""
    if collection_path.is_dir() or (mark := RUNS.get(config.option.markexpr)) is None:
        return None
    own = folder_mark(collection_path)
    return None if mark == own or (mark and f"pytest.mark.{mark}" in collection_path.read_text()) else True


def folder_mark(path: Path) -> str:
    """The mark of a file's tests that have no other; "" for none."""
    at = path.relative_to(Path(__file__).parent).as_posix()
    return next((mark for mark, places in (("alone", ALONE), ("paired", PAIRED)) if at.startswith(places)), "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what must not run beside other tests, and have the longest files begun first."""
    here = Path(__file__).parent
    at = {item: item.path.relative_to(here).as_posix() for item in items}
    for item in items:
        mark = folder_mark(item.path)
        if mark and not item.get_closest_marker("alone"):
            item.add_marker(mark)
    items.sort(key=lambda item: next((n for n, name in enumerate(LONG) if at[item].startswith(name)), len(LONG)))


@pytest.fixture
def clock() -> Clock:
    """A time that the test sets."""
    return Clock()


@pytest.fixture(autouse=True)
def no_closed_logs() -> None:
    """Logs set up by an earlier test for a stream that ended with it are no business of this one."""
    root = logging.getLogger()
    for handler in [*root.handlers]:
        if isinstance(handler, logging.StreamHandler) and handler.stream.closed:
            root.removeHandler(handler)
