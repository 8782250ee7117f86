"""CloudStack's service offerings as machine sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import Client
from gcelib.drivers.cloudstack.zones import Book
from gcelib.models import CustomRange, Size

FREE_CPUS = (1, 128)
FREE_RAM_MB = (128, 1024 * 1024)
"""The bounds shown for an offering that sets none."""


class Sizes:
    """listServiceOfferings; the cloud's own system offerings are left out."""

    name = "sizes"

    def __init__(self, client: Client) -> None:
        self.client = client
        self.book: Book[records.OfferingRow] = Book(self._rows)

    def list(self) -> Sequence[Size]:
        """Every offering a machine can have."""
        return [_size(row) for row in self.book.read() if not row.issystem]

    def _rows(self) -> Sequence[records.OfferingRow]:
        return self.client.rows("listServiceOfferings", "serviceoffering", records.OfferingRow)


def zones_of(text: str) -> frozenset[str] | None:
    """The zones that an offering is for, out of CloudStack's one text; None for all."""
    return frozenset(part.strip() for part in text.split(",") if part.strip()) or None


def _size(row: records.OfferingRow) -> Size:
    return Size(
        id=row.id,
        name=row.name or row.id,
        cpus=row.cpunumber,
        ram_mb=row.memory,
        description=row.displaytext,
        created=wire.time_of(row.created),
        root_gb=row.rootdisksize,
        custom=_range(row) if row.iscustomized else None,
        zone_ids=zones_of(row.zoneid),
    )


def _range(row: records.OfferingRow) -> CustomRange:
    details = row.serviceofferingdetails
    fixed_cpus, fixed_ram = row.cpunumber, row.memory
    return CustomRange(
        min_cpus=fixed_cpus or _bound(details, "mincpunumber", FREE_CPUS[0]),
        max_cpus=fixed_cpus or _bound(details, "maxcpunumber", FREE_CPUS[1]),
        min_ram_mb=fixed_ram or _bound(details, "minmemory", FREE_RAM_MB[0]),
        max_ram_mb=fixed_ram or _bound(details, "maxmemory", FREE_RAM_MB[1]),
    )


def _bound(details: Mapping[str, Any], name: str, otherwise: int) -> int:
    text = str(details.get(name, ""))
    return int(text) if text.isdigit() and int(text) > 0 else otherwise
