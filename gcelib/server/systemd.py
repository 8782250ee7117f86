"""What systemd is told of the service (sd_notify(3)), and the sign of life that it waits for."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


def notify(*lines: str) -> None:
    """Tell systemd how the service is, NAME=value lines in one message; without systemd nothing happens."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto("\n".join(lines).encode(), address)
        except OSError as error:
            log.warning("systemd was not told %s: %s", lines[0], error)


def reloading() -> None:
    """Say that the configuration is being read again; READY=1 ends it."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reading the configuration again")


class Watchdog:
    """The sign of life that WatchdogSec= of the unit asks for. Not given once `alive` says no, it has systemd start
    the service anew."""

    def __init__(self, alive: Callable[[], bool]) -> None:
        self._alive = alive
        self._every = _seconds() / 2
        self._next = 0.0
        self._told = False

    def beat(self) -> None:
        """Give the sign when it is time for one; to be called more often than that."""
        now = time.monotonic()
        if not self._every or now < self._next:
            return
        if self._alive():
            notify("WATCHDOG=1")
            self._next = now + self._every
        elif not self._told:
            log.error("a listener has ended; systemd is left to start the service anew")
            self._told = True


def _seconds() -> float:
    """How often systemd wants a sign from this very process; 0 when it wants none."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    asked = os.environ.get("WATCHDOG_USEC", "")
    return int(asked) / 1e6 if asked.isdigit() else 0.0
