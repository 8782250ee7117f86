"""What the facets of an OpenStack cloud share: its API, and changes that wait for their thing to settle."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from gcelib.drivers.generic.effects import Effects, Seen
from gcelib.drivers.generic.facet import Facet as Base
from gcelib.drivers.openstack.api import Api
from gcelib.errors import Fault, NotReady
from gcelib.models import Job, JobState

KEY = "gcelib-key"
"""What a thing carries so that a change whose answer was lost finds what it made: the change's own key."""


class Facet(Base):
    """One facet. Effects are told from the cloud as it is now; `pursue` sends again what could not be taken yet."""

    def __init__(self, api: Api, effects: Effects) -> None:
        super().__init__(api.door, effects)
        self.api = api
        self.at = api.at

    def begin(self, verb: str, args: Mapping[str, Any], target: str) -> Job:
        """Send a change now if its thing lets it be sent; else it is sent when the thing has settled."""
        try:
            self.send(verb, args, target)
        except NotReady:
            if not self.settling(verb, args, target):
                raise
        return self.watch(verb, args, target)

    def send(self, verb: str, args: Mapping[str, Any], target: str) -> None:
        """Send the change that `begin` and `pursue` carry out; sending it again must do no harm."""
        raise NotImplementedError(f"{self.name}.{verb}")

    def settling(self, verb: str, args: Mapping[str, Any], target: str) -> bool:
        """Whether what a change is about is on its way to a state in which it can be changed."""
        return False

    def failed(self, target: str, fault: Fault) -> Seen:
        """A change that will not come about."""
        return Seen(JobState.FAILED, target, error=fault)


def utc(moment: datetime.datetime | None) -> datetime.datetime | None:
    """A time as an aware one: OpenStack's times without a zone are UTC."""
    if moment is None:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)
