"""Which networks a new machine joins: the rules differ for each kind of zone."""

from __future__ import annotations

from dataclasses import dataclass

from gcelib.simulator.call import Call
from gcelib.simulator.errors import forbidden, invalid, unknown_id
from gcelib.simulator.networks import new_isolated
from gcelib.simulator.places import Network, NetworkOffering, Zone
from gcelib.simulator.records import Owner


@dataclass
class Seat:
    """A place in a network, with the address wanted there if any."""

    network: Network
    address: str = ""


def usable_network(call: Call, zone: Zone, network_id: str) -> Network:
    """The network, if the caller may put machines of the zone into it. Raises ApiError 431 or 531."""
    network = call.world.find(Network, network_id)
    if network is None:
        raise unknown_id("networkids", network_id)
    if not network.shared and not call.may_touch(network.owner):
        raise forbidden(f"{call.account.name} does not have permission to use network {network_id}")
    if network.zone is not zone:
        raise invalid(f"Network {network_id} is not in zone {zone.name}")
    return network


def chosen_seats(call: Call, zone: Zone, owner: Owner) -> list[Seat]:
    """The networks of a new machine, the default one first. Raises ApiError 431 or 531."""
    seats = _asked_for(call, zone)
    if zone.basic and seats:
        raise invalid("Can't specify network Ids in Basic zone")
    if not seats:
        seats = [Seat(_shared(call, zone) if not zone.isolated else _own(call, zone, owner))]
    if zone.security_groups and len(seats) > 1:
        raise invalid("Only one network can be given in a zone with security groups")
    if len({seat.network.id for seat in seats}) < len(seats):
        raise invalid("The same network is given twice")
    if call.given("ipaddress") and not seats[0].address:
        seats[0].address = call.text("ipaddress")
    return seats


def _asked_for(call: Call, zone: Zone) -> list[Seat]:
    mapped = call.table("iptonetworklist")
    ids = call.items("networkids")
    if mapped and (ids or call.given("ipaddress")):
        raise invalid("ipToNetworkMap can't be specified along with networkIds or ipAddress")
    if mapped:
        return [Seat(usable_network(call, zone, entry.get("networkid", "")), entry.get("ip", "")) for entry in mapped]
    return [Seat(usable_network(call, zone, network_id)) for network_id in ids]


def _shared(call: Call, zone: Zone) -> Network:
    for network in call.world.all(Network):
        if network.zone is zone and network.shared:
            return network
    raise invalid(f"No network with security groups is found in zone {zone.name}")


def _own(call: Call, zone: Zone, owner: Owner) -> Network:
    """The owner's one isolated network in the zone, made if there is none."""
    networks = [network for network in call.world.owned(Network, owner)
                if network.zone is zone and network.kind == "Isolated" and not network.vpc_id]  # fmt: skip
    if len(networks) > 1:
        raise invalid("More than 1 default Isolated networks are found for the account; please specify networkIds")
    if networks:
        return networks[0]
    for offering in call.world.all(NetworkOffering):
        if offering.required:
            name = f"{owner.name}-network"
            return new_isolated(call, zone, owner, offering, name, name)
    raise invalid(f"Unable to find a network offering with availability=Required to make a network in {zone.name}")
