"""Machine types: the cloud's sizes, the same in every zone that has them, and custom ones by number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gcelib import naming
from gcelib.models import Size
from gcelib.server.collection import Collection, Rendered
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.sizes import in_zone, machine_type
from gcelib.server.times import rfc3339

MOST_DISKS = 15


class MachineTypes(Collection):
    """`custom-2-4096` is two CPUs and 4096 MB of a size that leaves them open."""

    name, kind = "machineTypes", "machineType"
    looks = ("zones.list", "sizes.list")

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        sizes = [size for size in ctx.view.sizes if size.model.custom is None]
        for zone in ctx.view.zones:
            where = f"zones/{zone.name}"
            if scope in ("", where):
                yield from ((where, size) for size in sizes if in_zone(size, zone))

    def find(self, ctx: Context, scope: str, ref: str) -> Found[Size]:
        return machine_type(ctx, ctx.view.zone(scope.partition("/")[2], ctx.project), ref)

    def render(self, ctx: Context, scope: str, item: Found[Size]) -> Rendered:
        size = item.model
        return {
            "id": naming.number(item.cloud.name, "size", f"{size.id} {item.name}" if size.custom else size.id),
            "creationTimestamp": rfc3339(size.created),
            "name": item.name,
            "description": size.description or size.name,
            "guestCpus": size.cpus,
            "memoryMb": size.ram_mb,
            "imageSpaceGb": size.root_gb,
            "maximumPersistentDisks": MOST_DISKS,
            "maximumPersistentDisksSizeGb": "65536",
            "isSharedCpu": False,
            "zone": scope.partition("/")[2],
        }
