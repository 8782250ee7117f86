"""Machines: EC2's instances, which have their names as tags."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.ec2.client import KEY, named
from gcelib.drivers.ec2.facet import Facet
from gcelib.drivers.ec2.offers import Images, image_of
from gcelib.drivers.ec2.records import GONE, PROTECTED, interfaces_of, node_of, reason_of, state_of
from gcelib.drivers.ec2.wire import Tree, part, rows, text
from gcelib.drivers.generic.effects import Seen, reached, under_way
from gcelib.errors import NotFound, NotReady, Refused, Unsupported
from gcelib.models import Job, JobState, Node, NodeState

GOAL: Mapping[str, NodeState] = {"start": NodeState.RUNNING, "reset": NodeState.RUNNING, "stop": NodeState.STOPPED}
"""The state in which a change of a machine's power is over."""


class Nodes(Facet):
    """RunInstances and its kin. A machine that is terminated stays in EC2's lists for an hour, and not in ours."""

    name = "nodes"

    def __init__(self, images: Images) -> None:
        super().__init__(images.client, images.effects, images.settings)
        self._images = images

    def list(self) -> Sequence[Node]:
        """Every machine that is there."""
        return [node_of(row) for row in self.rows()]

    def find(self, name: str) -> Sequence[Node]:
        """The machines of this name, any letter case."""
        return [node for node in self.list() if node.name.casefold() == name.casefold()]

    def rows(self, **params: Any) -> Sequence[Tree]:
        """EC2's own words on the machines that are there."""
        return [row for row in self._all(**params) if state_of(row) != GONE]

    def row(self, id: str) -> Tree:
        """EC2's own words on one machine. Raises NotFound."""
        found = self._one(id)
        if found is None or state_of(found) == GONE:
            raise NotFound(f"{self.client.at} has no machine '{id}' any more.")
        return found

    def some(self, id: str) -> Sequence[Tree]:
        """EC2's own words on one machine, if it is there; none for no id."""
        found = self._one(id) if id else None
        return [found] if found is not None else []

    def create(
        self, *, key: str, name: str, zone_id: str, size_id: str, image_id: str, display_name: str = "",
        cpus: int = 0, ram_mb: int = 0, network_ids: Sequence[str] = (), ip: str = "", group_ids: Sequence[str] = (),
        keypair_names: Sequence[str] = (), user_data: str = "", root_gb: int = 0, keep_root: bool = False,
        public: bool = False, submitted: str = "",
    ) -> Job:
        """RunInstances with the change's key as its token: sent twice, it makes one machine."""
        if len(network_ids) > 1:
            raise Unsupported(f"{self.client.at}: gcelib makes machines with one interface there.")
        root = self._images.row(image_id)
        device, size = text(root, "rootDeviceName"), root_gb or image_of(root, own=False).size_gb
        ebs = {"VolumeSize": size or None, "DeleteOnTermination": not keep_root}
        nic = {
            "DeviceIndex": 0, "SubnetId": network_ids[0] if network_ids else None, "SecurityGroupId": list(group_ids),
            "AssociatePublicIpAddress": public, "PrivateIpAddress": ip, "DeleteOnTermination": True,
        }
        made = self.client.change(
            "RunInstances", ImageId=image_id, InstanceType=size_id, MinCount=1, MaxCount=1, ClientToken=key,
            Placement={"AvailabilityZone": zone_id}, NetworkInterface=[nic], UserData=user_data,
            KeyName=keypair_names[0] if keypair_names else None,
            BlockDeviceMapping=[{"DeviceName": device, "Ebs": ebs}] if device else [],
            TagSpecification=[named("instance", name, key), named("volume", name, key)],
        )
        found: Tree = next(iter(rows(made, "instancesSet")), {})
        id = self.client.told(found, self.client.made("RunInstances", found, "instanceId"), name, key)
        return self.watch("create", {"name": name, "mark": key}, id)

    def destroy(self, *, key: str, id: str, volume_ids: Sequence[str] = ()) -> Job:
        """Terminate it; disks go or stay as they are marked, those of `volume_ids` go. One already gone is done."""
        found = self._one(id)
        if found is not None and state_of(found) != GONE:
            for volume_id in volume_ids:
                self.mark_disk(id, volume_id, dies=True)
            self.client.change("TerminateInstances", InstanceId=[id])
        return self.watch("destroy", {"id": id}, id)

    def start(self, *, key: str, id: str) -> Job:
        """Start it; one that runs is done."""
        return self._switch("start", "StartInstances", id)

    def stop(self, *, key: str, id: str) -> Job:
        """Stop it; one that is stopped is done."""
        return self._switch("stop", "StopInstances", id)

    def reset(self, *, key: str, id: str) -> Job:
        """Reboot it; it stays running in EC2's eyes."""
        self.client.change("RebootInstances", InstanceId=[id])
        return self.watch("reset", {"id": id}, id)

    def rename(self, *, key: str, id: str, name: str) -> Job:
        """Give it another name."""
        self.client.change("CreateTags", ResourceId=[id], Tag=[{"Key": "Name", "Value": name}])
        return self.watch("rename", {"id": id, "name": name}, id)

    def protect(self, *, key: str, id: str, on: bool) -> Job:
        """EC2's own switch, and a tag that tells of it."""
        self._modify(id, DisableApiTermination={"Value": on})
        value = {"Value": "true"} if on else {}
        self.client.change("CreateTags" if on else "DeleteTags", ResourceId=[id], Tag=[{"Key": PROTECTED, **value}])
        return self.watch("protect", {"id": id, "on": on}, id)

    def resize(self, *, key: str, id: str, size_id: str, cpus: int = 0, ram_mb: int = 0) -> Job:
        """Give a stopped machine another type."""
        self._modify(id, InstanceType={"Value": size_id})
        return self.watch("resize", {"id": id, "size_id": size_id}, id)

    def regroup(self, *, key: str, id: str, group_ids: Sequence[str]) -> Job:
        """Put its first interface into these security groups and no others, at once."""
        interface = next((text(nic, "networkInterfaceId") for nic in interfaces_of(self.row(id))), "")
        if interface:
            groups = list(group_ids)
            self.client.change("ModifyNetworkInterfaceAttribute", NetworkInterfaceId=interface, SecurityGroupId=groups)
        else:
            self._modify(id, GroupId=list(group_ids))
        return self.watch("regroup", {"id": id, "group_ids": list(group_ids)}, id)

    def set_user_data(self, *, key: str, id: str, user_data: str) -> Job:
        """Replace what a stopped machine's next boot reads. Raises NotReady for one that runs."""
        if state_of(self.row(id)) != "stopped":
            raise NotReady(
                f"{self.client.at} changes what a machine's boot reads (metadata 'startup-script', 'user-data') only "
                "while it is stopped. Stop it, change its metadata, start it again."
            )
        self._modify(id, Attribute="userData", Value=user_data or NOTHING)
        return self.done(id)

    def console(self, id: str) -> str:
        """What the machine has written to its serial port: EC2 keeps the last 64 KB."""
        answer = self.client.ask("GetConsoleOutput", InstanceId=id)
        return base64.b64decode(text(answer, "output")).decode(errors="replace")

    def mark_disk(self, id: str, volume_id: str, *, dies: bool) -> None:
        """Say whether a disk goes with its machine. Raises NotFound for one that it has not."""
        device = next((text(each, "deviceName") for each in rows(self.row(id), "blockDeviceMapping")
                       if text(part(each, "ebs"), "volumeId") == volume_id), "")
        if not device:
            raise NotFound(f"{self.client.at}: machine '{id}' has no disk '{volume_id}' any more.")
        self._modify(id, BlockDeviceMapping=[{"DeviceName": device, "Ebs": {"DeleteOnTermination": dies}}])

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the machine as it is now."""
        row = self._one(target) if target else self._of(str(args["mark"]))
        if verb == "destroy":
            return reached(row is None or state_of(row) == GONE, target)
        if row is None or (verb != "create" and state_of(row) == GONE):
            if verb == "create":
                # A machine just made may not be in EC2's lists yet.
                return under_way(target) if target else None
            gone = Refused(f"{self.client.at} has no machine '{target}' any more.")
            return Seen(JobState.FAILED, target, error=gone)
        model = node_of(row)
        if verb == "create":
            return self._made(row, model)
        if verb in GOAL:
            return reached(model.state is GOAL[verb], target) or under_way(target)
        return reached(self._changed(verb, args, model), target)

    def _changed(self, verb: str, args: Mapping[str, Any], model: Node) -> bool:
        """Whether a change that EC2 carries out at once is there; of user data nobody can say, so it is sent again."""
        if verb == "rename":
            return model.name == str(args["name"])
        if verb == "resize":
            return model.size_id == str(args["size_id"])
        if verb == "regroup":
            return set(model.group_ids) == set(args["group_ids"])
        return verb == "protect" and model.delete_protected == bool(args["on"])

    def _made(self, row: Tree, node: Node) -> Seen:
        if state_of(row) in (GONE, "shutting-down"):
            why = reason_of(row) or "it was terminated at once"
            return Seen(JobState.FAILED, node.id, error=Refused(f"{self.client.at} could not make the machine: {why}"))
        return reached(state_of(row) != "pending", node.id) or under_way(node.id)

    def _switch(self, verb: str, action: str, id: str) -> Job:
        if node_of(self.row(id)).state is not GOAL[verb]:
            self.client.change(action, InstanceId=[id])
        return self.watch(verb, {"id": id}, id)

    def _modify(self, id: str, **change: Any) -> None:
        self.client.change("ModifyInstanceAttribute", InstanceId=id, **change)

    def _one(self, id: str) -> Tree | None:
        try:
            return next(iter(self._all(InstanceId=[id])), None)
        except NotFound:
            return None

    def _of(self, key: str) -> Tree | None:
        """The machine that the change of this key made."""
        return next(iter(self._all(Filter=[{"Name": f"tag:{KEY}", "Value": [key]}])), None)

    def _all(self, **params: Any) -> Sequence[Tree]:
        found = self.client.list("DescribeInstances", "reservationSet", **params)
        return [row for group in found for row in rows(group, "instancesSet")]


NOTHING = base64.b64encode(b"#cloud-config\n").decode()
"""User data that says nothing: EC2 takes no empty ones."""
