"""Network interfaces of a machine that is there: added, and taken away again."""

from __future__ import annotations

import ipaddress

from gcelib.errors import InUse, Invalid, Unsupported
from gcelib.models import Node
from gcelib.server import networks, unmet
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step

REFUSED: unmet.Wishes = {
    **dict.fromkeys(("aliasIpRanges", "ipv6AccessConfigs", "ipv6Address", "networkAttachment", "nicType",
                     "parentNicName", "queueCount", "vlan"), bool),
    "stackType": lambda value: value != "IPV4_ONLY",
}  # fmt: skip


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
    below = bool(body.get("subnetwork"))
    word = "subnetwork" if below else "network"
    ref = ctx.ref(body.get(word) or "global/networks/default", f"{word}s", f"resource.{word}")
    network = networks.joined(ctx, zone, ref.name, subnetwork=below, field="resource")
    if network is None or any(nic.network_id == network.model.id for nic in item.model.nics):
        raise Invalid(f"Invalid value for field 'resource.{word}': '{body.get(word, '')}'. The machine needs one that "
                      "it is not in yet.", field=f"resource.{word}")
    ip = body.get("networkIP", "")
    try:
        ipaddress.IPv4Address(ip or "0.0.0.0")
    except ValueError as error:
        raise Invalid(f"Invalid value for field 'resource.networkIP': '{ip}'. Must be an IP address.",
                      field="resource.networkIP") from error
    about = {"id": item.model.id, "network_id": network.model.id}
    undo = Step("drop interface", item.cloud.name, "nodes", "remove_nic", about)
    return [Step("interface", item.cloud.name, "nodes", "add_nic", {**about, "ip": ip}, undo=undo)]


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
