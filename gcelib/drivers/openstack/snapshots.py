"""Copies of disks: Cinder's of volumes, and of a machine's own disk the image that Nova makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.generic.disks import BOOT
from gcelib.drivers.generic.effects import Effects, Seen, reached, under_way
from gcelib.drivers.generic.reading import time_of, whole
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import KEY, Facet, utc
from gcelib.drivers.openstack.images import OF_DISK, STATES, ImageRow, Images, contents, size_gb, tags_of
from gcelib.drivers.openstack.records import SnapshotRow, VolumeRow
from gcelib.errors import NotFound, Refused
from gcelib.models import ImageState, Job, JobState, Snapshot, VolumeState

COPY = "image:"
"""What the id of a copy begins with that is an image."""
MAKING = frozenset({"creating", "backing-up", "restoring"})


class Snapshots(Facet):
    """Cinder's snapshots, and images marked as copies of a machine's disk."""

    name = "snapshots"

    def __init__(self, api: Api, effects: Effects, images: Images) -> None:
        super().__init__(api, effects)
        self._images = images

    def list(self) -> Sequence[Snapshot]:
        """Every copy, but for those that are an image's contents."""
        mine = self.api.me().project_id
        rows, images = self._rows(), self._images.rows()
        inside = {id for image in images for id in contents(image)}
        rows = [row for row in rows if row.id not in inside]
        roots = self._roots() if rows else frozenset()
        images = [row for row in images if OF_DISK in row and row.get("owner") == mine]
        return [*(snapshot_of(row, roots) for row in rows), *map(copy_of, images)]

    def create(self, *, key: str, name: str, volume_id: str, submitted: str = "") -> Job:
        """Copy a disk, in use or not."""
        if volume_id.startswith(BOOT):
            node = volume_id.removeprefix(BOOT)
            made = COPY + self._images.photograph(node, name, {KEY: key, OF_DISK: node})
        else:
            body = {"volume_id": volume_id, "name": name, "force": True, "metadata": {KEY: key}}
            made = str(self.api.make("volume", "/snapshots", "snapshot", body)["id"])
        return self.watch("create", {"name": name}, made)

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a copy; one already gone is done."""
        if id.startswith(COPY):
            self.api.remove("image", f"/v2/images/{id.removeprefix(COPY)}")
        else:
            self.api.remove("volume", f"/snapshots/{id}")
        return self.watch("destroy", {"id": id}, id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the copies there are now."""
        found = self._one(target) if target else self._made(args)
        if verb == "destroy":
            if found is not None and found.state is VolumeState.FAILED:
                return self.failed(target, Refused(f"{self.at} could not delete the snapshot: it is in error."))
            return reached(found is None, target)
        if found is None:
            return self.failed(target, NotFound(f"{self.at} has no snapshot '{target}' any more.")) if target else None
        if found.state is VolumeState.FAILED:
            return self.failed(found.id, Refused(f"{self.at} could not make the snapshot."))
        ready = found.state is VolumeState.READY
        return Seen(JobState.DONE, found.id, {"id": found.id}) if ready else under_way(found.id)

    def _one(self, id: str) -> Snapshot | None:
        if id.startswith(COPY):
            row = self._images.row(id.removeprefix(COPY))
            return None if row is None or row.get("status") in ("deleted", "pending_delete") else copy_of(row)
        found = self.api.one("volume", f"/snapshots/{id}", "snapshot", SnapshotRow)
        return None if found is None else snapshot_of(found, frozenset())

    def _made(self, args: Mapping[str, Any]) -> Snapshot | None:
        """The copy that an earlier attempt made: it carries the attempt's key."""
        key = args.get("key")
        if not key:
            return None
        rows = (snapshot_of(row, frozenset()) for row in self._rows() if row.metadata.get(KEY) == key)
        copies = (copy_of(row) for row in self._images.rows() if OF_DISK in row and row.get(KEY) == key)
        return next(rows, None) or next(copies, None)

    def _rows(self) -> Sequence[SnapshotRow]:
        if not self.api.keeps_volumes():
            return []
        return self.api.rows("volume", "/snapshots/detail", "snapshots", SnapshotRow)

    def _roots(self) -> frozenset[str]:
        """The volumes that machines boot from, or could."""
        rows = self.api.rows("volume", "/volumes/detail", "volumes", VolumeRow)
        return frozenset(row.id for row in rows if str(row.bootable).lower() == "true")


def snapshot_of(row: SnapshotRow, roots: frozenset[str]) -> Snapshot:
    """A copy of a volume."""
    state = VolumeState.READY
    if row.status.startswith("error"):
        state = VolumeState.FAILED
    elif row.status in MAKING:
        state = VolumeState.CREATING
    elif row.status == "deleting":
        state = VolumeState.DELETING
    return Snapshot(
        row.id, row.name or row.id, state, volume_id=row.volume_id or "", size_gb=row.size,
        boot=row.volume_id in roots, created=utc(row.created_at), tags=dict(row.metadata),
    )


def copy_of(row: ImageRow) -> Snapshot:
    """A copy of a machine's own disk."""
    states = {ImageState.READY: VolumeState.READY, ImageState.PENDING: VolumeState.CREATING}
    state = states.get(STATES.get(str(row.get("status")), ImageState.FAILED), VolumeState.FAILED)
    return Snapshot(
        COPY + str(row["id"]), str(row.get("name") or row["id"]), state, volume_id=BOOT + str(row[OF_DISK]),
        size_gb=max(1, size_gb(row)), boot=True, stored_bytes=whole(row.get("size")),
        created=time_of(row.get("created_at")), tags=tags_of(row),
    )
