"""Glance's images: the project's own and those of others that it may use, made of machines' disks and of volumes."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers import clock
from gcelib.drivers.generic.disks import BOOT
from gcelib.drivers.generic.effects import Seen, reached, under_way
from gcelib.drivers.generic.reading import time_of, whole
from gcelib.drivers.openstack.facet import KEY, Facet
from gcelib.drivers.openstack.records import ServerRow, VolumeRow
from gcelib.drivers.openstack.tagging import IMAGE_LABEL
from gcelib.errors import InUse, NotReady, Refused
from gcelib.models import Image, ImageState, Job, JobState

ImageRow = Mapping[str, Any]
"""An image of Glance's: properties of its own stand among the fields."""
STATES = {
    "active": ImageState.READY, "queued": ImageState.PENDING, "saving": ImageState.PENDING,
    "importing": ImageState.PENDING, "uploading": ImageState.PENDING,
}
PARTS = frozenset({"aki", "ari"})
"""Kernels and ramdisks: parts of images."""
OF_DISK = "gcelib-snapshot-of"
"""The property of an image that GCE's clients see as a snapshot: the machine whose disk it is a copy of."""
OURS = "gcelib-"
SLACK = datetime.timedelta(seconds=5)
"""By how much the cloud's clock may be behind ours without telling."""


class Images(Facet):
    """What a machine can be made of."""

    name = "images"

    def list(self) -> Sequence[Image]:
        """Every image that can be used, or that the project is making; to an administrator Glance shows everybody's."""
        mine = self.api.me().project_id
        return [
            image_of(row, mine) for row in self.rows()
            if OF_DISK not in row and (row.get("owner") == mine or row.get("visibility") != "private")
        ]

    def rows(self) -> Sequence[ImageRow]:
        """Glance's own, without what is no image of a disk."""
        rows = self.api.rows("image", "/v2/images", "images", dict[str, Any], limit=1000)
        return [
            row for row in map(plain, rows)
            if row.get("disk_format") not in PARTS and row.get("status") not in ("deleted", "pending_delete")
            and not row.get("os_hidden")
        ]

    def row(self, id: str) -> ImageRow | None:
        """One image; None when it is not there."""
        found = self.api.find("image", f"/v2/images/{id}")
        return None if found is None else plain(self.api.typed(found, dict[str, Any]))

    def size_gb(self, id: str) -> int:
        """The least disk a machine of this image needs; 0 when it is not there, or does not say."""
        row = self.row(id)
        return size_gb(row) if row is not None else 0

    def create(self, *, key: str, name: str, description: str = "", volume_id: str = "", snapshot_id: str = "",
               submitted: str = "") -> Job:
        """Of the disk a machine boots from Nova makes it, of any other Cinder. Raises Refused for a snapshot."""
        if snapshot_id:
            raise Refused(f"{self.at} makes no images of snapshots: make a disk of the snapshot and the image of that "
                          "disk.")
        args = {"name": name, "submitted": submitted}
        node_id = volume_id.removeprefix(BOOT) if volume_id.startswith(BOOT) else self._booted(volume_id)
        if node_id:
            return self.watch("create", args, self.photograph(node_id, name, {KEY: key}))
        wanted = {"image_name": name, "container_format": "bare", "disk_format": "raw", "force": True}
        try:
            answer = self.api.change("POST", "volume", f"/volumes/{volume_id}/action",
                                     {"os-volume_upload_image": wanted})
        except (NotReady, InUse) as fault:
            why = f"{fault.message} Detach the disk, or make a snapshot of it and a disk of that."
            raise type(fault)(why) from None
        made = self.api.part(answer, "os-volume_upload_image", "os-volume_upload_image")
        return self.watch("create", args, self.api.text(made, "os-volume_upload_image", "image_id"))

    def photograph(self, node_id: str, name: str, marks: Mapping[str, str]) -> str:
        """Have Nova copy a machine's disk into an image with these properties; its id."""
        inherited = self._inherited(node_id)
        body = {"createImage": {"name": name, "metadata": {**dict.fromkeys(inherited, ""), **marks}}}
        answer = self.api.change("POST", "compute", f"/servers/{node_id}/action", body,
                                 OpenStack_API_Version="compute 2.45")
        return self.api.text(answer, "createImage", "image_id")

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete an image, with the copies of volumes that are its contents; one already gone is done."""
        row = self.row(id)
        self.api.remove("image", f"/v2/images/{id}")
        for copy in contents(row or {}):
            self.api.remove("volume", f"/snapshots/{copy}")
        return self.watch("destroy", {"id": id}, id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether an image is there and ready, or gone."""
        cloud = self.at.cloud
        row = self.row(target) if target else next((each for each in self.rows() if is_made(each, args, cloud)), None)
        if verb == "destroy":
            return reached(row is None or row.get("status") in ("deleted", "pending_delete"), target)
        if row is None:
            lost = Refused(f"{self.at} gave the image up; look at the machine.")
            return self.failed(target, lost) if target else None
        state = STATES.get(str(row.get("status")), ImageState.FAILED)
        if state is ImageState.FAILED:
            why = Refused(f"{self.at} could not make the image: it is {row.get('status')}.")
            return self.failed(str(row["id"]), why)
        return Seen(JobState.DONE, row["id"], {"id": row["id"]}) if state is ImageState.READY else under_way(row["id"])

    def _booted(self, volume_id: str) -> str:
        """The id of the machine that boots from this volume; "" for none."""
        row = self.api.one("volume", f"/volumes/{volume_id}", "volume", VolumeRow)
        node_id = (row.attachments[0].server_id or "") if row is not None and row.attachments else ""
        if row is None or not node_id or str(row.bootable).lower() != "true":
            return ""
        server = self.api.one("compute", f"/servers/{node_id}", "server", ServerRow)
        return node_id if server is not None and not server.image_id else ""

    def _inherited(self, node_id: str) -> Sequence[str]:
        """Marks that the machine's own image has, and Nova would hand on to a copy of its disk."""
        server = self.api.find("compute", f"/servers/{node_id}")
        image = self.api.inside(server, "server").get("image") if server is not None else None
        row = self.row(str(image["id"])) if isinstance(image, dict) and image.get("id") else None
        return [name for name in row or () if name.startswith(OURS)]


