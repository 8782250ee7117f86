"""The clouds of one project asked side by side: one that is away costs one request a moment, later ones nothing."""

from __future__ import annotations

import contextvars
import logging
import math
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from gcelib.drivers.base import Cloud
from gcelib.drivers.breaker import Away, Crowded, looking
from gcelib.drivers.lists import fresh, remembered
from gcelib.errors import Fault, Forbidden, Unauthenticated, Unavailable, Unsupported

log = logging.getLogger(__name__)

ORNAMENTS = frozenset({"quotas", "vpcs", "routes", "guards", "acls"})
"""Facets without which all else can be shown: left out where the account's role keeps them from it."""

SHORTEST = 1.5
"""Seconds that a cloud has in any case, so that a busy machine does not make a well one look sick."""
FIRST = 12.0
"""Seconds that a cloud has for a question it has not answered before: its driver signs in first, its list is long."""
USUAL_TIMES, OTHERS_TIMES = 4.0, 2.0
"""A cloud has this many times its own usual time, and this many times what the others took."""
LONGEST = 20.0
"""Seconds that it has in no case."""
FADING = 0.8
"""How much of the usual time is left when an answer came at once."""
LONGEST_REST = 15.0
"""Seconds between two looks for a cloud that is away, at most."""
MOST_AHEAD = 24
"""While so many lists are being asked for, none is asked for before it is looked at: each cloud has few connections."""
MOST_LOOKS = 3
"""How many looks for one cloud may be under way at once: each may hang until its time-out."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one cloud answered: its rows, or the fault that kept them from us."""

    cloud: Cloud
    rows: Sequence[Any]
    fault: Fault | None = None


@dataclass(slots=True)
class _Rest:
    """Why a cloud, or one of its lists, is left alone, since and until when, and how many looks are under way."""

    fault: Fault
    since: float
    until: float = 0.0
    count: int = 0
    looks: int = 0


@dataclass(slots=True)
class _Health:
    """What is known of one cloud: `rests` by list, "" for all of it; `well` is when the last question was begun that
    it answered; `usual` how long its lists take.
    """

    rests: dict[str, _Rest] = field(default_factory=dict)
    well: float = -math.inf
    usual: dict[str, float] = field(default_factory=dict)

    def rest(self, name: str) -> _Rest | None:
        """The rest that this list has."""
        return self.rests.get("") or self.rests.get(name)


class _Question:
    """A list of one cloud, being asked for in a thread of its own."""

    def __init__(self, cloud: Cloud, facet: str, verb: str, begun: float, patience: float) -> None:
        self.cloud, self.facet, self.verb = cloud, facet, verb
        self.begun, self.patience = begun, patience
        self.answered = threading.Event()
        self.part: Part | None = None
        self.error: BaseException | None = None

    @property
    def name(self) -> str:
        return named(self.facet, self.verb)


