"""What the facets of a libcloud cloud share: their door, and how a change is said to be done or under way."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from gcelib.drivers.generic.door import Door
from gcelib.drivers.generic.effects import Effects, Seen
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.redaction import redact
from gcelib.errors import NotFound
from gcelib.models import Job, JobState

LOG = logging.getLogger(__name__)
Model = TypeVar("Model")
ODD = (LookupError, AttributeError, TypeError, ValueError, ArithmeticError)
"""What is raised by an object that has other things in it than libcloud promises."""

class Facet:
    """One facet. `name` as in `Cloud`; `needs` maps each verb to the driver's calls without which it cannot be.

    `once` are the verbs that must not be sent again when their answer was lost: nothing tells a second thing from
    the first one.
    """

    name: ClassVar[str]
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    once: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, door: Door, effects: Effects) -> None:
        self.door = door
        self.effects = effects

    @classmethod
    def can(cls, kind: Kind, verb: str) -> bool:
        """Whether a driver has what this verb needs."""
        return kind.has(*cls.needs.get(verb, ()))

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The visible effect of a change; None when there is none."""
        return None

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """`seen`, for a change that is waited for: what of it has still to be sent may be sent now."""
        return self.seen(verb, args, target)

    def models(self, model: Callable[[Any], Model], objects: Iterable[Any]) -> list[Model]:
        """libcloud's objects as models, each once; one that is not what libcloud promises is left out, and logged."""
        found: dict[str, Model] = {}
        for each in objects:
            try:
                made = model(each)
                found.setdefault(str(getattr(made, "id", "") or getattr(made, "name", "")), made)
            except ODD as exc:
                id = redact(str(getattr(each, "id", "")), self.door.at.secrets)
                LOG.warning("%s: one of its %s is left out: it is no usable %s '%s' (%s)", self.door.at, self.name,
                            type(each).__name__, id, type(exc).__name__)
        return list(found.values())

    def done(self, target: str, **result: object) -> Job:
        """A change that is finished already."""
        return Job(JobState.DONE, target=target, result={"id": target, **result})

    def watch(self, verb: str, args: Mapping[str, Any], target: str, patience: int = 0) -> Job:
        """A change that the cloud has taken, and whose effect is to be waited for, if not a trace of it can be seen so
        many seconds, if given.
        """
        return self.effects.begun(self.effects.token(self.name, verb, args, target, patience))

    def gone(self, call: str, thing: Any) -> None:
        """Have a thing deleted; it does not matter if it went meanwhile."""
        with contextlib.suppress(NotFound):
            self.door.change(call, thing)
