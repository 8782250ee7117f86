"""Resource limits: what an owner uses of each kind, and the refusal of more."""

from __future__ import annotations

from gcelib.simulator.errors import over_quota
from gcelib.simulator.hardware import GIB, Machine, Snapshot, Template, Volume
from gcelib.simulator.places import Network, PublicAddress, Vpc
from gcelib.simulator.records import UNLIMITED, Owner, Project
from gcelib.simulator.world import World


def used(world: World, owner: Owner, kind: str) -> int:
    """How much of a kind of limit the owner holds: pieces, cores, MiB of memory, GiB of storage."""
    match kind:
        case "user_vm":
            return sum(machine.alive for machine in world.owned(Machine, owner))
        case "cpu":
            return sum(machine.cpus for machine in world.owned(Machine, owner) if machine.alive)
        case "memory":
            return sum(machine.memory for machine in world.owned(Machine, owner) if machine.alive)
        case "volume":
            return sum(_counts(volume) for volume in world.owned(Volume, owner))
        case "primary_storage":
            return sum(volume.size for volume in world.owned(Volume, owner) if _counts(volume)) // GIB
        case "secondary_storage":
            templates = sum(template.size for template in world.owned(Template, owner))
            return (templates + sum(snapshot.size for snapshot in world.owned(Snapshot, owner))) // GIB
        case "project":
            return sum(owner.name in project.members for project in world.all(Project))
    kinds = {"public_ip": PublicAddress, "snapshot": Snapshot, "template": Template, "network": Network, "vpc": Vpc}
    return len(world.owned(kinds[kind], owner))


def _counts(volume: Volume) -> bool:
    return volume.machine is None or not volume.root or volume.machine.alive


def demand(world: World, owner: Owner, kind: str, amount: int = 1) -> None:
    """Make sure that the owner may take `amount` more. Raises ApiError 535."""
    limit = owner.limits.get(kind, UNLIMITED)
    if limit == UNLIMITED:
        return
    taken = used(world, owner, kind)
    if taken + amount > limit:
        raise over_quota(
            f"Maximum amount of resources of type {kind} for {owner.name} has been exceeded: "
            f"the limit is {limit}, {taken} in use, {amount} requested"
        )
