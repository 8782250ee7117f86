"""CloudStack's volume snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.facet import Facet, gone
from gcelib.drivers.cloudstack.images import gigabytes
from gcelib.drivers.cloudstack.jobs import Seen
from gcelib.errors import Refused
from gcelib.models import Job, JobState, Snapshot, VolumeState

STATES: dict[str, VolumeState] = {
    "BackedUp": VolumeState.READY,
    "Error": VolumeState.FAILED,
    "Destroying": VolumeState.DELETING,
}
"""Every other state is one on the way to `BackedUp`."""


class Snapshots(Facet):
    """listSnapshots, createSnapshot and deleteSnapshot."""

    name = "snapshots"
    jobbed = frozenset({"destroy"})
    once = frozenset({"create"})

    def list(self) -> Sequence[Snapshot]:
        """Every snapshot that is not destroyed."""
        return [_snapshot(row) for row in self.rows()]

    def rows(self, **filters: str) -> Sequence[records.SnapshotRow]:
        """The rows of snapshots that are not destroyed."""
        rows = self.client.rows("listSnapshots", "snapshot", records.SnapshotRow, **filters)
        return [row for row in rows if row.state not in ("Destroyed", "Hidden")]

    def create(self, *, key: str, name: str, volume_id: str, submitted: str = "") -> Job:
        """createSnapshot; the job lasts until the copy is on secondary storage."""
        args = {"name": name, "volume_id": volume_id, "submitted": submitted}
        return self.make("create", "createSnapshot", args, volumeid=volume_id, name=name)

    def destroy(self, *, key: str, id: str) -> Job:
        """deleteSnapshot; one already gone is done."""
        return self.send("destroy", "deleteSnapshot", {"id": id}, key=key, target=id, id=id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the snapshot's row says about the change."""
        if verb == "destroy":
            return gone(bool(self.rows(id=target)), target)
        if target:
            rows = self.rows(id=target)
        else:
            name = str(args["name"]).casefold()
            found = self.rows(volumeid=str(args["volume_id"]))
            rows = [row for row in found if row.name.casefold() == name and self.young(row.created, args)]
        if not rows:
            return None
        row = rows[0]
        state = STATES.get(row.state, VolumeState.CREATING)
        if state is VolumeState.FAILED:
            words = f"{self.client.at} could not copy the disk to snapshot '{row.name}'."
            return Seen(JobState.FAILED, row.id, {"id": row.id}, Refused(words))
        if state is VolumeState.READY and not row.busy:
            return Seen(JobState.DONE, row.id, {"id": row.id})
        return Seen(JobState.RUNNING, row.id, {"id": row.id}, job=row.jobid if row.busy else "")


def _snapshot(row: records.SnapshotRow) -> Snapshot:
    return Snapshot(
        id=row.id,
        name=row.name or row.id,
        state=STATES.get(row.state, VolumeState.CREATING),
        volume_id=row.volumeid,
        volume_name=row.volumename,
        zone_id=row.zoneid,
        boot=row.volumetype.upper() == "ROOT",
        size_gb=gigabytes(row.virtualsize),
        stored_bytes=row.physicalsize,
        created=wire.time_of(row.created),
        tags=row.pairs,
    )
