"""One cloud's libcloud drivers as its facets use them: reads, changes, and whose keys these are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from libcloud.common.types import InvalidCredsError

from gcelib.drivers import faults
from gcelib.drivers.generic.kind import Kind
from gcelib.drivers.session import Session
from gcelib.errors import Refused, Unauthenticated, Unsupported

LOG = logging.getLogger(__name__)
Result = TypeVar("Result")


class Door:
    """`kind` is what the drivers are; `owned`: the keys are the daemon's, not a caller's. Thread-safe."""

    def __init__(self, session: Session[Any], kind: Kind, *, owned: bool = True) -> None:
        self.session = session
        self.kind = kind
        self.at = session.at
        self._owned = owned

    def read(self, call: str, *positional: Any, **wanted: Any) -> Any:
        """What a call of the driver answers; see `Kind.call` for how its arguments are chosen."""
        return self.run(call, lambda driver: self.kind.call(driver, call, *positional, **wanted))

    def change(self, call: str, *positional: Any, **wanted: Any) -> Any:
        """Make a change; False, or nothing where the thing made belongs, is the driver's way to say no.

        Raises Refused then, and Uncertain when the answer was lost.
        """
        answer = self.run(call, lambda driver: self.kind.call(driver, call, *positional, **wanted), writes=True)
        if answer is False:
            raise Refused(f"{self.at} did not carry out {call}; libcloud's driver says no more than that.")
        return answer

    def run(self, what: str, work: Callable[[Any], Result], *, writes: bool = False) -> Result:
        """Run `work` with a leased driver. Every failure comes out as a Fault; wrong keys as whose they are."""
        return self.session.call(what, lambda driver: self._told(work, driver), writes=writes)

    def _told(self, work: Callable[[Any], Result], driver: Any) -> Result:
        try:
            return work(driver)
        except InvalidCredsError:
            if self._owned:
                raise faults.keys_refused(self.at) from None
            raise Unauthenticated(f"{self.at} does not take these keys.") from None
        except Unsupported as fault:
            raise Unsupported(f"{self.at}: {fault.message}") from None
