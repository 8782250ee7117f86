"""A PostgreSQL that the tests of this folder share, two replicas over it, and a Redis for each test that wants one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcelib.simulator import Simulator
from tests.postgres import Postgres, programs
from tests.redis_server import RedisServer, program
from tests.replicas.site import Site


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server; tests that need it are skipped where PostgreSQL is not installed."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: initdb was not found")
    server = Postgres().start()
    yield server
    server.remove()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of the test's own, which it may treat badly; skipped where Redis is not installed."""
    if program() is None:
        pytest.skip("Redis is not installed: redis-server was not found")
    server = RedisServer().start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def site(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two replicas over a cloud of their own."""
    with Simulator(job_delay=0.3) as cloud, Site(tmp_path_factory.mktemp("site"), postgres, cloud) as made:
        yield made
