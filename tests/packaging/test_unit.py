"""The systemd unit: systemd finds it sound and well closed, and gcelib works under what it forbids."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from gcelib.simulator import Simulator
from tests.live import Live

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "gcelib.service"
EXPOSED = 2.0
"""systemd's own measure: 0 is a service that can do nothing, 10 one that can do everything."""


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """What systemd-analyze says; a test without it is skipped."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze here")
    return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, timeout=60,
                          check=False)


def test_systemd_counts_it_among_the_well_closed() -> None:
    done = analyze("security", "--offline=true", UNIT)
    found = re.search(r"Overall exposure level for gcelib.service: ([\d.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) < EXPOSED, done.stdout


def test_systemd_finds_no_mistake_in_it(tmp_path: Path) -> None:
    here = tmp_path / "gcelib.service"
    # The program and the manual pages are not installed on this machine.
    text = UNIT.read_text().replace("/opt/gcelib/bin/gcelib", "/bin/true")
    here.write_text(re.sub(r"(?m)^Documentation=.*\n", "", text))
    done = analyze("verify", here)
    assert (done.returncode, done.stderr) == (0, "")


def test_it_is_started_anew_until_its_database_is_there() -> None:
    settings = dict(re.findall(r"(?m)^(\w+)=(.*)$", UNIT.read_text()))
    assert settings["Restart"] == "on-failure"
    interval, burst = float(settings["StartLimitIntervalSec"]), int(settings.get("StartLimitBurst", "5"))
    assert interval == 0 or interval < burst * float(settings["RestartSec"]), "it is given up"


class Confined(Live):
    """A server under what the unit forbids."""

    def launch(self) -> None:
        self.write()
        state = self.home / "state"
        state.mkdir(exist_ok=True)
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.packaging.confined", UNIT, state, sys.executable, "-m", "gcelib", "serve",
                 "--config", self.config], stdout=log, stderr=log, cwd=ROOT,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})  # fmt: skip


@pytest.fixture(scope="module")
def server(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    """One that answers."""
    if os.getuid() != 0 or not shutil.which("systemd-analyze"):
        pytest.skip("taking rights away as systemd does needs root, and its lists of system calls")
    account = simulator.accounts["demo"]
    running = Confined(tmp_path_factory.mktemp("unit"), simulator.url, account.api_key, account.secret_key, tls="auto")
    yield running.start()
    assert running.stop() == 0, running.said()


def test_what_the_unit_forbids_is_forbidden(tmp_path: Path, server: Confined) -> None:
    tried = """
import mmap, os, pathlib, socket, sys
def refused(what):
    try: what()
    except OSError: return True
print([refused(lambda: pathlib.Path("/tmp/written-by-a-test").touch()), refused(lambda: os.chroot("/")),
       refused(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
       refused(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)),
       refused(lambda: pathlib.Path(sys.argv[1], "written").touch())])
"""
    under = [sys.executable, "-m", "tests.packaging.confined", UNIT, tmp_path]
    done = subprocess.run([*under, sys.executable, "-c", tried, tmp_path], capture_output=True, text=True, timeout=60,
                          check=False, cwd=ROOT)
    assert done.stdout == "[True, True, True, True, None]\n", done.stderr


def test_it_serves_reads_and_changes_under_the_unit(server: Confined) -> None:
    api = server.api()
    assert [zone["name"] for zone in api.get("zones")["items"]]
    api.change("POST", "zones/ch-gv2/disks", {"name": "under-the-unit", "sizeGb": "10"})
    assert server.process is not None
    server.process.send_signal(signal.SIGHUP)
    assert requests.get(f"http://127.0.0.1:{server.admin}/metrics", timeout=10).status_code == 200
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    assert re.search(r"CapEff:\s+0+\n", status)
    assert re.search(r"Seccomp:\s+2\n", status)
    for line in server.said().splitlines():
        assert "Operation not permitted" not in line
        assert "Read-only file system" not in line
