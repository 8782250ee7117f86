"""EC2's words on machines and disks as models."""

from __future__ import annotations

from collections.abc import Mapping

from gcelib.drivers.ec2.places import name_of
from gcelib.drivers.ec2.wire import Tree, number, part, rows, tags, text
from gcelib.drivers.generic.reading import time_of
from gcelib.models import Nic, Node, NodeState, Snapshot, Volume, VolumeState

GONE = "terminated"
STATES: Mapping[str, NodeState] = {
    "pending": NodeState.STAGING, "running": NodeState.RUNNING, "stopping": NodeState.STOPPING,
    "shutting-down": NodeState.STOPPING, "stopped": NodeState.STOPPED,
}
VOLUME_STATES: Mapping[str, VolumeState] = {
    "creating": VolumeState.CREATING, "available": VolumeState.READY, "in-use": VolumeState.READY,
    "deleting": VolumeState.DELETING, "deleted": VolumeState.DELETING, "error": VolumeState.FAILED,
}
SNAPSHOT_STATES: Mapping[str, VolumeState] = {
    "pending": VolumeState.CREATING, "completed": VolumeState.READY, "recoverable": VolumeState.DELETING,
    "recovering": VolumeState.CREATING,
}
PROTECTED = "gcelib-protected"
"""The tag on a machine that gcelib protects: a list of machines does not tell EC2's own switch."""


def state_of(row: Tree) -> str:
    """The state of a machine, as EC2 calls it."""
    return text(part(row, "instanceState"), "name")


def node_of(row: Tree) -> Node:
    """A machine."""
    key = text(row, "keyName")
    nics = interfaces_of(row)
    groups = {text(each, "groupId"): None for nic in nics[:1] for each in rows(nic, "groupSet")}
    # A machine's launch time is that of its last start; its first interface has been there since it was made.
    made = text(part(nics[0], "attachment"), "attachTime") or text(row, "launchTime")
    return Node(
        id=text(row, "instanceId"), name=name_of(row, "instanceId"), state=STATES.get(state_of(row), NodeState.ERROR),
        zone_id=text(part(row, "placement"), "availabilityZone"), size_id=text(row, "instanceType"),
        size_name=text(row, "instanceType"), image_id=text(row, "imageId"), state_text=_why(row),
        created=time_of(made), nics=tuple(_nic(nic, index) for index, nic in enumerate(nics)),
        group_ids=tuple(groups) or tuple(text(each, "groupId") for each in rows(row, "groupSet")),
        keypair_names=(key,) if key else (), delete_protected=PROTECTED in tags(row), tags=tags(row),
    )


def reason_of(row: Tree) -> str:
    """Why a machine is in the state it is in, in EC2's words; "" where it says nothing."""
    return text(part(row, "stateReason"), "message") or text(row, "reason")


def _why(row: Tree) -> str:
    """EC2's words for a state that is not the usual one; a stop that was asked for needs none."""
    said = reason_of(row)
    return said if said and not said.startswith("Client.User") and "User initiated" not in said else ""


def interfaces_of(row: Tree) -> list[Tree]:
    """The interfaces, the first one first; a machine outside of VPCs has its one address in its own fields."""
    found = rows(row, "networkInterfaceSet")
    return sorted(found, key=lambda nic: number(part(nic, "attachment"), "deviceIndex")) or [{
        "subnetId": text(row, "subnetId"), "privateIpAddress": text(row, "privateIpAddress"), "macAddress": "",
        "association": {"publicIp": text(row, "ipAddress")}, "groupSet": rows(row, "groupSet"),
    }]


def _nic(nic: Tree, index: int) -> Nic:
    return Nic(
        text(nic, "subnetId"), text(nic, "subnetId"), ip=text(nic, "privateIpAddress"), mac=text(nic, "macAddress"),
        public_ip=text(part(nic, "association"), "publicIp"), default=index == 0,
    )


def mapping_of(node: Tree, volume_id: str) -> Tree:
    """How a machine has a disk: its device, and whether it goes with the machine; {} when it has not."""
    found = (each for each in rows(node, "blockDeviceMapping") if text(part(each, "ebs"), "volumeId") == volume_id)
    return next(found, {})


def volume_of(row: Tree, nodes: Mapping[str, Tree]) -> Volume:
    """A disk; `nodes` are the machines by id."""
    attached: Tree = next((each for each in rows(row, "attachmentSet") if text(each, "status") != "detached"), {})
    node = nodes.get(text(attached, "instanceId"), {})
    mapping = mapping_of(node, text(row, "volumeId"))
    dies = text(part(mapping, "ebs"), "deleteOnTermination") or text(attached, "deleteOnTermination")
    device, root = text(attached, "device"), text(node, "rootDeviceName")
    boot = bool(device) and device == root
    return Volume(
        text(row, "volumeId"), name_of(row, "volumeId"), number(row, "size"),
        VOLUME_STATES.get(text(row, "status"), VolumeState.FAILED), text(row, "availabilityZone"), boot=boot,
        node_id=text(attached, "instanceId"), node_name=name_of(node, "instanceId"), device=place_of(device),
        type_id=text(row, "volumeType"), type_name=text(row, "volumeType"),
        image_id=text(node, "imageId") if boot else "", snapshot_id="" if boot else text(row, "snapshotId"),
        created=time_of(text(row, "createTime")), attached=time_of(text(attached, "attachTime")), tags=tags(row),
        dies=dies == "true" if attached else None,
    )


def place_of(device: str) -> int:
    """The order of a device among a machine's: its last letter's, 0 for none."""
    letter = device.rstrip("0123456789")[-1:]
    return ord(letter) - ord("a") if letter.isalpha() else 0


def snapshot_of(row: Tree) -> Snapshot:
    """A copy of a disk."""
    state = SNAPSHOT_STATES.get(text(row, "status"), VolumeState.FAILED)
    return Snapshot(
        text(row, "snapshotId"), name_of(row, "snapshotId"), state, volume_id=text(row, "volumeId"),
        size_gb=number(row, "volumeSize"), created=time_of(text(row, "startTime")), tags=tags(row),
    )
