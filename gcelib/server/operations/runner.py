"""Begins operations, carries them on in a few threads, and continues them after a restart."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from gcelib.errors import Unavailable
from gcelib.server.operations.advance import Advance
from gcelib.server.operations.agenda import Agenda
from gcelib.server.operations.patience import steady
from gcelib.server.operations.plan import Work
from gcelib.server.operations.reach import Clouds, NumberOf, Reach
from gcelib.server.operations.record import NOWHERE, Origin, new_record, request_key, same_request
from gcelib.server.operations.turns import Turns
from gcelib.server.operations.unfold import Planner
from gcelib.server.operations.waiting import Waiting
from gcelib.server.operations.wishes import may_cancel
from gcelib.store import Store
from gcelib.store.generations import Generations
from gcelib.store.notes import Notes
from gcelib.store.operations import Operations
from gcelib.store.records import Record

log = logging.getLogger("gcelib.operations")

LEASE_SECONDS = 10.0
"""How long an operation stays with a process that gives no sign of life; it gives one at every sweep."""

SWEEP_SECONDS = 2.0
"""How often operations are looked for that nobody carries on: those of a process that died are in other hands
within a lease and a sweep."""

NUDGE_SECONDS = 0.5
"""A client's look at an operation makes it due when the last look at the cloud is older than this."""


