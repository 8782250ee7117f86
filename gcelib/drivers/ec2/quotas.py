"""The limits that EC2 tells of: the account's attributes, and what is in use."""

from __future__ import annotations

from collections.abc import Sequence

from gcelib.drivers.ec2.addresses import Addresses
from gcelib.drivers.ec2.facet import Facet
from gcelib.drivers.ec2.nodes import Nodes
from gcelib.drivers.ec2.wire import rows, text
from gcelib.models import Quota


class Quotas(Facet):
    """Machines and addresses; EC2's other limits are kept by a service that is not EC2's."""

    name = "quotas"

    def __init__(self, nodes: Nodes, addresses: Addresses) -> None:
        super().__init__(nodes.client, nodes.effects, nodes.settings)
        self._nodes, self._addresses = nodes, addresses

    def list(self) -> Sequence[Quota]:
        """Those that the account's attributes name."""
        told = {
            text(row, "attributeName"): text(next(iter(rows(row, "attributeValueSet")), {}), "attributeValue")
            for row in self.client.list("DescribeAccountAttributes", "accountAttributeSet")
        }
        found: list[Quota] = []
        if told.get("max-instances", "").isdigit():
            found.append(Quota("INSTANCES", float(told["max-instances"]), float(len(self._nodes.list()))))
        most = told.get("vpc-max-elastic-ips") or told.get("max-elastic-ips") or ""
        if most.isdigit():
            addresses = self._addresses.list()
            found.append(Quota("STATIC_ADDRESSES", float(most), float(len(addresses))))
        return found