def plain(row: Mapping[str, Any]) -> ImageRow:
    """An image with those of its properties that are texts, numbers or truths: Glance has no others that are used."""
    return {name: value for name, value in row.items() if isinstance(value, str | int | float)}


def is_made(row: ImageRow, args: Mapping[str, Any], cloud: str) -> bool:
    """Whether an image of a cloud is what an attempt made: it carries its key, or its name and was made since then."""
    if row.get(KEY):
        return bool(row[KEY] == args.get("key"))
    made, since = time_of(row.get("created_at")), time_of(args.get("submitted"))
    if row.get("name") != args.get("name") or made is None or since is None:
        return False
    return made >= clock.since(cloud, since) - SLACK


def image_of(row: ImageRow, mine: str) -> Image:
    """An image; `mine` is the project whose own it may be."""
    status = str(row.get("status"))
    return Image(
        id=str(row["id"]), name=str(row.get("name") or row["id"]), description=str(row.get("description") or ""),
        state=STATES.get(status, ImageState.FAILED), status_text="" if status in STATES else f"The image is {status}.",
        created=time_of(row.get("created_at")), size_gb=size_gb(row), archive_bytes=whole(row.get("size")),
        public=row.get("visibility") in ("public", "community"),
        own=row.get("owner") == mine and row.get("visibility") != "public",
        os=" ".join(str(row[name]) for name in ("os_distro", "os_version") if row.get(name)), tags=tags_of(row),
    )


def tags_of(row: ImageRow) -> Mapping[str, str]:
    """What gcelib keeps on an image, labels under their own names."""
    kept = {name: str(value) for name, value in row.items() if name.startswith(OURS) and value}
    return {name.removeprefix(IMAGE_LABEL): value for name, value in kept.items()}


def size_gb(row: ImageRow) -> int:
    """The least disk for an image, in GB."""
    virtual = math.ceil(whole(row.get("virtual_size")) / 2**30)
    copied = max((whole(each.get("volume_size")) for each in _blocks(row)), default=0)
    return max(whole(row.get("min_disk")), virtual, copied)


def archive_gb(row: ImageRow) -> int:
    """How large an image's file is, in GB: no disk made of it is smaller."""
    return math.ceil(whole(row.get("size")) / 2**30)


def contents(row: ImageRow) -> Sequence[str]:
    """The copies of volumes that are an image's contents, the one to boot from first: Nova makes such an image of a
    machine that boots from a volume."""
    found = sorted(_blocks(row), key=lambda each: str(each.get("boot_index")) != "0")
    return [str(each["snapshot_id"]) for each in found if each.get("snapshot_id")]


def _blocks(row: ImageRow) -> Sequence[Mapping[str, Any]]:
    text = row.get("block_device_mapping")
    try:
        found = json.loads(text) if isinstance(text, str) and text.startswith("[") else []
    except (ValueError, RecursionError):
        return []
    return [each for each in found if isinstance(each, dict)]
