"""Changing what a CloudStack machine is: its size, its groups, what its guest reads when it boots."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import indexed
from gcelib.drivers.cloudstack.facet import Facet, reached
from gcelib.drivers.cloudstack.jobs import Seen
from gcelib.drivers.cloudstack.machines import DETAILS, HIDDEN
from gcelib.drivers.cloudstack.sizes import Sizes
from gcelib.models import Job

NOTHING = base64.b64encode(b"#cloud-config\n{}\n").decode()
"""User data that does nothing: CloudStack takes an empty text for none at all, and leaves the old there."""


class Reshaping(Facet):
    """updateVirtualMachine and changeServiceForVirtualMachine: over when they answer, the latter two when stopped."""

    _sizes: Sizes
    _custom_mhz: int

    def rows(self, **filters: str) -> Sequence[records.VmRow]:
        """The rows of machines that are not destroyed."""
        rows = self.client.rows(
            "listVirtualMachines", "virtualmachine", records.VmRow, details=DETAILS, **filters
        )
        return [row for row in rows if row.state not in HIDDEN]

    def resize(self, *, key: str, id: str, size_id: str, cpus: int = 0, ram_mb: int = 0) -> Job:
        """changeServiceForVirtualMachine."""
        args = {"id": id, "size_id": size_id, "cpus": cpus, "ram_mb": ram_mb}
        chosen = self._chosen(size_id, cpus, ram_mb)
        return self.settle(
            "resize", "changeServiceForVirtualMachine", args, id, id=id, serviceofferingid=size_id, **chosen
        )

    def regroup(self, *, key: str, id: str, group_ids: Sequence[str]) -> Job:
        """updateVirtualMachine's `securitygroupids`, which replaces them all."""
        args = {"id": id, "group_ids": [*group_ids]}
        return self.settle("regroup", "updateVirtualMachine", args, id, id=id, securitygroupids=group_ids)

    def set_user_data(self, *, key: str, id: str, user_data: str) -> Job:
        """updateVirtualMachine's `userdata`: the metadata service has it at once."""
        args = {"id": id, "user_data": user_data}
        return self.settle("set_user_data", "updateVirtualMachine", args, id, id=id, userdata=user_data or NOTHING)

    def add_nic(self, *, key: str, id: str, network_id: str, ip: str = "") -> Job:
        """addNicToVirtualMachine."""
        args = {"id": id, "network_id": network_id}
        return self.send(
            "add_nic", "addNicToVirtualMachine", args, key=key, target=id, virtualmachineid=id, networkid=network_id,
            ipaddress=ip,
        )  # fmt: skip

    def remove_nic(self, *, key: str, id: str, network_id: str) -> Job:
        """removeNicFromVirtualMachine."""
        args = {"id": id, "network_id": network_id}
        nics = [nic.id for row in self.rows(id=id) for nic in row.nic if nic.networkid == network_id]
        if not nics:
            return self.done(id)
        return self.send(
            "remove_nic", "removeNicFromVirtualMachine", args, key=key, target=id, virtualmachineid=id, nicid=nics[0]
        )

    def reshaped(self, verb: str, args: Mapping[str, Any], row: records.VmRow) -> Seen | None:
        """What the machine says about one of these changes."""
        if verb in ("add_nic", "remove_nic"):
            there = any(nic.networkid == args["network_id"] for nic in row.nic)
            return reached(there is (verb == "add_nic"), row.id)
        if verb == "regroup":
            return reached({group.id for group in row.securitygroup} == set(args["group_ids"]), row.id)
        if verb == "set_user_data":
            return reached(self._user_data(row.id) == (args["user_data"] or NOTHING), row.id)
        sized = row.serviceofferingid == args["size_id"]
        cpus, ram_mb = args.get("cpus") or row.cpunumber, args.get("ram_mb") or row.memory
        return reached(sized and (row.cpunumber, row.memory) == (cpus, ram_mb), row.id)

    def _user_data(self, id: str) -> str:
        fields = self.client.read("getVirtualMachineUserData", virtualmachineid=id)
        raw = fields.get("virtualmachineuserdata")
        return wire.one(bytes(raw), records.UserDataRow).userdata if raw else ""

    def _chosen(self, size_id: str, cpus: int, ram_mb: int) -> dict[str, str]:
        """CPUs and memory of a custom offering, only what it leaves open: CloudStack refuses the rest."""
        if not cpus and not ram_mb:
            return {}
        row = self._sizes.book.get(size_id) or records.OfferingRow()
        chosen = {
            "cpuNumber": 0 if row.cpunumber else cpus,
            "memory": 0 if row.memory else ram_mb,
            "cpuSpeed": 0 if row.cpuspeed else self._custom_mhz,
        }
        return indexed("details", [{name: str(value) for name, value in chosen.items() if value}])
