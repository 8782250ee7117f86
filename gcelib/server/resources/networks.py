"""Networks: one of GCE's is one of the cloud's in each zone that has it; `default` is a zone's shared one."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, InUse, Invalid, Refused, Unsupported
from gcelib.models import Network
from gcelib.server import remarks
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import rfc3339

Parts = Sequence[Found[Network]]


class Networks(Collection):
    """Shown as GCE's legacy networks, which have one address range and no subnetworks."""

    name, kind = "networks", "network"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", parts) for parts in merged(ctx).values())

    def find(self, ctx: Context, scope: str, ref: str) -> Parts:
        shown = merged(ctx)
        if ref in shown:
            return shown[ref]
        for zone in ctx.view.zones:
            found = ctx.view.networks.match(ref, zone.name)
            if found is not None:
                return shown[found.name]
        raise missing(ctx, "global", self.name, ref)

    def render(self, ctx: Context, scope: str, item: Parts) -> Rendered:
        first = item[0].model
        note = ctx.view.note("network").get((item[0].cloud.name, first.id), {})
        zones = ", ".join(f"{part.zone}: {part.model.name}" for part in item)
        shown: Rendered = {
            "id": naming.number("", "network", f"{ctx.tenancy} {item[0].name}"),
            "name": item[0].name,
            "description": remarks.said_of("description", first.tags, note) or zones,
            "routingConfig": {"routingMode": "REGIONAL"},
        }
        if first.created:
            shown["creationTimestamp"] = rfc3339(first.created)
        if first.cidr:
            shown["IPv4Range"] = first.cidr
        if first.gateway:
            shown["gatewayIPv4"] = first.gateway
        return shown

    def insert(self, ctx: Context) -> Work:
        """Make the network in every zone whose accounts have networks of their own."""
        name = ctx.body["name"]
        if name in merged(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/global/networks/{name}' already exists")
        cidr, gateway = _range(ctx)
        zones = [zone for zone in ctx.view.zones if zone.model.own_networks and zone.model.up]
        if not zones:
            clouds = ", ".join(f"'{cloud.name}'" for cloud in ctx.view.clouds)
            raise Unsupported(
                f"compute.networks.insert is not offered on cloud {clouds}: accounts have no networks of their own in "
                "its zones. Machines there join the network 'default'."
            )
        steps: list[Step] = []
        said = {"description": ctx.body.get("description", "")}
        for zone in zones:
            label = f"network {zone.name}"
            args = {
                "name": name, "zone_id": zone.model.id, "description": said["description"], "cidr": cidr,
                "gateway": gateway,
            }
            undo = Step(f"drop {label}", zone.cloud.name, "networks", "destroy", {"id": {"$ref": f"{label}.target"}})
            steps.append(Step(label, zone.cloud.name, "networks", "create", args, undo=undo))
            steps += remarks.steps(zone.cloud, "network", label, {}, said)
        number = naming.number("", "network", f"{ctx.tenancy} {name}")
        return Work("insert", f"{ctx.project}/global/networks/{name}", steps, main=steps[0].name, target_id=number)

    def delete(self, ctx: Context) -> Work:
        """Delete the network in every zone that has it, if no machine uses it."""
        parts = self.find(ctx, "global", ctx.params["network"])
        name = parts[0].name
        shared = [part for part in parts if not part.model.own]
        if shared:
            raise Refused(
                f"Network '{name}' is not the project's own in zone '{shared[0].zone}' of cloud "
                f"'{shared[0].cloud.name}': only its operator can delete it."
            )
        ids = {(part.cloud.name, part.model.id) for part in parts}
        nics = ((node, nic) for node in ctx.view.nodes for nic in node.model.nics)
        user = next((node for node, nic in nics if (node.cloud.name, nic.network_id) in ids), None)
        if user is not None:
            raise InUse(
                f"The network resource 'projects/{ctx.project}/global/networks/{name}' is already being used by "
                f"'projects/{ctx.project}/zones/{user.zone}/instances/{user.name}'"
            )
        steps = [
            Step(f"network {part.zone}", part.cloud.name, "networks", "destroy", {"id": part.model.id})
            for part in parts
        ]
        number = naming.number("", "network", f"{ctx.tenancy} {name}")
        return Work("delete", f"{ctx.project}/global/networks/{name}", steps, main=steps[0].name, target_id=number)


def merged(ctx: Context) -> dict[str, list[Found[Network]]]:
    """Network name -> the network in each zone that has one of that name."""
    shown: dict[str, list[Found[Network]]] = {}
    for found in ctx.view.networks:
        shown.setdefault(found.name, []).append(found)
    return shown


def _range(ctx: Context) -> tuple[str, str]:
    """(CIDR, gateway) that were asked for, "" for the cloud's choice. Raises Invalid naming the field."""
    cidr, gateway = ctx.body.get("IPv4Range", ""), ctx.body.get("gatewayIPv4", "")
    try:
        network = ipaddress.IPv4Network(cidr) if cidr else None
    except ValueError as error:
        raise Invalid(f"Invalid value for field 'resource.IPv4Range': '{cidr}'. {error}.",
                      field="resource.IPv4Range") from error
    if not gateway:
        return cidr, ""
    try:
        inside = network is not None and ipaddress.IPv4Address(gateway) in network
    except ValueError:
        inside = False
    if not inside:
        raise Invalid(f"Invalid value for field 'resource.gatewayIPv4': '{gateway}'. It is no address of IPv4Range.",
                      field="resource.gatewayIPv4")
    return cidr, gateway


