"""What the soak puts in the clients' way: garbage on the wire, a cloud that fails, and replicas that are killed."""

from __future__ import annotations

import random
import signal
import socket
from collections import Counter
from contextlib import suppress
from typing import Any

from gcelib.simulator import Fault
from tests.soak.run import Soak

WEATHER: tuple[tuple[str, dict[str, Any]], ...] = (
    ("reset", {}), ("reset_after", {}), ("status", {"status": 503}), ("status", {"status": 500}),
    ("delay", {"seconds": 2.0}), ("truncate", {}), ("html", {}), ("garbage", {}), ("job_lost", {}), ("job_fail", {}),
)
COMMANDS = ("*", "*", "*", "deployVirtualMachine", "destroyVirtualMachine", "createVolume", "associateIpAddress",
            "authorizeSecurityGroupIngress", "createTags")

STARTED = 300.0
"""Seconds that a replica may take to start on a machine that has much else to do."""


def garbage(soak: Soak, dice: random.Random) -> None:
    """Bytes that are no request, and requests that make no sense."""
    live = dice.choice(soak.site.replicas)
    with suppress(OSError), socket.create_connection(("localhost", live.port), timeout=5) as wire:
        wire.sendall(dice.choice([dice.randbytes(200), b"GET / HTTP/9.9\r\n\r\n", b"POST /compute/v1/projects/demo/"
                                  b"zones/x/instances HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{{{"]))
        wire.settimeout(1)
        wire.recv(1000)
    soak.count("garbage sent")
    soak.rest(0.3)


class Weather:
    """A fault of the cloud every `pause` seconds or so."""

    __name__ = "weather"

    def __init__(self, pause: float = 1.25) -> None:
        self._pause = pause
        self._planned: list[Fault] = []

    def __call__(self, soak: Soak, dice: random.Random) -> None:
        """One more."""
        kind, options = dice.choice(WEATHER)
        self._planned.append(soak.site.cloud.faults.add(dice.choice(COMMANDS), kind, **options))
        soak.rest(self._pause * dice.uniform(0.4, 1.6))

    @property
    def hits(self) -> Counter[str]:
        """How many calls each kind of fault has hit."""
        found: Counter[str] = Counter()
        for fault in self._planned:
            found[fault.kind] += fault.hits
        return +found


class Kills:
    """Ends replicas with SIGKILL, `every` so many seconds, `most` times, and starts each again within `pause`.

    Each in turn for a third of the run; then each is left in peace for its part of the rest, while another is killed,
    so that it shows how it grows. A single one is killed in the first third only.
    """

    __name__ = "kills"

    def __init__(self, every: float, pause: float = 5.0, most: int = 1_000_000) -> None:
        self._every, self._pause, self._most, self._turn = every, pause, most, 0

    def __call__(self, soak: Soak, dice: random.Random) -> None:
        """Wait, then kill one."""
        soak.rest(self._every)
        if soak.over.is_set():
            return
        replicas = soak.site.replicas
        victims = self.victims(len(replicas), soak.passed)
        if not victims or self._turn >= self._most:
            return
        self._turn += 1
        live = replicas[victims[self._turn % len(victims)]]
        live.stop(signal.SIGKILL)
        soak.rest(dice.uniform(0.0, self._pause))
        live.start(STARTED)
        soak.count("kills")

    @staticmethod
    def victims(count: int, passed: float) -> list[int]:
        """Who may be killed when so much of the run is over."""
        if passed < 1 / 3:
            return list(range(count))
        spared = int((passed - 1 / 3) * 1.5 * count)
        return [number for number in range(count) if number != min(spared, count - 1)]