class Gathering:
    """Asks clouds for one list at the same time. Keeps no rows, only how its clouds are. Safe for threads.

    A cloud that takes far longer than the others, and than it does usually, counts as away: its question goes on
    behind, and its answer is remembered by the cloud's own layer. While it is away requests are told so at once;
    now and then it is looked for, behind as well. A failure that comes promptly costs nothing, so that a cloud is
    not left alone for it.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._under_way = 0
        self._healths: WeakKeyDictionary[Cloud, _Health] = WeakKeyDictionary()

    def has_room(self) -> bool:
        """Whether lists may be asked for that will be wanted later."""
        return self._under_way < MOST_AHEAD

    @contextmanager
    def counted(self) -> Iterator[None]:
        """A list is being asked for within this context."""
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def ask(self, clouds: Sequence[Cloud], facet: str, verb: str, needed: frozenset[str] = frozenset()) -> list[Part]:
        """Each cloud's list, in the clouds' order; those `needed` are waited for as long as they take.

        Raises Unauthenticated: a caller's keys are no good.
        """
        return self.begin(clouds, facet, verb)(needed)

    def begin(self, clouds: Sequence[Cloud], facet: str, verb: str) -> Callable[[frozenset[str]], list[Part]]:
        """The same in two: ask now, and wait when what this gives is called with the names of those needed."""
        found: dict[int, Part] = {}
        asked: dict[int, _Question] = {}
        for place, cloud in enumerate(clouds):
            kept = remembered(cloud, facet, verb)
            away = self._away(cloud, facet, verb) if kept is None else None
            if kept is None and away is None:
                asked[place] = self._begin(cloud, facet, verb)
            else:
                found[place] = Part(cloud, kept or (), away)

        def wait(needed: frozenset[str]) -> list[Part]:
            for at, question in asked.items():
                # Since then another of its lists may have told that the cloud is away.
                fault = None if question.cloud.name in needed else self._given_up(question)
                if fault is not None:
                    found[at] = Part(question.cloud, (), fault)
            self._wait([question for at, question in asked.items() if at not in found], needed)
            return [found[at] if at in found else self._taken(asked[at]) for at in range(len(clouds))]

        return wait

    def _begin(self, cloud: Cloud, facet: str, verb: str, *, look: bool = False) -> _Question:
        """Ask in a thread, with what the request's context says; it may outlive the request and the process's end."""
        with self._lock:
            usual = self._health(cloud).usual.get(named(facet, verb))
        patience = min(LONGEST, max(SHORTEST, FIRST if usual is None else USUAL_TIMES * usual))
        question = _Question(cloud, facet, verb, self._clock(), patience)
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._carry, question, look), name=f"ask {cloud.name}", daemon=True).start()
        return question

    def _carry(self, question: _Question, look: bool) -> None:
        try:
            # A look does not join an earlier question, which may hang for as long as a time-out: nothing that is
            # remembered counts, neither lists nor that the cloud is left alone.
            with self.counted(), fresh() if look else nullcontext(), looking() if look else nullcontext():
                question.part = fetch(question.cloud, question.facet, question.verb)
        except BaseException as error:
            question.error = error
        finally:
            self._came(question, look)
            question.answered.set()

    def _wait(self, asked: Collection[_Question], needed: frozenset[str]) -> None:
        """Wait until each has answered or has had its time, which is longer where the others took long."""
        for question in asked:
            if question.cloud.name in needed and not question.answered.wait(question.patience):
                # Others need not find out for themselves.
                self._overdue(question)
                question.answered.wait()
        others = 0.0
        for question in sorted(asked, key=lambda each: each.patience):
            allowed = max(question.patience, min(LONGEST, OTHERS_TIMES * others))
            if question.answered.wait(max(0.0, question.begun + allowed - self._clock())):
                others = max(others, self._clock() - question.begun)

    def _taken(self, question: _Question) -> Part:
        if question.answered.is_set():
            if question.error is not None:
                raise question.error
            assert question.part is not None
            return question.part
        return Part(question.cloud, (), self._overdue(question))

    def _given_up(self, question: _Question) -> Fault | None:
        with self._lock:
            rest = None if question.answered.is_set() else self._health(question.cloud).rest(question.name)
            return None if rest is None else self._told(rest)

    def _overdue(self, question: _Question) -> Fault:
        """Leave a cloud alone that has had its time, and tell why."""
        waited = self._clock() - question.begun
        cloud = question.cloud
        log.warning("cloud %s: no answer to %s within %.1f s; going on without it", cloud.name, question.name, waited)
        said = f"Cloud '{cloud.name}' ({cloud.provider}) has not answered {question.name} within {waited:.1f} seconds."
        with self._lock:
            health = self._health(cloud)
            return self._told(health.rest(question.name) or self._leave(health, question, Unavailable(said)))

    def _came(self, question: _Question, look: bool) -> None:
        """Take note of how an answer came."""
        seconds = self._clock() - question.begun
        fault = question.part.fault if question.part is not None else None
        with self._lock:
            health = self._health(question.cloud)
            rest = health.rest(question.name)
            if rest is not None:
                rest.looks = max(0, rest.looks - look)
            if isinstance(fault, Crowded):
                return  # It was not asked: others wait for their turn.
            if isinstance(fault, Away) or (isinstance(fault, Unavailable) and seconds >= SHORTEST):
                if question.begun >= health.well:
                    self._leave(health, question, fault)
                return
            if rest is not None:
                log.info("cloud %s answers %s again", question.cloud.name, question.name)
            health.rests.pop("", None)
            health.rests.pop(question.name, None)
            health.well = max(health.well, question.begun)
            if fault is None and question.error is None:
                health.usual[question.name] = max(seconds, FADING * health.usual.get(question.name, 0.0))

    def _leave(self, health: _Health, question: _Question, fault: Fault) -> _Rest:
        """Leave the cloud alone; or this list only, which may be a long one: the next question will tell.

        The caller holds the lock.
        """
        known = question.name in health.usual or question.facet == "zones"
        again = any(name != question.name and rest.since > health.well for name, rest in health.rests.items())
        name = "" if known or again else question.name
        rest = health.rests.setdefault(name, _Rest(fault, self._clock()))
        rest.fault = fault
        self._lengthen(rest)
        return rest

    def _away(self, cloud: Cloud, facet: str, verb: str) -> Fault | None:
        """Why the cloud is left alone now; None when it is not. It is looked for when it is time."""
        with self._lock:
            rest = self._health(cloud).rest(named(facet, verb))
            if rest is None:
                return None
            look = self._clock() >= rest.until and rest.looks < MOST_LOOKS
            if look:
                rest.looks += 1
                self._lengthen(rest)
            told = self._told(rest)
        if look:
            self._begin(cloud, facet, verb, look=True)
        return told

    def _lengthen(self, rest: _Rest) -> None:
        """Another while, each longer than the one before."""
        rest.count = min(rest.count + 1, 5)
        rest.until = self._clock() + min(2.0 ** (rest.count - 1), LONGEST_REST) * (0.75 + self._jitter() / 2)

    def _told(self, rest: _Rest) -> Fault:
        """A copy for one request of why a cloud is away."""
        seconds = max(1, math.ceil(rest.until - self._clock()))
        return type(rest.fault)(rest.fault.message, retry_after=max(seconds, rest.fault.retry_after))

    def _health(self, cloud: Cloud) -> _Health:
        return self._healths.setdefault(cloud, _Health())


def named(facet: str, verb: str) -> str:
    """What kind of question this is: what it is asked about, behind a blank, makes no difference."""
    return f"{facet}.{verb.partition(' ')[0]}"


def fetch(cloud: Cloud, facet: str, verb: str) -> Part:
    """One cloud's list, or the fault that came instead; "find web" asks for what is behind the blank only.

    Raises Unauthenticated.
    """
    verb, *about = verb.split(" ", 1)
    try:
        return Part(cloud, getattr(getattr(cloud, facet), verb)(*about))
    except Unauthenticated:
        raise
    except Fault as fault:
        if facet in ORNAMENTS and isinstance(fault, Forbidden | Unsupported):
            return Part(cloud, ())
        return Part(cloud, (), fault)
