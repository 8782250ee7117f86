"""A cloud and gcelib processes for the clients of one file, and those clients where they are installed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gcelib.simulator import Simulator
from tests import answered
from tests.conftest import launched
from tests.contract import gcutil
from tests.contract.browser import make_person
from tests.contract.gcloud import Gcloud
from tests.contract.gcutil import Gcutil
from tests.live import Live

GcutilFor = Callable[[Live], Gcutil]
GcloudFor = Callable[[Live], Gcloud]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Simulator]:
    """A cloud that only the tests of one file use."""
    made = Simulator(job_delay=0.05)
    made.start()
    yield made
    made.stop()


LEFT_OUT: set[Path] = set()


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember which files here are not run as a whole."""
    LEFT_OUT.update(item.path for item in items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say which files here are run."""
    answered.keep_session({item.path for item in session.items}, LEFT_OUT)


def _served(home: Path, cloud: Simulator, **options: str) -> Iterator[Live]:
    """A gcelib process that knows a person and a program, and that must not have made a mistake at the end."""
    server = launched(home, cloud, server_extra='audit = "all"', **options)
    server.sign_in()
    make_person(server)
    yield server
    assert server.stop() == 0
    answered.keep_server(home / "state")
    assert "Traceback" not in server.said(), server.said()


@pytest.fixture(scope="module")
def plain(cloud: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Without TLS."""
    yield from _served(tmp_path_factory.mktemp("plain"), cloud)


@pytest.fixture(scope="module")
def secure(cloud: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """With TLS, of an authority of its own."""
    yield from _served(tmp_path_factory.mktemp("secure"), cloud, tls="auto")


@pytest.fixture(scope="session")
def gcutil_program() -> list[str]:
    """The command that runs gcutil; skips where it or its Python is not."""
    program, python = gcutil.executable(), gcutil.python()
    if not program:
        pytest.skip(f"gcutil is not here: {gcutil.NEEDED}")
    if not python:
        pytest.skip(f"There is no Python 2.7 for gcutil: {gcutil.NEEDED}")
    return [python, program]


@pytest.fixture(scope="module")
def gcutil_for(gcutil_program: list[str], tmp_path_factory: pytest.TempPathFactory) -> GcutilFor:
    """Makes a gcutil for a server, with a home of its own; not signed in."""

    def make(live: Live) -> Gcutil:
        ca = live.ca if live.tls == "auto" else None
        return Gcutil(gcutil_program, live.url, tmp_path_factory.mktemp("gcutil"), ca)

    return make


@pytest.fixture(scope="module")
def gcloud_for(tmp_path_factory: pytest.TempPathFactory) -> GcloudFor:
    """Makes a gcloud for a server, with a home of its own; not signed in. Skips where gcloud is not installed."""
    if not shutil.which("gcloud"):
        pytest.skip("gcloud is not installed")
    return lambda live: Gcloud(live, tmp_path_factory.mktemp("gcloud"))
