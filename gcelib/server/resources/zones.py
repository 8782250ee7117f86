"""Zones: the places of every cloud of the project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gcelib import naming
from gcelib.models import Zone
from gcelib.server.collection import Collection, Rendered
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.times import EPOCH


class Zones(Collection):
    """A zone's description is the backend's own name for it. Those of a cloud that is away are shown as they were."""

    name, kind = "zones", "zone"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        ctx.view.parts("zones")
        return (("", zone) for zone in ctx.view.zones)

    def get(self, ctx: Context) -> Rendered:
        """One zone, by its GCE name, the cloud's own name for it, or its id."""
        ctx.view.parts("zones")
        return self.show(ctx, "", ctx.view.zone(ctx.params["zone"], ctx.project))

    def render(self, ctx: Context, scope: str, item: Found[Zone]) -> Rendered:
        return {
            "id": naming.number(item.cloud.name, "zone", item.model.id),
            "creationTimestamp": EPOCH,
            "name": item.name,
            "description": item.model.description or item.model.name,
            "status": "UP" if item.model.up else "DOWN",
            "region": ctx.link("regions", naming.region_of(item.name)),
        }
