"""What a forwarding rule asks for, resolved: its ports, its target's machines, and the address it is on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib import naming
from gcelib.errors import InUse, Invalid, Missing, Unsupported
from gcelib.models import Address, Network, Node
from gcelib.server import addresses, balancing, pools, unmet
from gcelib.server.context import Context
from gcelib.server.directory import Found

MOST_PORTS = 20
"""Each port is a rule of its own on the cloud."""

EXTERNAL, TCP = "EXTERNAL", "TCP"
REFUSED: unmet.Wishes = {
    "backendService": bool, "ipVersion": lambda value: value == "IPV6", "allPorts": bool, "ports": bool,
    "loadBalancingScheme": lambda value: value != EXTERNAL,
    "subnetwork": bool, "allowGlobalAccess": bool, "allowPscGlobalAccess": bool, "serviceLabel": bool,
    "sourceIpRanges": bool, "isMirroringCollector": bool, "ipCollection": bool, "metadataFilters": bool,
    "serviceDirectoryRegistrations": bool,
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a rule leads: a path below the project, the machines there, and the balancers' way of choosing."""

    path: str
    nodes: Sequence[Found[Node]]
    algorithm: str


def ports(text: str) -> tuple[int, int]:
    """The first and the last port of a range. Raises Missing, Invalid for a range that is none or too long."""
    field = "resource.portRange"
    if not text:
        raise Missing(f"Required field '{field}' not specified: on this cloud a rule for every port is not offered; "
                      "say "
                      f"which, at most {MOST_PORTS}.", field=field)
    found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise Invalid(f"Invalid value for field '{field}': '{text}'. Must be a port, or two with a dash between.",
                      field=field)
    if last - first >= MOST_PORTS:
        raise Invalid(f"Invalid value for field '{field}': '{text}'. Each port is a load-balancing rule of its own on "
                      "the "
                      f"cloud: at most {MOST_PORTS}.", field=field)
    return first, last


def target(ctx: Context, link: str, region: str) -> Target:
    """What a target link means. Raises Missing, Invalid for what is not there, Unsupported for other kinds."""
    field = "resource.target"
    if not link:
        raise Missing(f"Required field '{field}' not specified", field=field)
    ref = ctx.ref(link, "", field)
    path = f"{ref.scope}/{ref.collection}/{ref.name}"
    if ref.collection == "targetPools":
        pool = pools.pools(ctx).get((ref.scope.partition("/")[2], ref.name))
        if pool is None or pool.region != region or not pool.ours:
            raise _absent(field, link, f"target pool in region '{region}'")
        return Target(path, pools.members(ctx, pool), pools.AFFINITIES[pool.affinity])
    if ref.collection == "targetInstances":
        zone = ref.scope.partition("/")[2]
        single = pools.singles(ctx).get(balancing.note_id(zone, ref.name))
        if single is None or naming.region_of(zone) != region:
            raise _absent(field, link, f"target instance in region '{region}'")
        node = pools.machine(ctx, single["instance"])
        return Target(path, [node] if node else [], "spread")
    clouds = ", ".join(f"'{cloud.name}'" for cloud in ctx.view.clouds)
    raise Unsupported(
        f"{ctx.method.id} with field '{field}' = '{link}' is not offered on cloud {clouds}: rules lead to targetPools "
        "and "
        f"targetInstances there, not to {ref.collection}.", field=field,
    )


def place(
    ctx: Context, region: str, sent: str, nodes: Sequence[Found[Node]]
) -> tuple[Found[Address] | None, Found[Network], list[tuple[str, str]]]:
    """(the reserved address asked for, or None for one of the rule's own; its network; warnings).

    Without an address the network is that of the target's machines. Raises Invalid for an address or a machine that
    does not fit, InUse for an address that stands for a machine, Unsupported where nothing is balanced.
    """
    found, warnings = _address(ctx, region, sent), list[tuple[str, str]]()
    if found is not None:
        network = ctx.view.networks.by_id(found.cloud.name, found.model.network_id)
    else:
        homes = [ctx.view.networks.by_id(node.cloud.name, nic.network_id) for node in nodes for nic in node.model.nics]
        network = next((home for home in homes if home is not None and home.model.balanced), None)
        if network is None and not nodes:
            network, warnings = addresses.reservable(ctx, region)
    if network is None or not network.model.balanced:
        clouds = ", ".join(f"'{name}'" for name in sorted({zone.cloud.name for zone in ctx.view.regions[region]}))
        raise Unsupported(
            f"{ctx.method.id} is not offered on cloud {clouds} in region '{region}' for these machines: their network "
            "has "
            "no load balancing. Use machines in a network of the account's own."
        )
    for node in nodes:
        pools.refuse_outside(node, network.cloud.name, network.model.id, "resource.target")
    return found, network, warnings


def refuse_taken_ports(ctx: Context, item: Found[Address], protocol: str, first: int, last: int) -> None:
    """Raise InUse where another rule has one of the ports on the address."""
    for rule in balancing.rules(ctx).values():
        same = (rule.cloud.name, rule.first.address_id) == (item.cloud.name, item.model.id)
        if same and any(each.protocol == protocol and first <= each.port <= last for each in rule.balancers):
            raise InUse(
                f"Invalid value for field 'resource.portRange': '{first}-{last}'. A port of address '{item.model.ip}' "
                "is "
                f"already being used by 'projects/{ctx.project}/regions/{rule.region}/forwardingRules/{rule.name}'",
                field="resource.portRange",
            )


def moves(rule: balancing.Rule, nodes: Sequence[Found[Node]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """(balancer id -> machines to put behind it, balancer id -> machines to take from it) for these machines alone."""
    wanted = [node.model.id for node in nodes]
    more = {each.id: [id for id in wanted if id not in each.node_ids] for each in rule.balancers}
    less = {each.id: [id for id in each.node_ids if id not in wanted] for each in rule.balancers}
    return more, less


def normal(first: int, last: int) -> str:
    """A port range as GCE shows it."""
    return f"{first}-{last}"


def checked(ctx: Context, region: str, body: Mapping[str, Any]) -> None:
    """Raise Unsupported naming the first field that no cloud of the region can carry out."""
    for zone in ctx.view.regions.get(region, ()):
        unmet.refuse(ctx, zone.cloud, body, REFUSED, "balancers", "resource")
        if body.get("IPProtocol", TCP) != TCP:
            raise Unsupported(f"{ctx.method.id} with field 'resource.IPProtocol' is not offered on cloud "
                              f"'{zone.cloud.name}': its balancers take TCP connections and nothing else. For UDP give "
                              "each machine an address of its own.", field="resource.IPProtocol")
        addresses.refuse_tier(ctx, zone.cloud.name, body.get("networkTier", ""), "resource.networkTier")


def _address(ctx: Context, region: str, sent: str) -> Found[Address] | None:
    if not sent:
        return None
    field = "resource.IPAddress"
    if re.fullmatch(r"[0-9.]+", sent):
        found = addresses.at(ctx, addresses.checked_ip(sent, field), region)
    else:
        ref = ctx.ref(sent, "addresses", field)
        found = addresses.addresses(ctx).match(ref.name, region)
    if found is None:
        raise Invalid(f"Invalid value for field '{field}': '{sent}'. No such address is reserved in region '{region}'.",
                      field=field)
    if found.model.node_id:
        addresses.refuse_used(ctx, found, addresses.users(ctx, found))
    return found


def _absent(field: str, link: str, what: str) -> Invalid:
    return Invalid(f"Invalid value for field '{field}': '{link}'. There is no such {what}.", field=field)
