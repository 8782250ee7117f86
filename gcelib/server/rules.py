"""A GCE firewall as a set of security-group rules, and back."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib import naming
from gcelib.errors import Invalid, Unsupported
from gcelib.models import GroupRule

ANYWHERE = "0.0.0.0/0"
NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp"}
NAMED = {"icmp": "icmp", "tcp": "tcp", "udp": "udp", "esp": "50", "ah": "51", "sctp": "132", "ipip": "94", "all": "all"}
PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?\Z")
FULL = (0, 65535)
MOST = 1000
"""Rules that one firewall may stand for: each is a call to the cloud."""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One allowance as groups have it; `source` is a CIDR or "group:NAME", ports are -1 where there are none."""

    protocol: str
    first: int
    last: int
    source: str


def rule_of(found: GroupRule) -> Rule:
    """A group's rule in the form in which rules are compared."""
    source = f"group:{found.group_name}" if found.group_name else _network(found.cidr or ANYWHERE)
    ports = (-1, -1) if found.first_port is None or found.last_port is None else (found.first_port, found.last_port)
    protocol = NUMBERS.get(found.protocol.lower(), found.protocol.lower())
    if protocol in ("tcp", "udp") and ports in ((-1, -1), (0, 0)):
        ports = FULL
    if protocol not in ("tcp", "udp"):
        ports = (-1, -1)
    return Rule(protocol, *ports, source)


def arguments(rule: Rule) -> dict[str, Any]:
    """What `firewalls.allow` takes for this rule, without its group."""
    args: dict[str, Any] = {"protocol": rule.protocol, "direction": "ingress"}
    if rule.first >= 0:
        args.update(first_port=rule.first, last_port=rule.last)
    if rule.source.startswith("group:"):
        args["group_names"] = [rule.source.removeprefix("group:")]
    else:
        args["cidrs"] = [rule.source]
    return args


def expand(body: Mapping[str, Any], source_groups: Mapping[str, str]) -> frozenset[Rule]:
    """The rules a firewall stands for; `source_groups` maps a source tag to its group's name.

    Raises Invalid naming the field that makes no sense.
    """
    sources = [_network(text, f"resource.sourceRanges[{index}]") for index, text in enumerate(body["sourceRanges"])]
    sources += [f"group:{source_groups[tag]}" for tag in body["sourceTags"]]
    rules: set[Rule] = set()
    for index, entry in enumerate(body["allowed"]):
        protocol = _protocol(str(entry.get("IPProtocol", "")), f"resource.allowed[{index}].IPProtocol")
        for first, last in _ranges(protocol, entry.get("ports") or [], f"resource.allowed[{index}].ports"):
            rules.update(Rule(protocol, first, last, source) for source in sources)
    return frozenset(rules)


def checked(body: Mapping[str, Any], clouds: str) -> dict[str, Any]:
    """The firewall with its defaults filled in.

    Raises Invalid, and Unsupported naming the field that the clouds cannot carry out.
    """
    refusals = {
        "denied": bool(body.get("denied")),
        "direction": body.get("direction", "INGRESS") != "INGRESS",
        "disabled": bool(body.get("disabled")),
        "destinationRanges": bool(body.get("destinationRanges")),
        "sourceServiceAccounts": bool(body.get("sourceServiceAccounts")),
        "targetServiceAccounts": bool(body.get("targetServiceAccounts")),
        "logConfig": bool((body.get("logConfig") or {}).get("enable")),
    }
    for field, refused in refusals.items():
        if refused:
            raise Unsupported(
                f"Field 'resource.{field}' is not offered on cloud {clouds}: its security groups hold only rules that "
                "allow incoming traffic, always in force, by address range or tag.",
                field=f"resource.{field}",
            )
    if not body.get("allowed"):
        raise Invalid("Required field 'resource.allowed' not specified: say what to allow.", field="resource.allowed")
    tags = tags_of(body, "sourceTags")
    ranges = list(body.get("sourceRanges") or []) or ([] if tags else [ANYWHERE])
    _count(body, len(ranges) + len(tags))
    return {
        "description": body.get("description", ""),
        "priority": priority_of(body),
        "sourceRanges": ranges,
        "sourceTags": tags,
        "targetTags": tags_of(body, "targetTags"),
        "allowed": [dict(entry) for entry in body["allowed"]],
    }


