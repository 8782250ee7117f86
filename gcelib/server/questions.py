"""One request's questions to its clouds: each list once, and those that will be wanted side by side."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import Any

from gcelib.drivers.base import Cloud
from gcelib.drivers.faults import Rejected
from gcelib.drivers.lists import last, remembered
from gcelib.errors import Unavailable
from gcelib.server.gathering import Gathering, Part, fetch

Pending = Callable[[frozenset[str]], list[Part]]
"""Waits for what was asked for; the clouds named are waited for as long as they take."""


class Questions:
    """Lists by name, as "nodes.list". A cloud alone is waited for; several are asked as `Gathering` does it.

    `looked` are the names of the lists that were looked at; `partial`: one of several clouds was asked for one alone.
    `lenient`: what a cloud offers is told as it was last while the cloud does not answer; `stale` names such clouds.
    """

    def __init__(self, clouds: Sequence[Cloud], gathering: Gathering, *, lenient: bool = False) -> None:
        self._lenient = lenient
        self.stale: set[str] = set()
        self._clouds = clouds
        self._gathering = gathering
        self._begun: dict[str, Pending] = {}
        self.answers: dict[str, list[Part]] = {}
        self.looked: set[str] = set()
        self.partial = False
        self.needed: frozenset[str] = frozenset()

    def need(self, clouds: Iterable[str]) -> None:
        """Wait for these clouds as long as they take. Raises the fault of one that has failed already.

        Their zones may be known though they do not answer.
        """
        self.needed |= frozenset(clouds)
        for name, parts in self.answers.items():
            if not name.startswith("zones."):
                self.insist(parts)

    def insist(self, parts: Iterable[Part]) -> None:
        """Raises the fault of a cloud that is needed."""
        for part in parts:
            if part.fault and part.cloud.name in self.needed:
                raise part.fault

    def ahead(self, names: Iterable[str], least: int = 2) -> None:
        """Begin to ask for these lists, those that are not at hand, without waiting for any.

        What comes of it is told to whoever looks at the list, as if it were asked for then. Fewer than `least` are
        asked for when they are looked at, in no thread of their own.
        """
        wanted = [name for name in dict.fromkeys(names) if not self.known(name)]
        for name in wanted if len(wanted) >= least else ():
            if self._gathering.has_room():
                self._begun[name] = self._begin(name)

    def answer(self, name: str) -> list[Part]:
        """What every cloud that has the facet answered, failures too. Raises Unauthenticated."""
        if name not in self.answers:
            pending = self._begun.pop(name, None)
            if pending is not None:
                parts = pending(self.needed)
            elif len(self._clouds) == 1:
                parts = [fetch(cloud, *split(name)) for cloud in self._able(name)]
            else:
                parts = self._gathering.ask(self._able(name), *split(name), self.needed)
            self.answers[name] = [self._as_last(part, name) if part.fault else part for part in parts]
        return self.answers[name]

    def _as_last(self, part: Part, name: str) -> Part:
        """What a cloud that does not answer offered last, where that will do."""
        if not self._lenient or not isinstance(part.fault, Unavailable) or isinstance(part.fault, Rejected):
            return part
        rows = last(part.cloud, *split(name))
        if rows is None:
            return part
        self.stale.add(part.cloud.name)
        return Part(part.cloud, rows)

    def one(self, cloud: Cloud, facet: str, verb: str, about: str) -> Sequence[Any]:
        """A short list of one cloud, that is needed: what `verb` gives for `about`. Raises its faults."""
        asked = f"{verb} {about}"
        self.partial = len(self._clouds) > 1
        if self.partial:
            part = self._gathering.ask([cloud], facet, asked, frozenset({cloud.name}))[0]
        else:
            self.looked.add(f"{facet}.{asked}")
            part = self.answer(f"{facet}.{asked}")[0]
        if part.fault:
            raise part.fault
        return part.rows

    def known(self, name: str) -> bool:
        """Whether the list costs no question any more."""
        return name in self.answers or name in self._begun or self._at_hand(name)

    def _begin(self, name: str) -> Pending:
        able = self._able(name)
        if len(self._clouds) > 1:
            return self._gathering.begin(able, *split(name))
        futures = [_apart(lambda cloud=cloud: self._counted(cloud, name)) for cloud in able]  # type: ignore[misc]
        return lambda needed: [future.result() for future in futures]

    def _counted(self, cloud: Cloud, name: str) -> Part:
        with self._gathering.counted():
            return fetch(cloud, *split(name))

    def _able(self, name: str) -> list[Cloud]:
        return [cloud for cloud in self._clouds if getattr(cloud, split(name)[0]) is not None]

    def _at_hand(self, name: str) -> bool:
        return all(remembered(cloud, *split(name)) is not None for cloud in self._able(name))


def split(name: str) -> tuple[str, str]:
    """Facet and verb."""
    facet, _, verb = name.partition(".")
    return facet, verb


def _apart(work: Callable[[], Part]) -> Future[Part]:
    """Do it in a thread, with what the request's context says; nobody need wait for it."""
    future: Future[Part] = Future()

    def carry() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=contextvars.copy_context().run, args=(carry,), name="ask", daemon=True).start()
    return future
