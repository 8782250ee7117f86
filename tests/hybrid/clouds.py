"""Clouds that are processes of their own, so that they can be killed and stopped, and a gcelib over several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from cs import CloudStack

from tests.api import Api
from tests.live import QUIET, Live, free_port


@dataclass
class Cloud:
    """A simulated CloudStack in a process. `start` after `kill` gives an empty one with the same ids and keys."""

    name: str
    home: Path
    seed: int
    zones: Sequence[str]
    machines: int = 2
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    key: str = ""
    secret: str = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Cloud:
        """Start it and wait until it says that it is ready."""
        said = self.home / f"{self.name}.said"
        words = ["simulator", "--listen", f"127.0.0.1:{self.port}", "--seed", str(self.seed), "--job-delay", "0.1",
                 "--machines", str(self.machines), "--zones", *self.zones]
        with said.open("wb") as out:
            self.process = subprocess.Popen([sys.executable, "-m", "gcelib", *words], stdout=out, stderr=out,
                                            env={**os.environ, **QUIET})
        deadline = time.monotonic() + 30
        while "ready" not in said.read_text():
            assert self.process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.05)
        row = next(line.split() for line in said.read_text().splitlines() if line.startswith("account demo "))
        self.key, self.secret = row[3], row[5]
        return self

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Within this context it accepts connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @contextmanager
    def failing(self, **fault: Any) -> Iterator[None]:
        """Within this context this goes wrong, at every call."""
        requests.post(f"{self.url}/simulator/faults", json={"times": 0, **fault}, timeout=10).raise_for_status()
        try:
            yield
        finally:
            requests.delete(f"{self.url}/simulator/faults", timeout=10).raise_for_status()

    def purge(self) -> None:
        """Have it forget its destroyed machines, as a cloud does after a day."""
        requests.post(f"{self.url}/simulator/expunge", timeout=10).raise_for_status()

    @property
    def portal(self) -> CloudStack:
        """What the account sees of the cloud itself, through a client that is not ours."""
        return CloudStack(endpoint=f"{self.url}/client/api", key=self.key, secret=self.secret, poll_interval=0.05)

    def machine_names(self) -> set[str]:
        """The machines it has."""
        found = self.portal.listVirtualMachines()
        return {row["name"] for row in found.get("virtualmachine", [])} if found else set()

    def rules(self) -> list[tuple[str, int, str]]:
        """(group, port, source) of its security groups' rules."""
        return sorted(
            (group["name"], rule["startport"], rule.get("cidr") or rule.get("securitygroupname"))
            for group in self.portal.listSecurityGroups()["securitygroup"] for rule in group.get("ingressrule", [])
        )

    def network_names(self) -> set[str]:
        """The networks it has."""
        return {row["name"] for row in self.portal.listNetworks().get("network", [])}


@dataclass
class Hybrid(Live):
    """A gcelib whose project `demo` is all of `clouds`, and after them one of libcloud's own in-memory provider."""

    clouds: Sequence[Cloud] = ()
    cache: str = "sizes = 0\nimages = 0\nnodes = 0\nother = 0\n"

    def write(self) -> None:
        rows = "".join(
            f'[clouds.{cloud.name}]\nprovider = "cloudstack"\nendpoint = "{cloud.url}/client/api"\ntimeout = 20\n'
            f'key = "{cloud.key}"\nsecret = "{cloud.secret}"\n' for cloud in self.clouds
        )
        names = ", ".join(f'"{cloud.name}"' for cloud in self.clouds)
        self.config.write_text(f"""
[server]
listen = "localhost:{self.port}"
admin_listen = "127.0.0.1:{self.admin}"
state_dir = "{self.home}/state"
tls = "{self.tls}"
[cache]
{self.cache}
{rows}
[clouds.dummy]
provider = "dummy"
key = "any"
[projects.demo]
clouds = [{names}, "dummy"]
{self.extra}
""")
        self.config.chmod(0o600)

    def api(self, project: str = "demo") -> PartialApi:
        """A checked client, signed in."""
        return PartialApi(self.url, self.sign_in(), project)


class PartialApi(Api):
    """A client that can show the machines of every zone."""

    def rows(self, **query: Any) -> dict[str, list[str]]:
        """The machines' names by zone."""
        items = self.get("aggregated/instances", **query)["items"]
        return {zone.removeprefix("zones/"): [row["name"] for row in entry["instances"]]
                for zone, entry in items.items() if "instances" in entry}


def hybrid(home: Path, clouds: Sequence[Cloud], **options: str) -> Hybrid:
    """A gcelib over these clouds, started."""
    home.mkdir(parents=True, exist_ok=True)
    return Hybrid(home, "", "", "", clouds=clouds, **options).start()  # type: ignore[arg-type,return-value]
