"""`make soak`: mixed clients, replicas killed in turn, a cloud that fails; then the books are compared.

ARGS="--minutes 30 --seed 1". Two replicas over PostgreSQL; one server over SQLite where its programs are not
installed. Exits with 1 on any difference, open operation, traceback or growth.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gcelib.simulator import Simulator
from tests.postgres import Postgres, programs
from tests.replicas.site import Site
from tests.soak import books, clients
from tests.soak.memory import Memory
from tests.soak.nuisances import Kills, Weather, garbage
from tests.soak.run import Job, Soak

ROUNDS = 3.0
"""Minutes from which on every kind of client must have come through at least once."""


@contextmanager
def place(home: Path, seed: int, *, shared: bool, tls: str = "off", job_delay: float = 0.5) -> Iterator[Site]:
    """Two replicas over PostgreSQL, or when not `shared` one server over SQLite, and a cloud without limits."""
    with ExitStack() as stack:
        postgres = None
        if shared:
            postgres = Postgres()
            stack.callback(postgres.remove)
            postgres.start()
        cloud = stack.enter_context(Simulator(job_delay=job_delay, seed=seed))
        for kind in ("user_vm", "volume", "public_ip"):
            cloud.world.set_limit("demo", kind, -1)
        yield stack.enter_context(Site(home, postgres, cloud, 2 if postgres else 1, 'audit = "all"', tls))


def judged(soak: Soak) -> tuple[list[str], list[dict[str, object]]]:
    """Everything that is wrong once the clients have stopped, and the operations."""
    site = soak.site
    site.cloud.faults.clear()
    rows = books.operations(site)
    found = soak.broken + books.differences(site, rows)
    for live in site.replicas:
        found += [f"{live.url} logged: {line}" for line in live.said().splitlines() if "Traceback" in line][:3]
    return found, rows


def asked(site: Site) -> Counter[str]:
    """Requests answered, by class of status, as the audit logs have them."""
    found: Counter[str] = Counter()
    for live in site.replicas:
        for line in (live.home / "state" / "audit.log").read_text().splitlines():
            said = json.loads(line)
            if said["event"] in ("request", "token"):
                found[f"{said['status'] // 100}xx"] += 1
    return found


def report(soak: Soak, weather: Weather, memory: Memory, rows: list[dict[str, object]]) -> None:
    """The figures, on standard output."""
    requests = asked(soak.site)
    line("requests answered", sum(requests.values()), ", ".join(f"{name}: {n}" for name, n in sorted(requests.items())))
    failed = sum("error" in row for row in rows)
    still = sum(row["status"] != "DONE" for row in rows)
    line("operations", len(rows), f"done: {len(rows) - failed - still}, failed: {failed}, open: {still}")
    line("faults injected", sum(weather.hits.values()), ", ".join(f"{k}: {n}" for k, n in weather.hits.most_common()))
    for what, number in sorted(soak.counts.items()):
        line(what, number)
    for number in range(len(soak.site.replicas)):
        life = memory.longest(number)
        if life.samples:
            first, last = life.settled[0], life.settled[-1]
            line(f"replica {number}: memory, MB, by fifths", round(last.mb),
                 " ".join(f"{mb:.0f}" for mb in life.series) + f" in {life.seconds / 60:.1f} min, "
                 f"{life.growth:+.2f} MB a minute, threads {first.threads} to {last.threads}, "
                 f"files {first.files} to {last.files}")


def line(what: str, number: int, more: str = "") -> None:
    """A line of the table."""
    print(f"{what:42} {number:8}  {more}".rstrip())


def silent(soak: Soak, names: list[str]) -> list[str]:
    """Clients that never came through."""
    return [f"{name} never came through" for name in names if not soak.counts[f"{name}: rounds"]]


def main() -> int:
    """Run, compare, report."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    shared = programs() is not None
    if not shared:
        print("PostgreSQL's programs are not installed (Debian: postgresql): one server over SQLite, no replicas.")
    with tempfile.TemporaryDirectory() as folder, place(Path(folder), args.seed, shared=shared, tls="auto") as site:
        bundle = Path(folder) / "bundle.pem"
        bundle.write_text("".join(live.ca.read_text() for live in site.replicas))
        # google-cloud-compute can be told of authorities in no other way.
        os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)
        programs_here, missing = clients.installed(Path(folder), site.replicas)
        print("\n".join(missing))
        soak, weather, memory = Soak(site, args.seed, args.minutes * 60, str(bundle)), Weather(), Memory()
        jobs: list[Job] = [*clients.TRADES, clients.libcloud, *programs_here, garbage, weather, memory, Kills(15.0)]
        soak.run(jobs)
        found, rows = judged(soak)
        report(soak, weather, memory, rows)
    if args.minutes >= ROUNDS:
        found += silent(soak, ["google-cloud-compute", "google-auth", "libcloud",
                               *(program.__name__ for program in programs_here)])
    for number in range(len(site.replicas)):
        found += memory.longest(number).breaches(f"replica {number}")
    line("differences", len(found))
    for each in found[:100]:
        print(f"  {each}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
