"""deployVirtualMachine: all the checks, the machine in the books, and the job that starts it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gcelib.simulator.addresses import implement, implemented
from gcelib.simulator.affinity import chosen_affinity
from gcelib.simulator.call import Call
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, forbidden, invalid
from gcelib.simulator.groups import chosen_groups
from gcelib.simulator.hardware import GIB, DiskOffering, Machine, Nic, ServiceOffering, Template, Volume
from gcelib.simulator.keypairs import chosen_keypairs
from gcelib.simulator.machines import full_row
from gcelib.simulator.names import check_free, check_host_name, take_name, userdata
from gcelib.simulator.network_choice import Seat, chosen_seats
from gcelib.simulator.places import Zone
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Owner, Row
from gcelib.simulator.templates import may_use
from gcelib.simulator.world import World


@dataclass(kw_only=True)
class Sizing:
    """The cores, MHz and MiB that a machine gets."""

    cpus: int
    speed: int
    memory: int


def sizing(call: Call, offering: ServiceOffering) -> Sizing:
    """What the offering fixes, or the call's details within its bounds. Raises ApiError 431."""
    details = {key.lower(): value for key, value in call.pairs("details").items()}
    chosen = {key: details[key] for key in ("cpunumber", "cpuspeed", "memory") if key in details}
    if offering.cpus is not None and offering.memory is not None:
        if chosen:
            raise invalid("cpuNumber, cpuSpeed and memory are fixed by this offering and can't be given")
        return Sizing(cpus=offering.cpus, speed=offering.speed or 0, memory=offering.memory)
    try:
        cpus, memory = int(chosen["cpunumber"]), int(chosen["memory"])
        speed = int(chosen.get("cpuspeed") or offering.speed or 0)
    except (KeyError, ValueError):
        raise invalid("A custom offering needs cpuNumber, cpuSpeed (unless it fixes it) and memory") from None
    low_cpu, high_cpu, low_memory, high_memory = offering.bounds or (1, 1 << 20, 1, 1 << 30)
    if not (low_cpu <= cpus <= high_cpu and low_memory <= memory <= high_memory) or speed < 1:
        raise invalid(f"cpuNumber must be {low_cpu} to {high_cpu}, memory {low_memory} to {high_memory} MB, "
                      "cpuSpeed a number of MHz")  # fmt: skip
    return Sizing(cpus=cpus, speed=speed, memory=memory)


def usable_template(call: Call, zone: Zone, parameter: str = "templateid") -> Template:
    """The template, if the caller may use it in the zone and it is ready. Raises ApiError 431 or 531."""
    template = call.shared(Template, parameter)
    if not may_use(call, template):
        raise forbidden(f"{call.account.name} does not have permission to use template {template.id}")
    if zone not in template.zones or not template.ready:
        raise invalid(f"Template {template.id} is not available in zone {zone.name}")
    return template


@command("deployVirtualMachine", seconds=4)
def deploy(call: Call) -> Task:
    """Create a machine, and start it unless startvm is false."""
    zone = call.shared(Zone, "zoneid")
    if not zone.enabled and not call.account.admin:
        raise forbidden(f"Cannot perform this operation, zone {zone.name} is currently disabled")
    owner = call.owner()
    offering = call.shared(ServiceOffering, "serviceofferingid")
    template = usable_template(call, zone)
    size = sizing(call, offering)
    root_size = _root_size(call, offering, template)
    disk = _data_disk(call)
    name = call.text("name") or f"VM-{call.world.new_id('hostname')}"
    check_host_name(name)
    seats = chosen_seats(call, zone, owner)
    groups = chosen_groups(call, zone, owner, [seat.network for seat in seats])
    check_free(name, [seat.network for seat in seats])
    machine = Machine(
        id=call.world.new_id("machine"), owner=owner, created=call.world.now(), name=name,
        displayname=call.text("displayname", name), zone=zone, template=template, offering=offering,
        user_name=call.account.name, number=call.world.count("number"), cpus=size.cpus, speed=size.speed,
        memory=size.memory, groups=groups, keypairs=chosen_keypairs(call, owner), affinity=chosen_affinity(call, owner),
        userdata=userdata(call), details=_kept_details(call), group=call.text("group"),
        protected=call.flag("deleteprotection"), dynamic=template.dynamic,
        disk_offering=disk[0] if disk else None,
    )  # fmt: skip
    _check_quotas(call, owner, machine, root_size, disk)
    _sit(call, machine, seats)
    _enter(call.world, machine, root_size, disk)
    return Task(body=_start(call, machine), on=machine, event="VM.CREATE")


