"""The disks a new machine is asked to have: its boot disk, and further ones as steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gcelib.drivers.base import Cloud, able
from gcelib.errors import Invalid, Missing, Unsupported
from gcelib.models import Image, Size, Volume, Zone
from gcelib.server import disks, remarks, unmet
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step

SOURCE = "resource.disks[0].initializeParams.sourceImage"
REFUSED: unmet.Wishes = {"diskEncryptionKey": bool, "forceAttach": bool}
REFUSED_PARAMS: unmet.Wishes = {
    "sourceImageEncryptionKey": bool, "sourceSnapshotEncryptionKey": bool, "replicaZones": bool,
    "resourcePolicies": bool, "provisionedIops": bool, "provisionedThroughput": bool, "storagePool": bool,
    "enableConfidentialCompute": bool, "architecture": lambda value: value == "ARM64",
}


def boot(cloud: Cloud, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The boot disk's entry, with `initializeParams.sourceImage`. Raises Missing or Unsupported naming the field."""
    wanted = body.get("disks") or []
    if not wanted:
        raise Missing("Required field 'resource.disks' not specified: a machine needs a boot disk from an image.",
                      field="resource.disks")
    booting = [disk for disk in wanted if disk.get("boot")]
    if len(booting) > 1:
        raise Invalid("Invalid value for field 'resource.disks': more than one is marked as boot disk.",
                      field="resource.disks")
    found = booting[0] if booting else wanted[0]
    params = found.get("initializeParams") or {}
    if found.get("source"):
        raise Unsupported(
            f"compute.instances.insert with field 'resource.disks[0].source' is not offered on cloud '{cloud.name}': "
            "it boots from images only. Give initializeParams.sourceImage.", field="resource.disks[0].source",
        )
    if params.get("sourceSnapshot"):
        raise Unsupported(
            "compute.instances.insert with field 'resource.disks[0].initializeParams.sourceSnapshot' is not offered on "
            f"cloud '{cloud.name}': it boots from images only. Make an image of the snapshot.", field=SOURCE,
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
    """Steps that make and attach every disk beyond the boot disk, once the machine is there.

    Raises Exists when a disk of the zone has the name that the boot disk is to have.
    """
    steps: list[Step] = []
    wanted = ctx.body.get("disks") or []
    first = next((disk for disk in wanted if disk.get("boot")), wanted[0])
    disks.free(ctx, zone, (first.get("initializeParams") or {}).get("diskName") or machine)
    for index, disk in enumerate(wanted):
        if disk is not first:
            steps += _one(ctx, zone, machine, index, disk)
    return steps


def _one(ctx: Context, zone: Found[Zone], machine: str, index: int, disk: Mapping[str, Any]) -> list[Step]:
    name = disk.get("deviceName") or f"{machine}-{index}"
    return attachment(ctx, zone, {"$ref": "node.target"}, index, disk, f"resource.disks[{index}]", name)


def attachment(
    ctx: Context, zone: Found[Zone], node_id: Any, index: int, disk: Mapping[str, Any], path: str, name: str
) -> list[Step]:
    """The steps that attach a data disk as an entry of an instance's disks asks, and make it when it is a new one.

    `name` is a new disk's name where the entry gives none. Raises Unsupported, Invalid, InUse, NotFound, Exists.
    """
    cloud = zone.cloud
    if disk.get("type", "PERSISTENT") != "PERSISTENT" or disk.get("mode", "READ_WRITE") != "READ_WRITE":
        raise Unsupported(
            f"{ctx.method.id} with field '{path}.type' SCRATCH or '{path}.mode' READ_ONLY is not offered on "
            f"cloud '{cloud.name}': its disks are persistent and writable.", field=path,
        )
    if cloud.volumes is None:
        raise Unsupported(f"{ctx.method.id} with '{path}' is not offered on cloud '{cloud.name}': it has no disks.",
                          field=path)
    unmet.refuse(ctx, cloud, disk, REFUSED, "disks", path)
    dies = bool(disk.get("autoDelete"))
    told = able(cloud, "volumes", "outlive")
    said = {"device": disk.get("deviceName", ""), "auto-delete": "true" if dies and not told else ""}
    if disk.get("source"):
        volume = _existing(ctx, zone, disk["source"], f"{path}.source")
        id: Any = volume.model.id
        steps = marked(ctx, volume, said, f" {index}")
    else:
        label = f"disk {index}"
        steps = _new(ctx, zone, disk, path, name, label, said)
        id = {"$ref": f"{label}.target"}
    undo = Step(f"detach {index}", cloud.name, "volumes", "detach", {"id": id})
    args = {"id": id, "node_id": node_id}
    steps.append(Step(f"attach {index}", cloud.name, "volumes", "attach", args, undo=undo))
    if dies and told:
        steps.append(Step(f"auto-delete {index}", cloud.name, "volumes", "outlive", {**args, "on": False}))
    return steps


def marked(ctx: Context, disk: Found[Volume], said: Mapping[str, str], suffix: str = "") -> list[Step]:
    """The steps that keep this with a disk that is there; `suffix` tells them from those of another disk."""
    note = ctx.view.note("volume").get((disk.cloud.name, disk.model.id), {})
    subject = remarks.Subject(disk.cloud, "volume", disk.model.id, disk.model.tags, note)
    return [replace(step, name=step.name + suffix) for step in remarks.restated(subject, said)]


def _new(
    ctx: Context, zone: Found[Zone], disk: Mapping[str, Any], path: str, name: str, label: str, said: Mapping[str, str]
) -> list[Step]:
    params = disk.get("initializeParams") or {}
    inside = f"{path}.initializeParams"
    unmet.refuse(ctx, zone.cloud, params, REFUSED_PARAMS, "disks", inside)
    wish = disks.Wish(
        name=params.get("diskName") or name, path=inside, size_field="diskSizeGb", type_field="diskType",
        image_field=f"{inside}.sourceImage",
        size_gb=int(params.get("diskSizeGb") or disk.get("diskSizeGb") or 0), type=params.get("diskType", ""),
        image=params.get("sourceImage", ""), snapshot=params.get("sourceSnapshot", ""),
    )
    labels = remarks.check_labels(params.get("labels") or {}, f"{inside}.labels")
    return disks.creation(ctx, zone, wish, label, labels, {**said, "description": params.get("description", "")})


def _existing(ctx: Context, zone: Found[Zone], link: str, field: str) -> Found[Volume]:
    found = disks.named(ctx, link, field, zone.name)
    if found.model.node_id:
        raise disks.used(ctx, found, field)
    return found
