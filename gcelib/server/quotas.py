"""The account's limits as GCE's quotas, summed over clouds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from gcelib.server.view import View

REGIONAL = ("CPUS", "DISKS_TOTAL_GB", "STATIC_ADDRESSES", "IN_USE_ADDRESSES", "INSTANCES")
GLOBAL = ("INSTANCES", "NETWORKS", "FIREWALLS", "IMAGES", "SNAPSHOTS", "STATIC_ADDRESSES", "CPUS", "DISKS_TOTAL_GB")
UNLIMITED = 1e12
"""What is shown for "no limit": GCE has no word for it, and clients compute with the number."""


def of(view: View, metrics: Iterable[str], clouds: Collection[str] | None = None) -> list[dict[str, Any]]:
    """`[{metric, limit, usage}]` for those of `metrics` that some cloud knows; all clouds unless named."""
    limits: dict[str, float] = {}
    usages: dict[str, float] = {}
    for part in view.parts("quotas"):
        if clouds is not None and part.cloud.name not in clouds:
            continue
        for quota in part.rows:
            limit = UNLIMITED if quota.limit < 0 else quota.limit
            limits[quota.metric] = min(UNLIMITED, limits.get(quota.metric, 0.0) + limit)
            usages[quota.metric] = usages.get(quota.metric, 0.0) + quota.usage
    return [
        {"metric": metric, "limit": float(limits[metric]), "usage": float(usages[metric])}
        for metric in metrics
        if metric in limits
    ]
