"""Words for tests against the simulated cloud: its cloud as a driver, things by name, jobs to their end."""

from __future__ import annotations

import time
import uuid
from typing import Any

from gcelib.config import CacheConfig, CloudConfig, Secret
from gcelib.drivers import registry
from gcelib.drivers.base import Cloud
from gcelib.models import Job, JobState
from gcelib.simulator import Simulator

NOTHING_KEPT = CacheConfig(zones=0, sizes=0, images=0, nodes=0, other=0)


def key() -> str:
    """The key of a new change."""
    return str(uuid.uuid4())


def cloud_at(
    sim: Simulator, account: str = "demo", *, cache: CacheConfig = NOTHING_KEPT, tenant: str = "", **rest: Any
) -> Cloud:
    """The simulated cloud as an account of it sees it."""
    who = sim.accounts[account]
    config = CloudConfig(
        name="sim", provider="cloudstack", endpoint=rest.pop("endpoint", "") or sim.url, key=who.api_key,
        secret=Secret(who.secret_key), **({"timeout": 5.0} | rest),
    )  # fmt: skip
    return registry.build(config, cache, tenant)


def ended(cloud: Cloud, job: Job, seconds: float = 10.0) -> Job:
    """The job at its end, whatever that is."""
    deadline = time.monotonic() + seconds
    while job.state is JobState.RUNNING:
        assert time.monotonic() < deadline, "the job did not end in time"
        job = cloud.poll(job)
        time.sleep(0.005)
    return job


def done(cloud: Cloud, job: Job) -> Job:
    """The job at its end, which must be a good one."""
    job = ended(cloud, job)
    assert job.state is JobState.DONE, job.error
    return job


def named(rows: Any, name: str) -> Any:
    """The one thing of this name."""
    found = [row for row in rows if row.name == name]
    assert len(found) == 1, f"{name}: {found}"
    return found[0]


def recipe(cloud: Cloud, zone: str, name: str, size: str = "Micro", **rest: Any) -> dict[str, Any]:
    """The arguments of a machine in this zone."""
    place = named(cloud.zones.list(), zone)
    image = next(row for row in cloud.images.list() if place.id in row.zone_ids and row.state == "ready")
    made = {
        "name": name, "zone_id": place.id, "size_id": named(cloud.sizes.list(), size).id, "image_id": image.id,
    }  # fmt: skip
    return made | rest


def machine(cloud: Cloud, zone: str, name: str, **rest: Any) -> str:
    """The id of a machine made now, running."""
    return done(cloud, cloud.submit("nodes", "create", recipe(cloud, zone, name, **rest), key())).target