def tags_of(body: Mapping[str, Any], field: str) -> list[str]:
    """The tags in a field. Raises Invalid naming one that no machine can have."""
    tags: list[str] = list(body.get(field) or [])
    for index, tag in enumerate(tags):
        if not naming.is_label(tag):
            path = f"resource.{field}[{index}]"
            raise Invalid(f"Invalid value for field '{path}': '{tag}'. Must be a match of regex "
                          f"'{naming.LABEL_PATTERN}'", field=path)
    return tags


def priority_of(body: Mapping[str, Any]) -> int:
    """The priority, 1000 when none was sent. Raises Invalid for one that GCE would not take."""
    priority = int(body.get("priority", 1000))
    if not 0 <= priority <= 65535:
        raise Invalid(f"Invalid value for field 'resource.priority': '{priority}'. Must be between 0 and 65535.",
                      field="resource.priority")
    return priority


def _count(body: Mapping[str, Any], sources: int) -> None:
    spans = sum(len(entry.get("ports") or []) or 1 for entry in body["allowed"])
    count = spans * sources * (len(body.get("targetTags") or []) or 1)
    if count > MOST:
        raise Invalid(
            f"Invalid value for field 'resource.allowed': with its ports, sources and target tags this firewall stands "
            f"for {count} rules of security groups, and at most {MOST} are taken. Join ports and addresses to ranges, "
            "or make several firewalls.",
            field="resource.allowed",
        )


def describe(rules: Iterable[Rule], source_tags: Mapping[str, str]) -> dict[str, Any]:
    """The firewall that a set of rules amounts to; `source_tags` maps a group's name to its tag."""
    ports: dict[str, set[tuple[int, int]]] = {}
    ranges: set[str] = set()
    tags: set[str] = set()
    for rule in rules:
        ports.setdefault(rule.protocol, set()).add((rule.first, rule.last))
        name = rule.source.removeprefix("group:")
        if name == rule.source:
            ranges.add(name)
        else:
            tags.add(source_tags.get(name, name))
    allowed: list[dict[str, Any]] = []
    for protocol, spans in sorted(ports.items()):
        entry: dict[str, Any] = {"IPProtocol": protocol}
        if protocol in ("tcp", "udp") and FULL not in spans:
            entry["ports"] = [str(first) if first == last else f"{first}-{last}" for first, last in sorted(spans)]
        allowed.append(entry)
    return {"allowed": allowed, "sourceRanges": sorted(ranges), "sourceTags": sorted(tags)}


def _protocol(text: str, field: str) -> str:
    name = NUMBERS.get(text, NAMED.get(text.lower(), text))
    if name in NAMED.values() or (re.fullmatch("[0-9]{1,3}", name) and int(name) <= 255):
        return name
    raise Invalid(
        f"Invalid value for field '{field}': '{text}'. Must be one of {', '.join(NAMED)}, or a number up to 255.",
        field=field,
    )


def _ranges(protocol: str, ports: Sequence[Any], field: str) -> list[tuple[int, int]]:
    if protocol not in ("tcp", "udp"):
        if ports:
            raise Invalid(
                f"Invalid value for field '{field}': only tcp and udp rules of this cloud have ports.", field=field
            )
        return [(-1, -1)]
    spans: list[tuple[int, int]] = []
    for port in ports:
        match = PORTS.match(str(port))
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not 0 <= first <= last <= 65535:
            raise Invalid(
                f"Invalid value for field '{field}': '{port}'. A port, or two with a dash between, up to 65535.",
                field=field,
            )
        spans.append((first, last))
    return spans or [FULL]


def _network(text: str, field: str = "resource.sourceRanges") -> str:
    try:
        return str(ipaddress.IPv4Network(text, strict=False))
    except ValueError:
        pass
    try:
        return str(ipaddress.IPv6Network(text, strict=False))
    except ValueError as error:
        raise Invalid(f"Invalid value for field '{field}': '{text}'. Must be a range of addresses such as 10.0.0.0/8.",
                      field=field) from error
