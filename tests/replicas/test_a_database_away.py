"""A database that goes away under replicas at work is said so, and nothing that was accepted is lost: in small.

`python -m tests.replicas.outage` is the long form, with more ways.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gcelib.simulator import Simulator
from tests.faults.disks import Impossible
from tests.postgres import Postgres, programs
from tests.replicas import ways
from tests.replicas.outage import outage, unkept
from tests.replicas.site import Site

SMALL: dict[str, Any] = {"burst": 20, "workers": 3, "calm": 0.7}


@pytest.fixture
def impatient(postgres: Postgres) -> Iterator[Postgres]:
    """The shared server, for which gcelib waits as little as it can be told to."""
    postgres.query = "&connect_timeout=2&options=-c%20statement_timeout%3D1s"
    yield postgres
    postgres.query = ""


def test_a_database_that_is_killed_or_falls_silent_is_said_so_and_nothing_is_lost(
    impatient: Postgres, tmp_path: Path
) -> None:
    with Simulator(job_delay=0.3, preload=120) as cloud, Site(tmp_path, impatient, cloud) as site:
        outages = ((ways.ended(impatient, signal.SIGKILL), 2.0), (ways.silent(impatient, 5.5), 6.5))
        for number, (way, seconds) in enumerate(outages):
            before = site.names()
            told, outcome = outage(site, way, seconds, first=1 + 50 * number, **SMALL)
            assert not unkept(site, way, told, outcome, before)
            assert len(told.accepted) >= 20


def test_a_disk_that_is_full_is_said_so_and_nothing_is_lost(tmp_path: Path) -> None:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: initdb was not found")
    try:
        with (
            ways.full() as way, Simulator(job_delay=0.3, preload=60) as cloud,
            Site(tmp_path, way.postgres, cloud) as site,
        ):
            before = site.names()
            told, outcome = outage(site, way, 3.5, **SMALL)
            assert not unkept(site, way, told, outcome, before)
            assert len(told.accepted) >= 20
    except Impossible as reason:
        pytest.skip(str(reason))
