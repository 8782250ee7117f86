"""Disk types: the cloud's kinds of data disk, and `pd-standard`, which every GCE client takes for granted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gcelib import naming
from gcelib.models import VolumeType
from gcelib.server.collection import Collection, Rendered
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.kinds_of_disk import bounds, default_gb, disk_type, types_in
from gcelib.server.numbered import numbered
from gcelib.server.times import rfc3339


class DiskTypes(Collection):
    """A type with a size of its own has no other; one without is chosen between its bounds."""

    name, kind = "diskTypes", "diskType"
    looks = ("zones.list", "volumes.types")

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        for zone in ctx.view.zones:
            where = f"zones/{zone.name}"
            if scope in ("", where):
                yield from ((where, kind) for kind in types_in(ctx, zone))

    def find(self, ctx: Context, scope: str, ref: str) -> Found[VolumeType]:
        zone = ctx.view.zone(scope.partition("/")[2], ctx.project)
        return numbered(ref, types_in(ctx, zone), _number) or disk_type(ctx, zone, ref)

    def render(self, ctx: Context, scope: str, item: Found[VolumeType]) -> Rendered:
        model = item.model
        low, high = bounds(model)
        return {
            "id": _number(item),
            "creationTimestamp": rfc3339(model.created),
            "name": item.name,
            "description": model.description or model.name,
            "validDiskSize": f"{low}GB-{high}GB",
            "defaultDiskSizeGb": str(default_gb(model)),
            "zone": ctx.link(scope),
        }


def _number(item: Found[VolumeType]) -> str:
    return naming.number(item.cloud.name, "diskType", f"{item.model.id} {item.name}")
