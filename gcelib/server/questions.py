"""One request's questions to its clouds: each list once, and those that will be wanted side by side."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

from gcelib.drivers.base import Cloud
from gcelib.drivers.lists import remembered
from gcelib.server.gathering import Gathering, Part, fetch

Pending = Callable[[frozenset[str]], list[Part]]
"""Waits for what was asked for; the clouds named are waited for as long as they take."""


class Questions:
    """Lists by name, as "nodes.list". A cloud alone is waited for; several are asked as `Gathering` does it."""

    def __init__(self, clouds: Sequence[Cloud], gathering: Gathering) -> None:
        self._clouds = clouds
        self._gathering = gathering
        self._begun: dict[str, Pending] = {}
        self.answers: dict[str, list[Part]] = {}

    def ahead(self, names: Iterable[str]) -> None:
        """Begin to ask for these lists, those that are not at hand, without waiting for any.

        What comes of it is told to whoever looks at the list, as if it were asked for then.
        """
        wanted = [name for name in dict.fromkeys(names) if not self.known(name)]
        # One alone is asked for when it is looked at, in no thread of its own.
        for name in wanted if len(wanted) > 1 else ():
            self._begun[name] = self._begin(name)

    def answer(self, name: str, needed: frozenset[str]) -> list[Part]:
        """What every cloud that has the facet answered, failures too. Raises Unauthenticated."""
        if name not in self.answers:
            pending = self._begun.pop(name, None)
            if pending is not None:
                self.answers[name] = pending(needed)
            elif len(self._clouds) == 1:
                self.answers[name] = [fetch(cloud, *split(name)) for cloud in self._able(name)]
            else:
                self.answers[name] = self._gathering.ask(self._able(name), *split(name), needed)
        return self.answers[name]

    def known(self, name: str) -> bool:
        """Whether the list costs no question any more."""
        return name in self.answers or name in self._begun or self._at_hand(name)

    def _begin(self, name: str) -> Pending:
        able = self._able(name)
        if len(self._clouds) > 1:
            return self._gathering.begin(able, *split(name))
        futures = [_apart(lambda cloud=cloud: fetch(cloud, *split(name))) for cloud in able]  # type: ignore[misc]
        return lambda needed: [future.result() for future in futures]

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
