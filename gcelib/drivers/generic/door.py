"""One cloud's libcloud drivers as its facets use them: reads, changes, and whose keys these are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from libcloud.common.types import InvalidCredsError

from gcelib.drivers import clock, faults
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.session import Session
from gcelib.errors import Fault, Forbidden, Refused, TooMany, Unauthenticated, Unavailable, Uncertain, Unsupported

LOG = logging.getLogger(__name__)
Result = TypeVar("Result")

LASTING = (Unavailable, TooMany, Unauthenticated, Forbidden, Unsupported)
"""What a list that fails can mean; anything else that a cloud says of it is no answer to who asks for one thing."""

UNCLEAR = frozenset({500, 502, 504})
"""HTTP's codes of an error inside, or of a gateway that gave up waiting: what was sent may happen all the same."""


class Door:
    """`kind` is what the drivers are; `owned`: the keys are the daemon's, not a caller's. Thread-safe.

    `changes` lends the drivers of changes, so that those that take long keep no list waiting; None: `session` does.
    """

    def __init__(
        self, session: Session[Any], kind: Kind, *, owned: bool = True, changes: Session[Any] | None = None
    ) -> None:
        self.session = session
        self._changes = changes or session
        self.kind = kind
        self.at = session.at
        self._owned = owned

    def read(self, call: str, *positional: Any, **wanted: Any) -> Any:
        """What a call of the driver answers; see `Kind.call` for how its arguments are chosen."""
        return self.run(call, lambda driver: self.kind.call(driver, call, *positional, **wanted))

    def rows(self, call: str, *positional: Any, **wanted: Any) -> list[Any]:
        """What a call that lists has found; none where it answers nothing.

        Read to its end while the driver is ours: some drivers ask their cloud as the list is gone through. Raises
        Unavailable for what a cloud says against a list: nothing is known then of the things in it.
        """
        def all_of(driver: Any) -> list[Any]:
            return [each for each in self.kind.call(driver, call, *positional, **wanted) or () if each is not None]

        try:
            found = self.run(call, all_of)
        except Fault as fault:
            if isinstance(fault, LASTING):
                raise
            raise Unavailable(fault.message) from None
        named = [each for each in found if hasattr(each, "id") or hasattr(each, "name")]
        if len(named) < len(found):
            LOG.warning("%s: %d of %d rows of %s are left out: they are nothing of libcloud's", self.at,
                        len(found) - len(named), len(found), call)
        return named

    def change(self, call: str, *positional: Any, **wanted: Any) -> Any:
        """Make a change; False, or nothing where the thing made belongs, is the driver's way to say no.

        Raises Refused then, and Uncertain when the answer was lost.
        """
        answer = self.run(call, lambda driver: self.kind.call(driver, call, *positional, **wanted), writes=True)
        if answer is False:
            raise Refused(f"{self.at} did not carry out {call}; libcloud's driver says no more than that.")
        return answer

    def make(self, call: str, *positional: Any, **wanted: Any) -> Any:
        """Have a thing made, as `change` does; raises Uncertain for an error that may come though it is being made."""
        try:
            return self.change(call, *positional, **wanted)
        except Unavailable as fault:
            if faults.cloud_code(fault) in UNCLEAR:
                raise Uncertain(fault.message, retry_after=fault.retry_after) from None
            raise

    def run(self, what: str, work: Callable[[Any], Result], *, writes: bool = False) -> Result:
        """Run `work` with a leased driver. Every failure comes out as a Fault; wrong keys as whose they are."""
        session = self._changes if writes else self.session
        try:
            return session.call(what, lambda driver: self._told(work, driver), writes=writes)
        except Forbidden as fault:
            if faults.cloud_code(fault) != HTTPStatus.UNAUTHORIZED:
                raise
            raise refused(self.at, owned=self._owned) from None

    def close(self) -> None:
        """Close every connection."""
        self.session.close()
        self._changes.close()

    def _told(self, work: Callable[[Any], Result], driver: Any) -> Result:
        try:
            return work(driver)
        except InvalidCredsError:
            raise refused(self.at, owned=self._owned) from None
        except Unsupported as fault:
            raise Unsupported(f"{self.at}: {fault.message}") from None


def refused(at: faults.At, *, owned: bool) -> Fault:
    """The cloud does not take the keys: the daemon's own, or a caller's."""
    if owned:
        return faults.keys_refused(at)
    return Unauthenticated(f"{at} does not take these keys.{clock.said(at.cloud)}")
