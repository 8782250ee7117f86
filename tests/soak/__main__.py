"""`make soak`: mixed clients, two replicas killed in turn, a cloud that fails; then the books are compared.

ARGS="--minutes 30 --seed 1". Needs PostgreSQL's programs. Exits with 1 on any difference.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud import compute_v1
from google.oauth2.credentials import Credentials

from gcelib.simulator import Simulator
from tests.contract.google_libraries import compute
from tests.postgres import Postgres, programs
from tests.replicas.site import Site
from tests.soak.books import differences
from tests.wire.machines import machine

HERE = "/compute/v1/projects/demo/zones/ch-gv2"
WEATHER = (("reset", {}), ("reset_after", {}), ("status", {"status": 503}), ("status", {"status": 500}),
           ("delay", {"seconds": 2.0}), ("truncate", {}), ("html", {}), ("garbage", {}), ("job_lost", {}),
           ("job_fail", {}))
SLOPE = 2.0
"""MB a minute that a process may grow by, in the part of the run in which it is not killed."""


class Soak:
    """One run: its replicas, its clients, and what was counted."""

    def __init__(self, site: Site, seed: int, seconds: float) -> None:
        self.site, self.seed = site, seed
        self.begun = time.monotonic()
        self.until = self.begun + seconds
        self.half = self.begun + seconds / 2
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        self.memory: list[tuple[float, float]] = []
        self._lock = threading.Lock()

    def count(self, what: str) -> None:
        """One more of it."""
        with self._lock:
            self.counts[what] += 1

    def run(self) -> None:
        """Everything at once until the time is up."""
        jobs: list[Callable[[random.Random], None]] = [self.plain] * 3 + [self.google, self.garbage, self.weather,
                                                                         self.kills, self.sampled]
        threads = [threading.Thread(target=self._guarded, args=(job, self.seed * 100 + number))
                   for number, job in enumerate(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _guarded(self, job: Callable[[random.Random], None], seed: int) -> None:
        dice = random.Random(seed)
        try:
            while time.monotonic() < self.until:
                job(dice)
        except Exception as error:  # The run goes on, and fails at the end.
            self.broken.append(f"{getattr(job, '__name__', job)}: {type(error).__name__}: {error}"[:400])

    def ask(self, dice: random.Random, verb: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer's body, asked of either replica until one gives one; a 500 is a finding."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            live = dice.choice(self.site.replicas)
            try:
                answer = requests.request(verb, live.url + path, json=body, params=query, timeout=60,
                                          headers={"Authorization": f"Bearer {live.token}"})
                said = answer.json()
            except requests.RequestException:
                self.count("connections lost")
                time.sleep(0.2)
                continue
            if answer.status_code == 500:
                self.broken.append(f"{verb} {path}: {said}"[:400])
            if answer.status_code not in (429, 503):
                return said
            self.count(f"asked again after {answer.status_code}")
            time.sleep(0.5)
        self.broken.append(f"{verb} {path}: no answer within two minutes")
        return {"error": {"message": "no answer"}}

    def change(self, dice: random.Random, verb: str, path: str, body: Any = None) -> bool:
        """A change until its operation is DONE; whether it was done."""
        said = self.ask(dice, verb, path, body, requestId=str(uuid.UUID(int=dice.getrandbits(128),
                                                              version=4)))
        while "error" not in said and said.get("status") != "DONE":
            said = self.ask(dice, "GET", "/compute" + said["selfLink"].partition("/compute")[2])
            time.sleep(0.2)
        self.count("changes refused or failed" if "error" in said else "changes done")
        return "error" not in said

    def plain(self, dice: random.Random) -> None:
        """A machine and a disk from making to deleting; every fifth stays."""
        name = f"s-{dice.getrandbits(40):x}"
        if not self.change(dice, "POST", f"{HERE}/instances", machine(name, labels={"soak": "yes"})):
            return
        found = self.ask(dice, "GET", f"{HERE}/instances/{name}")
        if "error" in found and found["error"]["code"] == 404:
            self.broken.append(f"{name} was made and is not shown")
        self.change(dice, "POST", f"{HERE}/instances/{name}/stop")
        self.change(dice, "POST", f"{HERE}/disks", {"name": f"{name}-d", "sizeGb": "5"})
        if dice.random() < 0.5:
            self.change(dice, "POST", f"{HERE}/instances/{name}/start")
        self.ask(dice, "GET", "/compute/v1/projects/demo/aggregated/instances")
        if dice.random() < 0.8:
            self.change(dice, "DELETE", f"{HERE}/disks/{name}-d")
            self.change(dice, "DELETE", f"{HERE}/instances/{name}")

    def google(self, dice: random.Random) -> None:
        """The same by google-cloud-compute."""
        live, name = dice.choice(self.site.replicas), f"g-{dice.getrandbits(40):x}"
        boot = compute_v1.AttachedDisk(boot=True, auto_delete=True, initialize_params=(
            compute_v1.AttachedDiskInitializeParams(source_image=machine(name)["disks"][0]["initializeParams"][
                "sourceImage"])))
        wish = compute_v1.Instance(name=name, machine_type="zones/ch-gv2/machineTypes/micro", disks=[boot],
                                   network_interfaces=[compute_v1.NetworkInterface(network="global/networks/default")])
        try:
            client = compute(live, compute_v1.InstancesClient, Credentials(live.token))  # type: ignore[no-untyped-call]
            client.insert(project="demo", zone="ch-gv2", instance_resource=wish).result(timeout=90)
            list(client.list(project="demo", zone="ch-gv2"))
            client.delete(project="demo", zone="ch-gv2", instance=name).result(timeout=90)
            self.count("google-cloud-compute's rounds")
        except (GoogleAPICallError, GoogleAuthError, requests.RequestException, TimeoutError) as error:
            self.count(f"google-cloud-compute: {type(error).__name__}")
            time.sleep(0.5)

    def garbage(self, dice: random.Random) -> None:
        """Bytes that are no request, and requests that make no sense."""
        live = dice.choice(self.site.replicas)
        with suppress(OSError), socket.create_connection(("localhost", live.port), timeout=5) as wire:
            wire.sendall(dice.choice([dice.randbytes(200), b"GET / HTTP/9.9\r\n\r\n", b"POST /compute/v1/projects/demo/"
                                      b"zones/x/instances HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{{{"]))
            wire.settimeout(1)
            wire.recv(1000)
        self.count("garbage sent")
        time.sleep(0.3)

    def weather(self, dice: random.Random) -> None:
        """A fault now and then."""
        kind, options = dice.choice(WEATHER)
        self.site.cloud.faults.add(dice.choice(["*", "*", "deployVirtualMachine", "destroyVirtualMachine",
                                                "createVolume"]), kind, **options)
        self.count("faults")
        time.sleep(dice.uniform(0.5, 2.0))

    def kills(self, dice: random.Random) -> None:
        """Both in turn; in the second half the first one only, so that the other shows how it grows."""
        time.sleep(min(15.0, max(0.0, self.until - time.monotonic())))
        turn = self.counts["kills"] % 2 if time.monotonic() < self.half else 0
        self.site.replicas[turn].stop(signal.SIGKILL)
        time.sleep(dice.uniform(0.0, 5.0))
        self.site.replicas[turn].start()
        self.count("kills")

    def sampled(self, dice: random.Random) -> None:
        """The memory of the one that lives on."""
        time.sleep(2)
        process = self.site.replicas[1].process
        if process and time.monotonic() > self.half + (self.until - self.half) / 4:
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            self.memory.append((time.monotonic() / 60, pages * os.sysconf("SC_PAGE_SIZE") / 1e6))

    def slope(self) -> float:
        """MB a minute."""
        if len(self.memory) < 5:
            return 0.0
        return statistics.linear_regression(*zip(*self.memory, strict=True)).slope


def main() -> int:
    """Run, compare, report."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if programs() is None:
        print("make soak needs PostgreSQL's programs (Debian: postgresql).", file=sys.stderr)
        return 1
    postgres = Postgres()
    try:
        postgres.start()
        with tempfile.TemporaryDirectory() as home, Simulator(job_delay=0.5, seed=args.seed) as cloud, Site(
            Path(home), postgres, cloud
        ) as site:
            for kind in ("user_vm", "volume", "public_ip"):
                cloud.world.set_limit("demo", kind, -1)
            soak = Soak(site, args.seed, args.minutes * 60)
            soak.run()
            cloud.faults.clear()
            found = soak.broken + differences(site)
            for live in site.replicas:
                found += [line for line in live.said().splitlines() if "Traceback" in line][:3]
    finally:
        postgres.remove()
    for what, number in sorted(soak.counts.items()):
        print(f"{what:48} {number:8}")
    growth = soak.slope()
    if soak.memory:
        print(f"{'memory, MB':48} {soak.memory[-1][1]:8.0f}")
    print(f"{'growth of memory, MB a minute':48} {growth:8.2f}")
    if growth > SLOPE and args.minutes >= 5:
        found.append(f"memory grows by {growth:.2f} MB a minute")
    print(f"{'differences':48} {len(found):8}")
    for line in found:
        print(f"  {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
