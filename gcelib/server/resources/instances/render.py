"""A machine as GCE shows an instance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from gcelib import naming
from gcelib.models import Nic, Node, NodeState, Volume
from gcelib.server import alone, fingerprint, groups, metadata, networks, remarks
from gcelib.server.collection import Known, Rendered
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found
from gcelib.server.machine_states import STATUS
from gcelib.server.resources.instances import access, asked
from gcelib.server.times import rfc3339

KNOWN: Known = {
    "id": lambda ctx, item: naming.number(item.cloud.name, "node", item.model.id),
    "creationTimestamp": lambda ctx, item: rfc3339(item.model.created),
    "name": lambda ctx, item: item.name,
    "status": lambda ctx, item: STATUS[item.model.state],
}
"""What a list of all machines may be put in order by or filtered by without rendering each."""


def instance(ctx: Context, item: Found[Node]) -> Rendered:
    """Every field GCE fills for a running instance that this cloud can answer for."""
    node = item.model
    note = ctx.view.note("node").get((item.cloud.name, node.id), {})
    zone, machine_type = _zone_and_type(ctx, item)
    labels = remarks.labels_of(node.tags, note)
    shown: Rendered = {
        **{name: tell(ctx, item) for name, tell in KNOWN.items()},
        "description": remarks.said_of("description", node.tags, note),
        "tags": tags(groups.network_tags(item, note)),
        "machineType": machine_type,
        "zone": zone,
        "canIpForward": False,
        "networkInterfaces": [_nic(ctx, item, index, nic, note) for index, nic in enumerate(node.nics)],
        "disks": disks(ctx, item, note),
        "metadata": metadata.render(note.get("metadata", [])),
        "scheduling": {**asked.SCHEDULING_KEPT, "preemptible": False, "provisioningModel": "STANDARD",
                       **note.get("scheduling", {})},
        "labelFingerprint": fingerprint.fingerprint(labels),
        "startRestricted": False,
        "deletionProtection": deletion_protected(item, note),
    }
    if labels:
        shown["labels"] = labels
    if node.state is NodeState.ERROR or node.state_text:
        shown["statusMessage"] = node.state_text or "The cloud could not start this machine; delete it and try again."
    shown["fingerprint"] = fingerprint.fingerprint(shown)
    return shown


def tags(items: list[str]) -> Rendered:
    """Network tags with their fingerprint; no `items` when there are none."""
    return {**({"items": items} if items else {}), "fingerprint": fingerprint.fingerprint(items)}


def deletion_protected(item: Found[Node], note: Mapping[str, Any]) -> bool:
    """Whether a delete is to be refused: the cloud's own switch, or ours where it has none."""
    return item.model.delete_protected or bool(remarks.said_of("protected", item.model.tags, note))


def auto_delete(ctx: Context, disk: Found[Volume]) -> bool:
    """Whether a disk goes with its machine; a boot disk cannot stay where the cloud says so."""
    if disk.model.dies is not None:
        return disk.model.dies
    if disk.model.boot and disk.cloud.traits.boot_disk_dies:
        return True
    return bool(remarks.said_of("auto-delete", disk.model.tags, _note_of(ctx, disk)) == "true")


def _note_of(ctx: Context, disk: Found[Volume]) -> Mapping[str, Any]:
    return ctx.view.note("volume").get((disk.cloud.name, disk.model.id), {})


def disks_of(ctx: Context, item: Found[Node]) -> list[Found[Volume]]:
    """The machine's disks, the boot disk first."""
    try:
        return alone.disks(ctx.view, item)
    except alone.Undecided:
        pass
    made: Callable[[], Any] = lambda: ctx.view.volumes.made("by node", _by_node)  # noqa: E731
    by_node: Mapping[tuple[str, str], list[Found[Volume]]] = ctx.view.memo("disks by node", made)
    return by_node.get((item.cloud.name, item.model.id), [])


