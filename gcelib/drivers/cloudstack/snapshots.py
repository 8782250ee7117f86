"""CloudStack's volume snapshots."""

from __future__ import annotations

from collections.abc import Sequence

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import Client
from gcelib.drivers.cloudstack.images import gigabytes
from gcelib.models import Snapshot, VolumeState

STATES: dict[str, VolumeState] = {
    "BackedUp": VolumeState.READY,
    "Error": VolumeState.FAILED,
    "Destroying": VolumeState.DELETING,
}
"""Every other state is one on the way to `BackedUp`."""


class Snapshots:
    """listSnapshots."""

    name = "snapshots"

    def __init__(self, client: Client) -> None:
        self.client = client

    def list(self) -> Sequence[Snapshot]:
        """Every snapshot that is not destroyed."""
        rows = self.client.rows("listSnapshots", "snapshot", records.SnapshotRow)
        return [_snapshot(row) for row in rows if row.state not in ("Destroyed", "Hidden")]


def _snapshot(row: records.SnapshotRow) -> Snapshot:
    return Snapshot(
        id=row.id,
        name=row.name or row.id,
        state=STATES.get(row.state, VolumeState.CREATING),
        volume_id=row.volumeid,
        volume_name=row.volumename,
        size_gb=gigabytes(row.virtualsize),
        stored_bytes=row.physicalsize,
        created=wire.time_of(row.created),
        tags=row.pairs,
    )
