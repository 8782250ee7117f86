"""Disks and their copies: EBS volumes and snapshots, boot disks included."""

from __future__ import annotations

import string
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.ec2.client import named
from gcelib.drivers.ec2.facet import Facet
from gcelib.drivers.ec2.nodes import Nodes
from gcelib.drivers.ec2.offers import OF_IMAGE
from gcelib.drivers.ec2.records import snapshot_of, volume_of
from gcelib.drivers.ec2.wire import Tree, rows, tags, text
from gcelib.drivers.generic.effects import Seen, reached, under_way
from gcelib.errors import NotFound, Refused
from gcelib.models import Job, JobState, Snapshot, Volume, VolumeState, VolumeType

TYPES = {
    "gp3": VolumeType("gp3", "gp3", "General purpose SSD", min_gb=1, max_gb=16384),
    "gp2": VolumeType("gp2", "gp2", "General purpose SSD, the generation before", min_gb=1, max_gb=16384),
    "st1": VolumeType("st1", "st1", "Throughput-optimised hard disk", min_gb=125, max_gb=16384),
    "sc1": VolumeType("sc1", "sc1", "Cold hard disk", min_gb=125, max_gb=16384),
    "standard": VolumeType("standard", "standard", "Magnetic disk", min_gb=1, max_gb=1024),
}
"""The kinds of disk whose size is all there is to say; io1 and io2 want a number of operations a second as well."""
DEVICES = tuple(f"/dev/sd{letter}" for letter in string.ascii_lowercase[5:16])
"""The device names that EC2 recommends for data disks: f to p."""


class Volumes(Facet):
    """Every EBS volume of the account. The one kind that is preferred comes first: it is what `pd-standard` means."""

    name = "volumes"

    def __init__(self, nodes: Nodes) -> None:
        super().__init__(nodes.client, nodes.effects, nodes.settings)
        self._nodes = nodes
        self._attaching = threading.Lock()

    def list(self) -> Sequence[Volume]:
        """Every disk."""
        nodes = {text(row, "instanceId"): row for row in self._nodes.rows()}
        return [volume_of(row, nodes) for row in self.client.list("DescribeVolumes", "volumeSet", size=500)]

    def types(self) -> Sequence[VolumeType]:
        """The kinds of disk."""
        first = self.settings.volume_type
        return [TYPES[first], *(each for id, each in TYPES.items() if id != first)]

    def create(self, *, key: str, name: str, zone_id: str, type_id: str = "", size_gb: int = 0,
               snapshot_id: str = "", submitted: str = "") -> Job:
        """A blank disk, or one with what is in a snapshot."""
        made = self.client.change(
            "CreateVolume", AvailabilityZone=zone_id, Size=size_gb or None, SnapshotId=snapshot_id,
            VolumeType=type_id or self.settings.volume_type, ClientToken=key,
            TagSpecification=[named("volume", name, key)],
        )
        id = self.client.told(made, self.client.made("CreateVolume", made, "volumeId"), name, key)
        return self.watch("create", {"name": name, "mark": key}, id)

    def attach(self, *, key: str, id: str, node_id: str, device: int = 0) -> Job:
        """Attach it under the first device name that is free. Raises Refused when none is."""
        # Two disks attached at once would otherwise both find the same name free.
        with self._attaching:
            taken = {text(each, "deviceName") for each in rows(self._nodes.row(node_id), "blockDeviceMapping")}
            free = next((each for each in DEVICES if not taken & {each, each.replace("/sd", "/xvd")}), "")
            if not free:
                raise Refused(f"{self.client.at}: machine '{node_id}' has no device name left for another disk "
                              f"({len(DEVICES)} at most). Detach one first.")
            self.client.change("AttachVolume", VolumeId=id, InstanceId=node_id, Device=free)
        return self.watch("attach", {"id": id, "node_id": node_id}, id)

    def detach(self, *, key: str, id: str, node_id: str = "") -> Job:
        """Detach it; one that is not attached is done, and so is one that another machine than `node_id` has."""
        row = self._row(id)
        if row is None:
            raise NotFound(f"{self.client.at} has no disk '{id}' any more.")
        held = ("attached", "attaching", "busy")
        holders = [text(each, "instanceId") for each in rows(row, "attachmentSet") if text(each, "status") in held]
        if node_id and any(holder != node_id for holder in holders):
            return self.done(id)
        for holder in holders:
            self.client.change("DetachVolume", VolumeId=id, InstanceId=holder)
        return self.watch("detach", {"id": id}, id)

    def outlive(self, *, key: str, id: str, node_id: str, on: bool) -> Job:
        """Say whether it stays when its machine is destroyed."""
        self._nodes.mark_disk(node_id, id, dies=not on)
        return self.watch("outlive", {"id": id, "node_id": node_id, "on": on}, id)

    def resize(self, *, key: str, id: str, size_gb: int, type_id: str = "") -> Job:
        """Make it larger, attached or not."""
        self.client.change("ModifyVolume", VolumeId=id, Size=size_gb)
        return self.watch("resize", {"id": id, "size_gb": size_gb}, id)

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete it; one already gone is done."""
        try:
            self.client.change("DeleteVolume", VolumeId=id)
        except NotFound:
            return self.done(id)
        return self.watch("destroy", {"id": id}, id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the disk as it is now."""
        row = self._row(target) if target else self._of(str(args["mark"]))
        if verb == "destroy":
            return reached(row is None, target)
        if row is None:
            return under_way(target) if target and verb == "create" else None
        attachments = rows(row, "attachmentSet")
        node = str(args.get("node_id") or next((text(each, "instanceId") for each in attachments), ""))
        nodes = {text(each, "instanceId"): each for each in self._nodes.some(node)}
        found = volume_of(row, nodes)
        if verb == "create":
            return self._made(found)
        attached = {text(each, "instanceId") for each in attachments if text(each, "status") == "attached"}
        there = {
            "attach": args.get("node_id") in attached, "detach": text(row, "status") == "available",
            "resize": found.size_gb >= int(args.get("size_gb", 0)), "outlive": found.dies is (not args.get("on")),
        }[verb]
        return reached(there, target) or (under_way(target) if self._moving(row) else None)

    def _moving(self, row: Tree) -> bool:
        """Whether EC2 is at work on attaching or detaching it."""
        return any(text(each, "status") in ("attaching", "detaching", "busy") for each in rows(row, "attachmentSet"))

    def _made(self, disk: Volume) -> Seen:
        if disk.state is VolumeState.FAILED:
            return Seen(JobState.FAILED, disk.id, error=Refused(f"{self.client.at} could not make the disk."))
        return reached(disk.state is VolumeState.READY, disk.id) or under_way(disk.id)

    def _row(self, id: str) -> Tree | None:
        return next(iter(self.client.some("DescribeVolumes", "volumeSet", VolumeId=[id])), None)

    def _of(self, key: str) -> Tree | None:
        """The disk that the change of this key made."""
        return next(iter(self.client.list("DescribeVolumes", "volumeSet", Filter=self.client.tagged(key))), None)


