"""Disks as other things name them: which one a link means, who uses it, and how a new one is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gcelib.errors import Exists, InUse, Invalid, NotFound, NotReady, Unsupported
from gcelib.models import Node, Snapshot, Volume, VolumeState, Zone
from gcelib.server import alone, remarks
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.kinds_of_disk import STANDARD, disk_type, kind_of, sized
from gcelib.server.operations.plan import Step


@dataclass(frozen=True, slots=True)
class Wish:
    """A new disk as a request asks for it: links and sizes as sent, "" and 0 where nothing was.

    `path` is where the fields of these names stand in the body, `size_field` what its size is called there, and
    `image_field` where the image was named.
    """

    name: str
    path: str
    size_field: str = "sizeGb"
    type_field: str = "type"
    image_field: str = "resource.sourceImage"
    size_gb: int = 0
    type: str = ""
    image: str = ""
    snapshot: str = ""
    disk: str = ""


def path_of(ctx: Context, disk: Found[Volume]) -> str:
    """The disk as GCE's messages name it."""
    return f"projects/{ctx.project}/zones/{disk.zone}/disks/{disk.name}"


def user_of(ctx: Context, disk: Found[Volume]) -> Found[Node] | None:
    """The machine a disk is attached to."""
    return ctx.view.nodes.by_id(disk.cloud.name, disk.model.node_id) if disk.model.node_id else None


def used(ctx: Context, disk: Found[Volume], field: str = "") -> InUse:
    """GCE's refusal of what cannot be done to an attached disk."""
    node = user_of(ctx, disk)
    by = f"'projects/{ctx.project}/zones/{node.zone}/instances/{node.name}'" if node else "another instance"
    return InUse(f"The disk resource '{path_of(ctx, disk)}' is already being used by {by}", field=field)


def named(ctx: Context, link: str, field: str, zone: str = "") -> Found[Volume]:
    """The disk a link in a body means; a bare name is looked for in `zone`, else everywhere.

    Raises NotFound, and Invalid for a link into another zone than the one given, or a name in several.
    """
    ref = ctx.ref(link, "disks", field)
    said = ref.scope.partition("/")[2]
    where = ctx.view.zone(said, ctx.project).name if said else zone
    if zone and where != zone:
        raise Invalid(f"Invalid value for field '{field}': '{link}'. The disk must be in zone '{zone}'.", field=field)
    places = [where] if where else [each.name for each in ctx.view.zones]
    found = [disk for place in places if (disk := ctx.view.volumes.match(ref.name, place)) is not None]
    if not found:
        raise NotFound(f"The resource '{ref.path}' was not found", field=field)
    if len(found) > 1:
        names = ", ".join(f"zones/{disk.zone}/disks/{disk.name}" for disk in found)
        raise Invalid(f"Invalid value for field '{field}': '{link}' could be any of {names}.", field=field)
    return found[0]


def readable(ctx: Context, disk: Found[Volume]) -> Found[Volume]:
    """The disk, if it can be copied. Raises NotReady for one on which there is nothing yet."""
    if disk.model.blank:
        raise NotReady(
            f"{ctx.method.id} is not offered on cloud '{disk.cloud.name}' for a disk that was never attached: the disk "
            f"'{path_of(ctx, disk)}' has no storage yet. Attach it to an instance first."
        )
    if disk.model.state is not VolumeState.READY:
        raise NotReady(f"The resource '{path_of(ctx, disk)}' is not ready: its status is {disk.model.state.value}.")
    return disk


def snapshot_named(ctx: Context, link: str, field: str) -> Found[Snapshot]:
    """The snapshot a link in a body means. Raises NotFound, and NotReady for one still being made."""
    ref = ctx.ref(link, "snapshots", field)
    found = ctx.view.snapshots.match(ref.name)
    if found is None:
        raise NotFound(f"The resource 'projects/{ref.project}/global/snapshots/{ref.name}' was not found", field=field)
    if found.model.state is not VolumeState.READY:
        raise NotReady(f"The resource 'projects/{ctx.project}/global/snapshots/{found.name}' is not ready: its status "
                       f"is {found.model.state.value}.")
    return found


def taken(ctx: Context, zone: Found[Zone], name: str) -> bool:
    """Whether a disk of the zone has this name."""
    try:
        return alone.is_disk(ctx.view, zone, name)
    except alone.Undecided:
        found = ctx.view.volumes.match(name, zone.name)
        return found is not None and found.name == name


def free(ctx: Context, zone: Found[Zone], name: str) -> None:
    """Raise Exists when a disk of the zone has this name."""
    if taken(ctx, zone, name):
        raise Exists(f"The resource 'projects/{ctx.project}/zones/{zone.name}/disks/{name}' already exists")


