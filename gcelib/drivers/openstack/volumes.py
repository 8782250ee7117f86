"""Cinder's volumes, and for machines that boot from an image the disk that Nova gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gcelib.drivers.generic.disks import BOOT
from gcelib.drivers.generic.effects import Effects, Seen, reached, under_way
from gcelib.drivers.openstack import servers
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import KEY, Facet, utc
from gcelib.drivers.openstack.images import Images
from gcelib.drivers.openstack.places import Sizes, Zones
from gcelib.drivers.openstack.records import (
    AttachmentRow,
    ServerRow,
    SnapshotRow,
    VolumeRow,
    VolumeTypeRow,
    ZoneRow,
)
from gcelib.drivers.openstack.snapshots import COPY
from gcelib.errors import InUse, NotFound, Refused
from gcelib.models import Job, JobState, Volume, VolumeState, VolumeType

MOST_GB = 64 * 1024
HIDDEN_TYPE = "__DEFAULT__"
"""The kind of volume that Cinder has for those who have none."""
FREE = frozenset({"available", "error"})
FAILED = frozenset({"error", "error_deleting", "error_extending", "error_restoring", "error_managing"})
MAKING = frozenset({"creating", "downloading", "restoring-backup"})
LIVE_EXTEND = "volume 3.42"
"""From which version on a volume grows while it is attached."""
ZONE = "gcelib-zone"
"""The zone a volume was asked for, where Cinder's zones are not Nova's."""


class Volumes(Facet):
    """Volumes, boot disks first."""

    name = "volumes"
    shown: ClassVar[frozenset[str]] = frozenset({"attach", "detach", "resize"})

    def __init__(self, api: Api, effects: Effects, zones: Zones, sizes: Sizes, images: Images) -> None:
        super().__init__(api, effects)
        self._zones, self._sizes, self._images = zones, sizes, images

    def list(self) -> Sequence[Volume]:
        """Every disk."""
        machines, zones = servers.servers(self.api), self._zones.names()
        rows = self._rows() if self.api.keeps_volumes() else []
        types = {row.name: row.id for row in self._types()} if rows else {}
        first = next(iter(zones), "")
        roots = {id for row in machines if not row.image_id and (id := root_of(row.id, rows))}
        by_id = {row.id: row for row in machines}
        found = []
        for row in rows:
            server = by_id.get(at(row).server_id or "")
            zone = (server.zone if server else "") or row.metadata.get(ZONE) or row.availability_zone or ""
            found.append(volume_of(row, server, zone if zone in zones else first, types, boot=row.id in roots))
        return [*self._own_disks(machines, first), *sorted(found, key=lambda each: not each.boot)]

    def types(self) -> Sequence[VolumeType]:
        """Cinder's kinds of volume, its default first; none where there is no Cinder."""
        if not self.api.keeps_volumes():
            return []
        default = self.api.find("volume", "/types/default")
        told = (default or {}).get("volume_type")
        chosen = told.get("id", "") if isinstance(told, dict) else ""
        rows = sorted(self._types(), key=lambda row: (row.id != chosen, row.name or ""))
        return [
            VolumeType(row.id, row.name or row.id, row.description or "", max_gb=MOST_GB) for row in rows
            if row.id == chosen or row.name != HIDDEN_TYPE
        ]

    def row(self, id: str) -> VolumeRow | None:
        """One volume; None when it is not there. Raises Refused for a machine's own disk."""
        if id.startswith(BOOT):
            raise Refused(f"{self.at}: this disk is part of its machine, and is not attached, grown or deleted alone.")
        return self.api.one("volume", f"/volumes/{id}", "volume", VolumeRow)

    def create(self, *, key: str, name: str, zone_id: str, type_id: str = "", size_gb: int = 0,
               snapshot_id: str = "", submitted: str = "") -> Job:
        """A blank volume, or one of a snapshot, or of the image that is a snapshot of a machine's own disk."""
        wanted: dict[str, Any] = {"name": name, "metadata": {KEY: key}}
        if zone_id in self._cinder_zones():
            wanted["availability_zone"] = zone_id
        else:
            wanted["metadata"][ZONE] = zone_id
        if type_id:
            wanted["volume_type"] = type_id
        if snapshot_id.startswith(COPY):
            image = snapshot_id.removeprefix(COPY)
            wanted["imageRef"] = image
            size_gb = size_gb or max(1, self._images.size_gb(image))
        elif snapshot_id:
            wanted["snapshot_id"] = snapshot_id
        if size_gb:
            wanted["size"] = size_gb
        made = self.api.make("volume", "/volumes", "volume", wanted)
        return self.watch("create", {"name": name}, str(made["id"]))

    def attach(self, *, key: str, id: str, node_id: str, device: int = 0) -> Job:
        """Attach a volume under the name that Nova gives it."""
        return self.begin("attach", {"id": id, "node_id": node_id}, id)

    def detach(self, *, key: str, id: str, node_id: str = "") -> Job:
        """Detach a volume; one that is not attached is done, and so is one that another machine than `node_id` has."""
        row = self.row(id) if node_id else None
        if row is not None and (at(row).server_id or node_id) != node_id:
            return self.done(id)
        return self.begin("detach", {"id": id}, id)

    def resize(self, *, key: str, id: str, size_gb: int, type_id: str = "") -> Job:
        """Make a volume larger, attached or not."""
        return self.begin("resize", {"id": id, "size_gb": size_gb}, id)

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a volume; gone already is done. Raises InUse naming a snapshot, without which Cinder keeps none."""
        row = self.row(id)
        if row is not None:
            copies = self.api.rows("volume", "/snapshots", "snapshots", SnapshotRow, volume_id=id)
            if copies:
                names = ", ".join(f"'{each.name or each.id}'" for each in copies)
                raise InUse(f"{self.at} keeps a disk as long as it has snapshots ({names}); delete those first.")
            self.api.remove("volume", f"/volumes/{id}")
        return self.watch("destroy", {"id": id}, id)

    def send(self, verb: str, args: Mapping[str, Any], target: str) -> None:
        """Send a change, unless it is done."""
        row = self.row(target)
        if row is None:
            raise NotFound(f"{self.at} has no disk '{target}' any more.")
        node_id = at(row).server_id or ""
        if verb == "attach" and node_id != args["node_id"]:
            body = {"volumeAttachment": {"volumeId": target}}
            self.api.change("POST", "compute", f"/servers/{args['node_id']}/os-volume_attachments", body)
        elif verb == "detach" and node_id and row.status != "detaching":
            self.api.remove("compute", f"/servers/{node_id}/os-volume_attachments/{target}")
        elif verb == "resize" and row.size < int(args["size_gb"]) and row.status != "extending":
            headers = {"OpenStack_API_Version": LIVE_EXTEND} if node_id else {}
            larger = {"os-extend": {"new_size": int(args["size_gb"])}}
            self.api.change("POST", "volume", f"/volumes/{target}/action", larger, **headers)

    def settling(self, verb: str, args: Mapping[str, Any], target: str) -> bool:
        """Whether the volume, or the machine it is for, is on its way."""
        row = self.row(target)
        if row is None or row.status not in (*FREE, "in-use"):
            return row is not None
        server = servers.server(self.api, str(args.get("node_id") or at(row).server_id or ""))
        return server is not None and servers.busy(server)

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """See whether a change is done; send what could not be taken, once machine and volume have settled."""
        seen = self.seen(verb, args, target)
        return seen if seen is not None or verb in ("create", "destroy") else self.sent_on(verb, args, target)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the volume as it is now."""
        row = self.row(target) if target else self._made(args)
        if verb == "destroy":
            if row is not None and row.status in FAILED:
                return self.failed(target, Refused(f"{self.at} could not delete the disk: it is {row.status}."))
            return reached(row is None, target)
        if row is None:
            return self.failed(target, NotFound(f"{self.at} has no disk '{target}' any more.")) if target else None
        if verb == "create":
            return self._born(row)
        if row.status in FAILED:
            return self.failed(target, Refused(f"{self.at} could not {verb} the disk: it is {row.status}."))
        if row.status not in (*FREE, "in-use"):
            return under_way(target)
        there = {
            "attach": at(row).server_id == args.get("node_id") and row.status == "in-use",
            "detach": not at(row).server_id, "resize": row.size >= int(args.get("size_gb", 0)),
        }[verb]
        return reached(there, target)

    def _born(self, row: VolumeRow) -> Seen:
        if row.status in FAILED:
            return self.failed(row.id, Refused(f"{self.at} could not make the disk: it is in error."))
        return under_way(row.id) if row.status in MAKING else Seen(JobState.DONE, row.id, {"id": row.id})

    def _made(self, args: Mapping[str, Any]) -> VolumeRow | None:
        """The volume that an earlier attempt made: it carries the attempt's key."""
        return next((row for row in self._rows() if args.get("key") and row.metadata.get(KEY) == args["key"]), None)

    def _rows(self) -> Sequence[VolumeRow]:
        return self.api.rows("volume", "/volumes/detail", "volumes", VolumeRow)

    def _types(self) -> Sequence[VolumeTypeRow]:
        return self.api.rows("volume", "/types", "volume_types", VolumeTypeRow)

    def _cinder_zones(self) -> Sequence[str]:
        rows = self.api.rows("volume", "/os-availability-zone", "availabilityZoneInfo", ZoneRow)
        return [row.name for row in rows]

    def _own_disks(self, machines: Sequence[ServerRow], first: str) -> Sequence[Volume]:
        """What machines boot from that is no volume: as large as their flavor's disk, or the image."""
        sizes = {row.id: row.disk for row in self._sizes.rows()} if machines else {}
        return [
            Volume(BOOT + row.id, row.name or row.id, max(1, sizes.get(str(row.flavor.get("id")), 0)),
                   VolumeState.READY, row.zone or first, boot=True, node_id=row.id, node_name=row.name or row.id,
                   image_id=row.image_id, created=utc(row.created))
            for row in machines if row.image_id
        ]


