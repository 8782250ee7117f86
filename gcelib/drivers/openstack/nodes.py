"""Machines: made, started, stopped, reset, renamed, resized, regrouped and destroyed, by Nova."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gcelib.drivers.generic.effects import Effects, Seen, reached, under_way
from gcelib.drivers.openstack import servers
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.birth import Birth
from gcelib.drivers.openstack.facet import WAITS, Facet
from gcelib.drivers.openstack.places import Zones
from gcelib.drivers.openstack.records import FloatingIpRow, NetworkRow, ServerRow, VolumeRow
from gcelib.errors import InUse, NotFound, NotReady, Refused
from gcelib.models import Job, JobState, Node, NodeState

GOAL: Mapping[str, NodeState] = {"start": NodeState.RUNNING, "stop": NodeState.STOPPED, "reset": NodeState.RUNNING}
STARTS: Mapping[str, str] = {
    "PAUSED": "unpause", "SUSPENDED": "resume", "SHELVED": "unshelve", "SHELVED_OFFLOADED": "unshelve",
}
"""How a machine is started again that is not just off."""


class Nodes(Facet):
    """Nova's servers, with their Neutron ports."""

    name = "nodes"
    shown: ClassVar[frozenset[str]] = frozenset({"start", "stop", "resize"})

    def __init__(self, api: Api, effects: Effects, zones: Zones, birth: Birth) -> None:
        super().__init__(api, effects)
        self._zones, self._birth = zones, birth

    def list(self) -> Sequence[Node]:
        """Every machine."""
        rows = servers.servers(self.api)
        if not rows:
            return []
        project = self.api.me().project_id
        wiring = servers.Wiring(
            servers.ports(self.api),
            self.api.rows("network", "/v2.0/networks", "networks", NetworkRow),
            self.api.rows("network", "/v2.0/floatingips", "floatingips", FloatingIpRow, project_id=project),
        )
        first = "" if all(row.zone for row in rows) else next(iter(self._zones.names()), "")
        return [servers.node_of(row, wiring, first) for row in rows]

    def find(self, name: str) -> Sequence[Node]:
        """The machines of this name, any letter case."""
        return [node for node in self.list() if node.name.casefold() == name.casefold()]

    def create(
        self, *, key: str, name: str, zone_id: str, size_id: str, image_id: str, display_name: str = "",
        cpus: int = 0, ram_mb: int = 0, network_ids: Sequence[str] = (), ip: str = "", group_ids: Sequence[str] = (),
        keypair_names: Sequence[str] = (), user_data: str = "", root_gb: int = 0, submitted: str = "",
    ) -> Job:
        """Make a server that carries `key`; its boot disk is a volume where its size is not the flavor's."""
        body = self._birth.body(
            key=key, name=name, zone=zone_id, flavor=size_id, image=image_id, networks=network_ids, ip=ip,
            groups=group_ids, keypairs=keypair_names, user_data=user_data, root_gb=root_gb,
        )
        made = self.api.make("compute", "/servers", "server", body)
        return self.watch("create", {"name": name, "submitted": submitted}, str(made["id"]))

    def destroy(self, *, key: str, id: str, volume_ids: Sequence[str] = ()) -> Job:
        """Delete a server, and the volumes named when it has let go of them; gone already is done."""
        return self.begin("destroy", {"id": id, "volume_ids": [*volume_ids]}, id)

    def start(self, *, key: str, id: str) -> Job:
        """os-start, or what else makes it run again; one that runs is done."""
        return self.begin("start", {"id": id}, id)

    def stop(self, *, key: str, id: str) -> Job:
        """os-stop; one that is off is done."""
        return self.begin("stop", {"id": id}, id)

    def reset(self, *, key: str, id: str) -> Job:
        """A hard reboot."""
        return self.begin("reset", {"id": id}, id)

    def rename(self, *, key: str, id: str, name: str) -> Job:
        """Another name."""
        self.api.change("PUT", "compute", f"/servers/{id}", {"server": {"name": name}})
        return self.watch("rename", {"id": id, "name": name}, id)

    def protect(self, *, key: str, id: str, on: bool) -> Job:
        """Mark a machine as one that GCE's clients may not delete: OpenStack itself has no such switch."""
        return self.begin("protect", {"id": id, "on": on}, id)

    def resize(self, *, key: str, id: str, size_id: str, cpus: int = 0, ram_mb: int = 0) -> Job:
        """resize, and confirmResize when Nova has done it."""
        return self.begin("resize", {"id": id, "size_id": size_id}, id)

    def regroup(self, *, key: str, id: str, group_ids: Sequence[str]) -> Job:
        """Another set of security groups for every port, whether it runs or not."""
        return self.begin("regroup", {"id": id, "group_ids": [*group_ids]}, id)

    def add_nic(self, *, key: str, id: str, network_id: str, ip: str = "") -> Job:
        """One more interface; one that is there is done."""
        return self.begin("add_nic", {"id": id, "network_id": network_id, "ip": ip}, id)

    def remove_nic(self, *, key: str, id: str, network_id: str) -> Job:
        """An interface less; one that is not there is done."""
        return self.begin("remove_nic", {"id": id, "network_id": network_id}, id)

    def console(self, id: str) -> str:
        """What Nova keeps of the serial console; nothing of a machine that is still being made."""
        try:
            answer = self.api.ask("compute", f"/servers/{id}/action", {"os-getConsoleOutput": {}})
        except NotReady:
            return ""
        return str((answer or {}).get("output") or "")

    def send(self, verb: str, args: Mapping[str, Any], target: str) -> None:
        """Send a change, unless it is done."""
        if verb == "destroy":
            self.api.remove("compute", f"/servers/{target}")
            return
        row = self._row(target)
        if verb == "regroup":
            self._regroup(target, args["group_ids"])
        elif verb in ("add_nic", "remove_nic"):
            self._wire(verb, args, target)
        elif verb == "protect" and args["on"]:
            marks = {servers.PROTECTED: "true"}
            self.api.change("POST", "compute", f"/servers/{target}/metadata", {"metadata": marks})
        elif verb == "protect":
            self.api.remove("compute", f"/servers/{target}/metadata/{servers.PROTECTED}")
        elif verb == "resize":
            self._resize(row, str(args["size_id"]))
        elif servers.busy(row) and verb != "reset":
            raise NotReady(f"{self.at} is at work on this machine ({row.task_state or row.status}).")
        elif verb == "reset" or servers.state_of(row) is not GOAL[verb]:
            self._act(row.id, _power(verb, row))

    def settling(self, verb: str, args: Mapping[str, Any], target: str) -> bool:
        """Whether Nova is at work on the machine."""
        row = servers.server(self.api, target)
        return row is not None and servers.busy(row)

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """See whether a change is done; send what it still needs, once the machine has settled."""
        seen = self.seen(verb, args, target)
        if seen is not None or verb in ("create", "rename"):
            return seen
        if verb == "resize" and self._row(target).status == servers.RESIZED:
            args = {**args, WAITS: True}
        return self.sent_on(verb, args, target)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the machine as it is now."""
        row = self._made(args) if verb == "create" and not target else servers.server(self.api, target)
        if verb == "destroy":
            return self._buried(row, args, target)
        if row is None:
            return self.failed(target, NotFound(f"{self.at} has no machine '{target}' any more.")) if target else None
        if verb == "create":
            return self._born(row)
        if verb == "regroup":
            wanted = set(args["group_ids"])
            found = [set(port.security_groups or ()) for port in servers.ports(self.api, target)]
            return reached(bool(found) and all(each == wanted for each in found), target)
        if verb in ("add_nic", "remove_nic"):
            there = any(port.network_id == args["network_id"] for port in servers.ports(self.api, target))
            return reached(there == (verb == "add_nic"), target)
        if verb in ("rename", "protect"):
            there = row.name == args["name"] if verb == "rename" else args["on"] == servers.is_protected(row)
            return reached(there, target)
        if servers.busy(row):
            return under_way(target)
        if verb == "resize":
            return reached(row.flavor.get("id") == args["size_id"] and row.status != servers.RESIZED, target)
        return reached(servers.state_of(row) is GOAL[verb], target)

    def _row(self, id: str) -> ServerRow:
        row = servers.server(self.api, id)
        if row is None:
            raise NotFound(f"{self.at} has no machine '{id}' any more.")
        return row

    def _made(self, args: Mapping[str, Any]) -> ServerRow | None:
        """The server that an earlier attempt made: it carries the attempt's key."""
        return next((row for row in servers.servers(self.api) if self._birth.is_child(row, args)), None)

    def _born(self, row: ServerRow) -> Seen:
        if row.status == "ERROR":
            return self.failed(row.id, servers.error_of(self.at, row))
        return under_way(row.id) if servers.busy(row) else Seen(JobState.DONE, row.id, {"id": row.id})

    def _buried(self, row: ServerRow | None, args: Mapping[str, Any], target: str) -> Seen | None:
        """Gone, and its disks after it."""
        if row is not None:
            deleting = row.task_state in ("deleting", "soft-deleting")
            return under_way(target) if deleting else None
        left = [id for id in args.get("volume_ids", ()) if not self._discard(id, target)]
        return under_way(target) if left else reached(True, target)

    def _discard(self, id: str, node_id: str) -> bool:
        """Delete a disk that its machine has no more; whether there is nothing left to do."""
        row = self.api.one("volume", f"/volumes/{id}", "volume", VolumeRow)
        if row is None:
            return True
        if row.status in ("available", "error"):
            try:
                self.api.remove("volume", f"/volumes/{id}")
            except (InUse, NotReady, Refused):
                # It has snapshots, or is used otherwise: it stays, and is shown.
                return True
        # One that another machine has by now stays with that.
        users = {each.server_id for each in row.attachments}
        return row.status == "in-use" and bool(users) and node_id not in users

    def _act(self, id: str, action: Mapping[str, Any]) -> None:
        self.api.change("POST", "compute", f"/servers/{id}/action", action)

    def _resize(self, row: ServerRow, size_id: str) -> None:
        if row.status == servers.RESIZED:
            try:
                self._act(row.id, {"confirmResize": None})
            except (NotFound, Refused):
                # It is being confirmed already: by an earlier attempt, or by the operator's own clock.
                return
        elif row.flavor.get("id") != size_id:
            self._act(row.id, {"resize": {"flavorRef": size_id}})

    def _regroup(self, id: str, group_ids: Sequence[str]) -> None:
        found = servers.ports(self.api, id)
        if not found:
            raise NotReady(f"{self.at}: the machine has no interface yet.")
        for port in found:
            if set(port.security_groups or ()) != set(group_ids):
                body = {"port": {"security_groups": [*group_ids]}}
                self.api.change("PUT", "network", f"/v2.0/ports/{port.id}", body)

    def _wire(self, verb: str, args: Mapping[str, Any], id: str) -> None:
        found = [port for port in servers.ports(self.api, id) if port.network_id == args["network_id"]]
        if verb == "remove_nic":
            for port in found:
                self.api.remove("compute", f"/servers/{id}/os-interface/{port.id}")
        elif not found:
            wanted: dict[str, Any] = {"net_id": args["network_id"]}
            if args.get("ip"):
                wanted["fixed_ips"] = [{"ip_address": args["ip"]}]
            self.api.change("POST", "compute", f"/servers/{id}/os-interface", {"interfaceAttachment": wanted})


def _power(verb: str, row: ServerRow) -> Mapping[str, Any]:
    if verb == "reset":
        return {"reboot": {"type": "HARD"}}
    if verb == "stop":
        return {"os-stop": None}
    return {STARTS.get(row.status, "os-start"): None}
