"""Changing what a machine is: its size, names, groups, keys, interfaces."""

from __future__ import annotations

from gcelib.simulator.addresses import implement, implemented
from gcelib.simulator.call import Call
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.deploy import Sizing, give_back, mac, new_password, sizing, usable_template, volumes_of
from gcelib.simulator.errors import forbidden, invalid
from gcelib.simulator.groups import named_groups
from gcelib.simulator.hardware import Machine, Nic, OsType, ServiceOffering
from gcelib.simulator.keypairs import chosen_keypairs
from gcelib.simulator.machines import full_row
from gcelib.simulator.names import check_free, rename, userdata
from gcelib.simulator.network_choice import usable_network
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Row


def _row(call: Call, machine: Machine) -> Row:
    machine.updated = call.world.now()
    return {"virtualmachine": full_row(call, machine)}


@command("updateVirtualMachine")
def update(call: Call) -> Row:
    """Change names, user data, details, groups (of a stopped machine), protection."""
    machine = call.find(Machine, "id")
    if machine.state in ("Error", "Expunging"):
        raise invalid(f"Unable to update: the vm is in state {machine.state}")
    groups = None
    if call.given("securitygroupids") or call.given("securitygroupnames"):
        if not machine.zone.security_groups:
            raise invalid("Security group names or ids can be given only in zones with security groups")
        if machine.state != "Stopped":
            raise invalid("The virtual machine must be stopped before its security groups can be changed")
        groups = named_groups(call, machine.owner)
    text = userdata(call)
    if call.given("name"):
        rename(machine, call.text("name"))
    if groups is not None:
        machine.groups = groups
    machine.userdata = text or machine.userdata
    machine.displayname = call.text("displayname", machine.displayname)
    machine.group = call.text("group", machine.group)
    machine.ha = call.flag("haenable", machine.ha)
    machine.dynamic = call.flag("isdynamicallyscalable", machine.dynamic)
    machine.protected = call.flag("deleteprotection", machine.protected)
    if call.given("ostypeid"):
        machine.os = call.shared(OsType, "ostypeid")
    if call.flag("cleanupdetails"):
        machine.details = {}
    elif call.pairs("details"):
        machine.details = call.pairs("details")
    return _row(call, machine)


def _resize(call: Call, machine: Machine, offering: ServiceOffering, size: Sizing) -> None:
    demand(call.world, machine.owner, "cpu", max(size.cpus - machine.cpus, 0))
    demand(call.world, machine.owner, "memory", max(size.memory - machine.memory, 0))
    machine.offering = offering
    machine.cpus, machine.speed, machine.memory = size.cpus, size.speed, size.memory


@command("changeServiceForVirtualMachine")
def change_service(call: Call) -> Row:
    """Give a stopped machine another size."""
    machine = call.find(Machine, "id")
    offering = call.shared(ServiceOffering, "serviceofferingid")
    if machine.state != "Stopped":
        raise invalid(f"Unable to upgrade: the vm is in state {machine.state}, not Stopped")
    _resize(call, machine, offering, sizing(call, offering))
    return _row(call, machine)


@command("scaleVirtualMachine", seconds=2)
def scale(call: Call) -> Task:
    """Give a machine another size; a running one only where the zone and the size allow it, and only more."""
    machine = call.find(Machine, "id")
    offering = call.shared(ServiceOffering, "serviceofferingid")
    size = sizing(call, offering)

    def body() -> Body:
        if machine.state == "Running":
            _check_live(call, machine, size)
        elif machine.state != "Stopped":
            raise invalid(f"Unable to scale: the vm is in state {machine.state}")
        yield 1.0
        _resize(call, machine, offering, size)
        return _row(call, machine)

    return Task(body=body(), on=machine, event="VM.UPGRADE")


def _check_live(call: Call, machine: Machine, size: Sizing) -> None:
    if not call.world.settings.dynamic_scaling:
        raise forbidden("Dynamically scaling virtual machines is disabled for this zone")
    if not machine.dynamic or machine.offering.cpus is not None:
        raise invalid("A running vm on KVM scales only with dynamic scaling and a custom offering")
    before = (machine.cpus, machine.memory)
    if size.cpus < machine.cpus or size.memory < machine.memory or before == (size.cpus, size.memory):
        raise invalid("A running vm can only grow")


@command("restoreVirtualMachine", seconds=3)
def restore(call: Call) -> Task:
    """Make the root disk anew from the template, or from another one."""
    machine = call.find(Machine, "virtualmachineid")
    template = usable_template(call, machine.zone) if call.given("templateid") else machine.template

    def body() -> Body:
        if machine.state not in ("Running", "Stopped"):
            raise invalid(f"Unable to restore: the vm is in state {machine.state}")
        yield 1.0
        machine.template = template
        for volume in volumes_of(call.world, machine):
            if volume.root:
                volume.template, volume.size = template, max(volume.size, template.size)
        return _row(call, machine)

    return Task(body=body(), on=machine, event="VM.RESTORE")


@command("resetSSHKeyForVirtualMachine", seconds=1)
def reset_ssh_key(call: Call) -> Task:
    """Give a stopped machine other keys."""
    machine = call.find(Machine, "id")
    if machine.state != "Stopped":
        raise invalid(f"The vm is in state {machine.state}; it must be Stopped to reset its SSH key")
    keypairs = chosen_keypairs(call, machine.owner)
    if not keypairs:
        raise invalid("A keypair must be given")

    def body() -> Body:
        yield 1.0
        machine.keypairs = keypairs
        row = _row(call, machine)
        if machine.template.password:
            row["virtualmachine"]["password"] = new_password(machine)
        return row

    return Task(body=body(), on=machine, event="VM.RESETSSHKEY")


@command("addNicToVirtualMachine", seconds=1)
def add_nic(call: Call) -> Task:
    """Put a machine of an advanced zone into one more network."""
    machine = call.find(Machine, "virtualmachineid")
    network = usable_network(call, machine.zone, call.text("networkid"))
    if not machine.zone.isolated:
        raise invalid("Can't add a NIC in a zone of this type")
    if any(nic.network is network for nic in machine.nics):
        raise invalid(f"The vm has a NIC in network {network.id} already")
    check_free(machine.name, [network])

    def body() -> Body:
        yield 1.0
        implement(call.world, network)
        address = network.pool.take(call.text("ipaddress")) if network.pool is not None else ""
        if address is None:
            raise invalid(f"No such address is free in network {network.name}")
        nic = Nic(id=call.world.new_id("nic"), network=network, address=address, mac=mac(call.world))
        machine.nics.append(nic)
        implemented(machine)
        network.names[machine.name.lower()] = machine.id
        return _row(call, machine)

    return Task(body=body(), on=machine, event="NIC.CREATE")


@command("removeNicFromVirtualMachine", seconds=1)
def remove_nic(call: Call) -> Task:
    """Take a machine out of a network that is not its default one."""
    machine = call.find(Machine, "virtualmachineid")
    found = [nic for nic in machine.nics if nic.id == call.text("nicid")]
    if not found:
        raise invalid(f"NIC {call.text('nicid')} is not one of vm {machine.id}")
    if found[0].default:
        raise invalid("Unable to remove the default NIC of a vm")

    def body() -> Body:
        yield 1.0
        machine.nics.remove(found[0])
        give_back(found[0])
        found[0].network.names.pop(machine.name.lower(), None)
        return _row(call, machine)

    return Task(body=body(), on=machine, event="NIC.DELETE")
