"""Creates on one replica and lists on another at once: how often the list shows what was made.

`python -m tests.replicas.fresh 1000`
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from gcelib.simulator import Simulator
from tests.postgres import Postgres
from tests.replicas.site import Site
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


@dataclass
class Measured:
    """Names that were not shown, and that were still; milliseconds from the create's answer to the list's."""

    missed: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    lingering: list[str] = field(default_factory=list)


def measure(site: Site, times: int) -> Measured:
    """Create on A and list on B, then delete on B and list on A once it is done, in turn on every pair."""
    apis = [live.api() for live in site.replicas]
    found = Measured()
    for api in apis:
        api.get(HERE)
    for number in range(times):
        name = f"fresh-{number}"
        one, other = apis[number % len(apis)], apis[(number + 1) % len(apis)]
        # The other has a list that it would give again.
        other.get(HERE)
        made = one.call("POST", HERE, machine(name))
        assert made.status == 200, made.data
        done = time.monotonic()
        listing = other.get(HERE)
        found.took.append((time.monotonic() - done) * 1000)
        if name not in {item["name"] for item in listing.get("items", [])}:
            found.missed.append(name)
        one.until_done(made.data)
        gone = other.call("DELETE", f"{HERE}/{name}")
        assert gone.status == 200, gone.data
        other.until_done(gone.data)
        if name in {item["name"] for item in one.get(HERE).get("items", [])}:
            found.lingering.append(name)
    return found


def main(times: int) -> None:
    """Measure, and print."""
    postgres = Postgres().start()
    try:
        with (
            tempfile.TemporaryDirectory() as home,
            Simulator(job_delay=0.05) as cloud,
            Site(Path(home), postgres, cloud, 3) as site,
        ):
            found = measure(site, times)
    finally:
        postgres.remove()
    took = sorted(found.took)
    print(f"{times - len(found.missed)} of {times} creates shown, {times - len(found.lingering)} deletes gone;"
          f" a list took {statistics.median(took):.1f} ms (median), {took[int(len(took) * 0.99)]:.1f} ms (99 %)")
    sys.exit(1 if found.missed or found.lingering else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
