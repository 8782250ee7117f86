"""CloudStack's volumes and disk offerings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any

from gcelib import naming
from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.facet import Facet, gone, reached
from gcelib.drivers.cloudstack.images import gigabytes
from gcelib.drivers.cloudstack.jobs import Seen
from gcelib.drivers.cloudstack.sizes import zones_of
from gcelib.errors import Refused
from gcelib.models import Job, JobState, Volume, VolumeState, VolumeType

STATES: dict[str, VolumeState] = {
    "Creating": VolumeState.CREATING,
    "Copying": VolumeState.CREATING,
    "NotUploaded": VolumeState.CREATING,
    "UploadOp": VolumeState.CREATING,
    "UploadInProgress": VolumeState.CREATING,
    "Restoring": VolumeState.CREATING,
    "UploadError": VolumeState.FAILED,
    "UploadAbandoned": VolumeState.FAILED,
}
"""Every other state is one in which the disk can be used, `Allocated` too: it becomes real when attached."""
HIDDEN = frozenset({"Destroy", "Destroying", "Destroyed", "Expunging", "Expunged"})


class Volumes(Facet):
    """listVolumes, listDiskOfferings and the changes to volumes."""

    name = "volumes"
    jobbed = frozenset({"attach", "detach", "resize"})
    once = frozenset({"create"})

    def list(self) -> Sequence[Volume]:
        """Every disk; those of machines already destroyed are gone."""
        found = self.client.made("listVolumes", "volume", records.VolumeRow, _shown)
        return [volume for volume in found if volume is not None]

    def find(self, label: str) -> Sequence[Volume]:
        """The disks whose own names give this label.

        Each has the label's longest word in its name, whatever its name has where the label has dashes: all but those
        with letters that are not ASCII's.
        """
        word = max(re.findall("[a-z0-9]+", label), key=len)
        return [_volume(row) for row in self.rows(keyword=word) if naming.slug(row.name) == label]

    def of(self, node_id: str) -> Sequence[Volume]:
        """The disks of one machine."""
        return [_volume(row) for row in self.rows(virtualmachineid=node_id) if row.vmstate not in HIDDEN]

    def types(self) -> Sequence[VolumeType]:
        """listDiskOfferings."""
        limits = self.client.capabilities()
        rows = self.client.rows("listDiskOfferings", "diskoffering", records.DiskOfferingRow)
        return [
            VolumeType(
                id=row.id,
                name=row.name or row.id,
                description=row.displaytext,
                created=wire.time_of(row.created),
                size_gb=0 if row.iscustomized else row.disksize,
                min_gb=limits.customdiskofferingminsize if row.iscustomized else row.disksize,
                max_gb=limits.customdiskofferingmaxsize if row.iscustomized else row.disksize,
                zone_ids=zones_of(row.zoneid),
            )
            for row in rows
        ]

    def rows(self, **filters: str) -> Sequence[records.VolumeRow]:
        """The rows of volumes that are not destroyed."""
        rows = self.client.rows("listVolumes", "volume", records.VolumeRow, **filters)
        return [row for row in rows if row.state not in HIDDEN]

    def create(
        self, *, key: str, name: str, zone_id: str, type_id: str = "", size_gb: int = 0, snapshot_id: str = "",
        submitted: str = "",
    ) -> Job:
        """createVolume. Without a type, the first one that gives this size exactly.

        Raises Refused when the cloud has no kind of disk of this size.
        """
        args = {
            "name": name, "zone_id": zone_id, "type_id": type_id, "snapshot_id": snapshot_id, "submitted": submitted,
        }
        offering = None if snapshot_id and not type_id else self._offering(type_id, size_gb, zone_id)
        free = offering is None or offering.size_gb == 0
        if size_gb and not free and offering is not None and offering.size_gb != size_gb:
            raise Refused(
                f"{self.client.at}: '{offering.name}' disks have {offering.size_gb} GB, not {size_gb}."
            )
        return self.make(
            "create",
            "createVolume",
            args,
            name=name,
            zoneid=zone_id,
            diskofferingid=offering.id if offering else "",
            size=size_gb if size_gb and free else None,
            snapshotid=snapshot_id,
        )

    def attach(self, *, key: str, id: str, node_id: str, device: int = 0) -> Job:
        """attachVolume; device 0 lets the cloud choose."""
        args = {"id": id, "node_id": node_id}
        return self.send(
            "attach", "attachVolume", args, key=key, target=id, id=id, virtualmachineid=node_id,
            deviceid=device or None,
        )  # fmt: skip

    def detach(self, *, key: str, id: str, node_id: str = "") -> Job:
        """detachVolume; one that is not attached is done, and so is one that another machine than `node_id` has."""
        if node_id and any(row.virtualmachineid not in ("", node_id) for row in self.rows(id=id)):
            return self.done(id)
        return self.send("detach", "detachVolume", {"id": id}, key=key, target=id, id=id)

    def resize(self, *, key: str, id: str, size_gb: int, type_id: str = "") -> Job:
        """resizeVolume; a disk of this size already is done. CloudStack takes a size or an offering, not both."""
        args = {"id": id, "size_gb": size_gb}
        if self.seen("resize", args, id) is not None:
            return self.done(id)
        return self.send(
            "resize", "resizeVolume", args, key=key, target=id, id=id, size=None if type_id else size_gb,
            diskofferingid=type_id,
        )  # fmt: skip

    def destroy(self, *, key: str, id: str) -> Job:
        """deleteVolume; one already gone is done."""
        return self.settle("destroy", "deleteVolume", {"id": id}, id, id=id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the volume's row says about the change."""
        if verb == "create":
            return self._created(args, target)
        rows = self.rows(id=target) if target else []
        if verb == "destroy":
            return gone(bool(rows), target)
        if not rows:
            return None
        if verb == "resize":
            return reached(gigabytes(rows[0].size) >= int(args["size_gb"]), target)
        attached = rows[0].virtualmachineid
        return reached(attached == (args["node_id"] if verb == "attach" else ""), target)

    def _created(self, args: Mapping[str, Any], target: str) -> Seen | None:
        if target:
            rows = self.rows(id=target)
        else:
            name = str(args["name"])
            found = self.rows(name=name, zoneid=str(args["zone_id"]))
            rows = [row for row in found if row.name.casefold() == name.casefold() and self.young(row.created, args)]
        if not rows:
            return None
        row = rows[0]
        if row.busy or row.state in ("Creating", "Copying"):
            return Seen(JobState.RUNNING, row.id, {"id": row.id}, job=row.jobid if row.busy else "")
        return Seen(JobState.DONE, row.id, {"id": row.id})

    def _offering(self, type_id: str, size_gb: int, zone_id: str) -> VolumeType:
        types = [kind for kind in self.types() if kind.zone_ids is None or zone_id in kind.zone_ids]
        if type_id:
            named = [kind for kind in types if kind.id == type_id]
            return named[0] if named else VolumeType(id=type_id, name=type_id)
        exact = [kind for kind in types if kind.size_gb == size_gb and size_gb]
        free = [kind for kind in types if not kind.size_gb and kind.min_gb <= size_gb <= kind.max_gb]
        if not (exact or free):
            raise Refused(f"{self.client.at} offers no kind of disk of {size_gb} GB.")
        return (exact or free)[0]


def _shown(row: records.VolumeRow) -> Volume | None:
    return None if row.state in HIDDEN or row.vmstate in HIDDEN else _volume(row)


def _volume(row: records.VolumeRow) -> Volume:
    return Volume(
        id=row.id,
        name=row.name or row.id,
        size_gb=gigabytes(row.size),
        state=STATES.get(row.state, VolumeState.READY),
        zone_id=intern(row.zoneid),
        boot=row.type.upper() == "ROOT",
        node_id=row.virtualmachineid,
        node_name=row.vmname,
        device=row.deviceid,
        type_id=intern(row.diskofferingid),
        type_name=intern(row.diskofferingname),
        image_id=intern(row.templateid),
        snapshot_id=row.snapshotid,
        blank=row.state == "Allocated",
        created=wire.time_of(row.created),
        attached=wire.time_of(row.attached),
        tags=row.pairs,
    )
