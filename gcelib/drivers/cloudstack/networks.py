"""CloudStack's guest networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers import faults
from gcelib.drivers.cloudstack import wire
from gcelib.drivers.cloudstack.client import BAD_PARAMETER, Client
from gcelib.drivers.cloudstack.facet import Facet, gone, line_of, reached
from gcelib.drivers.cloudstack.jobs import Jobs, Seen
from gcelib.drivers.cloudstack.network_rows import NetworkOfferingRow, NetworkRow
from gcelib.drivers.cloudstack.zones import Zones, grouped
from gcelib.drivers.faults import Garbled
from gcelib.errors import Exists, Fault, Invalid, Refused
from gcelib.models import Job, Network

OWN = frozenset({"isolated", "l2"})
USUAL_PREFIX = 22


class Networks(Facet):
    """listNetworks and its commands. `offering` is the id or name of the offering new networks get, or ""."""

    name = "networks"
    jobbed = frozenset({"destroy"})

    def __init__(self, client: Client, jobs: Jobs, zones: Zones, offering: str) -> None:
        super().__init__(client, jobs)
        self._zones, self._wanted = zones, offering

    def list(self) -> Sequence[Network]:
        """Every network; in zones with security groups the oldest shared one is the default."""
        rows = [row for row in self._rows() if not row.issystem]
        firsts: dict[str, NetworkRow] = {}
        for row in sorted(rows, key=lambda row: (row.created, row.id)):
            if self._shared_grouped(row):
                firsts.setdefault(row.zoneid, row)
        return [
            Network(
                id=row.id,
                name=row.name or row.id,
                zone_id=row.zoneid,
                description="" if row.displaytext == row.name else row.displaytext,
                cidr=row.cidr,
                gateway=row.gateway,
                default=firsts.get(row.zoneid) is row,
                grouped=self._grouped(row),
                own=row.type.casefold() in OWN and row.acltype.casefold() != "domain",
                nat=_has(row, "StaticNat"),
                balanced=_has(row, "Lb"),
                guard=self._guard(row),
                egress_open=row.egressdefaultpolicy,
                vpc_id=row.vpcid,
                vpc_name=row.vpcname,
                acl_id=row.aclid,
                created=wire.time_of(row.created),
                tags=row.pairs,
            )
            for row in rows
        ]

    def create(
        self, *, key: str, name: str, zone_id: str, description: str = "", cidr: str = "", gateway: str = "",
        vpc_id: str = "", acl_id: str = "",
    ) -> Job:
        """createNetwork: an isolated network with source NAT, or a tier of a VPC, behind a list where it can be.

        Raises Exists for a name taken in the zone (CloudStack would make a second one), Invalid for a bad
        `cidr`, Refused when the cloud offers its users no isolated network.
        """
        place = _place(cidr, gateway)
        if self.seen("create", {"name": name, "zone_id": zone_id}, ""):
            raise Exists(f"{self.client.at} has a network named '{name}' already.")
        offering = self._tier_offering(zone_id) if vpc_id else self._offering(zone_id)
        tier = {"vpcid": vpc_id} if vpc_id else {}
        if acl_id and _listed(offering):
            tier["aclid"] = acl_id
        try:
            fields = self.client.change(
                "createNetwork", name=name, displaytext=line_of(description) or name, zoneid=zone_id,
                networkofferingid=offering.id, **place, **tier,
            )  # fmt: skip
        except Refused as fault:
            raise _wide(cidr, fault) from fault.__cause__
        try:
            row = wire.one(bytes(fields["network"]), NetworkRow)
        except (KeyError, Garbled):
            row = NetworkRow()
        return self.done(row.id or self._named(name, zone_id))

    def destroy(self, *, key: str, id: str) -> Job:
        """deleteNetwork; one already gone is done."""
        return self.send("destroy", "deleteNetwork", {"id": id}, key=key, target=id, id=id)

    def explained(self, verb: str, fault: Fault) -> Fault:
        """What keeps a network that seems empty from being deleted, where destroyed machines linger."""
        if verb != "destroy" or self.client.capabilities().allowuserexpungerecovervm:
            return fault
        words = (
            f"{fault.message.rstrip('.')}. Machines that were deleted count as well until the cloud purges them, which "
            "may take a day: delete the network again then."
        )
        return type(fault)(words, field=fault.field)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The network's row, or that it is gone."""
        if verb == "destroy":
            return gone(any(row.id == target for row in self._rows()), target)
        made = self._named(str(args["name"]), str(args["zone_id"]))
        return reached(bool(made), made)

    def _rows(self, **filters: str) -> Sequence[NetworkRow]:
        return self.client.rows("listNetworks", "network", NetworkRow, **filters)

    def _named(self, name: str, zone_id: str) -> str:
        rows = self._rows(zoneid=zone_id)
        return next((row.id for row in rows if row.name.casefold() == name.casefold()), "")

    def _grouped(self, row: NetworkRow) -> bool:
        zone = self._zones.book.get(row.zoneid)
        served = any(service.name == "SecurityGroup" for service in row.service)
        return served or (zone is not None and grouped(zone) and row.type.casefold() not in OWN)

    def _shared_grouped(self, row: NetworkRow) -> bool:
        return self._grouped(row) and row.type.casefold() not in OWN

    def _guard(self, row: NetworkRow) -> str:
        """What guards a network's machines. Tiers have access lists, isolated networks rules on their addresses."""
        if self._grouped(row):
            return "groups"
        if row.vpcid:
            return "acl" if _has(row, "NetworkACL") else ""
        return "addresses" if row.type.casefold() == "isolated" and _has(row, "Firewall") else ""

    def _offerings(self, zone_id: str) -> Sequence[NetworkOfferingRow]:
        return self.client.rows(
            "listNetworkOfferings", "networkoffering", NetworkOfferingRow, zoneid=zone_id, state="Enabled",
        )  # fmt: skip

    def _tier_offering(self, zone_id: str) -> NetworkOfferingRow:
        """What tiers are made from: best one with access lists, the default one, one that can share out load."""
        fit = [row for row in self._offerings(zone_id) if row.forvpc and row.guestiptype.casefold() == "isolated"]
        if not fit:
            raise Refused(f"{self.client.at} offers no network for a private cloud in this zone.")
        return min(fit, key=lambda row: (
            not _listed(row), not row.isdefault, not any(service.name == "Lb" for service in row.service)))

    def _offering(self, zone_id: str) -> NetworkOfferingRow:
        """The configured offering, else the one CloudStack itself would take, else any with source NAT."""
        rows = self._offerings(zone_id)
        if self._wanted:
            wanted = self._wanted.casefold()
            named = [row for row in rows if wanted in (row.id.casefold(), row.name.casefold())]
            if not named:
                raise Refused(
                    f"{self.client.at} offers no network '{self._wanted}', which network_offering in"
                    f" [clouds.{self.client.at.cloud}.options] names."
                )
            return named[0]
        fit = [row for row in rows if _fits(row)]
        if not fit:
            raise Refused(f"{self.client.at} offers no isolated network with source NAT in this zone.")
        return min(fit, key=lambda row: (row.availability != "Required", not row.isdefault))


