"""Network interfaces of a machine besides its first: made with it, added, and taken away again."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any

from gcelib.errors import InUse, Invalid, Unsupported
from gcelib.models import Network, Node, Zone
from gcelib.server import networks, unmet
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step

REFUSED: unmet.Wishes = {
    **dict.fromkeys(("aliasIpRanges", "aliasIpv6Ranges", "internalIpv6PrefixLength", "ipv6AccessConfigs", "ipv6Address",
                     "networkAttachment", "nicType", "parentNicName", "queueCount", "serviceClassId", "vlan"), bool),
    "stackType": lambda value: value != "IPV4_ONLY",
}  # fmt: skip
LATER = {
    "accessConfigs": "give the interface an address with compute.instances.addAccessConfig",
    "networkIP": "make the interface with compute.instances.addNetworkInterface",
}
"""Fields that a further interface has not while its machine is made -> what to do instead."""


def addition(ctx: Context, item: Found[Node]) -> list[Step]:
    """One more interface. Raises Unsupported where machines have one, Invalid for a network it is in already."""
    zone = ctx.view.zone(item.zone, ctx.project)
    if not zone.model.own_networks:
        raise Unsupported(f"{ctx.method.id} is not offered on cloud '{item.cloud.name}' in zone '{zone.name}': "
                          "machines there have one interface, in the zone's shared network.")
    body = ctx.body
    unmet.refuse(ctx, item.cloud, body, REFUSED, "interfaces", "resource")
    if body.get("accessConfigs"):
        raise Unsupported(
            f"{ctx.method.id} with field 'resource.accessConfigs' is not offered on cloud '{item.cloud.name}': leave "
            "it out, and give the interface an address with compute.instances.addAccessConfig.",
            field="resource.accessConfigs",
        )
    network = _unjoined(ctx, zone, body, {nic.network_id for nic in item.model.nics}, "resource")
    ip = body.get("networkIP", "")
    try:
        ipaddress.IPv4Address(ip or "0.0.0.0")
    except ValueError as error:
        raise Invalid(f"Invalid value for field 'resource.networkIP': '{ip}'. Must be an IP address.",
                      field="resource.networkIP") from error
    about = {"id": item.model.id, "network_id": network.model.id}
    undo = Step("drop interface", item.cloud.name, "nodes", "remove_nic", about)
    return [Step("interface", item.cloud.name, "nodes", "add_nic", {**about, "ip": ip}, undo=undo)]


def further(ctx: Context, zone: Found[Zone], first: Found[Network] | None) -> list[str]:
    """The networks of a new machine's interfaces but the first, which is in `first`.

    Raises Unsupported where machines have one, or for what can only be set on a machine that is there; Invalid for a
    network that is named twice.
    """
    nics = (ctx.body.get("networkInterfaces") or [])[1:]
    if nics and not zone.model.own_networks:
        raise Unsupported(
            f"{ctx.method.id} with field 'resource.networkInterfaces[1]' is not offered on cloud '{zone.cloud.name}' "
            f"in zone '{zone.name}': machines there have one interface, in the zone's shared network.",
            field="resource.networkInterfaces[1]",
        )
    ids = [first.model.id] if first else []
    for index, nic in enumerate(nics, 1):
        field = f"resource.networkInterfaces[{index}]"
        unmet.refuse(ctx, zone.cloud, nic, REFUSED, "interfaces", field)
        for name, instead in LATER.items():
            if nic.get(name):
                raise Unsupported(
                    f"{ctx.method.id} with field '{field}.{name}' is not offered on cloud '{zone.cloud.name}': leave "
                    f"it out, and {instead}.", field=f"{field}.{name}",
                )
        ids.append(_unjoined(ctx, zone, nic, set(ids), field).model.id)
    return ids[1:] if first else ids


def _unjoined(
    ctx: Context, zone: Found[Zone], nic: Mapping[str, Any], joined: Collection[str], field: str
) -> Found[Network]:
    """The network that an interface asks for. Raises NotFound, Invalid for one of those `joined` already."""
    below = bool(nic.get("subnetwork"))
    word = "subnetwork" if below else "network"
    ref = ctx.ref(nic.get(word) or "global/networks/default", f"{word}s", f"{field}.{word}")
    network = networks.joined(ctx, zone, ref.name, subnetwork=below, field=field)
    if network is None or network.model.id in joined:
        raise Invalid(f"Invalid value for field '{field}.{word}': '{nic.get(word, '')}'. The machine needs one that "
                      "it is not in yet.", field=f"{field}.{word}")
    return network


def removal(ctx: Context, item: Found[Node]) -> list[Step]:
    """An interface taken away. Raises Invalid for the first one, InUse for one with a public address."""
    name = ctx.query["networkInterfaceName"]
    nics = {f"nic{index}": nic for index, nic in enumerate(item.model.nics)}
    field = "networkInterfaceName"
    if name not in nics:
        raise Invalid(f"Invalid value for field '{field}': '{name}'. Interfaces of this instance: "
                      f"{', '.join(nics) or 'none'}.", field=field)
    nic = nics[name]
    if nic.default or name == "nic0":
        raise Invalid(f"Invalid value for field '{field}': '{name}'. A machine keeps its first interface.", field=field)
    if nic.public_ip:
        raise InUse(f"Interface '{name}' has the public address '{nic.public_ip}': take it away first with "
                    "compute.instances.deleteAccessConfig.", field=field)
    args = {"id": item.model.id, "network_id": nic.network_id}
    return [Step("interface", item.cloud.name, "nodes", "remove_nic", args)]
