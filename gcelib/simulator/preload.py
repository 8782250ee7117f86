"""Machines that are there from the beginning, for tests of size."""

from __future__ import annotations

from collections.abc import Callable

from gcelib.simulator.deploy import mac
from gcelib.simulator.groups import default_group
from gcelib.simulator.hardware import Machine, Nic, ServiceOffering, Template, Volume
from gcelib.simulator.places import Network
from gcelib.simulator.records import Account
from gcelib.simulator.world import World

TOLD_EVERY = 500


def preload(world: World, account: Account, number: int, tell: Callable[[int], None] = lambda made: None) -> None:
    """Enter `number` running machines named preloaded-1 … in the first shared network.

    `tell` hears from time to time how many there are.

    Raises ValueError when no zone has such a network, or its addresses do not suffice.
    """
    networks = [network for network in world.all(Network) if network.shared]
    if not networks:
        raise ValueError("only a zone with security groups can be preloaded with machines")
    network = networks[0]
    if network.pool is None or network.pool.room() < number:
        raise ValueError(f"zone {network.zone.name} has no room for {number} machines")
    template = next(one for one in world.all(Template) if network.zone in one.zones and one.ready)
    offering = world.all(ServiceOffering)[0]
    group = default_group(world, account)
    for index in range(1, number + 1):
        if not index % TOLD_EVERY:
            tell(index)
        address = network.pool.take() or ""
        machine = Machine(
            id=world.new_id("machine"), owner=account, created=world.now(), name=f"preloaded-{index}",
            displayname=f"preloaded-{index}", zone=network.zone, template=template, offering=offering,
            user_name=account.name, number=world.count("number"), cpus=offering.cpus or 1, speed=offering.speed or 0,
            memory=offering.memory or 512, state="Running", groups=[group],
            nics=[Nic(id=world.new_id("nic"), network=network, address=address, mac=mac(world), default=True)],
        )  # fmt: skip
        world.add(machine)
        network.names[machine.name] = machine.id
        world.add(
            Volume(id=world.new_id("volume"), owner=account, created=machine.created, name=f"ROOT-{machine.number}",
                   zone=machine.zone, size=template.size, root=True, device=0, state="Ready", machine=machine,
                   attached=machine.created, template=template)
        )  # fmt: skip
