"""Nova's servers as machines: what state each is in, and what its ports say of its interfaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import utc
from gcelib.drivers.openstack.records import FloatingIpRow, NetworkRow, PortRow, ServerRow
from gcelib.errors import Exceeded, Fault, NoCapacity, Refused
from gcelib.models import Nic, Node, NodeState

STATES: Mapping[str, NodeState] = {
    "ACTIVE": NodeState.RUNNING, "BUILD": NodeState.PROVISIONING, "REBUILD": NodeState.STAGING,
    "SHUTOFF": NodeState.STOPPED, "SUSPENDED": NodeState.STOPPED, "PAUSED": NodeState.STOPPED,
    "SHELVED": NodeState.STOPPED, "SHELVED_OFFLOADED": NodeState.STOPPED, "ERROR": NodeState.ERROR,
}
"""Nova's status; others, as RESCUE or REBOOT, are of a machine that runs."""
PLAIN = frozenset({"ACTIVE", "BUILD", "REBUILD", "SHUTOFF", "REBOOT", "HARD_REBOOT", "ERROR"})
"""States that need no explanation."""
TASKS: Mapping[str, NodeState] = {
    "powering-off": NodeState.STOPPING, "suspending": NodeState.STOPPING, "pausing": NodeState.STOPPING,
    "deleting": NodeState.STOPPING, "soft-deleting": NodeState.STOPPING, "powering-on": NodeState.STAGING,
    "resuming": NodeState.STAGING, "unpausing": NodeState.STAGING, "spawning": NodeState.STAGING,
    "unshelving": NodeState.STAGING,
}
"""What Nova is doing with a machine -> the state it is passing through."""
GONE = frozenset({"DELETED", "SOFT_DELETED"})
RESIZED = "VERIFY_RESIZE"
OFF = 4
"""Nova's power state of a guest that is off."""
PROTECTED = "gcelib-protected"
"""What marks a machine that is not to be deleted."""
MACHINE = "compute:"
"""What the owner of a machine's port begins with."""


def servers(api: Api) -> Sequence[ServerRow]:
    """Every server that is there."""
    rows = api.rows("compute", "/servers/detail", "servers", ServerRow)
    return [row for row in rows if row.status not in GONE]


def server(api: Api, id: str) -> ServerRow | None:
    """One server; None when it is not there."""
    row = api.one("compute", f"/servers/{id}", "server", ServerRow) if id else None
    return None if row is None or row.status in GONE else row


def ports(api: Api, node_id: str = "") -> Sequence[PortRow]:
    """The ports of machines, of one or of all."""
    rows = api.rows("network", "/v2.0/ports", "ports", PortRow, project_id=api.me().project_id,
                    device_id=node_id or None)
    return sorted((row for row in rows if (row.device_owner or "").startswith(MACHINE)),
                  key=lambda row: (str(row.created_at or ""), row.id))


def busy(row: ServerRow) -> bool:
    """Whether Nova is at work on it."""
    return bool(row.task_state) or row.status in ("BUILD", "REBUILD")


def state_of(row: ServerRow) -> NodeState:
    """The state a machine is in or passes through."""
    if row.status == RESIZED:
        return NodeState.STOPPED if row.power_state == OFF else NodeState.RUNNING
    passing = TASKS.get(row.task_state or "")
    if passing is not None:
        return passing
    if row.status == "RESIZE" or (row.status not in STATES and row.power_state == OFF):
        return NodeState.STOPPED if row.power_state == OFF else NodeState.RUNNING
    return STATES.get(row.status, NodeState.RUNNING)


def is_protected(row: ServerRow) -> bool:
    """Whether a machine is marked as one not to be deleted."""
    return row.metadata.get(PROTECTED) == "true"


def state_text(row: ServerRow) -> str:
    """What is to be said of a state that GCE has no word for, or of an error."""
    if row.fault is not None and row.status == "ERROR":
        return row.fault.message or ""
    return "" if row.status in PLAIN or row.status == "RESIZE" else f"The cloud says: {row.status}."


def error_of(at: object, row: ServerRow) -> Fault:
    """Why a machine could not be made."""
    why = (row.fault.message if row.fault else "") or "it is in error, and the cloud does not say why"
    kind: type[Fault] = Refused
    if "No valid host" in why or "not enough hosts" in why.lower():
        kind = NoCapacity
    elif "quota" in why.lower():
        kind = Exceeded
    return kind(f"{at} could not make the machine: {why}")


class Wiring:
    """Which ports, networks and floating addresses there are, for machines to be told by."""

    def __init__(
        self, ports: Iterable[PortRow], networks: Iterable[NetworkRow], floating: Iterable[FloatingIpRow]
    ) -> None:
        self.by_node: dict[str, list[PortRow]] = defaultdict(list)
        for port in ports:
            self.by_node[port.device_id or ""].append(port)
        self._networks = {row.id: row for row in networks}
        self._public = {row.port_id: row.floating_ip_address for row in floating if row.port_id}

    def nics(self, node_id: str) -> tuple[Nic, ...]:
        """A machine's interfaces in the order in which its ports were made."""
        return tuple(
            self._nic(port, index == 0) for index, port in enumerate(self.by_node.get(node_id, ()))
        )

    def groups(self, node_id: str) -> tuple[str, ...]:
        """The security groups a machine is in, by any of its ports."""
        found = (id for port in self.by_node.get(node_id, ()) for id in port.security_groups or ())
        return tuple(dict.fromkeys(found))

    def _nic(self, port: PortRow, first: bool) -> Nic:
        network = self._networks.get(port.network_id)
        addresses = [each.ip_address for each in port.fixed_ips]
        ip = next((each for each in addresses if ":" not in each), addresses[0] if addresses else "")
        return Nic(port.network_id, (network.name if network else "") or port.network_id, ip=ip, mac=port.mac_address,
                   public_ip=self._public.get(port.id, ""), direct=bool(network and network.external), default=first)


def node_of(row: ServerRow, wiring: Wiring, zone_id: str) -> Node:
    """A machine; `zone_id` is where one is shown that says no zone."""
    return Node(
        id=row.id, name=row.name or row.id, state=state_of(row), zone_id=row.zone or zone_id,
        size_id=str(row.flavor.get("id", "")), size_name=str(row.flavor.get("original_name", "")),
        image_id=row.image_id, state_text=state_text(row), created=utc(row.created), nics=wiring.nics(row.id),
        group_ids=wiring.groups(row.id), keypair_names=(row.key_name,) if row.key_name else (), tags=dict(row.metadata),
        busy=busy(row) or row.status == RESIZED, delete_protected=is_protected(row),
    )
