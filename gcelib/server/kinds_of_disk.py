"""Which kinds of disk a zone has, and which one a disk type's name means there."""

from __future__ import annotations

from dataclasses import replace

from gcelib.models import VolumeType, Zone
from gcelib.server.collection import missing
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found

STANDARD = "pd-standard"


def types_in(ctx: Context, zone: Found[Zone]) -> list[Found[VolumeType]]:
    """The kinds of disk in a zone, `pd-standard` first: the kind whose size is free, else boot disks only."""
    here = [kind for kind in ctx.view.volume_types if kind.cloud.name == zone.cloud.name]
    if any(kind.name == STANDARD for kind in here):
        return here
    free = next((kind for kind in here if not kind.model.size_gb), None)
    if free is not None:
        standard = replace(free, name=STANDARD)
    else:
        text = "The storage of the cloud's own choice, for boot disks"
        standard = Found(zone.cloud, VolumeType(id="", name=STANDARD, description=text), STANDARD)
    return [standard, *here]


def disk_type(ctx: Context, zone: Found[Zone], ref: str) -> Found[VolumeType]:
    """The kind of disk `ref` means in the zone. Raises NotFound."""
    kinds = types_in(ctx, zone)
    found = Directory(kinds).match(ref)
    if found is None:
        raise missing(ctx, "zones", zone.name, "diskTypes", ref)
    return found
