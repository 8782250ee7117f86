"""How a subnetwork is made in each zone of its region: in the private cloud there, made first if there is none."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gcelib.drivers.base import Cloud
from gcelib.errors import Invalid, NotFound, Unsupported
from gcelib.models import Zone
from gcelib.server import access_lists, networks
from gcelib.server.context import Ground
from gcelib.server.directory import Found
from gcelib.server.networks import Shown
from gcelib.server.operations.plan import Step
from gcelib.server.ranges import block_of
from gcelib.server.view import View

FIRSTS = ("vpcs", "acls")


@dataclass(frozen=True, slots=True)
class Wish:
    """A subnetwork as a request asks for it: `network` is the name of its network, `cidr` its range."""

    network: str
    region: str
    name: str
    cidr: str
    description: str


def zones(view: View, region: str) -> list[Found[Zone]]:
    """The zones of a region whose accounts have networks of their own."""
    return [zone for zone in view.regions.get(region, ()) if zone.model.own_networks and zone.model.up]


def making(ground: Ground, wish: Wish) -> list[Step]:
    """The steps that make it in every zone.

    Raises Invalid for a range that another subnetwork has, or that its private cloud has not, NotFound for a network
    that is gone, Unsupported for a second subnetwork where there are no private clouds.
    """
    network = networks.networks(ground).get(wish.network)
    if network is None:
        raise NotFound(f"The resource 'projects/{ground.tenancy}/global/networks/{wish.network}' was not found")
    wanted = ipaddress.IPv4Network(wish.cidr)
    _apart(network, wanted)
    places = networks.apart(zones(ground.view, wish.region))
    return [step for zone in places for step in _made_in(ground.view, zone, network, wish, wanted)]


def begins(steps: Iterable[Step]) -> bool:
    """Whether these make what the network has once in a zone, and other operations may be about to make, too."""
    return any(
        step.facet in FIRSTS or ((step.facet, step.verb) == ("networks", "create") and "vpc_id" not in step.args)
        for step in steps
    )


def _apart(network: Shown, wanted: ipaddress.IPv4Network) -> None:
    """Raise Invalid when another subnetwork of the network has some of these addresses."""
    for part in network.parts:
        if part.model.cidr and ipaddress.IPv4Network(part.model.cidr, strict=False).overlaps(wanted):
            raise Invalid(f"Invalid value for field 'resource.ipCidrRange': '{wanted}'. It overlaps with "
                          f"'{part.model.cidr}' of subnetwork '{part.name}'.", field="resource.ipCidrRange")


def _made_in(
    view: View, zone: Found[Zone], network: Shown, wish: Wish, wanted: ipaddress.IPv4Network
) -> list[Step]:
    """The steps that make the subnetwork in one zone, and the private cloud first when it has none yet."""
    label, text = f"network {zone.name}", wish.description
    args = {"name": wish.name, "zone_id": zone.model.id, "description": text, "cidr": wish.cidr}
    vpc = next((vpc for vpc in network.vpcs if vpc.zone == zone.name), None)
    kind = _kind(view, zone.cloud) if vpc is None else ""
    if vpc is not None:
        if not wanted.subnet_of(ipaddress.IPv4Network(vpc.model.cidr)):
            raise Invalid(f"Invalid value for field 'resource.ipCidrRange': '{wanted}'. It must be within "
                          f"{vpc.model.cidr}, the range of the private cloud that network '{network.name}' is in zone "
                          f"'{zone.name}'.", field="resource.ipCidrRange")
        return _tier(view, zone, args, vpc.model.id, [])
    if kind:
        first = _vpc(zone, network, kind, block_of(wanted, zone.cloud.name, "resource.ipCidrRange"))
        return _tier(view, zone, args, {"$ref": f"{first.name}.target"}, [first])
    if any(part.zone == zone.name for part in network.parts):
        raise Unsupported(
            f"compute.subnetworks.insert for a second subnetwork in zone '{zone.name}' is not offered on cloud "
            f"'{zone.cloud.name}': it has no private clouds, which join several. Make another network."
        )
    return networks.making(label, zone, args, {"description": text, "network": network.name})


def _tier(view: View, zone: Found[Zone], args: dict[str, str], vpc: object, before: Sequence[Step]) -> list[Step]:
    """The steps that make a tier of a private cloud, an id or a reference to it, and the list before the tier."""
    listed, acl = access_lists.making(view, vpc, zone.cloud.name, f"list {zone.name}")
    made = {**args, "vpc_id": vpc, **({"acl_id": acl} if acl else {})}
    said = {"description": args["description"]}
    return [*before, *listed, *networks.making(f"network {zone.name}", zone, made, said)]


def _kind(view: View, cloud: Cloud) -> str:
    """The kind of private cloud that a cloud makes; "" where it makes none."""
    types = next((part.rows for part in view.parts("vpcs", "types") if part.cloud.name == cloud.name), ())
    return types[0].id if types else ""


def _vpc(zone: Found[Zone], network: Shown, kind: str, block: str) -> Step:
    label = f"vpc {zone.name}"
    undo = Step(f"drop {label}", zone.cloud.name, "vpcs", "destroy", {"id": {"$ref": f"{label}.target"}})
    args = {"name": network.name, "zone_id": zone.model.id, "type_id": kind, "cidr": block,
            "description": network.note.get("description", ""), "submitted": "$now"}
    return Step(label, zone.cloud.name, "vpcs", "create", args, undo=undo)
