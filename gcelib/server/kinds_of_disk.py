"""Which kinds of disk a zone has, and which one a disk type's name means there."""

from __future__ import annotations

from msgspec.structs import replace

from gcelib.errors import Invalid
from gcelib.models import Volume, VolumeType, Zone
from gcelib.server.collection import missing
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found

STANDARD = "pd-standard"
DEFAULT_GB = 500
"""GCE's own size of a `pd-standard` disk when none is asked for."""


def types_in(ctx: Context, zone: Found[Zone]) -> list[Found[VolumeType]]:
    """The kinds of disk in a zone, `pd-standard` first: the kind whose size is free, else boot disks only."""
    cloud, id = zone.cloud.name, zone.model.id
    here = [kind for kind in ctx.view.volume_types if kind.cloud.name == cloud and offered(kind, id)]
    if any(kind.name == STANDARD for kind in here):
        return here
    free = next((kind for kind in here if not kind.model.size_gb), None)
    if free is not None:
        standard = replace(free, name=STANDARD)
    else:
        text = "The storage of the cloud's own choice, for boot disks"
        standard = Found(zone.cloud, VolumeType(id="", name=STANDARD, description=text), STANDARD)
    return [standard, *here]


def offered(kind: Found[VolumeType], zone_id: str) -> bool:
    """Whether there are disks of this kind in a zone of its cloud."""
    return kind.model.zone_ids is None or zone_id in kind.model.zone_ids


def disk_type(ctx: Context, zone: Found[Zone], ref: str) -> Found[VolumeType]:
    """The kind of disk `ref` means in the zone. Raises NotFound."""
    kinds = types_in(ctx, zone)
    found = Directory(kinds).match(ref)
    if found is None:
        raise missing(ctx, "zones", zone.name, "diskTypes", ref)
    return found


def bounds(kind: VolumeType) -> tuple[int, int]:
    """The smallest and the largest size of a kind of disk, in GB."""
    return (kind.size_gb, kind.size_gb) if kind.size_gb else (kind.min_gb, kind.max_gb)


def default_gb(kind: VolumeType) -> int:
    """The size of a disk of this kind when none is asked for: GCE's, as near as the kind comes to it."""
    low, high = bounds(kind)
    return max(low, min(DEFAULT_GB, high))


def sized(kind: Found[VolumeType], asked: int, field: str) -> int:
    """The size in GB of a new disk, or the kind's default for 0. Raises Invalid naming the field."""
    low, high = bounds(kind.model)
    size = asked or default_gb(kind.model)
    if not low <= size <= high:
        offer = f"{low} GB" if low == high else f"{low} to {high} GB"
        raise Invalid(
            f"Invalid value for field '{field}': '{asked}'. Disks of type '{kind.name}' have {offer}.", field=field,
        )
    return size


def kind_of(ctx: Context, disk: Found[Volume]) -> Found[VolumeType] | None:
    """The kind a disk is of; None for a boot disk, whose machine's size says where it is."""
    return ctx.view.volume_types.by_id(disk.cloud.name, disk.model.type_id) if disk.model.type_id else None
