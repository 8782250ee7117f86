"""The disks a new machine is asked to have: its boot disk, and further ones as steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcelib.errors import InUse, Invalid, Missing, Unsupported
from gcelib.models import Image, Size, Volume, Zone
from gcelib.server import remarks
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.kinds_of_disk import disk_type
from gcelib.server.operations.plan import Step

SOURCE = "resource.disks[0].initializeParams.sourceImage"


def boot(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The boot disk's entry, with `initializeParams.sourceImage`. Raises Missing or Unsupported naming the field."""
    disks = body.get("disks") or []
    if not disks:
        raise Missing("Required field 'resource.disks' not specified: a machine needs a boot disk from an image.",
                      field="resource.disks")
    marked = [disk for disk in disks if disk.get("boot")]
    if len(marked) > 1:
        raise Invalid("Invalid value for field 'resource.disks': more than one is marked as boot disk.",
                      field="resource.disks")
    found = marked[0] if marked else disks[0]
    params = found.get("initializeParams") or {}
    if found.get("source"):
        raise Unsupported(
            "compute.instances.insert with field 'resource.disks[0].source' is not offered: this cloud boots from "
            "images only. Give initializeParams.sourceImage.", field="resource.disks[0].source",
        )
    if params.get("sourceSnapshot"):
        raise Unsupported(
            "compute.instances.insert with field 'resource.disks[0].initializeParams.sourceSnapshot' is not offered: "
            "this cloud boots from images only. Make an image of the snapshot.", field=SOURCE,
        )
    if not params.get("sourceImage"):
        raise Missing(f"Required field '{SOURCE}' not specified", field=SOURCE)
    if found.get("mode", "READ_WRITE") != "READ_WRITE":
        raise Invalid("Invalid value for field 'resource.disks[0].mode': a boot disk is READ_WRITE.",
                      field="resource.disks[0].mode")
    return {**found, "initializeParams": params}


def root_gb(wish: Mapping[str, Any], image: Found[Image], size: Found[Size]) -> int:
    """The boot disk's size to ask for, 0 for the image's own. Raises Invalid when it cannot be had."""
    asked = int(wish["initializeParams"].get("diskSizeGb") or wish.get("diskSizeGb") or 0)
    field = "resource.disks[0].initializeParams.diskSizeGb"
    if asked and image.model.size_gb and asked < image.model.size_gb:
        raise Invalid(
            f"Invalid value for field '{field}': '{asked}'. Requested disk size cannot be smaller than the image size "
            f"({image.model.size_gb} GB)", field=field,
        )
    if asked and size.model.root_gb and asked != size.model.root_gb:
        raise Invalid(
            f"Invalid value for field '{field}': '{asked}'. Machine type '{size.name}' comes with a boot disk of "
            f"{size.model.root_gb} GB.", field=field,
        )
    return 0 if asked == image.model.size_gb or size.model.root_gb else asked


def further(ctx: Context, zone: Found[Zone], machine: str) -> list[Step]:
    """Steps that make and attach every disk beyond the boot disk, once the machine is there."""
    steps: list[Step] = []
    disks = ctx.body.get("disks") or []
    marked = [disk for disk in disks if disk.get("boot")]
    first = marked[0] if marked else disks[0]
    for index, disk in enumerate(disks):
        if disk is not first:
            steps += _one(ctx, zone, machine, index, disk)
    return steps