def _has(row: NetworkRow, service: str) -> bool:
    """Whether a network has this service; an isolated one that tells of none has all that its router can do."""
    if not row.service:
        return row.type.casefold() == "isolated"
    return any(each.name == service for each in row.service)


def _listed(row: NetworkOfferingRow) -> bool:
    """Whether tiers made from it can have access lists."""
    return not row.service or any(service.name == "NetworkACL" for service in row.service)


def _fits(row: NetworkOfferingRow) -> bool:
    if row.guestiptype.casefold() != "isolated" or row.forvpc or row.specifyvlan:
        return False
    return not row.service or any(service.name == "SourceNat" for service in row.service)


def _wide(cidr: str, fault: Refused) -> Fault:
    """The refusal, with what the cloud does not say of ranges wider than an unchanged one gives its users."""
    if faults.cloud_code(fault) != BAD_PARAMETER or int(cidr.rpartition("/")[2] or 32) >= USUAL_PREFIX:
        return fault
    return Refused(f"{fault.message.rstrip('.')}. Clouds give their users networks of /{USUAL_PREFIX} or less unless "
                   "their operators have set network.guest.cidr.limit otherwise: ask for a smaller range.",
                   field=fault.field)


def _place(cidr: str, gateway: str) -> dict[str, str]:
    """createNetwork's gateway and netmask; none for the zone's own default."""
    if not cidr:
        return {"gateway": gateway} if gateway else {}
    try:
        net = ipaddress.IPv4Network(cidr)
        first = gateway or str(net.network_address + 1)
        if ipaddress.IPv4Address(first) not in net:
            raise Invalid(f"Gateway {first} is outside {cidr}.", field="gatewayIPv4")
    except ValueError:
        raise Invalid(f"'{cidr}' is no IPv4 network with a gateway.", field="IPv4Range") from None
    return {"gateway": first, "netmask": str(net.netmask)}