def at(row: VolumeRow) -> AttachmentRow:
    """Where a volume is attached."""
    return row.attachments[0] if row.attachments else AttachmentRow()


def root_of(node_id: str, rows: Sequence[VolumeRow]) -> str:
    """The id of the volume that a machine boots from, the first of its own that can be booted; "" for none."""
    own = sorted((at(row).device or "", row.id) for row in rows
                 if at(row).server_id == node_id and str(row.bootable).lower() == "true")
    return own[0][1] if own else ""


def device_number(text: str | None) -> int:
    """0 for /dev/vda, 1 for /dev/vdb …"""
    last = (text or "").rstrip("/")[-1:]
    return ord(last) - ord("a") if "a" <= last <= "z" else 0


def volume_of(
    row: VolumeRow, server: ServerRow | None, zone: str, types: Mapping[str | None, str], *, boot: bool
) -> Volume:
    """A disk."""
    state = VolumeState.READY
    if row.status in FAILED:
        state = VolumeState.FAILED
    elif row.status in MAKING:
        state = VolumeState.CREATING
    elif row.status == "deleting":
        state = VolumeState.DELETING
    place = at(row)
    return Volume(
        row.id, row.name or row.id, row.size, state, zone, boot=boot, node_id=place.server_id or "",
        node_name=(server.name or "") if server else "", device=device_number(place.device),
        type_id=types.get(row.volume_type, ""), type_name=row.volume_type or "", snapshot_id=row.snapshot_id or "",
        image_id=(row.volume_image_metadata or {}).get("image_id", ""), created=utc(row.created_at),
        attached=utc(place.attached_at), tags=dict(row.metadata),
    )
