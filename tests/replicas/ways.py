"""Ways in which a PostgreSQL goes away, each done for real: its processes, its disk or its network."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.faults.disks import Impossible, fill, run, small
from tests.postgres import Postgres

SILENCE = 10.0
"""Seconds after which a load balancer is told of a database that says nothing: 3 for a sign of life, 5 to connect."""


@dataclass(frozen=True)
class Way:
    """A server that is up, what takes it away, what brings it back, and after how many seconds that is noticed.

    `readable`: what it holds can be read all the time.
    """

    postgres: Postgres
    strike: Callable[[], object]
    mend: Callable[[], object]
    noticed: float
    readable: bool = False


def ended(server: Postgres, how: signal.Signals) -> Way:
    """Its processes end: orderly with SIGINT, in a crash with SIGQUIT and SIGKILL."""
    return Way(server, partial(server.stop, how), server.start, 1.0)


def silent(server: Postgres, noticed: float) -> Way:
    """Its processes stand still: connections are accepted and nothing is answered."""
    return Way(server, server.freeze, server.thaw, noticed)


@contextmanager
def _own(way: Callable[[Postgres], Way]) -> Iterator[Way]:
    with _removed(Postgres().start()) as server:
        yield way(server)


@contextmanager
def full() -> Iterator[Way]:
    """The file system it is on has no room left. Where that ends the server, the operator starts it again."""
    with tempfile.TemporaryDirectory() as home, _mounted(Path(home)) as place:
        # PostgreSQL's user is another than ours.
        Path(home).chmod(0o711)
        place.chmod(0o711)
        with _removed(Postgres(place, "max_wal_size=64MB", "min_wal_size=32MB").start()) as server:

            def mend() -> None:
                (place / "ballast").unlink()
                assert server.process is not None
                if server.process.poll() is not None:
                    server.process = None
                    server.start()

            yield Way(server, partial(fill, place), mend, 3.0, readable=True)


@contextmanager
def cut_off() -> Iterator[Way]:
    """The network to it drops every packet, and says nothing."""
    with _distant() as server:
        yield Way(server, server.cut, server.join, SILENCE)


WAYS: dict[str, Callable[[], AbstractContextManager[Way]]] = {
    "stopped": partial(_own, partial(ended, how=signal.SIGINT)),
    "crashed": partial(_own, partial(ended, how=signal.SIGQUIT)),
    "killed": partial(_own, partial(ended, how=signal.SIGKILL)),
    "silent": partial(_own, partial(silent, noticed=SILENCE)),
    "full": full,
    "cut": cut_off,
}


class Distant(Postgres):
    """One behind a network of its own, of two addresses; only root may make one."""

    def __init__(self, space: str, near: str, far: str, place: str) -> None:
        super().__init__(None, f"listen_addresses={place}")
        self._inside = ("ip", "netns", "exec", space)
        self._ends = ((near,), (far, *self._inside))
        self._place = place
        with (self.home / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {place}/30 trust\n")

    def through(self) -> tuple[str, ...]:
        """Into its own network, and then to be the user that it is."""
        user = self.user
        become = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups") if user else ()
        return (*self._inside, *become)

    def database(self, name: str) -> str:
        """A new database, over the network."""
        super().database(name)
        return f"postgresql+psycopg://gcelib@{self._place}/{name}"

    def cut(self) -> None:
        """Drop every packet, both ways: none is small enough for a bucket of one byte."""
        for end, *inside in self._ends:
            _run(*inside, "tc", "qdisc", "add", "dev", end, "root", "tbf", "rate", "8bit", "burst", "1", "latency",
                 "1ms")

    def join(self) -> None:
        """Let packets through again."""
        for end, *inside in self._ends:
            _run(*inside, "tc", "qdisc", "del", "dev", end, "root")


@contextmanager
def _distant() -> Iterator[Distant]:
    mark = secrets.token_hex(3)
    space, near, far = f"gcelib-{mark}", f"gn{mark}", f"gf{mark}"
    net = f"10.213.{secrets.randbelow(256)}"
    inside = ("ip", "netns", "exec", space)
    _run("ip", "netns", "add", space)
    try:
        _run("ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", space)
        for end, address, prefix in ((near, f"{net}.1/30", ()), (far, f"{net}.2/30", inside)):
            _run(*prefix, "ip", "addr", "add", address, "dev", end)
            _run(*prefix, "ip", "link", "set", end, "up")
        server = Distant(space, near, far, f"{net}.2")
        with _removed(server):
            server.start()
            yield server
    finally:
        subprocess.run(["ip", "link", "del", near], capture_output=True, check=False)
        _run("ip", "netns", "del", space)


@contextmanager
def _mounted(home: Path) -> Iterator[Path]:
    with small(home, 160) as place:
        if place is None:
            raise Impossible("no small file system can be mounted here")
        yield place


@contextmanager
def _removed(server: Postgres) -> Iterator[Postgres]:
    try:
        yield server
    finally:
        server.remove()


def _run(*words: str) -> None:
    if os.geteuid():
        raise Impossible("only root may cut a network")
    run(*words)
