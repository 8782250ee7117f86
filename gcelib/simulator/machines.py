"""Virtual machines as lists and answers show them."""

from __future__ import annotations

from collections.abc import Callable

from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import command
from gcelib.simulator.errors import invalid
from gcelib.simulator.hardware import Machine, Nic
from gcelib.simulator.listing import listing
from gcelib.simulator.places import PublicAddress
from gcelib.simulator.records import Row

DETAILS = {"all", "group", "nics", "stats", "secgrp", "tmpl", "servoff", "diskoff", "backoff", "iso", "volume",
           "min", "affgrp"}  # fmt: skip

Standing = dict[str, dict[str, PublicAddress]]
"""The addresses that stand for a machine, by its id and the network they are for."""

STATISTICS = {
    "cpuused": "1%", "networkkbsread": 0, "networkkbswrite": 0, "diskkbsread": 0, "diskkbswrite": 0,
    "diskioread": 0, "diskiowrite": 0, "memorykbs": 0, "memoryintfreekbs": 0, "memorytargetkbs": 0,
}  # fmt: skip


@command("listVirtualMachines")
def list_machines(call: Call) -> Row:
    """The caller's machines; destroyed ones only to administrators, unless the setting shows them to all."""
    details = set(call.items("details")) or {"all"}
    if not details <= DETAILS:
        raise invalid(f"The details parameter contains an incorrect value; possible are {', '.join(sorted(DETAILS))}")
    machines = call.visible(Machine)
    if not (call.account.admin or call.world.settings.user_sees_destroyed):
        machines = [machine for machine in machines if machine.state not in ("Destroyed", "Expunging")]
    rows = call.selected(machines, name="name", state="state", group="group")
    for parameter, matches in _relations(call).items():
        if call.given(parameter):
            rows = [machine for machine in rows if matches(machine)]
    if call.flag("retrieveonlyresourcecount"):
        return {"count": len(rows)}
    addresses = _public_addresses(call)
    return listing(call, "virtualmachine", rows, lambda machine: machine_row(call, machine, details, addresses))


def _relations(call: Call) -> dict[str, Callable[[Machine], bool]]:
    wanted = call.text
    return {
        "networkid": lambda machine: any(nic.network.id == wanted("networkid") for nic in machine.nics),
        "securitygroupid": lambda machine: any(group.id == wanted("securitygroupid") for group in machine.groups),
        "keypair": lambda machine: any(pair.name == wanted("keypair") for pair in machine.keypairs),
        "templateid": lambda machine: machine.template.id == wanted("templateid"),
        "serviceofferingid": lambda machine: machine.offering.id == wanted("serviceofferingid"),
        "affinitygroupid": lambda machine: any(one.id == wanted("affinitygroupid") for one in machine.affinity),
        "hypervisor": lambda _machine: wanted("hypervisor").upper() == "KVM",
        "vpcid": lambda machine: any(nic.network.vpc_id == wanted("vpcid") for nic in machine.nics),
    }


def _public_addresses(call: Call) -> Standing:
    found: dict[str, dict[str, PublicAddress]] = {}
    for address in call.world.all(PublicAddress):
        if address.machine_id and address.network is not None:
            found.setdefault(address.machine_id, {})[address.network.id] = address
    return found


def full_row(call: Call, machine: Machine) -> Row:
    """A machine with all its blocks, as the result of a command on it."""
    return machine_row(call, machine, {"all"}, _public_addresses(call))


