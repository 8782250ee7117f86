"""CloudStack's virtual machines: lists, and every change submitted without waiting."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers import faults
from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.client import Client, indexed
from gcelib.drivers.cloudstack.facet import gone, reached, text_of
from gcelib.drivers.cloudstack.jobs import Jobs, Seen, Token
from gcelib.drivers.cloudstack.machines import DETAILS, node_of, shown, state_of
from gcelib.drivers.cloudstack.reshaping import Reshaping
from gcelib.drivers.cloudstack.sizes import Sizes
from gcelib.drivers.cloudstack.zones import Zones, basic
from gcelib.errors import Exists, Fault, Refused, Unsupported
from gcelib.models import Job, JobState, Node, NodeState

LOG = logging.getLogger(__name__)


class Nodes(Reshaping):
    """listVirtualMachines and its commands; `custom_mhz` is the speed for offerings that ask for one."""

    name = "nodes"
    jobbed = frozenset({"destroy", "start", "stop", "reset", "add_nic", "remove_nic"})
    once = frozenset({"create", "reset"})

    def __init__(self, client: Client, jobs: Jobs, zones: Zones, sizes: Sizes, custom_mhz: int) -> None:
        super().__init__(client, jobs)
        self._zones, self._sizes, self._custom_mhz = zones, sizes, custom_mhz

    def list(self) -> Sequence[Node]:
        """Every machine that is not destroyed."""
        found = self.client.made("listVirtualMachines", "virtualmachine", records.VmRow, shown, details=DETAILS)
        return [node for node in found if node is not None]

    def find(self, name: str) -> Sequence[Node]:
        """The machines of this host name, any letter case."""
        found = self.rows(name=name)
        return [node_of(row) for row in found if row.name.casefold() == name.casefold()]

    def tagged(self, tag: str) -> Sequence[Node]:
        """The machines with a tag, "key=value"."""
        key, _, value = tag.partition("=")
        found = [node_of(row) for row in self.rows(**indexed("tags", [{"key": key, "value": value}]))]
        return [node for node in found if node.tags.get(key) == value]

    def create(
        self,
        *,
        key: str,
        name: str,
        zone_id: str,
        size_id: str,
        image_id: str,
        display_name: str = "",
        cpus: int = 0,
        ram_mb: int = 0,
        network_ids: Sequence[str] = (),
        ip: str = "",
        group_ids: Sequence[str] = (),
        keypair_names: Sequence[str] = (),
        user_data: str = "",
        root_gb: int = 0,
        submitted: str = "",
    ) -> Job:
        """deployVirtualMachine. In a basic zone no network is named: there is one, and CloudStack insists."""
        args = {
            "name": name, "zone_id": zone_id, "size_id": size_id, "image_id": image_id,
            "submitted": submitted,
        }  # fmt: skip
        zone = self._zones.book.get(zone_id)
        networks = () if zone is not None and basic(zone) else network_ids
        try:
            return self.make(
                "create", "deployVirtualMachine", args, name=name, displayname=display_name or name,
                zoneid=zone_id, serviceofferingid=size_id, templateid=image_id, networkids=networks,
                ipaddress=ip, securitygroupids=group_ids, userdata=user_data, rootdisksize=root_gb or None,
                startvm=True, **_keys(keypair_names), **self._chosen(size_id, cpus, ram_mb),
            )  # fmt: skip
        except Refused as fault:
            raise self._taken(name, zone_id, fault) from fault.__cause__

    def destroy(self, *, key: str, id: str, volume_ids: Sequence[str] = (), aside: str = "") -> Job:
        """destroyVirtualMachine, expunging where the cloud lets its users do that."""
        expunge = self.client.capabilities().allowuserexpungerecovervm or None
        if aside and not expunge and any(row.state != "Error" for row in self.rows(id=id)):
            self.client.change("updateVirtualMachine", id=id, name=aside, displayname=aside)
        args = {"id": id, "volume_ids": [*volume_ids]}
        return self.send(
            "destroy", "destroyVirtualMachine", args, key=key, target=id, id=id, volumeids=volume_ids,
            expunge=expunge,
        )  # fmt: skip

    def rename(self, *, key: str, id: str, name: str) -> Job:
        """updateVirtualMachine: host and display name; the guest sees it when it boots."""
        args = {"id": id, "name": name}
        try:
            return self.settle("rename", "updateVirtualMachine", args, id, id=id, name=name, displayname=name)
        except Refused as fault:
            raise self._taken(name, "", fault) from fault.__cause__

    def start(self, *, key: str, id: str) -> Job:
        """startVirtualMachine; one that runs already is done."""
        return self.send("start", "startVirtualMachine", {"id": id}, key=key, target=id, id=id)

    def stop(self, *, key: str, id: str) -> Job:
        """stopVirtualMachine: the guest is asked first, then the power goes."""
        return self.send("stop", "stopVirtualMachine", {"id": id}, key=key, target=id, id=id)

    def reset(self, *, key: str, id: str) -> Job:
        """rebootVirtualMachine."""
        return self.send("reset", "rebootVirtualMachine", {"id": id}, key=key, target=id, id=id)

    def protect(self, *, key: str, id: str, on: bool) -> Job:
        """updateVirtualMachine's `deleteprotection`. Raises Unsupported where the release ignores it."""
        self.client.change("updateVirtualMachine", id=id, deleteprotection=on)
        if self.seen("protect", {"on": on}, id) is None:
            raise Unsupported(f"{self.client.at}: this release of CloudStack cannot protect a machine.")
        return self.done(id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the machine's row says about the change."""
        if verb == "create":
            return self._created(args, target)
        if verb == "reset" or not target:
            return None
        rows = self.rows(id=target)
        if verb == "destroy":
            return gone(bool(rows), target)
        if not rows:
            return None
        row = rows[0]
        if verb == "rename":
            return reached(row.name.casefold() == str(args["name"]).casefold(), target)
        if verb == "protect":
            return reached(row.deleteprotection is bool(args["on"]), target)
        if verb in ("resize", "regroup", "set_user_data", "add_nic", "remove_nic"):
            return self.reshaped(verb, args, row)
        wanted, passing = {
            "start": (NodeState.RUNNING, NodeState.STAGING),
            "stop": (NodeState.STOPPED, NodeState.STOPPING),
        }[verb]
        if state_of(row) is passing:
            return Seen(JobState.RUNNING, target)
        return reached(state_of(row) is wanted, target)

    def clear_up(self, token: Token) -> str:
        """Remove a machine that never started: it holds the name, and nothing was ever on it."""
        if token.verb != "create" or not token.id:
            return ""
        try:
            if any(row.state == "Error" for row in self.rows(id=token.id)):
                return text_of(self.client.change("destroyVirtualMachine", id=token.id), "jobid")
        except Fault as fault:
            LOG.warning("a machine that failed to start stays behind: %s", fault.message)
        return ""

    def _taken(self, name: str, zone_id: str, fault: Refused) -> Fault:
        """Exists, when a machine of this name is there to be seen; else the cloud's refusal."""
        if faults.cloud_code(fault) not in (430, 431):
            return fault
        filters = {"zoneid": zone_id} if zone_id else {}
        if any(row.name.casefold() == name.casefold() for row in self.rows(name=name, **filters)):
            return Exists(f"{self.client.at} has a machine named '{name}' already.")
        return fault

    def _created(self, args: Mapping[str, Any], target: str) -> Seen | None:
        """The machine made by an earlier attempt: of this name, place, image and size, and not older."""
        if target:
            rows = self.rows(id=target)
        else:
            name, zone = str(args["name"]), str(args["zone_id"])
            found = self.rows(name=name, zoneid=zone)
            rows = [row for row in found if _like(row, args) and self.young(row.created, args)]
        if not rows:
            return None
        row = rows[0]
        result: dict[str, object] = {"id": row.id}
        if row.state == "Error":
            words = f"{self.client.at} made machine '{row.name}' but could not start it; delete it."
            return Seen(JobState.FAILED, row.id, result, Refused(words))
        job = row.jobid if row.busy else ""
        state = JobState.DONE if row.state == "Running" and not job else JobState.RUNNING
        return Seen(state, row.id, result, job=job)


def _keys(names: Sequence[str]) -> dict[str, Any]:
    """One key goes by the parameter that every release knows."""
    return {"keypair": names[0]} if len(names) == 1 else {"keypairs": names}


def _like(row: records.VmRow, args: Mapping[str, Any]) -> bool:
    if row.name.casefold() != str(args["name"]).casefold():
        return False
    return (row.templateid, row.serviceofferingid) == (args["image_id"], args["size_id"])
