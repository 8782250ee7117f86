"""CloudStack's commands through the leased drivers: typed reads, paged lists, changes that return at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from gcelib import naming
from gcelib.drivers import clock, faults
from gcelib.drivers.cloudstack import paging, records, wire
from gcelib.drivers.cloudstack.connection import Driver
from gcelib.drivers.cloudstack.paging import Come, Page
from gcelib.drivers.session import Session
from gcelib.errors import Fault, Forbidden, Unauthenticated, Unavailable, Unsupported

LOG = logging.getLogger(__name__)

PAGE = 500
SMALLER_PAGES = (200, 100, 50, 20)
SPARE = 1
"""So many connections are left to others while the pages of lists are fetched."""
CAPABILITIES_SECONDS = 600.0
BAD_PARAMETER = 431
UNKNOWN_OR_FORBIDDEN = 401
OUTSIDE_THE_ROLE = 432

UNSCOPED = frozenset({"listCapabilities", "listProjects", "listAccounts", "queryAsyncJobResult", "listZones"})

Kind = TypeVar("Kind", bound=records.Row)
Made = TypeVar("Made")


class Client:
    """One cloud seen with one set of keys and, with `tenant`, from inside one of the cloud's own projects.

    `tenant` is that project's id or name. `owned`: the keys are the daemon's, not a caller's. `at_once` is how many
    calls one list may make at a time. Thread-safe.
    """

    def __init__(self, session: Session[Driver], *, tenant: str = "", owned: bool = True) -> None:
        self.session = session
        self.at = session.at
        self._tenant = tenant
        self._owned = owned
        self._lock = threading.Lock()
        self._project: str | None = None if tenant else ""
        self._capabilities: tuple[float, records.Capabilities] | None = None
        self._page = PAGE
        self.at_once = max(1, session.size - SPARE)
        self._turns = threading.Semaphore(self.at_once)

    def read(self, command: str, **params: Any) -> wire.Fields:
        """The fields of the answer to one read."""
        return self._run(command, params, writes=False)

    def change(self, command: str, **params: Any) -> wire.Fields:
        """Send one change; the answer holds its result, or `jobid` and for creations `id`."""
        return self._run(command, params, writes=True)

    def rows(self, command: str, key: str, kind: type[Kind], **params: Any) -> list[Kind]:
        """Every row of a list, in the cloud's order, each once, however rows come and go meanwhile."""
        return self.made(command, key, kind, lambda row: row, **params)

    def made(self, command: str, key: str, kind: type[Kind], make: Callable[[Kind], Made], **params: Any) -> list[Made]:
        """What `make` makes of every row, page by page as they come, so that a page is worked on while others are
        waited for."""

        def fetch(number: int) -> Come[Made]:
            fields, full = self._fetch(command, params, number)
            count = wire.count(fields)

            def read() -> Page[Made]:
                good, size = self._decoded(command, fields, key, kind)
                return Page([(row.mark, make(row)) for row in good], size, count, full)

            return Come(count, full, read)

        return paging.rows(fetch, self._turns, self.at_once)

    def project(self) -> str:
        """The id of the cloud's own project all commands are for; "" for the account itself."""
        with self._lock:
            if self._project is None:
                self._project = self._find_project()
            return self._project

    def capabilities(self) -> records.Capabilities:
        """What the cloud allows, asked at most every ten minutes."""
        known = self._capabilities
        if known is None or time.monotonic() - known[0] > CAPABILITIES_SECONDS:
            self._capabilities = known = (time.monotonic(), self._ask_capabilities())
        return known[1]

    def _ask_capabilities(self) -> records.Capabilities:
        try:
            fields = self._run("listCapabilities", {}, writes=False)
            return wire.one(bytes(fields.get("capability", b"{}")), records.Capabilities)
        except (Forbidden, Unsupported):
            return records.Capabilities()
        except faults.Garbled as exc:
            raise faults.name(exc, self.at, "listCapabilities", writes=False) from None

    def ping(self) -> None:
        """One signed call. Raises Unauthenticated for wrong keys, Unavailable for no answer.

        CloudStack looks at the signature first: whoever is told that a command is not for them has the right keys."""
        try:
            self._once("listCapabilities", {}, writes=False)
        except Fault as fault:
            if faults.cloud_code(fault) == OUTSIDE_THE_ROLE:
                return
            if faults.cloud_code(fault) != UNKNOWN_OR_FORBIDDEN:
                raise
            message = f"{self.at} does not accept these keys: {_words(fault)}{clock.said(self.at.cloud)}"
            raise Unauthenticated(message) from fault.__cause__

    def _find_project(self) -> str:
        wanted = {"id": self._tenant} if naming.is_uuid(self._tenant) else {"name": self._tenant}
        for row in self.rows("listProjects", "project", records.ProjectRow, **wanted):
            if self._tenant.casefold() in (row.id.casefold(), row.name.casefold()):
                return row.id
        raise Unavailable(
            f"{self.at} shows these keys no project '{self._tenant}'; check tenant in the configuration.",
            retry_after=60,
        )

    def _run(self, command: str, params: Mapping[str, Any], *, writes: bool) -> wire.Fields:
        sent = texts(params)
        if command not in UNSCOPED and "projectid" not in sent and self.project():
            sent["projectid"] = self.project()
        try:
            return self._once(command, sent, writes)
        except Fault as fault:
            if faults.cloud_code(fault) != UNKNOWN_OR_FORBIDDEN:
                raise
            raise self._why_not(command, fault) from fault.__cause__

    def _once(self, command: str, params: Mapping[str, str], writes: bool) -> wire.Fields:
        def ask(driver: Driver) -> wire.Fields:
            answer = driver.connection.run(command, params, writes=writes)
            kind = answer.headers.get("content-type", "")
            return wire.envelope(command, answer.status, kind, answer.content)

        return self.session.call(command, ask, writes=writes)

    def _why_not(self, command: str, fault: Fault) -> Fault:
        """CloudStack says 401 for bad keys and for a command outside the role alike; a probe tells which."""
        try:
            self.ping()
        except Unauthenticated as wrong:
            return faults.keys_refused(self.at) if self._owned else wrong
        except Fault as other:
            return other
        return Forbidden(f"{self.at} does not offer {command}, or not to this account: {_words(fault)}")

    def _fetch(self, command: str, params: Mapping[str, Any], page: int) -> tuple[wire.Fields, int]:
        """One page, and how many rows a full one has. When the very first is refused, smaller ones are tried: some
        clouds cap them lower."""
        sizes = [self._page]
        for size in sizes:
            try:
                fields = self.read(command, **params, page=page, pagesize=size)
            except Fault as fault:
                if page > 1 or faults.cloud_code(fault) != BAD_PARAMETER:
                    raise
                if size == self._page:
                    refused = fault
                    sizes += self._smaller()
                continue
            self._page = size
            return fields, size
        raise refused

    def _smaller(self) -> list[int]:
        told = self.capabilities().defaultuipagesize
        return sorted({size for size in (told, *SMALLER_PAGES) if 0 < size < self._page}, reverse=True)

    def _decoded(self, command: str, fields: wire.Fields, key: str, kind: type[Kind]) -> tuple[list[Kind], int]:
        try:
            good, size = wire.rows(fields, key, kind)
        except faults.Garbled as exc:
            raise faults.name(exc, self.at, command, writes=False) from None
        if len(good) < size:
            LOG.warning("%s: %d of %d rows of %s are left out", self.at, size - len(good), size, command)
        return good, size


def _words(fault: Fault) -> str:
    cause = fault.__cause__
    return cause.words if isinstance(cause, faults.Refusal) and cause.words else "no reason given"


def texts(params: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as CloudStack writes them: None, "" and empty lists are left out, lists joined by commas."""
    sent: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, bool):
            sent[name] = "true" if value else "false"
        elif isinstance(value, str | int):
            sent[name] = str(value)
        elif isinstance(value, Sequence):
            sent[name] = ",".join(str(item) for item in value)
    return {name: value for name, value in sent.items() if value != ""}


def indexed(name: str, items: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """CloudStack's maps: `name[0].key=…&name[0].value=…`."""
    return {f"{name}[{at}].{key}": value for at, item in enumerate(items) for key, value in item.items()}
