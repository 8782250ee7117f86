"""A server of this folder's own: what is done to it disturbs no other tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import launched
from tests.live import Live
from tests.security.hostile.soak import prepare


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A gcelib process over a cloud of its own, with a machine to aim at."""
    with Simulator(job_delay=0.1) as cloud:
        server = launched(tmp_path_factory.mktemp("hostile"), cloud)
        prepare(server)
        yield server
        assert server.stop() == 0
        assert "Traceback" not in server.said()


@pytest.fixture(scope="session")
def api(live: Live) -> Api:
    """A checked client of it."""
    return live.api()
