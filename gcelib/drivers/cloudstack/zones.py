"""CloudStack's zones, and the memory of rows that never change while the daemon runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gcelib.drivers import deadline
from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.client import Client
from gcelib.models import Zone

Kind = TypeVar("Kind", bound=records.Row)
AGAIN_SECONDS = 60.0


class Book(Generic[Kind]):
    """Rows by id, listed again when an id is unknown, but for those at most once a minute."""

    def __init__(self, read: Callable[[], Sequence[Kind]]) -> None:
        self._read = read
        self._rows: dict[str, Kind] = {}
        self._asked = float("-inf")
        self._reading: threading.Event | None = None
        self._lock = threading.Lock()

    def get(self, id: str) -> Kind | None:
        """The row; None for an empty id or one that the cloud does not list."""
        if not id:
            return None
        reading = self._reading
        if id not in self._rows and reading is not None:
            deadline.wait(reading, "a list that others need")
        if id not in self._rows:
            with self._lock:
                if time.monotonic() - self._asked > AGAIN_SECONDS:
                    self.read()
        return self._rows.get(id)

    def read(self) -> Sequence[Kind]:
        """The list as it is now; whoever looks for a row meanwhile waits for it."""
        self._reading = reading = threading.Event()
        try:
            rows = self._read()
            self._rows = {row.id: row for row in rows}
            self._asked = time.monotonic()
            return rows
        finally:
            reading.set()


def grouped(row: records.ZoneRow) -> bool:
    """Whether machines of the zone are guarded by security groups."""
    return row.securitygroupsenabled


def basic(row: records.ZoneRow) -> bool:
    """Whether the zone has one flat network that machines join without naming it."""
    return row.networktype.casefold() == "basic"


class Zones:
    """listZones."""

    name = "zones"

    def __init__(self, client: Client) -> None:
        self.client = client
        self.book: Book[records.ZoneRow] = Book(self._rows)

    def list(self) -> Sequence[Zone]:
        """Every zone these keys may use."""
        return [_zone(row) for row in self.book.read()]

    def _rows(self) -> Sequence[records.ZoneRow]:
        return self.client.rows("listZones", "zone", records.ZoneRow)


def _zone(row: records.ZoneRow) -> Zone:
    advanced = not basic(row)
    return Zone(
        id=row.id,
        name=row.name or row.id,
        up=row.allocationstate.casefold() != "disabled",
        description=row.description,
        security_groups=grouped(row),
        own_networks=advanced and not grouped(row),
        picks_network=advanced,
    )