def _root_size(call: Call, offering: ServiceOffering, template: Template) -> int:
    wanted = call.number("rootdisksize")
    if offering.root_gib:
        if wanted is not None:
            raise invalid("rootdisksize can't be given: the service offering fixes the root disk's size")
        return max(offering.root_gib * GIB, template.size)
    if wanted is None:
        return template.size
    if wanted <= 0:
        raise invalid("Root disk size should be a positive number")
    if wanted * GIB < template.size:
        raise invalid(f"Root disk size {wanted} GB is smaller than the template, {-(-template.size // GIB)} GB")
    return wanted * GIB


def _data_disk(call: Call) -> tuple[DiskOffering, int] | None:
    if not call.given("diskofferingid"):
        return None
    offering = call.shared(DiskOffering, "diskofferingid")
    return offering, disk_size(call, offering)


def disk_size(call: Call, offering: DiskOffering) -> int:
    """The bytes of a disk of this offering with the call's size. Raises ApiError 431."""
    wanted = call.number("size")
    if offering.gib:
        if wanted is not None:
            raise invalid("This disk offering does not allow custom disk size")
        return offering.gib * GIB
    if wanted is None or not 1 <= wanted <= 1024:
        raise invalid("A custom disk offering needs a size of 1 to 1024 GB")
    return wanted * GIB


def _kept_details(call: Call) -> dict[str, str]:
    sizes = ("cpunumber", "cpuspeed", "memory")
    return {key: value for key, value in call.pairs("details").items() if key.lower() not in sizes}


def _check_quotas(call: Call, owner: Owner, machine: Machine, root: int, disk: tuple[DiskOffering, int] | None) -> None:
    data = disk[1] if disk else 0
    demand(call.world, owner, "user_vm")
    demand(call.world, owner, "cpu", machine.cpus)
    demand(call.world, owner, "memory", machine.memory)
    demand(call.world, owner, "volume", 2 if disk else 1)
    demand(call.world, owner, "primary_storage", -(-(root + data) // GIB))


def mac(world: World) -> str:
    """A fresh hardware address of the locally administered kind."""
    number = world.count("mac")
    return "02:00:" + ":".join(f"{number >> shift & 0xFF:02x}" for shift in (24, 16, 8, 0))


def _sit(call: Call, machine: Machine, seats: list[Seat]) -> None:
    for number, seat in enumerate(seats):
        address = ""
        if seat.network.pool is not None:
            found = seat.network.pool.take(seat.address)
            if found is None:
                for nic in machine.nics:
                    give_back(nic)
                if seat.address:
                    raise invalid(f"The address {seat.address} is in use or not in network {seat.network.name}")
                raise ApiError(533, f"Unable to acquire an address in network {seat.network.name}", 4325)
            address = found
        machine.nics.append(
            Nic(id=call.world.new_id("nic"), network=seat.network, address=address, mac=mac(call.world),
                default=number == 0)
        )  # fmt: skip


def give_back(nic: Nic) -> None:
    """Return an interface's address to its network."""
    if nic.address and nic.network.pool is not None:
        nic.network.pool.give_back(nic.address)


def _enter(world: World, machine: Machine, root_size: int, disk: tuple[DiskOffering, int] | None) -> None:
    world.add(machine)
    take_name(machine)

    def disk_of(kind: str, size: int, device: int) -> Volume:
        return world.add(
            Volume(id=world.new_id("volume"), owner=machine.owner, created=machine.created, zone=machine.zone,
                   name=f"{kind}-{machine.number}", size=size, device=device, machine=machine)
        )  # fmt: skip

    root = disk_of("ROOT", root_size, 0)
    root.root, root.template = True, machine.template
    if disk is not None:
        disk_of("DATA", disk[1], 1).offering = disk[0]


def volumes_of(world: World, machine: Machine) -> list[Volume]:
    """The disks attached to a machine."""
    return [volume for volume in world.owned(Volume, machine.owner) if volume.machine is machine]


def make_ready(world: World, machine: Machine) -> None:
    """A machine's first start puts its disks on storage."""
    for volume in volumes_of(world, machine):
        if volume.state == "Allocated":
            volume.state, volume.attached = "Ready", world.now()


def new_password(machine: Machine) -> str:
    """The password that a template with passwords is given; obviously no real one."""
    return hashlib.sha256(machine.id.encode()).hexdigest()[:8]


def _start(call: Call, machine: Machine) -> Body:
    yield 0.05
    world = call.world
    try:
        if call.flag("startvm", default=True):
            machine.state = "Starting"
            for nic in machine.nics:
                implement(world, nic.network)
        yield 0.95
    except ApiError:
        machine.state = "Error"
        raise
    finally:
        implemented(machine)
    if machine.state == "Starting":
        machine.state = "Running"
        make_ready(world, machine)
    machine.updated = world.now()
    row: Row = full_row(call, machine)
    if machine.template.password:
        row["password"] = new_password(machine)
    return {"virtualmachine": row}
