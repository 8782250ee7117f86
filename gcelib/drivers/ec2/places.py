"""Where machines are: availability zones, the subnets in them, and the VPCs those are of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gcelib.drivers.ec2.client import Client
from gcelib.drivers.ec2.facet import Facet
from gcelib.drivers.ec2.wire import Tree, tags, text
from gcelib.models import Network, Vpc, Zone


class Zones(Facet):
    """The availability zones that are open to the account."""

    name = "zones"

    def list(self) -> Sequence[Zone]:
        """Every zone of the region."""
        guarded = "firewalls" not in self.door.kind.profile.lacks
        return [
            Zone(text(row, "zoneName"), text(row, "zoneName"), up=text(row, "zoneState") in ("", "available"),
                 description=f"Availability zone {text(row, 'zoneName')}", security_groups=guarded, picks_network=True)
            for row in zones_of(self.client)
        ]


class Vpcs(Facet):
    """The VPCs beside the one whose subnets are the zones' `default` networks."""

    name = "vpcs"

    def list(self) -> Sequence[Vpc]:
        """Every VPC but the default one; it spans the region, and is told to be in the first zone."""
        found = self.rows()
        main = self.default(found)
        zone = next((text(row, "zoneName") for row in zones_of(self.client)), "")
        return [
            Vpc(text(row, "vpcId"), name_of(row, "vpcId"), zone, cidr=text(row, "cidrBlock"), tags=tags(row))
            for row in found if text(row, "vpcId") != main
        ]

    def rows(self) -> Sequence[Tree]:
        """EC2's own words."""
        return self.client.list("DescribeVpcs", "vpcSet")

    def default(self, found: Iterable[Tree]) -> str:
        """The id of the VPC that machines are in when nothing is said: the configuration's, else the account's."""
        if self.settings.vpc:
            return self.settings.vpc
        return next((text(row, "vpcId") for row in found if text(row, "isDefault") == "true"), "")


class Networks(Facet):
    """Subnets: one in each zone is its `default`; those of other VPCs are subnetworks of them."""

    name = "networks"

    def __init__(self, vpcs: Vpcs) -> None:
        super().__init__(vpcs.client, vpcs.effects, vpcs.settings)
        self._vpcs = vpcs

    def list(self) -> Sequence[Network]:
        """Every subnet."""
        vpcs = {text(row, "vpcId"): row for row in self._vpcs.rows()}
        main = self._vpcs.default(vpcs.values())
        found = sorted(self.rows(), key=lambda row: (text(row, "defaultForAz") != "true", text(row, "subnetId")))
        firsts = {text(row, "availabilityZone"): text(row, "subnetId")
                  for row in reversed(found) if text(row, "vpcId") == main}
        return [self._network(row, vpcs.get(text(row, "vpcId"), {}), main, set(firsts.values())) for row in found]

    def rows(self) -> Sequence[Tree]:
        """EC2's own words."""
        return self.client.list("DescribeSubnets", "subnetSet")

    def vpc_of(self, subnet_id: str) -> str:
        """The VPC a subnet is of; "" when there is no such subnet."""
        found = self.client.some("DescribeSubnets", "subnetSet", SubnetId=[subnet_id])
        return text(found[0], "vpcId") if found else ""

    def _network(self, row: Tree, vpc: Tree, main: str, firsts: set[str]) -> Network:
        id, vpc_id = text(row, "subnetId"), text(row, "vpcId")
        default, other = id in firsts, vpc_id != main
        guarded = "firewalls" not in self.door.kind.profile.lacks
        return Network(
            id, name_of(row, "subnetId"), text(row, "availabilityZone"),
            description="" if not default else f"Subnet {id} ({text(row, 'cidrBlock')}) of VPC {vpc_id}",
            cidr=text(vpc if default else row, "cidrBlock"), default=default, grouped=guarded, nat=True,
            guard="groups" if guarded else "", egress_open=True, vpc_id=vpc_id if other else "",
            vpc_name=name_of(vpc, "vpcId") if other else "", tags=tags(row),
        )


def zones_of(client: Client) -> Sequence[Tree]:
    """EC2's own words on the zones of the region."""
    return client.list("DescribeAvailabilityZones", "availabilityZoneInfo")


def name_of(row: Tree, id: str) -> str:
    """What a thing is called: its tag Name, else its id."""
    return tags(row).get("Name", "") or text(row, id)