def device_name(ctx: Context, disk: Found[Volume], node: Node, note: Mapping[str, Any], index: int) -> str:
    """The name under which the machine knows the disk: what was asked for, else GCE's own numbering.

    What was asked for a boot disk is kept with the machine, `note` being the machine's.
    """
    tags, kept = (node.tags, note) if disk.model.boot else (disk.model.tags, _note_of(ctx, disk))
    return str(remarks.said_of("device", tags, kept)) or f"persistent-disk-{index}"


def disks(ctx: Context, item: Found[Node], note: Mapping[str, Any]) -> list[Rendered]:
    """The attached disks as GCE shows them."""
    return [
        {
            "kind": "compute#attachedDisk",
            "type": "PERSISTENT",
            "mode": "READ_WRITE",
            "source": ctx.link("zones", disk.zone, "disks", disk.name),
            "deviceName": device_name(ctx, disk, item.model, note, index),
            "index": index,
            "boot": disk.model.boot,
            "autoDelete": auto_delete(ctx, disk),
            "interface": "SCSI",
            "diskSizeGb": str(disk.model.size_gb),
        }
        for index, disk in enumerate(disks_of(ctx, item))
    ]


def _by_node(volumes: Directory[Volume]) -> Mapping[tuple[str, str], list[Found[Volume]]]:
    """Every machine's disks, the boot disk first: sorted once for all machines of a list."""
    found: dict[tuple[str, str], list[Found[Volume]]] = defaultdict(list)
    for volume in volumes:
        if volume.model.node_id:
            found[volume.cloud.name, volume.model.node_id].append(volume)
    for attached in (each for each in found.values() if len(each) > 1):
        attached.sort(key=lambda disk: (not disk.model.boot, disk.model.device))
    return found


def _zone_and_type(ctx: Context, item: Found[Node]) -> tuple[str, str]:
    """The links to the machine's zone and type, which thousands may share."""
    node = item.model
    known: dict[tuple[Any, ...], tuple[str, str]] = ctx.view.memo("zones and types of machines", dict)
    key = (item.cloud.name, item.zone, node.size_id, node.size_name, node.cpus, node.ram_mb)
    if key not in known:
        zone = ctx.link("zones", item.zone)
        known[key] = (zone, f"{zone}/machineTypes/{_machine_type(ctx, item)}")
    return known[key]


def _machine_type(ctx: Context, item: Found[Node]) -> str:
    size = ctx.view.sizes.by_id(item.cloud.name, item.model.size_id)
    if size is not None and size.model.custom:
        return f"custom-{item.model.cpus}-{item.model.ram_mb}"
    return size.name if size else naming.slug(item.model.size_name or item.model.size_id)


def _nic(ctx: Context, item: Found[Node], index: int, nic: Nic, note: Mapping[str, Any]) -> Rendered:
    known: dict[tuple[str, str, str], Rendered] = ctx.view.memo("networks of interfaces", dict)
    key = (item.cloud.name, nic.network_id, nic.network_name)
    if key not in known:
        # Thousands of machines may be in one network.
        known[key] = _joined(ctx, item.cloud.name, nic)
    shown: Rendered = {"kind": "compute#networkInterface", "name": f"nic{index}", **known[key]}
    if nic.ip:
        shown["networkIP"] = nic.ip
    public = access.public_ip(nic)
    if public:
        name = access.shown_name(index, item.model.tags, note)
        shown["accessConfigs"] = [
            {"kind": "compute#accessConfig", "type": "ONE_TO_ONE_NAT", "name": name, "natIP": public}
        ]
    shown["fingerprint"] = fingerprint.fingerprint(shown)
    return shown


def _joined(ctx: Context, cloud: str, nic: Nic) -> Rendered:
    """The links to the network that an interface is in."""
    network = ctx.view.networks.by_id(cloud, nic.network_id)
    name = networks.network_name(ctx.view, network) if network else naming.slug(nic.network_name or nic.network_id)
    shown: Rendered = {"network": ctx.link("global", "networks", name)}
    if network and networks.mode_of(ctx.view, network) != networks.LEGACY:
        shown["subnetwork"] = ctx.link("regions", naming.region_of(network.zone), "subnetworks", network.name)
    return shown
