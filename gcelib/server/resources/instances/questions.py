"""What can be asked about one machine beside how it is."""

from __future__ import annotations

from gcelib.drivers.base import able
from gcelib.errors import Invalid, NotFound, Unsupported
from gcelib.models import Node
from gcelib.server import firewalls, groups, networks
from gcelib.server.collection import Rendered
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.resources.instances.refusals import CONSOLE


def effective_firewalls(ctx: Context, item: Found[Node]) -> Rendered:
    """The firewalls of the interface's network that are for every machine there, or for one of the machine's tags.

    Raises Invalid for an interface that is not there.
    """
    nics = {f"nic{index}": nic for index, nic in enumerate(item.model.nics)}
    nic = nics.get(ctx.query["networkInterface"])
    if nic is None:
        raise Invalid(f"Invalid value for field 'networkInterface': '{ctx.query['networkInterface']}'. Interfaces of "
                      f"this instance: {', '.join(nics) or 'none'}.", field="networkInterface")
    network = ctx.view.networks.by_id(item.cloud.name, nic.network_id)
    name = networks.network_name(ctx.view, network) if network is not None else ""
    note = ctx.view.note("node").get((item.cloud.name, item.model.id), {})
    tags = set(groups.network_tags(item, note))
    shown: list[Rendered] = []
    for firewall in firewalls.firewalls(ctx).values():
        rendered = firewalls.render(ctx, firewall)
        targets = rendered.get("targetTags")
        here = not firewall.parts or (item.cloud.name, nic.network_id) in firewall.parts
        if firewall.network == name and here and (not targets or tags & set(targets)):
            link = ctx.link("global", "firewalls", firewall.name)
            shown.append({"kind": "compute#firewall", **rendered, "selfLink": link})
    return {"firewalls": shown} if shown else {}


def guest_attributes(ctx: Context, item: Found[Node]) -> NotFound:
    """There are none: the cloud gives its guests no place to write any. GCE says 404 where none were written."""
    path = ctx.query.get("queryPath") or ctx.query.get("variableKey") or ""
    return NotFound(
        f"The resource 'projects/{ctx.project}/zones/{item.zone}/instances/{item.name}/guestAttributes/{path}' was not "
        f"found: cloud '{item.cloud.name}' gives its machines no place to write attributes."
    )


def serial_output(ctx: Context, item: Found[Node]) -> Rendered:
    """What the machine wrote to its first serial port, from byte `start` on; `next` is where to go on.

    Raises Unsupported where the cloud keeps none, Invalid for a port that no machine there has.
    """
    cloud, port = item.cloud, ctx.query.get("port", 1)
    if cloud.nodes is None or not able(cloud, "nodes", "console"):
        raise Unsupported(f"{ctx.method.id} is not offered on cloud '{cloud.name}': {CONSOLE}")
    if port != 1:
        raise Invalid(f"Invalid value for field 'port': '{port}'. Machines of cloud '{cloud.name}' have serial port 1 "
                      "only.", field="port")
    written = cloud.nodes.console(item.model.id).encode()
    start = min(int(ctx.query.get("start", 0)), len(written))
    return {
        "kind": "compute#serialPortOutput", "contents": written[start:].decode(errors="replace"), "start": str(start),
        "next": str(len(written)),
        "selfLink": ctx.link("zones", item.zone, "instances", item.name, "serialPort"),
    }
