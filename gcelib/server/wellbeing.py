"""How this server is: what is wrong now and how it is mended, for /readyz, /metrics and the console."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gcelib.config import Config
from gcelib.drivers import clock
from gcelib.drivers.base import Cloud
from gcelib.drivers.faults import Rejected, Strange
from gcelib.errors import Fault, Forbidden, TooMany, Unauthenticated, Unavailable
from gcelib.server.findings import CLOUD, DISK, NOTE, Finding, found
from gcelib.server.looks import Known, Look
from gcelib.server.metrics import Sample, findings
from gcelib.server.operations.runner import Runner
from gcelib.server.room import Room, crowded, places, room
from gcelib.server.shown import ABOUT as TLS
from gcelib.server.shown import Shown
from gcelib.server.signs import EVERY, GOOD, SILENT, Pulse, Signs
from gcelib.store import Store
from gcelib.store.generations import Generations
from gcelib.store.marked import Marked
from gcelib.store.operations import Operations

PATIENCE = 0.8
"""Seconds that a question about the server waits for the database: probes give up after one."""
STORE_SILENT = 3.0
"""Seconds after which a database that has not answered counts as away."""
UNHEARD = 0.75
"""Seconds without an answer after which a cloud that never gave one counts as away."""
SILENT_BESIDE = "Redis has not answered for some seconds."
VOID_BESIDE = "Redis answers, and not every replica reached it; the database is asked instead."
FAR_OFF = datetime.timedelta(minutes=2)
"""A clock that is off by more breaks signatures and tokens; by less it is worth a word."""


@dataclass(frozen=True, slots=True)
class _Books:
    fault: Fault | None
    standing: dict[str, tuple[int, float]]
    rooms: Sequence[Room]
    void: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    books: Known[_Books]
    beside: str
    pulses: Sequence[Pulse]


class Wellbeing:
    """Asks the database and the clouds in threads of its own: nobody waits for what hangs, nor does a look make a call
    to a cloud in the thread of who looks.

    Told from outside are the certificate that clients are shown, why the newest one is not used, and what says why the
    audit log cannot be written, "" for nothing.
    """

    def __init__(
        self, config: Callable[[], Config], store: Store, generations: Generations, runner: Runner,
        clouds: Callable[[], Sequence[Cloud]], signs: Signs,
    ) -> None:
        self._config, self._clouds, self._signs = config, clouds, signs
        self._store, self._runner, self._operations = store, runner, Operations(store)
        self._books = Look("look at the store", self._look)
        self._marked = generations if isinstance(generations, Marked) else None
        self._beside = Look("look beside the store", self._marked.sign) if self._marked else None
        self.shown: Shown | None = None
        self.unused = ""
        self.unwritten: Callable[[], str] = str

    def findings(self, patience: float = PATIENCE) -> list[Finding]:
        """Everything that is not as it should be; nothing when all is well. Takes `patience` seconds at most."""
        return self._findings(self._know(patience))

    def _know(self, patience: float) -> _Known:
        """What can be known within so many seconds: all is asked side by side."""
        until = time.monotonic() + patience
        beside = ""
        if self._beside is not None:
            self._books.take(0.0)
            asked = self._beside.take(patience)
            beside = SILENT_BESIDE if asked.silent > STORE_SILENT else asked.told or SILENT_BESIDE
        pulses = self._signs.known(self._clouds(), EVERY, 0.0)
        books = self._books.take(max(0.0, until - time.monotonic()))
        if beside == "ok" and books.told and books.told.void:
            beside = VOID_BESIDE
        return _Known(books, beside, pulses)

    def _findings(self, known: _Known) -> list[Finding]:
        return [
            *self._of_store(known),
            *([] if self._runner.alive else [found("worker-stopped", "operations")]),
            *self._of_files(),
            *self._of_clouds(known.pulses),
        ]

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether requests can be answered – the store does, the operations' threads are there, and a cloud answers –,
        and how each part is.

        One cloud that is down does not make the server unready while another answers; nor does a store that takes no
        changes, for what is there can be shown, nor Redis, which the database stands in for.
        """
        begun = time.monotonic()
        self._books.take(0.0)
        clouds = self._signs.of(self._clouds())
        known = self._know(max(0.0, PATIENCE - (time.monotonic() - begun)))
        away = self._away(known.books)
        parts: dict[str, Any] = {
            "store": away or "ok", "writes": self._store.writes(),
            "operations": "ok" if self._runner.alive else "stopped"}
        if known.beside:
            parts["generations"] = known.beside
        parts["clouds"] = clouds
        parts["findings"] = [_shown(finding) for finding in self._findings(known)]
        return not away and self._runner.alive and (not clouds or GOOD in clouds.values()), parts

    def figures(self) -> Iterator[Sample]:
        """The figures that nobody counts: they are looked up when asked for."""
        known = self._know(PATIENCE)
        books, away = known.books.told, self._away(known.books)
        yield Sample("gcelib_store_up", (), not away)
        yield Sample("gcelib_store_writes_refused", (), self._store.refuses())
        yield Sample("gcelib_store_write_refusals_total", (), self._store.refusals)
        if books is not None and not away:
            for status in ("PENDING", "RUNNING"):
                count, oldest = books.standing.get(status, (0, 0.0))
                yield Sample("gcelib_operations", (status,), count)
                yield Sample("gcelib_operations_oldest_seconds", (status,), time.time() - oldest if count else 0.0)
        if books is not None:
            for each in books.rooms:
                yield Sample("gcelib_disk_free_bytes", (each.place,), each.free)
                yield Sample("gcelib_disk_size_bytes", (each.place,), each.size)
        busy, waiting, late = self._runner.load()
        yield Sample("gcelib_queue_up", (), self._runner.alive)
        yield Sample("gcelib_queue_busy", (), busy)
        yield Sample("gcelib_queue_waiting", (), waiting)
        yield Sample("gcelib_queue_late_seconds", (), late)
        disks = [each.place for each in books.rooms] if books else []
        yield from findings(self._findings(known), {CLOUD: [cloud.name for cloud in self._clouds()], DISK: disks})
        if self.shown is not None:
            yield Sample("gcelib_certificate_expiry_timestamp_seconds", (), self.shown.ends.timestamp())
        yield from _of_pulses(known.pulses)

    def _look(self) -> _Books:
        """What the database and the disks beneath it say; may hang."""
        server = self._config().server
        rooms = room(places(server.state_dir, server.database_url()))
        try:
            self._store.ping()
            void = self._marked is not None and self._marked.void()
            return _Books(None, dict(self._operations.standing()), rooms, void)
        except Fault as fault:
            return _Books(fault, {}, rooms)

    def _away(self, known: Known[_Books]) -> str:
        """Why the store cannot be read, "" when it can."""
        if known.silent > STORE_SILENT or known.told is None:
            return f"gcelib's own database has not answered for {known.silent:.0f} seconds."
        return known.told.fault.message if known.told.fault else ""

    def _of_store(self, known: _Known) -> Iterator[Finding]:
        away = self._away(known.books)
        if away:
            yield found("store-away", "store", away)
        tight = crowded(known.books.told.rooms) if known.books.told else []
        yield from tight
        writes = self._store.writes()
        full = any(each.cause == "disk-full" for each in tight)
        if self._store.refuses() and not away and not full:
            cause = "disk-full" if "is full" in writes else "store-refuses"
            yield found(cause, "store", f"Changes were {writes}", str(self._config().server.state_dir))
        if known.beside not in ("", "ok"):
            yield found("redis-away", "generations", known.beside)

    def _of_files(self) -> Iterator[Finding]:
        if self.shown is not None:
            yield from self.shown.findings(datetime.datetime.now(datetime.UTC))
        if self.unused:
            yield found("certificate-unused", TLS, self.unused)
        if self.unwritten():
            yield found("audit-unwritten", "audit log", self.unwritten())

    def _of_clouds(self, pulses: Iterable[Pulse]) -> Iterator[Finding]:
        for pulse in pulses:
            said = trouble(pulse)
            cause = cause_of(pulse.fault, pulse.name) if pulse.fault and not hung(pulse) else "cloud-away"
            if said:
                yield found(cause, f"cloud '{pulse.name}'", said, pulse.name)
            if not said or cause != "clock-off":
                yield from of_clock(pulse.name)


