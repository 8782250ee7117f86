"""Regions: what GCE clients cut from the names of zones, with the account's quotas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gcelib import naming
from gcelib.models import Zone
from gcelib.server import quotas
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.numbered import numbered
from gcelib.server.times import EPOCH


class Regions(Collection):
    """A region is UP while one of its zones is; one whose cloud is silent says why its quotas are missing."""

    name, kind = "regions", "region"
    looks = ("zones.list", "quotas.list")

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        ctx.view.parts("zones")
        # Before a row is made, so that all rows go by the same.
        ctx.view.parts("quotas")
        return (("", pair) for pair in ctx.view.regions.items())

    def get(self, ctx: Context) -> Rendered:
        """One region."""
        ctx.view.parts("zones")
        ctx.view.parts("quotas")
        ref, regions = ctx.params["region"].lower(), ctx.view.regions
        name = ref if ref in regions else numbered(ref, regions, lambda each: _number(each, regions[each]))
        if name is None:
            raise missing(ctx, "regions", ctx.params["region"])
        return self.show(ctx, "", (name, regions[name]))

    def render(self, ctx: Context, scope: str, item: tuple[str, list[Found[Zone]]]) -> Rendered:
        name, zones = item
        clouds = {zone.cloud.name for zone in zones}
        silent = sorted(clouds & ctx.view.faults.keys())
        shown: Rendered = {
            "id": _number(name, zones),
            "creationTimestamp": EPOCH,
            "name": name,
            "description": ", ".join(sorted(clouds)),
            "status": "UP" if any(zone.model.up for zone in zones) else "DOWN",
            "zones": [ctx.link("zones", zone.name) for zone in zones],
            "quotas": quotas.of(ctx.view, quotas.REGIONAL, clouds),
        }
        if silent:
            words = " ".join(ctx.view.faults[name].message for name in silent)
            shown["quotaStatusWarning"] = {"code": "QUOTA_INFO_UNAVAILABLE", "message": words}
        return shown


def _number(name: str, zones: list[Found[Zone]]) -> str:
    return naming.number(min(zone.cloud.name for zone in zones), "region", name)