def _one(ctx: Context, zone: Found[Zone], machine: str, index: int, disk: Mapping[str, Any]) -> list[Step]:
    field, cloud = f"resource.disks[{index}]", zone.cloud
    if disk.get("type", "PERSISTENT") != "PERSISTENT" or disk.get("mode", "READ_WRITE") != "READ_WRITE":
        raise Unsupported(
            f"compute.instances.insert with field '{field}.type' SCRATCH or '{field}.mode' READ_ONLY is not offered on "
            f"cloud '{cloud.name}': its disks are persistent and writable.", field=field,
        )
    if cloud.volumes is None:
        raise Unsupported(f"{ctx.method.id} with '{field}' is not offered on cloud '{cloud.name}': it has no disks.",
                          field=field)
    steps: list[Step] = []
    said = {"device": disk.get("deviceName", ""), "auto-delete": "true" if disk.get("autoDelete") else ""}
    if disk.get("source"):
        volume = _existing(ctx, zone, disk["source"], f"{field}.source")
        id: Any = volume.model.id
        steps += _described(cloud.name, volume, said)
    else:
        label = f"disk {index}"
        steps.append(_blank(ctx, zone, machine, index, disk, label))
        labels = (disk.get("initializeParams") or {}).get("labels") or {}
        steps += remarks.steps(cloud, "volume", label, labels, said)
        id = {"$ref": f"{label}.target"}
    args = {"id": id, "node_id": {"$ref": "node.target"}}
    undo = Step(f"detach {index}", cloud.name, "volumes", "detach", {"id": id})
    steps.append(Step(f"attach {index}", cloud.name, "volumes", "attach", args, undo=undo))
    return steps


def _blank(
    ctx: Context, zone: Found[Zone], machine: str, index: int, disk: Mapping[str, Any], label: str
) -> Step:
    field, params = f"resource.disks[{index}].initializeParams", disk.get("initializeParams") or {}
    cloud = zone.cloud.name
    if params.get("sourceImage") or params.get("sourceSnapshot"):
        raise Unsupported(
            f"{ctx.method.id} with field '{field}.sourceImage' is not offered on cloud '{cloud}' for a disk that is "
            "not the boot disk: its data disks start blank.", field=field,
        )
    wish = ctx.ref(params.get("diskType") or "pd-standard", "diskTypes", f"{field}.diskType")
    kind = disk_type(ctx, zone, wish.name)
    if not kind.model.id:
        raise Unsupported(
            f"{ctx.method.id} with field '{field}' is not offered on cloud '{cloud}': it has no data disks.",
            field=field,
        )
    size = int(params.get("diskSizeGb") or disk.get("diskSizeGb") or 0)
    if kind.model.size_gb and size not in (0, kind.model.size_gb):
        raise Invalid(
            f"Invalid value for field '{field}.diskSizeGb': '{size}'. Disks of type '{kind.name}' have "
            f"{kind.model.size_gb} GB.", field=f"{field}.diskSizeGb",
        )
    if not kind.model.size_gb and not kind.model.min_gb <= size <= kind.model.max_gb:
        raise Invalid(
            f"Invalid value for field '{field}.diskSizeGb': '{size}'. Disks of type '{kind.name}' have "
            f"{kind.model.min_gb} to {kind.model.max_gb} GB.", field=f"{field}.diskSizeGb",
        )
    args = {
        "name": params.get("diskName") or disk.get("deviceName") or f"{machine}-{index}", "zone_id": zone.model.id,
        "type_id": kind.model.id, "size_gb": 0 if kind.model.size_gb else size,
    }
    undo = Step(f"destroy {label}", cloud, "volumes", "destroy", {"id": {"$ref": f"{label}.target"}})
    return Step(label, cloud, "volumes", "create", args, undo=undo)


def _existing(ctx: Context, zone: Found[Zone], link: str, field: str) -> Found[Volume]:
    ref = ctx.ref(link, "disks", field)
    found = ctx.view.volumes.match(ref.name, zone.name)
    if found is None:
        raise Invalid(f"Invalid value for field '{field}': '{link}'. Zone '{zone.name}' has no such disk.", field=field)
    if found.model.node_id:
        raise InUse(f"The disk resource 'projects/{ctx.project}/zones/{zone.name}/disks/{found.name}' is already being "
                    "used by another instance.", field=field)
    return found


def _described(cloud: str, volume: Found[Volume], said: Mapping[str, str]) -> list[Step]:
    tags, note = remarks.split(volume.cloud, {}, said)
    steps: list[Step] = []
    if tags:
        args = {"kind": "volume", "ids": [volume.model.id], "tags": tags}
        steps.append(Step(f"tag {volume.model.id}", cloud, "tags", "set", args, optional=True))
    if note:
        where = {"place": cloud, "kind": "volume", "id": volume.model.id, "data": note}
        steps.append(Step(f"note {volume.model.id}", "", "notes", "merge", where))
    return steps
