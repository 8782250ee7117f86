"""A storm of requests for a cloud that hangs, beside a client of one that is well: how long the latter's take.

    python -m tests.faults.hung --requests 10000 --clients 200 --well 100
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.hybrid.clouds import Cloud
from tests.live import Live

PATHS = ("zones/ch-gv2/instances", "global/images", "zones", "zones/ch-gv2/disks")


@dataclass
class Figures:
    """Milliseconds of each request of the client that asks the cloud that is well, and what the storm was told."""

    alone: list[float]
    beside: list[float]
    storm: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    without_retry: int = 0

    def report(self) -> str:
        """For people."""
        rows = [f"{name}: p50 {quantile(times, 0.5):.1f} ms, p99 {quantile(times, 0.99):.1f} ms, n {len(times)}"
                for name, times in (("alone", self.alone), ("beside", self.beside))]
        return "\n".join([*rows, f"storm: {dict(self.storm)} in {self.seconds:.1f} s"])


def quantile(times: Sequence[float], part: float) -> float:
    """The value below which this part of them lies."""
    return sorted(times)[min(len(times) - 1, int(part * len(times)))]


def two_clouds(home: Path, *, timeout: float = 30, threads: int = 32) -> tuple[Live, Cloud, Cloud]:
    """A gcelib with project `demo` on one cloud and `sick` on another; one account may ask for both."""
    well = Cloud("well", home, 1, ["CH-GV2"], machines=20).start()
    sick = Cloud("sick", home, 2, ["CH-GV2"]).start()
    rows = "".join(
        f'[clouds.{cloud.name}]\nprovider = "cloudstack"\nendpoint = "{cloud.url}/client/api"\n'
        f'key = "{cloud.key}"\nsecret = "{cloud.secret}"\ntimeout = {timeout}\n'
        f'[projects.{project}]\nclouds = ["{cloud.name}"]\n'
        for cloud, project in ((well, "demo"), (sick, "sick"))
    )
    forgetful = "[cache]\nnodes = 0\nother = 0\n"
    live = Live(home, "", "", "", server_extra=f"threads = {threads}", clouds=forgetful + rows).start()
    live.sign_in()
    live.run("account", "grant", "tester", "--project", "sick", "--role", "admin")
    return live, well, sick


def measure(live: Live, sick: Cloud, *, requests: int, clients: int, well: int) -> Figures:
    """Ask for the well cloud's machines, alone and beside a storm that lasts until all of it is answered."""
    live.api("sick").get("zones/ch-gv2/instances")
    asked(live, 20)
    figures = Figures(asked(live, well), [])
    with sick.hanging():
        words = [sys.executable, "-m", "tests.faults.hung", "--storm", str(live.port), live.sign_in(),
                 "--requests", str(requests), "--clients", str(clients)]
        started = time.monotonic()
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as storm:
            assert storm.stdout is not None
            assert storm.stdout.readline() == "begun\n"
            while storm.poll() is None or len(figures.beside) < well:
                figures.beside += asked(live, 10, pause=0.01)
            figures.seconds = time.monotonic() - started
            told = json.loads(storm.stdout.read())
    figures.storm, figures.without_retry = Counter(told["answers"]), told["without_retry"]
    return figures


def asked(live: Live, count: int, pause: float = 0.0) -> list[float]:
    """Milliseconds of so many lists of the machines of the cloud that is well, each of which must be right."""
    connection = http.client.HTTPConnection("localhost", live.port, timeout=60)
    times = []
    for _ in range(count):
        started = time.monotonic()
        connection.request("GET", "/compute/v1/projects/demo/zones/ch-gv2/instances", headers=bearer(live.sign_in()))
        answer = connection.getresponse()
        body = answer.read()
        times.append((time.monotonic() - started) * 1000)
        assert answer.status == 200, body
        assert len(json.loads(body)["items"]) == 20
        time.sleep(pause)
    connection.close()
    return times


def bearer(token: str) -> dict[str, str]:
    """The header that signs a request."""
    return {"Authorization": f"Bearer {token}"}


def storm(port: int, token: str, requests: int, clients: int) -> None:
    """Send them all, from so many clients at once, and print what was answered."""
    answers: Counter[str] = Counter()
    lacking = [0]
    left = iter(range(requests))
    lock = threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("localhost", port, timeout=120)
        while True:
            with lock:
                number = next(left, None)
            if number is None:
                return
            connection.request("GET", f"/compute/v1/projects/sick/{PATHS[number % len(PATHS)]}", headers=bearer(token))
            answer = connection.getresponse()
            answer.read()
            retry = answer.headers.get("Retry-After", "")
            with lock:
                answers[str(answer.status)] += 1
                lacking[0] += answer.status != 200 and not (retry.isdecimal() and int(retry) > 0)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    print("begun", flush=True)
    for thread in threads:
        thread.join()
    print(json.dumps({"answers": answers, "without_retry": lacking[0]}))


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--well", type=int, default=100)
    parser.add_argument("--storm", nargs=2, metavar=("PORT", "TOKEN"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.storm:
        storm(int(given.storm[0]), given.storm[1], given.requests, given.clients)
        return
    with tempfile.TemporaryDirectory() as home:
        live, well, sick = two_clouds(Path(home))
        try:
            print(measure(live, sick, requests=given.requests, clients=given.clients, well=given.well).report())
        finally:
            live.stop()
            well.kill()
            sick.kill()


if __name__ == "__main__":
    main()