def hung(pulse: Pulse) -> bool:
    """Whether a cloud has been asked for long and says nothing; one that was never heard is not waited for as long."""
    heard = pulse.answered is not None or pulse.fault is not None
    return pulse.waiting is not None and pulse.waiting > (SILENT if heard else UNHEARD)


def trouble(pulse: Pulse) -> str:
    """Why a cloud does not answer as it should, "" when it does, or was not heard of yet."""
    if hung(pulse):
        return f"Cloud '{pulse.name}' has not answered for {pulse.waiting:.0f} seconds."
    return pulse.fault.message if pulse.fault else ""


def cause_of(fault: Fault, cloud: str) -> str:
    """The key of CAUSES that a cloud's fault comes of."""
    if isinstance(fault, Unauthenticated | Rejected | Forbidden):
        return "clock-off" if clock.said(cloud) else "cloud-refuses-keys"
    away = isinstance(fault, Unavailable | TooMany) and not isinstance(fault, Strange)
    return "cloud-away" if away else "cloud-troubled"


def of_clock(cloud: str) -> list[Finding]:
    """A finding when a cloud's clock is far from ours, as its last answer told."""
    said = clock.said(cloud).strip()
    if not said:
        return []
    finding = found("clock-off", f"clock, cloud '{cloud}'", said, cloud)
    return [finding if abs(clock.ahead(cloud)) > FAR_OFF else replace(finding, level=NOTE)]


def _of_pulses(pulses: Iterable[Pulse]) -> Iterator[Sample]:
    ahead = clock.known()
    for pulse in pulses:
        labels = (pulse.name, pulse.provider)
        if pulse.fault is not None or pulse.answered is not None or hung(pulse):
            yield Sample("gcelib_cloud_up", labels, not trouble(pulse))
            refused = pulse.fault is not None and cause_of(pulse.fault, pulse.name) == "cloud-refuses-keys"
            yield Sample("gcelib_cloud_keys_refused", labels, refused)
        if pulse.name in ahead:
            yield Sample("gcelib_cloud_clock_ahead_seconds", labels, ahead[pulse.name].total_seconds())


def _shown(finding: Finding) -> dict[str, str]:
    """A finding as /readyz tells it."""
    return {"part": finding.about, "level": finding.level, "cause": finding.cause, "subject": finding.subject,
            "said": finding.said, "cure": finding.cure}  # fmt: skip

