"""Replicas that are killed, and a database that is: nothing is lost, nothing happens twice, and refusals are clear."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from gcelib.errors import Unavailable
from gcelib.simulator import Simulator
from gcelib.store import Store
from tests.postgres import Postgres
from tests.replicas.site import Site, ended
from tests.replicas.storm import Lossy, Outcome, storm, untrue
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


def test_operations_of_a_dead_replica_are_in_other_hands_within_15_seconds(postgres: Postgres, tmp_path: Path) -> None:
    with Simulator(job_delay=3.0) as cloud, Site(tmp_path, postgres, cloud) as site:
        one, other = (live.api() for live in site.replicas)
        begun = [one.call("POST", HERE, machine(f"orphan-{number}")).data for number in range(10)]
        site.replicas[0].stop(signal.SIGKILL)
        killed = time.monotonic()
        done = [ended(other, operation) for operation in begun]
        assert time.monotonic() - killed < 15.0
        assert not [operation for operation in done if "error" in operation]
        assert site.names() == sorted(f"orphan-{number}" for number in range(10))


def test_a_small_storm_is_survived_truthfully(postgres: Postgres, tmp_path: Path) -> None:
    cloud = Simulator(job_delay=0.3, preload=12)
    lossy = cloud.faults = Lossy(7)
    with cloud, Site(tmp_path, postgres, cloud, 3) as site:
        lossy.share = 0.05
        outcome = storm(site, Outcome(), 12, 3.0, 7)
        assert not untrue(site, outcome, 24)
        assert outcome.kills


def test_a_replica_that_is_older_than_the_database_refuses_to_start(postgres: Postgres) -> None:
    url = postgres.database("newer")
    Store.open(url).close()
    postgres.execute("UPDATE alembic_version SET version_num = '9999'", "newer")
    with pytest.raises(Unavailable, match="newer gcelib"):
        Store.open(url)