class Runner:
    """Every operation of this process: `begin` one, `get` it, `wait` for it; `start` and `stop` the threads.

    `clouds` gives the cloud of a step, `generations` is told of changes, `number_of` gives the number of a new thing,
    `planner` the steps that are planned when their turn comes, `settled` is told of each end,
    `hourly` is called once an hour. `waiters` is how many requests may wait at once, at most half of the
    server's threads, `most` how many operations of a project may be open at once, 0 for any number.
    """

    def __init__(
        self,
        store: Store,
        clouds: Clouds,
        *,
        generations: Generations | None = None,
        number_of: NumberOf = lambda cloud, kind, id: "",
        planner: Planner = lambda project, verb, args: (),
        settled: Callable[[Record], None] | None = None,
        hourly: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        threads: int = 4,
        waiters: int = 16,
        most: Callable[[], int] = lambda: 0,
    ) -> None:
        self.operations = Operations(store, generations)
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
        self._clock, self._ticks = clock, ticks
        self._settled, self._hourly, self._most = settled, hourly, most
        self._agenda = Agenda(ticks)
        self.load = self._agenda.load
        self._waiting = Waiting(waiters)
        reach = Reach(clouds, Notes(store, clock, generations), number_of)
        advance = Advance(
            self.operations, reach, clock=clock, steady=steady(clock, ticks), lease_seconds=LEASE_SECONDS,
            planner=planner, settled=self._ended, crowd=self._agenda.__len__,
        )
        self._advance = advance
        self._turns = Turns(self.operations, advance, self.holder, ticks, sleep)
        self._stopping = threading.Event()
        self._swept = self._patient = self._houred = ticks()
        self._threads = [
            threading.Thread(target=self._work, name=f"operations-{n}", daemon=True) for n in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._keep, name="operations-keeper", daemon=True))

    def start(self) -> None:
        """Take over what is open, and carry it on from now on."""
        self.take_over()
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether its threads are at work."""
        return not self._stopping.is_set() and all(thread.is_alive() for thread in self._threads)

    def take_over(self) -> None:
        """Claim the open operations that nobody holds; of a store that is ours alone, all."""
        if self.operations.alone:
            self.operations.release()
        self._advance.take_over()
        self.sweep()

    def quiesce(self) -> None:
        """Wake everybody who waits for an operation, and let nobody wait any more: the server is going to stop."""
        self._waiting.close()

    def stop(self, drain: float = 10.0) -> None:
        """Begin nothing more, let calls under way end for `drain` seconds, let others take over at once."""
        self._stopping.set()
        self._agenda.close()
        self._waiting.close()
        until = self._ticks() + drain
        if not self._agenda.drained(drain):
            log.warning("operations are left in the middle of a call; the next start looks for what they did")
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.1, until - self._ticks()))
        try:
            self.operations.release(self.holder)
        except Unavailable as fault:
            log.warning("operations stay leased for %.0f s: %s", LEASE_SECONDS, fault.message)

    def begin(
        self, work: Work, *, project: str, scope: str, caller: str, request_id: str = "",
        client_operation_id: str = "", planned: float | None = None, origin: Origin = NOWHERE,
    ) -> Record:
        """Put the work on the books and carry it on until the cloud has accepted its main step.

        Raises the fault when it is refused up to there (what was made is taken back, the operation tells of it), Exists
        while the target is being inserted, NotReady while it is changed and the work must be alone, Stale while that is
        changed which its fingerprint is of – both also when it ended after `planned`, when the clouds were looked at –,
        Invalid for a request id of another change, TooMany while the project has as many open operations as it may.
        A lost answer or a slow step gives a RUNNING record, and the rest goes on behind.
        """
        if self._stopping.is_set():
            raise Unavailable("This server is shutting down; nothing was done. Try again in a moment.")
        now = self._clock()
        record = new_record(
            work, project=project, scope=scope, caller=caller, request_id=request_id,
            client_operation_id=client_operation_id, now=now, origin=origin,
        )
        record = replace(record, holder=self.holder, lease_until=now + LEASE_SECONDS)
        self._agenda.hold(record.id)
        try:
            most, sealed = self._most(), origin.sealed(record.id)
            kept = self.operations.insert(
                record, alone=work.alone, compared=work.compared, most=most, planned=planned, request=sealed
            )
        except BaseException:
            self._agenda.drop(record.id)
            raise
        if kept.id != record.id:
            self._agenda.drop(record.id)
            same_request(work.asked, kept, (work.verb, work.target))
            return kept
        return self._answered(record)

    def _answered(self, record: Record) -> Record:
        try:
            answer = self._turns.answer(record)
        except BaseException:
            # It is on the books: whoever has it carries it on.
            self._agenda.put(record.id, self._ticks())
            raise
        self._next(record.id, answer.pause)
        if answer.fault is not None:
            raise answer.fault
        return answer.record

    def earlier(self, *, project: str, caller: str, request_id: str, asked: str) -> Record | None:
        """The operation that this request id began before. Raises Invalid when it began another change."""
        key = request_key(caller, project, request_id)
        found = self.operations.by_request(key) if key else None
        if found is not None:
            same_request(asked, found)
        return found

    def get(self, project: str, scope: str, name: str) -> Record:
        """The operation, and a nudge. Raises NotFound."""
        record = self.operations.get(project, scope, name)
        self.nudge(record)
        return record

    def cancel(self, record: Record, by: str) -> Record:
        """Have it cancelled, whoever carries it on: it ends with an error that names `by`, when all is taken back.

        Raises NotReady saying why that cannot be, NotFound.
        """
        kept = self.operations.cancel(record.id, by, may_cancel)
        self._hear(record.id, by)
        return kept

    def _hear(self, id: str, by: str) -> None:
        if self._turns.cancelled(id, by):
            self._agenda.hurry(id)

    def nudge(self, record: Record) -> None:
        """Somebody is looking: ask the cloud again soon, if the last time is a while ago."""
        looked = self._turns.looked(record.id)
        if looked is not None and self._ticks() - looked > NUDGE_SECONDS:
            self._agenda.hurry(record.id)

    def wait(self, project: str, scope: str, name: str, seconds: float) -> Record:
        """The operation when it is done, or as it is after that time; at once when too many wait already."""
        until = self._ticks() + seconds
        with self._waiting.seat(self.operations.get(project, scope, name).id) as event:
            while True:
                record = self.get(project, scope, name)
                remaining = until - self._ticks()
                if record.done or event is None or event.is_set() or remaining <= 0:
                    return record
                # One that another process holds ends without a sign here: look at the books now and then.
                event.wait(min(remaining, 10.0 if self._agenda.knows(record.id) else 1.0))

    def run_due(self) -> int:
        """Visit everything that is due now, in this thread; says how many visits that took."""
        visits = 0
        while (id := self._agenda.take(wait=False)) is not None:
            self._next(id, self._turns.turn(id))
            visits += 1
        return visits

    def next_due(self) -> float | None:
        """Seconds until the next visit; None when no operation is open here."""
        return self._agenda.next_due()

    def sweep(self) -> None:
        """Keep our leases, claim what nobody holds, and find again what fell off the agenda."""
        now = self._clock()
        self.operations.renew(self.holder, now, LEASE_SECONDS)
        if self._ticks() - self._swept > LEASE_SECONDS / 2:
            # The database was away, or we stood still: the other holders get the time to renew their leases.
            self._patient = self._ticks() + LEASE_SECONDS
        self._swept = self._ticks()
        if self.operations.alone or self._ticks() >= self._patient:
            for record in self.operations.claim(self.holder, now, LEASE_SECONDS, 1000):
                self._agenda.add(record.id, self._ticks())
        for id in self.operations.held(self.holder):
            self._agenda.add(id, self._ticks())
        for id, by in self.operations.cancelled(self.holder).items():
            self._hear(id, by)

    def _work(self) -> None:
        while (id := self._agenda.take()) is not None:
            self._next(id, self._turns.turn(id))

    def _keep(self) -> None:
        while not self._stopping.wait(SWEEP_SECONDS):
            try:
                self._look_after()
            except Unavailable as fault:
                log.warning("operations are not looked after now: %s", fault.message)
            except Exception:
                log.exception("looking after the operations broke")

    def _look_after(self) -> None:
        self.sweep()
        if self._hourly is not None and self._ticks() - self._houred >= 3600.0:
            self._houred = self._ticks()
            # In a thread of its own: a slow cloud must not keep leases from being renewed.
            threading.Thread(target=self._hour, name="operations-hourly", daemon=True).start()

    def _hour(self) -> None:
        try:
            if self._hourly is not None:
                self._hourly()
        except Unavailable as fault:
            log.warning("nothing is cleared away now: %s", fault.message)
        except Exception:
            log.exception("clearing away broke")

    def _next(self, id: str, pause: float | None) -> None:
        if pause is None:
            self._agenda.drop(id)
        else:
            self._agenda.put(id, self._ticks() + pause)

    def _ended(self, record: Record) -> None:
        try:
            if self._settled is not None:
                self._settled(record)
        finally:
            self._waiting.ended(record.id)