class Snapshots(Facet):
    """The account's own snapshots; those made for one image are that image's."""

    name = "snapshots"

    def list(self) -> Sequence[Snapshot]:
        """Every copy."""
        return [snapshot_of(row) for row in self._rows() if OF_IMAGE not in tags(row)]

    def create(self, *, key: str, name: str, volume_id: str, submitted: str = "") -> Job:
        """Copy a disk as it is now, attached or not."""
        made = self.client.change(
            "CreateSnapshot", VolumeId=volume_id, Description=name, TagSpecification=[named("snapshot", name, key)],
        )
        id = self.client.told(made, self.client.made("CreateSnapshot", made, "snapshotId"), name, key)
        return self.watch("create", {"name": name, "mark": key}, id)

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a copy; one already gone is done."""
        try:
            self.client.change("DeleteSnapshot", SnapshotId=id)
        except NotFound:
            return self.done(id)
        return self.watch("destroy", {"id": id}, id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the copies there are now."""
        about: dict[str, Any] = {"SnapshotId": [target]} if target else {
            "Owner": ["self"], "Filter": self.client.tagged(str(args["mark"]))}
        row = next(iter(self.client.some("DescribeSnapshots", "snapshotSet", **about)), None)
        if verb == "destroy":
            return reached(row is None, target)
        if row is None:
            return under_way(target) if target else None
        found = snapshot_of(row)
        if found.state is VolumeState.FAILED:
            why = text(row, "statusMessage") or text(row, "status")
            return Seen(JobState.FAILED, found.id, error=Refused(f"{self.client.at} could not copy the disk: {why}"))
        return reached(found.state is VolumeState.READY, found.id) or under_way(found.id)

    def _rows(self) -> Sequence[Tree]:
        account = self.client.account()
        own = [{"Name": "owner-id", "Value": [account]}] if account else []
        return self.client.list("DescribeSnapshots", "snapshotSet", size=1000, Owner=["self"], Filter=own)
