"""A Redis of a test's own, where its program is installed."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import redis


def program() -> str | None:
    """redis-server; None where there is none."""
    return shutil.which("redis-server")


class RedisServer:
    """On a Unix socket only, with a password, in a folder of its own. `start`, `stop`, `hang` may be repeated."""

    def __init__(self) -> None:
        """Raises AssertionError where Redis is not installed: ask `program` first."""
        found = program()
        assert found, "Redis is not installed"
        self._program = found
        self.home = Path(tempfile.mkdtemp(prefix="gcelib-redis-"))
        self.password = secrets.token_hex(8)
        self.url = f"unix://:{self.password}@{self.home}/socket?db=3"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> RedisServer:
        """Serve; returns when it answers."""
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._program, "--port", "0", "--unixsocket", str(self.home / "socket"), "--unixsocketperm", "700",
                 "--requirepass", self.password, "--dir", str(self.home), "--save", "", "--appendonly", "no"],
                stdout=log, stderr=log, cwd=self.home,
            )
        until = time.monotonic() + 30
        while True:
            assert self.process.poll() is None, self.said()
            try:
                self.client().ping()
                return self
            except redis.ConnectionError:
                assert time.monotonic() < until, self.said()
                time.sleep(0.02)

    def client(self) -> Any:
        """Somebody who may do everything."""
        return redis.Redis.from_url(self.url)

    def said(self) -> str:
        """Its log so far."""
        return (self.home / "log").read_text()

    def flush(self) -> None:
        """Have it forget everything."""
        self.client().flushall()

    def hang(self) -> None:
        """Have it take connections and answer nobody."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After `hang`."""
        self._signal(signal.SIGCONT)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it; `start` may follow, and knows nothing of before unless it was told to `keep`."""
        if self.process is not None:
            self._signal(how)
            self._signal(signal.SIGCONT)
            self.process.wait(30)
            self.process = None

    def keep(self) -> None:
        """Write what it holds to the disk: the next one starts with that, however much came after."""
        self.client().save()

    def remove(self) -> None:
        """End it, and remove its folder."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _signal(self, how: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(how)
