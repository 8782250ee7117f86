"""CloudStack's virtual machines as nodes: reading only."""

from __future__ import annotations

import datetime
import ipaddress
import socket
from sys import intern

from gcelib.drivers.cloudstack import records, wire
from gcelib.models import Nic, Node, NodeState

STATES: dict[str, NodeState] = {
    "Starting": NodeState.STAGING,
    "Running": NodeState.RUNNING,
    "Migrating": NodeState.RUNNING,
    "Stopping": NodeState.STOPPING,
    "Shutdown": NodeState.STOPPING,
    "Shutdowned": NodeState.STOPPED,
    "Stopped": NodeState.STOPPED,
    "Error": NodeState.ERROR,
    "Restoring": NodeState.STAGING,
    "Unknown": NodeState.RUNNING,
}
PLAIN = frozenset({"Starting", "Running", "Stopping", "Stopped"})
"""States that need no explanation."""
HIDDEN = frozenset({"Destroyed", "Expunging", "Expunged"})
DETAILS = "min,nics,secgrp,tmpl,servoff,affgrp"
"""The blocks of listVirtualMachines we read; the statistics, which are dear, are not among them."""
YOUNG = datetime.timedelta(minutes=10)

_PRIVATE = [
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
        "fc00::/7", "fe80::/10",
    )
]  # fmt: skip
_RANGES = {
    version: [(int(net.network_address), int(net.broadcast_address)) for net in _PRIVATE if net.version == version]
    for version in (4, 6)
}


def public(text: str) -> bool:
    """Whether an address is meant to be reached from outside (not RFC 1918, 6598, 3927 or 4193)."""
    version, family = (6, socket.AF_INET6) if ":" in text else (4, socket.AF_INET)
    try:
        # Every machine of a long list is asked about: ipaddress takes ten times as long to read one.
        address = int.from_bytes(socket.inet_pton(family, text))
    except (OSError, ValueError):
        return False
    for first, last in _RANGES[version]:  # noqa: SIM110 - a generator would cost as much as all the rest
        if first <= address <= last:
            return False
    return True


def node_of(row: records.VmRow) -> Node:
    """A machine."""
    keys = row.keypairs or row.keypair
    # What many machines share is one text for all: a list of ten thousand is half as long.
    return Node(
        id=row.id,
        name=row.name or row.displayname or row.id,
        state=state_of(row),
        zone_id=intern(row.zoneid),
        size_id=intern(row.serviceofferingid),
        size_name=intern(row.serviceofferingname),
        cpus=row.cpunumber,
        ram_mb=row.memory,
        image_id=intern(row.templateid),
        state_text="" if row.state in PLAIN else _explained(row.state),
        display_name=row.name if row.displayname == row.name else row.displayname,
        created=wire.time_of(row.created),
        nics=_nics(row),
        group_ids=tuple([intern(group.id) for group in row.securitygroup if group.id]) if row.securitygroup else (),
        keypair_names=tuple(keys.replace(",", " ").split()) if keys else (),
        delete_protected=row.deleteprotection,
        tags=row.pairs,
        busy=row.busy,
    )


def shown(row: records.VmRow) -> Node | None:
    """A machine; None for one that is destroyed."""
    return None if row.state in HIDDEN else node_of(row)


def state_of(row: records.VmRow) -> NodeState:
    """The state, told from the raw one: a machine just deployed is `Stopped` until its job starts it."""
    state = STATES.get(row.state, NodeState.RUNNING)
    if state is NodeState.STOPPED and row.busy:
        created = wire.time_of(row.created)
        if created is not None and datetime.datetime.now(datetime.UTC) - created < YOUNG:
            return NodeState.PROVISIONING
    return state


def _explained(state: str) -> str:
    if state == "Error":
        return "The cloud could not start this machine; delete it and make it again."
    return f"The cloud says: {state or 'nothing about its state'}."


def _nics(row: records.VmRow) -> tuple[Nic, ...]:
    several = len(row.nic) > 1
    # Older releases tell one address for the whole machine: it is taken for the default interface's.
    shared = "" if several and any(nic.publicip for nic in row.nic) else row.publicip
    ordered = sorted(row.nic, key=_place) if several else row.nic
    return tuple([
        Nic(
            network_id=intern(nic.networkid),
            network_name=intern(nic.networkname),
            ip=nic.ipaddress,
            mac=nic.macaddress,
            public_ip=nic.publicip or (shared if nic.isdefault or not several else ""),
            direct=nic.type.casefold() == "shared" and public(nic.ipaddress),
            default=nic.isdefault or not several,
        )
        for nic in ordered
    ])


def _place(nic: records.NicRow) -> tuple[bool, int]:
    """The default one, GCE's `nic0`, comes first: not every release tells the devices, nor keeps to an order."""
    return not nic.isdefault, int(nic.deviceid) if nic.deviceid.isdigit() else 99
