"""The project's limits in GCE's metrics, and their use: Nova's, Cinder's and Neutron's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gcelib.drivers.generic.effects import Effects
from gcelib.drivers.openstack import servers
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import Facet
from gcelib.drivers.openstack.places import Sizes
from gcelib.errors import Forbidden, NotFound, Unavailable
from gcelib.models import Quota

LIMITS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "compute": {"INSTANCES": ("maxTotalInstances", "totalInstancesUsed"), "CPUS": ("maxTotalCores", "totalCoresUsed")},
    "volume": {
        "DISKS_TOTAL_GB": ("maxTotalVolumeGigabytes", "totalGigabytesUsed"),
        "SNAPSHOTS": ("maxTotalSnapshots", "totalSnapshotsUsed"),
    },
}
"""Service -> GCE's metric -> what its `limits` call the most there may be, and how much there is."""
NETWORK: Mapping[str, tuple[str, ...]] = {
    "network": ("NETWORKS",), "floatingip": ("STATIC_ADDRESSES", "IN_USE_ADDRESSES"),
    "security_group_rule": ("FIREWALLS",),
}
"""Neutron's resource -> GCE's metrics."""


ENDLESS = 2**63
"""More than anybody has of anything."""


class Quotas(Facet):
    """What the project may use."""

    name = "quotas"

    def __init__(self, api: Api, effects: Effects, sizes: Sizes) -> None:
        super().__init__(api, effects)
        self._sizes = sizes

    def list(self) -> Sequence[Quota]:
        """Every limit there is a metric for; -1 for none. A service that is away, or does not tell, is left out.

        Raises Unavailable when none tells because some are away.
        """
        found: list[Quota] = []
        away: list[Unavailable] = []
        for service in (*LIMITS, "network"):
            try:
                found += self._networked() if service == "network" else self._computed(service)
            except Unavailable as fault:
                away.append(fault)
            except (NotFound, Forbidden):
                # A Neutron without this extension; an account that may not see its limits.
                continue
        if away and not found:
            raise away[0]
        return found

    def _computed(self, service: str) -> Iterator[Quota]:
        if service != "volume" or self.api.keeps_volumes():
            metrics = LIMITS[service]
            told = numbers(self.api.inside(self.api.get(service, "/limits"), "limits", "absolute"))
            used = self._counted() if service == "compute" and told.get("totalInstancesUsed", 0) < 0 else {}
            for metric, (limit, usage) in metrics.items():
                if limit in told:
                    yield Quota(metric, float(told[limit]), float(used.get(metric, max(0, told.get(usage, 0)))))

    def _counted(self) -> Mapping[str, int]:
        """What is in use, counted: a Nova without limits does not keep count."""
        rows = servers.servers(self.api)
        cpus = {row.id: row.vcpus for row in self._sizes.rows()}
        return {"INSTANCES": len(rows), "CPUS": sum(cpus.get(str(row.flavor.get("id")), 0) for row in rows)}

    def _networked(self) -> Iterator[Quota]:
        answer = self.api.get("network", f"/v2.0/quotas/{self.api.me().project_id}/details")
        kept = self.api.inside(answer, "quota")
        for resource, metrics in NETWORK.items():
            each = kept.get(resource)
            told = numbers(each) if isinstance(each, dict) else {}
            if {"limit", "used"} <= told.keys():
                for metric in metrics:
                    yield Quota(metric, float(told["limit"]), float(told["used"]))


def numbers(told: Mapping[str, Any]) -> Mapping[str, float]:
    """Those of the values that are numbers, and not without end."""
    return {
        name: value for name, value in told.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < ENDLESS
    }
