"""Faults on demand: what goes wrong at which call, and how often."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from dataclasses import dataclass

from gcelib.simulator.records import Row

BEFORE = ("delay", "status", "reset", "garbage", "html")
AFTER = ("reset_after", "truncate")
OF_JOBS = ("job_fail", "job_stuck", "job_lost", "job_restart")
KINDS = (*BEFORE, *AFTER, *OF_JOBS)


@dataclass(kw_only=True)
class Fault:
    """One planned fault.

    kind        delay: wait `seconds`, then answer as usual; status: refuse with HTTP `status` and CloudStack's
                `errorcode` (default: the status); html: a proxy's page with `status` (503); garbage: 200 and no
                JSON; reset: drop the connection with nothing done; reset_after: do it, then drop the connection;
                truncate: do it, and send half the answer; job_fail: the job ends with `errorcode` (530) and `text`;
                job_stuck: the job never ends; job_lost: its record is gone once it ends; job_restart: it fails
                with no jobresult, as after a restart of the management server, its thing left as it was.
    command     the command it waits for; "*" is any
    times       how many calls it hits; 0 is every one
    skip        how many calls it lets pass first
    account     only calls of this account
    """

    kind: str
    command: str = "*"
    times: int = 1
    skip: int = 0
    seconds: float = 5.0
    status: int = 0
    errorcode: int = 0
    text: str = ""
    account: str = ""
    id: int = 0
    hits: int = 0


class FaultPlan:
    """The faults still to come, oldest first; safe to change while the server runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)

    def add(
        self,
        command: str = "*",
        kind: str = "status",
        times: int = 1,
        *,
        seconds: float = 5.0,
        status: int = 0,
        errorcode: int = 0,
        text: str = "",
        skip: int = 0,
        account: str = "",
    ) -> Fault:
        """Plan a fault (see `Fault`). Raises ValueError for a kind that does not exist or a bad number."""
        if kind not in KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(KINDS)}")
        if times < 0 or skip < 0 or seconds < 0:
            raise ValueError("times, skip and seconds may not be negative")
        if status and not 400 <= status <= 599:
            raise ValueError(f"status must be between 400 and 599, not {status}")
        fault = Fault(
            kind=kind, command=command, times=times, skip=skip, seconds=seconds, status=status,
            errorcode=errorcode, text=text, account=account, id=next(self._numbers),
        )  # fmt: skip
        with self._lock:
            self._faults.append(fault)
        return fault

    def add_text(self, text: str) -> Fault:
        """Plan a fault written as `command=deployVirtualMachine,kind=job_fail,errorcode=533`.

        Raises ValueError for an unknown field or a bad number.
        """
        return self.add_row(dict(_field(part) for part in text.split(",") if part.strip()))

    def add_row(self, row: Row) -> Fault:
        """Plan a fault given as a mapping of `add`'s arguments. Raises ValueError."""
        known = {"command": str, "kind": str, "times": int, "skip": int, "seconds": float, "status": int,
                 "errorcode": int, "text": str, "account": str}  # fmt: skip
        unknown = sorted(set(row) - set(known))
        if unknown:
            raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(known)}")
        try:
            return self.add(**{name: known[name](value) for name, value in row.items()})
        except TypeError as error:
            raise ValueError(str(error)) from None

    def clear(self) -> None:
        """Forget all that is planned."""
        with self._lock:
            self._faults.clear()

    def rows(self) -> list[Row]:
        """The faults still to come, as plain mappings."""
        with self._lock:
            return [dataclasses.asdict(fault) for fault in self._faults]

    def take(self, command: str, account: str, kinds: tuple[str, ...]) -> list[Fault]:
        """The faults of these kinds that hit this call; each is used up by it."""
        hit = []
        with self._lock:
            for fault in list(self._faults):
                if fault.kind not in kinds or fault.command not in ("*", command):
                    continue
                if fault.account and fault.account != account:
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                hit.append(fault)
                fault.hits += 1
                if fault.times and fault.hits >= fault.times:
                    self._faults.remove(fault)
                if fault.kind != "delay":
                    break
        return hit


def _field(part: str) -> tuple[str, str]:
    name, separator, value = part.partition("=")
    if not separator:
        raise ValueError(f"{part.strip()!r} is not written name=value")
    return name.strip(), value.strip()
