"""A new machine: what was asked for, checked against what its zone has, as steps."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.errors import Exists, Invalid, Missing, NotReady
from gcelib.models import Image, Network, Size, Zone
from gcelib.server import alone, groups, metadata, networks, remarks, templates, unmet
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.images import bootable
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import access, asked, drives, interfaces, tagging
from gcelib.server.resources.instances.sizes import size_for

LOOKS = ("zones.list", "sizes.list", "images.list", "networks.list")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for, resolved: every link is a thing of the zone's cloud."""

    zone: Found[Zone]
    name: str
    size: Found[Size]
    image: Found[Image]
    network: Found[Network] | None
    ip: str
    further: Sequence[str]
    boot: Mapping[str, Any]
    tags: Sequence[str]
    items: metadata.Items
    labels: Mapping[str, str]


def insert(ctx: Context) -> Work:
    """The work of making the machine, its groups, key pair, notes and further disks.

    Raises Exists for a taken name, NotFound or Invalid naming the field that names nothing, Unsupported naming
    the field this cloud cannot carry out.
    """
    template = ctx.query.get("sourceInstanceTemplate", "")
    if template:
        ctx = replace(ctx, body=templates.filled(ctx, template, ctx.body, "sourceInstanceTemplate"))
    ctx.view.ahead([*LOOKS, *alone.looks_for(ctx.view, ctx.body["name"])], least=1)
    wish = _wish(ctx)
    cloud = wish.zone.cloud
    keys = metadata.public_keys(wish.items, metadata.common(ctx))
    steps, args = _before(ctx, wish, keys)
    args |= {
        "name": wish.name, "display_name": wish.name, "zone_id": wish.zone.model.id, "size_id": wish.size.model.id,
        "image_id": wish.image.model.id, "ip": wish.ip, "root_gb": drives.root_gb(wish.boot, wish.image, wish.size),
        "user_data": metadata.user_data(wish.items, keys, cloud.traits.user_data_bytes), "submitted": "$now",
    }
    if not cloud.traits.boot_disk_dies:
        args["keep_root"] = not wish.boot.get("autoDelete")
    nic = (ctx.body.get("networkInterfaces") or [{}])[0]
    if cloud.traits.public_at_birth:
        args["public"] = access.at_birth(nic.get("accessConfigs") or [])
    if wish.size.model.custom:
        args |= {"cpus": wish.size.model.cpus, "ram_mb": wish.size.model.ram_mb}
    back: dict[str, Any] = {"id": {"$ref": "node.target"}}
    if cloud.traits.lingering is not None:
        # What is taken back must not hold the name either: the client will try again.
        back["aside"] = naming.with_suffix(wish.name, "x" + secrets.token_hex(4))
    undo = Step("destroy node", cloud.name, "nodes", "destroy", back)
    further = drives.further(ctx, wish.zone, wish.name)
    # A cloud that takes other changes of a machine that is being made still attaches no disk to it.
    early = cloud.traits.queues and not further
    steps.append(Step("node", cloud.name, "nodes", "create", args, undo=undo, early=early, weight=5))
    steps += [*remarks.steps(cloud, "node", "node", wish.labels, _said(ctx, wish)), *further]
    steps += [*_protected(ctx, cloud), *access.for_new(ctx, cloud, wish.network, nic.get("accessConfigs") or [])]
    target = f"{ctx.project}/zones/{wish.zone.name}/instances/{wish.name}"
    warnings = [*asked.ignored(ctx, cloud), *metadata.unheard(wish.items, keys)]
    return Work("insert", target, steps, main="node", target_kind="node", warnings=warnings)


def _protected(ctx: Context, cloud: Cloud) -> list[Step]:
    if not ctx.body.get("deletionProtection"):
        return []
    # Not before it is there: what could not be started is cleared away, and nobody clears a protected one away.
    about = {"id": {"$ref": "node.id"}}
    undo = Step("unprotect", cloud.name, "nodes", "protect", {**about, "on": False}, optional=True)
    return [Step("protect", cloud.name, "nodes", "protect", {**about, "on": True}, undo=undo, optional=True)]


