"""A gcelib process of its own, over a CloudStack cloud that answers over HTTP."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import requests

from gcelib import cli
from tests.api import Api
from tests.forked import QUIET, STARTER, Process, by_itself

PORTS, EACH, WORKERS = 12_000, 2_500, 8
"""Below the ports that systems give to clients and to who asks for any: a server finds its own free again."""
_next = itertools.count(secrets.randbelow(EACH))


def free_port() -> int:
    """A port that nobody listens on now, and that no other of the tests' workers is told."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    while True:
        port = PORTS + worker * EACH + next(_next) % EACH
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass
class Live:
    """A `gcelib serve` and how to reach it. `start` and `stop` may be repeated: the state stays."""

    home: Path
    endpoint: str
    key: str
    secret: str
    tls: str = "off"
    extra: str = ""
    server_extra: str = ""
    clouds: str = ""
    """The configuration's clouds and projects, in place of one CloudStack cloud `sim` and a project `demo`."""
    environ: Mapping[str, str] = field(default_factory=dict)
    forked: bool = True
    """Whether its process may be forked of one that loaded gcelib before."""
    port: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | Process | None = None
    token: str = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'http' if self.tls == 'off' else 'https'}://localhost:{self.port}"

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self.home / "gcelib.toml"

    @property
    def ca(self) -> Path:
        """The certificate of its own authority, with tls "auto"."""
        return self.home / "state" / "ca.pem"

    @property
    def key_file(self) -> Path:
        """The key file of the service account `tester`, an admin of project demo."""
        return self.home / "tester.json"

    def write(self) -> None:
        """Write the configuration."""
        self.config.write_text(f"""
[server]
listen = "localhost:{self.port}"
admin_listen = "127.0.0.1:{self.admin}"
state_dir = "{self.home}/state"
tls = "{self.tls}"
{self.server_extra}
{self.clouds or self._simulated()}
{self.extra}
""")
        self.config.chmod(0o600)

    def _simulated(self) -> str:
        return f"""
[clouds.sim]
provider = "cloudstack"
endpoint = "{self.endpoint}"
key = "{self.key}"
secret = "{self.secret}"
timeout = 10
[projects.demo]
clouds = ["sim"]
aliases = ["demo@example.com"]
"""

    def run(self, *words: str, input: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """`gcelib WORDS`, with this configuration."""
        environ = {**os.environ, **QUIET, **self.environ, "GCELIB_CONFIG": str(self.config)}
        done = STARTER.run(words, environ, input)
        if check:
            assert done.returncode == 0, done
        return done

    def launch(self) -> None:
        """Start it, and do not wait for anything."""
        self.write()
        with (self.home / "log").open("ab") as log, open(os.devnull, "rb") as nothing:
            environ = {**os.environ, **QUIET, **self.environ}
            words = ["serve", "--config", str(self.config)]
            self.process = (STARTER.start if self.forked else by_itself)(words, environ, (nothing, log, log))

    def start(self, timeout: float = 30) -> Live:
        """Start it and wait until it says it is ready."""
        self.launch()
        return self.until_ready(timeout)

    def until_ready(self, timeout: float = 30) -> Live:
        """Wait until it says it is ready."""
        assert self.process is not None
        deadline = time.monotonic() + timeout
        while not self._ready():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        return self

    def _ready(self) -> bool:
        try:
            with requests.get(f"http://127.0.0.1:{self.admin}/healthz", timeout=5) as answer:
                return answer.status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False

    def said(self) -> str:
        """Its log so far."""
        return (self.home / "log").read_text()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(30)
        self.process = None
        return code

    def sign_in(self) -> str:
        """A token of the service account, by the JWT-bearer grant."""
        if not self.key_file.exists():
            self.at_once("account", "create-service", "tester", "--project", "demo", "--role", "admin", "--key-file",
                         str(self.key_file))
        if not self.token:
            self.token = self.at_once("client", "token", "--project", "demo", "--key-file", str(self.key_file))
        return self.token

    def at_once(self, *words: str, input: str = "") -> str:
        """What `gcelib WORDS` prints, in this process where that makes no difference: it takes a tenth of the time."""
        if self.environ:
            return self.run(*words, input=input).stdout.strip()
        here = {name: value for name, value in os.environ.items() if not name.startswith("GCELIB_")}
        with mock.patch.dict(os.environ, {**here, "GCELIB_CONFIG": str(self.config)}, clear=True), \
                mock.patch("sys.stdin", io.StringIO(input)), contextlib.redirect_stdout(io.StringIO()) as said:
            assert cli.main(words) == cli.DONE
        return said.getvalue().strip()

    def api(self, project: str = "demo") -> Api:
        """A checked client, signed in."""
        return Api(self.url, self.sign_in(), project, ca=str(self.ca) if self.tls == "auto" else True)

    def log_lines(self) -> list[dict[str, Any]]:
        """The log's JSON lines."""
        return [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
