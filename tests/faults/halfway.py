"""A cloud that hears what it is asked, breaks at any one request, and shows its books before and after."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from gcelib.simulator import Simulator
from gcelib.simulator.faults import BEFORE, Fault
from gcelib.simulator.hardware import Volume
from gcelib.simulator.jobs import Job
from gcelib.simulator.places import AddressPool
from gcelib.simulator.records import Event, KeyPair, Owner, Thing
from tests.live import Live

ASIDE = re.compile(r"-x[0-9a-f]{8}$")
"""The name of a machine that was put aside so that its own is free."""
READS = ("list", "query", "get")
GONE = ("Destroyed", "Expunging", "Expunged", "Destroy")
PASSING = ("job_id", "created", "updated", "attached", "pool")
"""When and by which job something was done; a network's addresses, which what waits to be purged still has."""


class Books:
    """The cloud behind a server, and what the server itself keeps."""

    def __init__(self, live: Live, cloud: Simulator) -> None:
        self.live, self.cloud = live, cloud
        self._take = cloud.faults.take

    @contextmanager
    def heard(self, each: Callable[[int], None] = lambda number: None) -> Iterator[list[str]]:
        """The commands that change something, as they come in; `each` is told how many came before."""
        said: list[str] = []

        def take(command: str, account: str, kinds: tuple[str, ...]) -> Sequence[Fault]:
            if kinds == BEFORE and not command.startswith(READS):
                each(len(said))
                said.append(command)
            return self._take(command, account, kinds)

        self.cloud.faults.take = take  # type: ignore[method-assign, assignment]
        try:
            yield said
        finally:
            self.cloud.faults.take = self._take  # type: ignore[method-assign]

    def cloud_rows(self) -> dict[str, Any]:
        """Everything that is on the cloud, by kind and id, but for what was deleted and waits to be purged, and key
        pairs: they are shared by all machines with the same key."""
        world = self.cloud.world
        with world.lock:
            world.advance()
            rows: dict[str, Any] = {}
            for kind in list(world._tables):
                for thing in world.all(kind):
                    if not isinstance(thing, Event | Job | Owner | KeyPair) and not _gone(thing):
                        rows[f"{kind.__name__} {getattr(thing, 'name', '')} {thing.id}"] = _plain(thing)
            return rows

    def notes(self) -> list[Any]:
        """What the server keeps beside the cloud."""
        with closing(sqlite3.connect(self.live.home / "state" / "gcelib.sqlite")) as books:
            return sorted(books.execute("select place, kind, id, data from notes").fetchall())


def _gone(thing: Thing) -> bool:
    """What waits to be purged, and the boot disk that goes with it."""
    holder = thing.machine if isinstance(thing, Volume) and thing.machine is not None else thing
    return getattr(thing, "state", "") in GONE or getattr(holder, "state", "") in GONE


def _plain(thing: Thing) -> dict[str, Any]:
    return {name: _value(value) for name, value in vars(thing).items() if name not in PASSING}


def _value(value: Any) -> Any:
    if isinstance(value, Thing | Owner):
        return value.id
    if isinstance(value, list | tuple | set):
        return [_value(each) for each in value if getattr(each, "state", "") not in GONE]
    if isinstance(value, dict):
        return {key: _value(each) for key, each in value.items() if not ASIDE.search(str(key))}
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, AddressPool):
        return sorted(value._taken)
    return {name: _value(each) for name, each in vars(value).items()} if hasattr(value, "__dict__") else repr(value)