def _wish(ctx: Context) -> Wish:
    zone = ctx.view.zone(ctx.params["zone"], ctx.project)
    body, name = ctx.body, ctx.body["name"]
    asked.refuse(ctx, zone.cloud)
    if not zone.model.up:
        raise NotReady(f"Zone '{zone.name}' of cloud '{zone.cloud.name}' is closed by its operator.")
    if _named(ctx, zone, name):
        raise Exists(f"The resource 'projects/{ctx.project}/zones/{zone.name}/instances/{name}' already exists")
    if not body.get("machineType"):
        raise Missing("Required field 'resource.machineType' not specified", field="resource.machineType")
    boot = drives.boot(ctx, zone.cloud)
    field = "resource.disks[0].initializeParams.sourceImage"
    image = bootable(ctx, zone, boot["initializeParams"]["sourceImage"], field)
    network, ip = _network(ctx, zone)
    return Wish(
        zone=zone, name=name, size=size_for(ctx, zone, body["machineType"]), image=image, network=network, ip=ip,
        further=interfaces.further(ctx, zone, network), boot=boot,
        tags=tagging.checked(body.get("tags") or {}, "resource.tags"), items=metadata.checked(
            {"items": (body.get("metadata") or {}).get("items")}, [], "resource.metadata"
        ),
        labels=remarks.check_labels(body.get("labels") or {}),
    )


def _named(ctx: Context, zone: Found[Zone], name: str) -> bool:
    """Whether a machine of the zone is meant by this name already."""
    try:
        return alone.node(ctx.view, zone, name) is not None
    except alone.Undecided:
        return ctx.view.nodes.match(name, zone.name) is not None


def _before(ctx: Context, wish: Wish, keys: Sequence[str]) -> tuple[list[Step], dict[str, Any]]:
    """Steps that must precede the machine, and the arguments that come of them."""
    cloud, args = wish.zone.cloud, dict[str, Any]()
    steps: list[Step] = []
    if wish.network is not None and wish.zone.model.picks_network:
        args["network_ids"] = [wish.network.model.id, *wish.further]
    if wish.zone.model.security_groups and cloud.firewalls is not None:
        network = networks.network_name(ctx.view, wish.network) if wish.network else "default"
        steps, args["group_ids"] = groups.for_machine(ctx.view, cloud, network, wish.name, wish.tags)
    if (first := metadata.registered(keys)) and cloud.keypairs is not None:
        key = {"name": "gcelib-" + naming.number("", "key", first), "public_key": first}
        steps.append(Step("keypair", cloud.name, "keypairs", "register", key))
        args["keypair_names"] = [{"$ref": "keypair.name"}]
    return steps, args


def _said(ctx: Context, wish: Wish) -> dict[str, Any]:
    """What only GCE knows of the machine, for tags and notes."""
    access = ((ctx.body.get("networkInterfaces") or [{}])[0].get("accessConfigs") or [{}])[0]
    disk = wish.boot["initializeParams"].get("diskName", "")
    nat = access.get("name", "")
    return {
        "description": ctx.body.get("description", ""),
        "tags": ",".join(wish.tags),
        "device": wish.boot.get("deviceName", ""),
        "disk": disk if disk != wish.name else "",
        "nat": nat if nat != "External NAT" else "",
        "metadata": wish.items,
        "scheduling": asked.unusual_scheduling(ctx.body.get("scheduling") or {}),
        "name": "" if wish.zone.cloud.traits.keeps_names else wish.name,
    }


def _network(ctx: Context, zone: Found[Zone]) -> tuple[Found[Network] | None, str]:
    """(the first interface's network, the address asked for there). Raises NotFound, Invalid or Unsupported."""
    nic = (ctx.body.get("networkInterfaces") or [{}])[0]
    field = "resource.networkInterfaces[0]"
    unmet.refuse(ctx, zone.cloud, nic, interfaces.REFUSED, "interfaces", field)
    if nic.get("subnetwork"):
        ref = ctx.ref(nic["subnetwork"], "subnetworks", f"{field}.subnetwork")
    else:
        ref = ctx.ref(nic.get("network") or "global/networks/default", "networks", f"{field}.network")
    ip = nic.get("networkIP", "")
    try:
        ipaddress.ip_address(ip or "0.0.0.0")
    except ValueError as error:
        raise Invalid(f"Invalid value for field '{field}.networkIP': '{ip}'. Must be an IP address.",
                      field=f"{field}.networkIP") from error
    below = bool(nic.get("subnetwork"))
    return networks.joined(ctx, zone, ref.name, subnetwork=below, field=field), ip
