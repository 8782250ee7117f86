"""A rule of Neutron's security groups as gcelib has it, and back; and where its tags are kept.

Neutron keeps no tags on a rule: they are tags of its group, whose key begins with a mark of the rule.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from gcelib.drivers.openstack.markers import decoded, encoded
from gcelib.drivers.openstack.records import RuleRow
from gcelib.errors import Invalid
from gcelib.models import GroupRule

MARK = "rule:"
MARK_DIGITS = 12
NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp"}
NAMES = {"ipv6-icmp": "icmp", "icmpv6": "icmp", "esp": "50", "ah": "51", "sctp": "132", "ipip": "4", "gre": "47"}
"""What Neutron may call a protocol -> what gcelib calls it."""
ANYWHERE = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
PORTS = ("tcp", "udp")
LAST_PORT = 65535
DIRECTIONS = ("ingress", "egress")

Key = tuple[Any, ...]


def body(args: Mapping[str, Any], *, cidr: str = "", group: str = "") -> dict[str, Any]:
    """One rule as Neutron takes it. Raises Invalid for a direction or ports it has not."""
    direction, protocol = str(args["direction"]), str(args["protocol"])
    if direction not in DIRECTIONS:
        raise Invalid(f"A security group has no direction '{direction}'.", field="direction")
    found: dict[str, Any] = {"security_group_id": args["group_id"], "direction": direction, "ethertype": "IPv4"}
    if protocol != "all":
        found["protocol"] = NUMBERS.get(protocol, protocol)
    if found.get("protocol") in PORTS:
        first, last = args.get("first_port"), args.get("last_port")
        whole = first in (None, 0, 1) and last in (None, LAST_PORT)
        # Port 0 is none that anything listens on; all ports are said by naming none.
        found |= {} if whole else {"port_range_min": max(1, int(first or 0)), "port_range_max": max(1, int(last or 0))}
    elif found.get("protocol") == "icmp" and int(args.get("icmp_type", -1)) >= 0:
        found["port_range_min"] = args["icmp_type"]
        if int(args.get("icmp_code", -1)) >= 0:
            found["port_range_max"] = args["icmp_code"]
    if group:
        return {**found, "remote_group_id": group}
    found["ethertype"] = f"IPv{ipaddress.ip_network(cidr, strict=False).version}"
    return found if cidr in ANYWHERE.values() else {**found, "remote_ip_prefix": cidr}





def key(row: RuleRow) -> Key:
    """What tells a rule from others, whatever its words."""
    return (
        row.direction, row.ethertype, protocol_of(row), row.port_range_min, row.port_range_max,
        _plain(row.remote_ip_prefix), row.remote_group_id,
    )


def key_of(wanted: Mapping[str, Any]) -> Key:
    """The same of a rule that is to be made."""
    return (
        wanted["direction"], wanted["ethertype"], _named(wanted.get("protocol")), wanted.get("port_range_min"),
        wanted.get("port_range_max"), _plain(wanted.get("remote_ip_prefix")), wanted.get("remote_group_id"),
    )


def rule_of(row: RuleRow, names: Mapping[str, str], tags: Mapping[str, str]) -> GroupRule:
    """A rule; `names` are the groups' by id."""
    protocol = protocol_of(row)
    ports = protocol in PORTS
    group = names.get(row.remote_group_id or "", row.remote_group_id or "")
    icmp = protocol == "icmp"
    return GroupRule(
        row.id, row.direction, protocol, first_port=row.port_range_min if ports else None,
        last_port=row.port_range_max if ports else None,
        icmp_type=row.port_range_min if icmp and row.port_range_min is not None else -1,
        icmp_code=row.port_range_max if icmp and row.port_range_max is not None else -1,
        cidr="" if group else row.remote_ip_prefix or ANYWHERE.get(row.ethertype or "IPv4", ""), group_name=group,
        tags=tags,
    )


def protocol_of(row: RuleRow) -> str:
    """tcp, udp, icmp, all, or a number as text."""
    return _named(row.protocol)


def tags_of(kept: Mapping[str, str], rule_id: str) -> dict[str, str]:
    """The tags of a rule among those its group keeps."""
    mark = mark_of(rule_id)
    return {name.removeprefix(mark): value for name, value in kept.items() if name.startswith(mark)}


def mark_of(rule_id: str) -> str:
    """What the key of a rule's tag begins with."""
    return f"{MARK}{rule_id.replace('-', '')[:MARK_DIGITS]}:"


def marks(tags: Iterable[str], rule_id: str, name: str) -> list[str]:
    """Neutron's tags that keep one tag of a rule."""
    whole, there = mark_of(rule_id) + name, list(tags)
    value = decoded(there).get(whole)
    return [] if value is None else [tag for tag in encoded(whole, value) if tag in there]


def quoted(tag: str) -> str:
    """A tag as part of a path."""
    return quote(tag, safe="")


def _named(protocol: Any) -> str:
    if protocol in (None, "", "any"):
        return "all"
    text = str(protocol).lower()
    return NAMES.get(text, NUMBERS.get(text, text))


def _plain(prefix: str | None) -> str | None:
    if prefix in (None, *ANYWHERE.values()):
        return None
    try:
        return str(ipaddress.ip_network(str(prefix), strict=False))
    except ValueError:
        # No range, and so like no other.
        return prefix