def creation(
    ctx: Context, zone: Found[Zone], wish: Wish, label: str, labels: Mapping[str, str], said: Mapping[str, Any]
) -> list[Step]:
    """The steps that make a disk; the one named `label` makes it, and is followed by what is to be kept of it.

    Raises Exists for a taken name, Unsupported, Invalid, NotReady or NotFound naming the field.
    """
    cloud = zone.cloud
    if cloud.volumes is None:
        raise _not_offered(ctx, zone, wish.path, "it has no disks of their own")
    if wish.image:
        raise _not_offered(
            ctx, zone, wish.image_field, "it makes disks of images for machines to boot from "
            "only, other disks start blank or from a snapshot. Leave the image out, or create an instance of it",
        )
    free(ctx, zone, wish.name)
    steps: list[Step] = []
    more = dict(said)
    if wish.snapshot or wish.disk:
        copy, args, size, known = _copied(ctx, zone, wish, label)
        steps += copy
        more |= known
    else:
        args = _blank(ctx, zone, wish)
        size = 0
    kind = disk_type(ctx, zone, _type(ctx, wish))
    more["type"] = kind.name if kind.name == STANDARD else ""
    undo = Step(f"destroy {label}", cloud.name, "volumes", "destroy", {"id": {"$ref": f"{label}.target"}})
    made = {"name": wish.name, "zone_id": zone.model.id, "submitted": "$now", **args}
    steps.append(Step(label, cloud.name, "volumes", "create", made, undo=undo, weight=3))
    steps += remarks.steps(cloud, "volume", label, labels, more)
    if size:
        grow = {"id": {"$ref": f"{label}.target"}, "size_gb": size}
        steps.append(Step(f"grow {label}", cloud.name, "volumes", "resize", grow))
    if wish.disk:
        steps.append(Step(f"drop copy for {label}", cloud.name, "snapshots", "destroy",
                          {"id": {"$ref": f"copy for {label}.target"}}, optional=True))
    return steps


def _type(ctx: Context, wish: Wish) -> str:
    return ctx.ref(wish.type or STANDARD, "diskTypes", f"{wish.path}.{wish.type_field}").name


def _blank(ctx: Context, zone: Found[Zone], wish: Wish) -> dict[str, Any]:
    kind = disk_type(ctx, zone, _type(ctx, wish))
    if not kind.model.id:
        raise _not_offered(ctx, zone, wish.path, "it has no kind of data disk")
    size = sized(kind, wish.size_gb, f"{wish.path}.{wish.size_field}")
    return {"type_id": kind.model.id, "size_gb": 0 if kind.model.size_gb else size}


def _copied(
    ctx: Context, zone: Found[Zone], wish: Wish, label: str
) -> tuple[list[Step], dict[str, Any], int, dict[str, str]]:
    """(steps before, arguments, the size to grow to or 0, what to keep) of a copy of a snapshot or a disk."""
    cloud = zone.cloud.name
    id: Any
    if wish.snapshot:
        source = snapshot_named(ctx, wish.snapshot, f"{wish.path}.sourceSnapshot")
        _here(zone, source, wish)
        size, origin, steps = source.model.size_gb, source.model.volume_id, list[Step]()
        boot, id, known = source.model.boot, source.model.id, {"snapshot": source.name}
    else:
        disk = readable(ctx, named(ctx, wish.disk, f"{wish.path}.sourceDisk", zone.name))
        step = f"copy for {label}"
        undo = Step(f"drop {step}", cloud, "snapshots", "destroy", {"id": {"$ref": f"{step}.target"}})
        args = {"name": f"{wish.name}-copy", "volume_id": disk.model.id, "submitted": "$now"}
        steps = [Step(step, cloud, "snapshots", "create", args, undo=undo, weight=5)]
        size, origin, boot = disk.model.size_gb, disk.model.id, disk.model.boot
        id, known = {"$ref": f"{step}.target"}, {"source": f"{disk.zone}/{disk.name}"}
    if wish.size_gb and wish.size_gb < size:
        field = f"{wish.path}.{wish.size_field}"
        raise Invalid(f"Invalid value for field '{field}': '{wish.size_gb}'. The disk cannot be smaller than what it "
                      f"is a copy of ({size} GB).", field=field)
    type_id = _type_of_copy(ctx, zone, wish, origin, boot)
    if type_id and zone.cloud.traits.copies_keep_type:
        # Of a type of its own it is made in its size at once: the type leaves that open.
        return steps, {"snapshot_id": id, "type_id": type_id, "size_gb": max(wish.size_gb, size)}, 0, known
    return steps, {"snapshot_id": id, "type_id": type_id}, wish.size_gb if wish.size_gb > size else 0, known


def _here(zone: Found[Zone], source: Found[Snapshot], wish: Wish) -> None:
    field = f"{wish.path}.sourceSnapshot"
    if source.cloud.name != zone.cloud.name or source.model.zone_id not in ("", zone.model.id):
        raise Invalid(
            f"Invalid value for field '{field}': '{wish.snapshot}'. On cloud '{source.cloud.name}' a disk is made in "
            "the zone its snapshot is in.", field=field,
        )


def _type_of_copy(ctx: Context, zone: Found[Zone], wish: Wish, origin: str, boot: bool) -> str:
    """The type to name to the cloud: it keeps the type of a data disk in its copies. Raises Unsupported."""
    kind = disk_type(ctx, zone, _type(ctx, wish))
    if kind.name == STANDARD or not kind.model.id:
        return ""
    if not zone.cloud.traits.copies_keep_type:
        return kind.model.id
    field = f"{wish.path}.{wish.type_field}"
    if boot:
        if kind.model.size_gb:
            raise _not_offered(ctx, zone, field, "a copy of a boot disk has a size of its own. Leave the type out")
        return kind.model.id
    disk = ctx.view.volumes.by_id(zone.cloud.name, origin)
    same = kind_of(ctx, disk) if disk is not None else None
    if same is None or same.model.id != kind.model.id:
        raise _not_offered(ctx, zone, field, "a copy of a data disk keeps its type. Leave the type out")
    return ""


def _not_offered(ctx: Context, zone: Found[Zone], field: str, why: str) -> Unsupported:
    return Unsupported(
        f"{ctx.method.id} with field '{field}' is not offered on cloud '{zone.cloud.name}': {why}.", field=field
    )
