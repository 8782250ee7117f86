"""What is measured and what it is measured beside, each in a process of its own: clouds, gcelib, the ceiling."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.live import Live

HERE = "zones/ch-gv2/instances"


@dataclass(frozen=True)
class Cloud:
    """A running `bench.cloud`: where its API is, and the keys to it."""

    url: str
    key: str
    secret: str

    def counts(self) -> dict[str, int]:
        """The commands that came since this was last asked."""
        answer = requests.get(self.url.removesuffix("/client/api") + "/counts", timeout=30)
        counts: dict[str, int] = answer.json()
        return counts

    def section(self, name: str, region: str = "") -> str:
        """Its part of a gcelib configuration."""
        place = f'region = "{region}"\n' if region else ""
        return (f'[clouds.{name}]\nprovider = "cloudstack"\nendpoint = "{self.url}"\nkey = "{self.key}"\n'
                f'secret = "{self.secret}"\n{place}')


@contextmanager
def _process(*words: str) -> Iterator[str]:
    """A Python module that runs until the block ends; the first line it prints."""
    process = subprocess.Popen([sys.executable, "-m", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process.stdout.readline()
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def cloud(machines: int = 0, *, delay: float = 0.0, job: float = 0.0) -> Iterator[Cloud]:
    """A cloud with so many machines that takes `delay` seconds for an answer and `job` for a job."""
    words = ("bench.cloud", "--machines", str(machines), "--delay", str(delay), "--job", str(job))
    with _process(*words) as line:
        yield Cloud(**json.loads(line))


@contextmanager
def ceiling(body: bytes) -> Iterator[int]:
    """The port of ten lines of Bottle on Cheroot that answer these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "body"
        file.write_bytes(body)
        with _process("bench.ceiling", str(file)) as line:
            yield int(line)


class Server:
    """A running gcelib with a client that is signed in."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.token = live.sign_in()
        self._connect()

    def _connect(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def get(self, path: str, *, project: str = "demo", anew: bool = False) -> requests.Response:
        """A read that must be answered with 200; `anew` has every list asked for again."""
        headers = {"Cache-Control": "no-cache"} if anew else {}
        answer = self.session.get(f"{self.live.url}/compute/v1/projects/{project}/{path}", headers=headers, timeout=120)
        assert answer.status_code == 200, answer.text[:500]
        return answer

    def fork(self) -> Server:
        """The same, on connections of its own."""
        other = copy.copy(self)
        other._connect()
        return other

    def first(self, path: str) -> None:
        """Ask, every few milliseconds while nobody listens yet, until there is an answer."""
        deadline = time.monotonic() + 30
        while True:
            try:
                self.get(path)
                return
            except requests.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.002)

    def grant(self, project: str) -> None:
        """Let the client into another project too."""
        self.live.run("account", "grant", "tester", "--project", project, "--role", "admin")

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A change that must be accepted: its operation."""
        answer = self.session.post(f"{self.live.url}/compute/v1/projects/demo/{path}", json=body, timeout=120)
        assert answer.status_code == 200, answer.text[:500]
        operation: dict[str, Any] = answer.json()
        return operation

    def done(self, operation: dict[str, Any]) -> None:
        """Ask for an operation every 5 ms until it is DONE, which it must be without an error."""
        path = operation["selfLink"].partition("/projects/demo/")[2]
        deadline = time.monotonic() + 120
        while operation["status"] != "DONE":
            assert time.monotonic() < deadline, operation
            time.sleep(0.005)
            operation = self.get(path).json()
        assert "error" not in operation, operation["error"]

    def memory(self, what: str = "VmRSS") -> float:
        """MiB of the process: `VmRSS` now, `VmHWM` at most since `forget_peak`."""
        return int(self._status(what).split()[0]) / 1024

    def threads(self) -> int:
        """How many threads it has."""
        return int(self._status("Threads"))

    def forget_peak(self) -> None:
        """Let `VmHWM` begin with what it has now (Linux, proc(5))."""
        assert self.live.process
        Path(f"/proc/{self.live.process.pid}/clear_refs").write_text("5")

    def _status(self, what: str) -> str:
        assert self.live.process
        lines = Path(f"/proc/{self.live.process.pid}/status").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{what}:"))


@contextmanager
def gcelib(one: Cloud, *, extra: str = "", clouds: str = "") -> Iterator[Server]:
    """A gcelib over one cloud, or over what `clouds` configures."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        live = Live(Path(folder), one.url, one.key, one.secret, extra=extra, clouds=clouds)
        live.start()
        stack.callback(live.stop)
        yield Server(live)
