"""The disks a new machine is asked to have: its boot disk, and further ones as steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from gcelib import naming
from gcelib.drivers.base import Cloud, able
from gcelib.errors import Invalid, Missing, Unsupported
from gcelib.models import Image, Size, Volume, Zone
from gcelib.server import disks, remarks, unmet
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step

_STEM = 59
"""Letters of a machine's name that begin its disks' names: those have room for a dash and a number behind them."""

SOURCE = "resource.disks[0].initializeParams.sourceImage"
REFUSED: unmet.Wishes = {"diskEncryptionKey": bool, "forceAttach": bool}
REFUSED_PARAMS: unmet.Wishes = {
    "sourceImageEncryptionKey": bool, "sourceSnapshotEncryptionKey": bool, "replicaZones": bool,
    "resourcePolicies": bool, "provisionedIops": bool, "provisionedThroughput": bool, "storagePool": bool,
    "enableConfidentialCompute": bool, "architecture": lambda value: value == "ARM64", "resourceManagerTags": bool,
}
REFUSED_BOOT: unmet.Wishes = {**REFUSED, "type": lambda value: value != "PERSISTENT"}


def booting(wanted: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The boot disk among a machine's: the one that is marked, else the first."""
    return next((disk for disk in wanted if disk.get("boot")), wanted[0])


def boot(ctx: Context, cloud: Cloud) -> Mapping[str, Any]:
    """The boot disk's entry, with `initializeParams.sourceImage`. Raises Missing or Unsupported naming the field."""
    wanted = ctx.body.get("disks") or []
    if not wanted:
        raise Missing("Required field 'resource.disks' not specified: a machine needs a boot disk from an image.",
                      field="resource.disks")
    if sum(bool(disk.get("boot")) for disk in wanted) > 1:
        raise Invalid("Invalid value for field 'resource.disks': more than one is marked as boot disk.",
                      field="resource.disks")
    found = booting(wanted)
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
    unmet.refuse(ctx, cloud, found, REFUSED_BOOT, "boot disks", "resource.disks[0]")
    unmet.refuse(ctx, cloud, params, REFUSED_PARAMS, "boot disks", "resource.disks[0].initializeParams")
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

    Raises Exists when a disk of the zone has the name that the boot disk is to have, Invalid for two of one name.
    """
    steps: list[Step] = []
    wanted = ctx.body.get("disks") or []
    first = booting(wanted)
    inside = f"resource.disks[{wanted.index(first)}].initializeParams"
    boot = _name(first.get("initializeParams") or {}, inside, set()) or machine
    disks.free(ctx, zone, boot)
    _apart(wanted, first)
    names = {boot}
    for index, disk in enumerate(wanted):
        if disk is not first:
            path = f"resource.disks[{index}]"
            steps += attachment(ctx, zone, {"$ref": "node.target"}, index, disk, path, (machine, names))
    return steps


def _apart(wanted: Sequence[Mapping[str, Any]], first: Mapping[str, Any]) -> None:
    """Raise Invalid where two disks would be one device: it is by their device names that disks are told apart."""
    order = sorted(enumerate(wanted), key=lambda pair: pair[1] is not first)
    devices = Counter(disk.get("deviceName") or f"persistent-disk-{place}" for place, (_, disk) in enumerate(order))
    for index, disk in reversed(order):
        name = disk.get("deviceName")
        if name and devices[name] > 1:
            field = f"resource.disks[{index}].deviceName"
            raise Invalid(f"Invalid value for field '{field}': '{name}'. Another disk has this device name.",
                          field=field)


def attachment(
    ctx: Context, zone: Found[Zone], node_id: Any, index: int, disk: Mapping[str, Any], path: str,
    owner: tuple[str, set[str]],
) -> list[Step]:
    """The steps that attach a data disk as an entry of an instance's disks asks, and make it when it is a new one.

    `owner` is (the machine's name, the names of disks that the request makes besides), to which a new disk's is added.
    Raises Unsupported, Invalid, InUse, NotFound, Exists.
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
        volume = _existing(ctx, zone, disk["source"], f"{path}.source", owner[1])
        id: Any = volume.model.id
        steps = marked(ctx, volume, said, f" {index}")
    else:
        label = f"disk {index}"
        steps = _new(ctx, zone, disk, path, index, label, said, owner)
        id = {"$ref": f"{label}.target"}
    args = {"id": id, "node_id": node_id}
    # From this machine alone: where it could not be attached, another may have it meanwhile.
    undo = Step(f"detach {index}", cloud.name, "volumes", "detach", args)
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
    ctx: Context, zone: Found[Zone], disk: Mapping[str, Any], path: str, index: int, label: str,
    said: Mapping[str, str], owner: tuple[str, set[str]],
) -> list[Step]:
    params = disk.get("initializeParams") or {}
    inside = f"{path}.initializeParams"
    unmet.refuse(ctx, zone.cloud, params, REFUSED_PARAMS, "disks", inside)
    machine, names = owner
    name = _name(params, inside, names) or _unused(ctx, zone, machine, index, names)
    names.add(name)
    wish = disks.Wish(
        name=name, path=inside, size_field="diskSizeGb", type_field="diskType",
        image_field=f"{inside}.sourceImage",
        size_gb=int(params.get("diskSizeGb") or disk.get("diskSizeGb") or 0), type=params.get("diskType", ""),
        image=params.get("sourceImage", ""), snapshot=params.get("sourceSnapshot", ""),
    )
    labels = remarks.check_labels(params.get("labels") or {}, f"{inside}.labels")
    return disks.creation(ctx, zone, wish, label, labels, {**said, "description": params.get("description", "")})


def _name(params: Mapping[str, Any], inside: str, names: Container[str]) -> str:
    """The name that a new disk is given, "" for none. Raises Invalid for what is none, and for one of `names`."""
    name: str = params.get("diskName") or ""
    field = f"{inside}.diskName"
    if name and not naming.is_label(name):
        raise Invalid(f"Invalid value for field '{field}': '{name}'. Must be a match of regex "
                      f"'(?:{naming.LABEL_PATTERN})'", field=field)
    if name in names:
        raise Invalid(f"Invalid value for field '{field}': '{name}'. Two disks of the machine would have this name.",
                      field=field)
    return name


def _unused(ctx: Context, zone: Found[Zone], machine: str, index: int, names: Container[str]) -> str:
    """A name for a new disk that is given none: its machine's, with the first number from `index` on that is free."""
    stem = machine[:_STEM].rstrip("-")
    tried = (f"{stem}-{number}" for number in count(index))
    return next(name for name in tried if name not in names and not disks.taken(ctx, zone, name))


def _existing(ctx: Context, zone: Found[Zone], link: str, field: str, names: set[str]) -> Found[Volume]:
    found = disks.named(ctx, link, field, zone.name)
    if found.model.node_id:
        raise disks.used(ctx, found, field)
    if found.name in names:
        raise Invalid(f"Invalid value for field '{field}': '{link}'. The request names this disk twice.", field=field)
    names.add(found.name)
    return found
