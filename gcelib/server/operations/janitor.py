"""Clears away what has outlived its use: old operations, notes of things that are gone, machines' own groups."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Collection, Hashable, Iterable
from typing import Any

from gcelib.drivers.base import Cloud
from gcelib.errors import Fault
from gcelib.models import Group
from gcelib.server.operations.wishes import REQUEST_SECONDS
from gcelib.store.notes import Notes
from gcelib.store.operations import Operations

log = logging.getLogger("gcelib.janitor")

KEEP_SECONDS = 14 * 86400.0
"""How long a done operation can be asked for; Google keeps them as long."""

GRACE_SECONDS = 3600.0
"""A note this young may be of a thing that the cloud does not list yet."""

GROUP_RUNS, NOTE_RUNS = 2, 72
"""So many runs in a row that do not find a thing show that it is gone. What a group says can be made again; what is
noted of a machine cannot, and keys of another account, or a project left out of the configuration, are put right within
a weekend.
"""

Present = Callable[[str, str], Collection[str] | None]
"""(place, kind) to the ids a cloud has now; None when nobody can say, Faults when it cannot be asked."""


class Janitor:
    """One `run` an hour. Nothing that a cloud keeps or shows is touched on the word of a single listing:

    a thing counts as gone when several runs in a row did not find it, and a listing that fails counts for nothing.
    `machine_of` gives the machine's name in the name of a private group, None for every other group.
    `clouds` are those whose groups are ours to clear.
    """

    def __init__(
        self,
        operations: Operations,
        notes: Notes,
        *,
        present: Present,
        clouds: Callable[[], Iterable[Cloud]] = tuple,
        machine_of: Callable[[str], str | None] = lambda name: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._operations = operations
        self._notes = notes
        self._present = present
        self._clouds = clouds
        self._machine_of = machine_of
        self._clock = clock
        self._missing: dict[Hashable, dict[str, int]] = {}

    def run(self) -> None:
        """Clear away once. Raises Unavailable when the database is away; clouds that are, are left out."""
        self._operations.forget_requests(self._clock() - REQUEST_SECONDS)
        gone = self._operations.prune(self._clock() - KEEP_SECONDS)
        if gone:
            log.info("forgot %d old operations", gone)
        for place, kind in self._notes.kept():
            self._clear_notes(place, kind)
        for cloud in self._clouds():
            self._clear_groups(cloud)

    def _clear_notes(self, place: str, kind: str) -> None:
        # Read before the cloud is asked: what is noted meanwhile is not judged by an older listing.
        old = set(self._notes.untouched(place, kind, self._clock() - GRACE_SECONDS))
        try:
            present = self._present(place, kind)
        except Fault as fault:
            log.warning("notes on %s of '%s' are left alone: %s", kind, place, fault.message)
            return
        if present is None:
            return
        gone = self._gone(("notes", place, kind), old.difference(present), NOTE_RUNS)
        if gone:
            self._notes.drop(place, kind, sorted(gone))
            log.info("forgot the notes on %d %s of '%s'", len(gone), kind, place)

    def _clear_groups(self, cloud: Cloud) -> None:
        try:
            orphans = self._orphans(cloud)
        except Fault as fault:
            log.warning("private groups of '%s' are left alone: %s", cloud.name, fault.message)
            return
        for id in sorted(self._gone(("groups", cloud.name), {group.id for group in orphans}, GROUP_RUNS)):
            try:
                cloud.submit("firewalls", "destroy_group", {"id": id}, str(uuid.uuid4()))
                log.info("removed the private group %s of a machine that is gone from '%s'", id, cloud.name)
            except Fault as fault:
                # A machine that is destroyed and not yet purged still counts as in its groups.
                log.info("private group %s of '%s' stays for now: %s", id, cloud.name, fault.message)

    def _orphans(self, cloud: Cloud) -> list[Group]:
        """Private groups that are empty, whose machine is gone, and that no open operation speaks of."""
        if cloud.firewalls is None or cloud.nodes is None:
            return []
        private = [group for group in cloud.firewalls.list() if self._machine_of(group.name) is not None]
        if not private:
            return []
        machines = {node.name.lower() for node in cloud.nodes.list()}
        # Asked last, so that an operation begun meanwhile is seen.
        words = set(_words([(record.work, record.state) for record in self._operations.open()]))
        return [
            group
            for group in private
            if not group.node_ids
            and str(self._machine_of(group.name)).lower() not in machines
            and words.isdisjoint((group.id, group.name))
        ]

    def _gone(self, subject: Hashable, missing: set[str], runs: int) -> set[str]:
        """Those that so many runs in a row have missed now."""
        before = self._missing.get(subject, {})
        counts = {id: before.get(id, 0) + 1 for id in missing}
        self._missing[subject] = {id: count for id, count in counts.items() if count < runs}
        return {id for id, count in counts.items() if count >= runs}


def _words(value: Any) -> Iterable[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _words(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _words(each)
