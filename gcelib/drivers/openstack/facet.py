"""What the facets of an OpenStack cloud share: its API, and changes that wait for their thing to settle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gcelib.drivers.generic.effects import Effects, Seen, under_way
from gcelib.drivers.generic.facet import Facet as Base
from gcelib.drivers.generic.reading import utc as utc
from gcelib.drivers.openstack.api import Api
from gcelib.errors import Fault, NoCapacity, NotReady, Refused, TooMany, Unavailable
from gcelib.models import Job, JobState

KEY = "gcelib-key"
"""What a thing carries so that a change whose answer was lost finds what it made: the change's own key."""

WAITS = "waits"
"""Among the arguments of a change that was not taken yet, because its thing was on its way."""


def may_pass(fault: Fault) -> bool:
    """Whether a change that met this may be taken later: it was neither refused nor lacks room."""
    return isinstance(fault, Unavailable | TooMany) and not isinstance(fault, NoCapacity)


class Facet(Base):
    """One facet. Effects are told from the cloud as it is now; `pursue` sends again what could not be taken yet.

    `shown` are the changes that the cloud shows to be under way from the moment it takes them.
    """

    shown: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, api: Api, effects: Effects) -> None:
        super().__init__(api.door, effects)
        self.api = api
        self.at = api.at

    def begin(self, verb: str, args: Mapping[str, Any], target: str) -> Job:
        """Send a change now if its thing lets it be sent; else it is sent when the thing has settled."""
        sent = self.sent(verb, args, target)
        return self.watch(verb, args if sent else {**args, WAITS: True}, target)

    def sent(self, verb: str, args: Mapping[str, Any], target: str) -> bool:
        """Send a change; False when its thing is on its way and does not take it yet. Raises what else is refused."""
        try:
            self.send(verb, args, target)
        except NotReady:
            if self.settling(verb, args, target):
                return False
            # It may have settled since it was asked.
            self.send(verb, args, target)
        return True

    def sent_on(self, verb: str, args: Mapping[str, Any], target: str) -> Seen:
        """Send what could not be taken before: under way, or failed by what is refused for good. Raises the faults
        after which it is to be tried again.

        A change that was taken, and is neither under way nor done, the cloud has given up.
        """
        if verb in self.shown and not args.get(WAITS):
            return self.failed(target, Refused(f"{self.at} took {self.name}.{verb}, and gave it up without saying "
                                               "why; look at the resource in its own portal."))
        try:
            if not self.settling(verb, args, target):
                self.sent(verb, args, target)
        except Fault as fault:
            if may_pass(fault):
                raise
            return self.failed(target, fault)
        return under_way(target)

    def send(self, verb: str, args: Mapping[str, Any], target: str) -> None:
        """Send the change that `begin` and `pursue` carry out; sending it again must do no harm."""
        raise NotImplementedError(f"{self.name}.{verb}")

    def settling(self, verb: str, args: Mapping[str, Any], target: str) -> bool:
        """Whether what a change is about is on its way to a state in which it can be changed."""
        return False

    def failed(self, target: str, fault: Fault) -> Seen:
        """A change that will not come about."""
        return Seen(JobState.FAILED, target, error=fault)
