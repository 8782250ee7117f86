"""Giving addresses back, with every rule that hangs on them."""

from __future__ import annotations

from gcelib.simulator.places import Balancer, FirewallRule, Forwarding, PublicAddress
from gcelib.simulator.world import World


def release_address(world: World, address: PublicAddress) -> None:
    """Strike off a public address and the rules on it."""
    for kind in (FirewallRule, Forwarding, Balancer):
        for rule in world.all(kind):
            if getattr(rule, "address", None) is address:
                world.remove(rule)
    world.remove(address)
    if address.zone.public is not None:
        address.zone.public.give_back(address.address)


def release_machine(world: World, machine_id: str) -> None:
    """Take an expunged machine out of every static NAT, forwarding and balancer."""
    for address in world.all(PublicAddress):
        if address.machine_id == machine_id:
            address.machine_id = address.guest_address = ""
    for rule in world.all(Forwarding):
        if rule.machine_id == machine_id:
            world.remove(rule)
    for balancer in world.all(Balancer):
        balancer.members.pop(machine_id, None)
