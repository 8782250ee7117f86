"""Disks: the cloud's volumes; a boot disk has the name of its machine."""

from __future__ import annotations

from gcelib import naming
from gcelib.models import Volume, VolumeState
from gcelib.server import fingerprint, remarks
from gcelib.server.collection import Rendered, Zonal
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found
from gcelib.server.times import EPOCH, rfc3339

STATUS = {
    VolumeState.CREATING: "CREATING", VolumeState.READY: "READY", VolumeState.DELETING: "DELETING",
    VolumeState.FAILED: "FAILED",
}


class Disks(Zonal):
    """Sizes in GB are the cloud's, rounded up."""

    name, kind = "disks", "disk"

    def directory(self, ctx: Context) -> Directory[Volume]:
        return ctx.view.volumes

    def render(self, ctx: Context, scope: str, item: Found[Volume]) -> Rendered:
        disk = item.model
        note = ctx.view.note("volume").get((item.cloud.name, disk.id), {})
        labels = remarks.labels_of(disk.tags, note)
        shown: Rendered = {
            "id": naming.number(item.cloud.name, "volume", disk.id),
            "creationTimestamp": rfc3339(disk.created),
            "name": item.name,
            "description": remarks.said_of("description", disk.tags, note),
            "sizeGb": str(disk.size_gb),
            "zone": ctx.link(scope),
            "status": STATUS[disk.state],
            "type": ctx.link(scope, "diskTypes", self._type(ctx, item)),
            "labelFingerprint": fingerprint.fingerprint(labels),
            "physicalBlockSizeBytes": "4096",
        }
        if labels:
            shown["labels"] = labels
        shown.update(self._origin(ctx, item))
        if disk.attached and disk.node_id:
            shown["lastAttachTimestamp"] = rfc3339(disk.attached)
        node = ctx.view.nodes.by_id(item.cloud.name, disk.node_id) if disk.node_id else None
        if node is not None:
            shown["users"] = [ctx.link("zones", node.zone, "instances", node.name)]
        return {key: value for key, value in shown.items() if value != EPOCH or key == "creationTimestamp"}

    def _type(self, ctx: Context, item: Found[Volume]) -> str:
        kind = ctx.view.volume_types.by_id(item.cloud.name, item.model.type_id) if item.model.type_id else None
        return kind.name if kind else "pd-standard"

    def _origin(self, ctx: Context, item: Found[Volume]) -> Rendered:
        disk = item.model
        image = ctx.view.images.by_id(item.cloud.name, disk.image_id) if disk.image_id else None
        if image is not None:
            number = naming.number(item.cloud.name, "image", disk.image_id)
            return {"sourceImage": ctx.link("global", "images", image.name), "sourceImageId": number}
        if disk.snapshot_id:
            return {"sourceSnapshotId": naming.number(item.cloud.name, "snapshot", disk.snapshot_id)}
        return {}
