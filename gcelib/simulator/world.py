"""The cloud's books: every entity there is, under one lock, and what is due to happen to them."""

from __future__ import annotations

import heapq
import itertools
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from gcelib.simulator.clock import Clock
from gcelib.simulator.hardware import Machine
from gcelib.simulator.records import Account, Event, Owner, Row, Thing
from gcelib.simulator.settings import Settings

T = TypeVar("T", bound=Thing)
NAMESPACE = uuid.UUID("5f0b2f5e-3d6c-5b0a-9c58-2d0b6c7f1a10")


class World:
    """Everything the management server knows; hold `lock` while reading or changing it.

    Ids come from the seed and the order of creation, so the same calls give the same ids.
    """

    def __init__(self, clock: Clock, settings: Settings, seed: int) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.settings = settings
        self.seed = seed
        self.accounts: dict[str, Account] = {}
        self.by_key: dict[str, Account] = {}
        self.events: deque[Event] = deque(maxlen=2000)
        self.issued: set[str] = set()
        self._tables: dict[type[Thing], dict[str, Thing]] = {}
        self._counters: dict[str, itertools.count[int]] = {}
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._moment: float | None = None
        self.domain_id = self.new_id("domain")

    # Ids ------------------------------------------------------------------------------------------------

    def count(self, kind: str) -> int:
        """The next number of a kind, from 1."""
        return next(self._counters.setdefault(kind, itertools.count(1)))

    def new_id(self, kind: str) -> str:
        """A fresh id that the server will recognise for ever."""
        made = str(uuid.uuid5(NAMESPACE, f"{self.seed}/{kind}/{self.count(kind)}"))
        self.issued.add(made)
        return made

    # Books ----------------------------------------------------------------------------------------------

    def add(self, thing: T) -> T:
        """Enter a thing into the books."""
        self._tables.setdefault(type(thing), {})[thing.id] = thing
        return thing

    def remove(self, thing: Thing) -> None:
        """Strike a thing off; its id stays known."""
        self._tables.get(type(thing), {}).pop(thing.id, None)

    def find(self, kind: type[T], thing_id: str) -> T | None:
        """The living thing of this kind and id."""
        return cast("T | None", self._tables.get(kind, {}).get(thing_id))

    def all(self, kind: type[T]) -> list[T]:
        """Every living thing of a kind, in order of creation."""
        return cast("list[T]", list(self._tables.get(kind, {}).values()))

    def owned(self, kind: type[T], owner: Owner) -> list[T]:
        """Every living thing of a kind that belongs to the owner."""
        return [thing for thing in self.all(kind) if thing.owner is owner]

    def tagged_kinds(self) -> Iterable[type[Thing]]:
        """The kinds that createTags accepts and that have been seen."""
        return [kind for kind in self._tables if kind.tag_type]

    def record(self, kind: str, thing: Thing, description: str) -> None:
        """Write a line into the history that listEvents shows."""
        self.events.append(
            Event(
                id=self.new_id("event"),
                owner=thing.owner,
                created=self.now(),
                kind=kind,
                description=description,
                resource_id=thing.id,
                resource_type=type(thing).tag_type,
            )
        )

    # Time -----------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The time; while something that fell due is done, the time at which it did."""
        return self.clock.now() if self._moment is None else self._moment

    def at(self, moment: float, act: Callable[[], None]) -> None:
        """Do something once the clock has reached `moment`."""
        heapq.heappush(self._due, (moment, next(self._order), act))

    def advance(self) -> None:
        """Do all that has fallen due, in its order; every request begins with it."""
        try:
            while self._due and self._due[0][0] <= self.clock.now():
                self._moment, _, act = heapq.heappop(self._due)
                act()
        finally:
            self._moment = None

    # Inspection -----------------------------------------------------------------------------------------

    def machines(self) -> list[Row]:
        """The truth about every machine, Destroyed ones too: id, name, state, account, zone, address, tags."""
        with self.lock:
            self.advance()
            return [_audit(machine) for machine in self.all(Machine)]

    def machine(self, name_or_id: str) -> Machine:
        """The machine of this id or host name. Raises KeyError when there is none."""
        with self.lock:
            for machine in self.all(Machine):
                if name_or_id in (machine.id, machine.name):
                    return machine
        raise KeyError(name_or_id)

    def set_state(self, name_or_id: str, state: str) -> None:
        """Change a machine's state behind every client's back, as a hypervisor report does."""
        with self.lock:
            self.machine(name_or_id).state = state

    def set_limit(self, owner: str, kind: str, limit: int) -> None:
        """Set a resource limit (`user_vm`, `volume` …; -1 is unlimited) of an account or project by name."""
        with self.lock:
            self.owner(owner).limits[kind] = limit

    def owner(self, name: str) -> Owner:
        """The account or project of this name. Raises KeyError when there is none."""
        for owner in self.owners():
            if owner.name == name:
                return owner
        raise KeyError(name)

    def owners(self) -> list[Owner]:
        """Every account, then every project."""
        projects = [thing for kind, table in self._tables.items() if issubclass(kind, Owner)
                    for thing in cast("dict[str, Any]", table).values()]  # fmt: skip
        return [*self.accounts.values(), *projects]


def _audit(machine: Machine) -> Row:
    return {
        "id": machine.id,
        "name": machine.name,
        "displayname": machine.displayname,
        "state": machine.state,
        "account": machine.owner.name,
        "zone": machine.zone.name,
        "address": machine.nics[0].address if machine.nics else None,
        "tags": dict(machine.tags),
    }
