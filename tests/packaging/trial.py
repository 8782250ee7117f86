"""What gcelib must do once it is installed, whatever it came in: say its version, start, answer, stop."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.live import free_port


def environment(home: Path, **more: str) -> dict[str, str]:
    """Of somebody who has just logged in: nothing that leads to a checkout or to another configuration."""
    lasting = ("LANG", "TMPDIR", "PIP_CONFIG_FILE", "PIP_INDEX_URL")
    kept = {name: os.environ[name] for name in lasting if name in os.environ}
    return {**kept, "HOME": str(home), "PATH": "/usr/bin:/bin", "NO_COLOR": "1", **more}


def pythons() -> dict[str, Path | None]:
    """The versions that gcelib is for, and where each is here: pyenv's, else of PATH."""
    found: dict[str, Path | None] = {}
    for version in ("3.11", "3.12", "3.13"):
        kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
        named = shutil.which(f"python{version}")
        found[version] = kept[-1] if kept else Path(named) if named else None
    return found


def demo(program: list[str | Path], home: Path, environ: Mapping[str, str]) -> list[str]:
    """Start `gcelib demo`, ask it for the zones with the token it made, stop it; the zones' names.

    Raises AssertionError with what it said when it does not start, answer or end with 0.
    """
    address = f"127.0.0.1:{free_port()}"
    state = home / "state"
    with (home / "said").open("w+") as said:
        process = subprocess.Popen([*program, "demo", "--listen", address, "--state", state], stdout=said, stderr=said,
                                   env=dict(environ), cwd=home)  # fmt: skip
        try:
            until(lambda: "# gcelib demo is ready" in (home / "said").read_text(), process, home / "said")
            token = (state / "demo-token").read_text().strip()
            zones = asked(f"https://{address}/compute/v1/projects/demo/zones", token, state / "ca.pem")
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
    assert code == 0, (home / "said").read_text()
    return [zone["name"] for zone in zones["items"]]


def asked(url: str, token: str, authority: Path | None) -> dict[str, Any]:
    """The JSON at a URL."""
    context = ssl.create_default_context(cafile=str(authority)) if authority else None
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def until(done: Any, process: subprocess.Popen[Any], said: Path, seconds: float = 60) -> None:
    """Wait for what a process does. AssertionError with what it said when it ends before, or takes too long."""
    deadline = time.monotonic() + seconds
    while not done():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.05)