def machine_row(call: Call, machine: Machine, details: set[str], addresses: Standing) -> Row:
    """A machine with the blocks that `details` asks for; `min` alone is the core."""
    row = _core(call, machine)
    every = "all" in details
    if every or "tmpl" in details:
        row |= _template_block(machine)
    if every or "servoff" in details:
        row |= {"serviceofferingid": machine.offering.id, "serviceofferingname": machine.offering.name}
        row |= {"cpunumber": machine.cpus, "cpuspeed": machine.speed, "memory": machine.memory}
    if machine.disk_offering is not None and (every or "diskoff" in details):
        row |= {"diskofferingid": machine.disk_offering.id, "diskofferingname": machine.disk_offering.name}
    if every or "volume" in details:
        row |= {"rootdeviceid": 0, "rootdevicetype": "ROOT"}
    if every or "secgrp" in details:
        row["securitygroup"] = [
            {"id": group.id, "name": group.name, "description": group.description, "account": group.owner.name}
            for group in machine.groups
        ]
    if every or "nics" in details:
        standing = addresses.get(machine.id, {})
        row["nic"] = [nic_row(number, nic, standing.get(nic.network.id)) for number, nic in enumerate(machine.nics)]
        for address in [*standing.values()][:1]:
            row |= {"publicip": address.address, "publicipid": address.id}
    if every or "affgrp" in details:
        row["affinitygroup"] = [
            {"id": group.id, "name": group.name, "description": group.description, "account": group.owner.name}
            for group in machine.affinity
        ]
    if (every or "stats" in details) and machine.state == "Running":
        row |= STATISTICS
    if call.flag("userdata") and machine.userdata:
        row["userdata"] = machine.userdata
    return row


def _core(call: Call, machine: Machine) -> Row:
    row: Row = {
        "id": machine.id,
        "name": machine.name,
        "displayname": machine.displayname,
        **ownership(call.world, machine.owner),
        "userid": call.world.accounts[machine.user_name].user_id,
        "username": machine.user_name,
        "created": date_text(machine.created),
        "lastupdated": date_text(machine.updated or machine.created),
        "state": machine.state,
        "haenable": machine.ha,
        "zoneid": machine.zone.id,
        "zonename": machine.zone.name,
        "hypervisor": "KVM",
        "tags": tag_rows(call.world, machine),
        "details": dict(machine.details),
        "isdynamicallyscalable": machine.dynamic,
        "deleteprotection": machine.protected,
        "pooltype": "NetworkFilesystem",
        "receivedbytes": 0,
        "sentbytes": 0,
        "vmtype": "User",
        **job_fields(machine),
    }
    if machine.keypairs:
        row["keypairs"] = ",".join(pair.name for pair in machine.keypairs)
    if machine.group:
        row["group"] = machine.group
    if call.account.admin:
        row |= {"instancename": f"i-2-{machine.number}-VM", "displayvm": True, "arch": "x86_64"}
        if machine.state in ("Running", "Migrating", "Stopping"):
            row["hostname"] = f"kvm{machine.number % 8 + 1}"
    return row


def _template_block(machine: Machine) -> Row:
    template, os = machine.template, machine.os or machine.template.os
    return {
        "templateid": template.id,
        "templatename": template.name,
        "templatedisplaytext": template.displaytext,
        "templatetype": template.kind,
        "templateformat": template.format,
        "passwordenabled": template.password,
        "guestosid": os.id,
        "ostypeid": os.id,
        "osdisplayname": os.description,
    }


def nic_row(number: int, nic: Nic, public: PublicAddress | None) -> Row:
    """An interface; the n-th of its machine, and the address that stands for it."""
    network = nic.network
    row: Row = {
        "id": nic.id,
        "networkid": network.id,
        "networkname": network.name,
        "traffictype": "Guest",
        "type": network.kind,
        "isdefault": nic.default,
        "macaddress": nic.mac,
        "deviceid": str(number),
        "secondaryip": [],
        "extradhcpoption": [],
    }
    if nic.address and network.pool is not None:
        row |= {"netmask": str(network.pool.network.netmask), "gateway": network.gateway, "ipaddress": nic.address}
    if network.vpc_id:
        row["vpcid"] = network.vpc_id
    if public is not None:
        row |= {"publicip": public.address, "publicipid": public.id}
    return row


@command("getVirtualMachineUserData")
def get_userdata(call: Call) -> Row:
    """The user data, in base64 as it came."""
    machine = call.find(Machine, "virtualmachineid")
    return {"virtualmachineuserdata": {"virtualmachineid": machine.id, "userdata": machine.userdata}}
