"""CloudStack's limits of an account or project in GCE's metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.client import Client
from gcelib.models import Quota

METRICS: dict[str, str] = {
    "INSTANCES": "vm",
    "CPUS": "cpu",
    "STATIC_ADDRESSES": "ip",
    "IN_USE_ADDRESSES": "ip",
    "DISKS_TOTAL_GB": "primarystorage",
    "SNAPSHOTS": "snapshot",
    "IMAGES": "template",
    "NETWORKS": "network",
}
"""GCE's metric -> the first part of CloudStack's `…limit` and `…total`."""


class Usage(records.Row, frozen=True, kw_only=True):
    """An account or project with its limits: numbers as text, or "Unlimited"; totals are numbers."""

    vmlimit: Any = None
    vmtotal: Any = None
    cpulimit: Any = None
    cputotal: Any = None
    iplimit: Any = None
    iptotal: Any = None
    primarystoragelimit: Any = None
    primarystoragetotal: Any = None
    snapshotlimit: Any = None
    snapshottotal: Any = None
    templatelimit: Any = None
    templatetotal: Any = None
    networklimit: Any = None
    networktotal: Any = None


class Quotas:
    """listAccounts, or listProjects inside a project."""

    name = "quotas"

    def __init__(self, client: Client) -> None:
        self.client = client

    def list(self) -> Sequence[Quota]:
        """The limits CloudStack tells, and their use."""
        project = self.client.project()
        if project:
            rows = self.client.rows("listProjects", "project", Usage, id=project)
        else:
            rows = self.client.rows("listAccounts", "account", Usage)
        if not rows:
            return []
        told = msgspec.structs.asdict(rows[0])
        return [
            Quota(metric, _number(told[f"{part}limit"], -1.0), _number(told[f"{part}total"], 0.0))
            for metric, part in METRICS.items()
            if told[f"{part}limit"] is not None
        ]


def _number(value: Any, otherwise: float) -> float:
    """A number or a number as text; anything else, as "Unlimited", is `otherwise`."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return otherwise
