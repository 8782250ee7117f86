"""Firewalls where rules stand on a machine's public addresses and where traffic leaves its network.

Such a rule has no name and no room for one: a firewall is a note in the store, and the rules are what all notes of a
network amount to together. Rules that overlap would be refused by the cloud, so they are joined. Those of ours carry a
tag; every other rule is left as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib.models import Guard, Network
from gcelib.server import groups, metadata, networks, rules
from gcelib.server.context import Ground
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step
from gcelib.server.rules import Rule

TAG = "gcelib-fw"
"""What a rule of ours carries on the cloud."""

Definitions = Sequence[Mapping[str, Any]]
INWARD = (Rule("icmp", -1, -1, ""), Rule("tcp", *rules.FULL, ""), Rule("udp", *rules.FULL, ""))
"""What "all" is on an address: the cloud's rules there know no such word."""


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """One rule as the cloud has it: ports -1 where there are none; `ranges` are the other side's."""

    protocol: str
    first: int
    last: int
    ranges: tuple[str, ...]


def definitions(ground: Ground, network: str) -> dict[str, Mapping[str, Any]]:
    """The firewalls of a GCE network that are kept as notes, by name."""
    notes = ground.view.notes_at(metadata.place(ground), "firewall")
    return {name: note["definition"] for name, note in notes.items() if note.get("network") == network}


def steps(ground: Ground, name: str, wanted: Definitions, cloud: str = "") -> list[Step]:
    """The steps after which every address and every exit of a GCE network is guarded as these firewalls say.

    `cloud` is the only one looked at, if any is named.
    """
    found: list[Step] = []
    for network in ground.view.networks:
        here = network.model.guard == "addresses" and network.cloud.guards is not None
        if here and cloud in ("", network.cloud.name) and networks.network_name(ground.view, network) == name:
            for address_id, tags in _tags_by_address(ground, network).items():
                found += _steps(ground, network, "address", address_id, _inward(wanted, tags))
            found += _steps(ground, network, "egress", network.model.id, _outward(network, wanted))
    return found


def _tags_by_address(ground: Ground, network: Found[Network]) -> dict[str, Sequence[str] | None]:
    """The network's addresses, with the tags of the machines they lead to; None for one that leads to none."""
    cloud = network.cloud.name
    nodes: dict[str, set[str]] = {}
    for part in ground.view.parts("addresses"):
        for address in part.rows if part.cloud.name == cloud else ():
            if address.network_id == network.model.id:
                nodes[address.id] = {address.node_id} if address.node_id else set()
    for part in ground.view.parts("balancers"):
        for each in part.rows if part.cloud.name == cloud else ():
            if each.network_id == network.model.id:
                # A rule without machines yet is still one that leads somewhere.
                nodes.setdefault(each.address_id, set()).update(each.node_ids or ("",))
    return {id: _tags(ground, cloud, ids) if ids else None for id, ids in nodes.items()}


def _tags(ground: Ground, cloud: str, ids: Iterable[str]) -> list[str]:
    """The network tags that any of these machines has."""
    notes = ground.view.note("node")
    items = [item for id in ids if (item := ground.view.nodes.by_id(cloud, id)) is not None]
    return sorted({tag for item in items for tag in groups.network_tags(item, notes.get((cloud, item.model.id), {}))})


def _inward(wanted: Definitions, tags: Sequence[str] | None) -> set[Opening]:
    """What an address that leads to machines with these tags lets in."""
    found = [each for each in wanted if each["direction"] == "INGRESS" and not each["disabled"] and (
        not each["targetTags"] or set(each["targetTags"]) & set(tags or ()))]  # fmt: skip
    return _openings(found, "sourceRanges", "allowed") if tags is not None else set()


def _outward(network: Found[Network], wanted: Definitions) -> set[Opening]:
    """What may leave a network, or may not where all else may."""
    found = [each for each in wanted if each["direction"] == "EGRESS" and not each["disabled"]]
    return _openings(found, "destinationRanges", "denied" if network.model.egress_open else "allowed")


def _openings(found: Definitions, ranges: str, field: str) -> set[Opening]:
    """The rules that all these firewalls amount to: for each range and protocol, ports that overlap are joined."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for each in found:
        sent = {"allowed": each[field], "sourceRanges": each[ranges], "sourceTags": []}
        for rule in rules.expand(sent, {}):
            spelt = INWARD if rule.protocol == "all" and ranges == "sourceRanges" else [rule]
            for part in spelt:
                spans.setdefault((part.protocol, rule.source), []).append(_ports(part))
    joined: dict[tuple[str, int, int], set[str]] = {}
    for (protocol, source), ports in spans.items():
        for first, last in _joined(ports):
            joined.setdefault((protocol, first, last), set()).add(source)
    return {Opening(*key, tuple(sorted(sources))) for key, sources in joined.items()}


def _ports(rule: Rule) -> tuple[int, int]:
    """A port 0 cannot be named to the cloud, and nothing listens on it."""
    return (max(rule.first, 1), max(rule.last, 1)) if rule.first >= 0 else (-1, -1)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _there(ground: Ground, cloud: str, place: str, place_id: str) -> Sequence[Guard]:
    """The rules that stand in one place."""
    def read() -> Mapping[tuple[str, str, str], Sequence[Guard]]:
        found: dict[tuple[str, str, str], list[Guard]] = defaultdict(list)
        for part in ground.view.parts("guards"):
            for guard in part.rows:
                found[part.cloud.name, guard.place, guard.place_id].append(guard)
        return found

    by_place: Mapping[tuple[str, str, str], Sequence[Guard]] = ground.view.memo("guards by place", read)
    return by_place.get((cloud, place, place_id), ())


def _steps(ground: Ground, network: Found[Network], place: str, id: str, wanted: set[Opening]) -> list[Step]:
    """Rules of ours that are not wanted go, then those that are not there come: the cloud refuses overlapping ones."""
    cloud = network.cloud.name
    there = _there(ground, cloud, place, id)
    old = [guard.id for guard in there if TAG in guard.tags and _opening(guard) not in wanted]
    found = [Step(f"shut {id}", cloud, "guards", "destroy", {"ids": old})] if old else []
    made: list[Mapping[str, str]] = []
    for number, opening in enumerate(sorted(wanted - {_opening(guard) for guard in there})):
        label = f"open {id} {number}"
        made.append({"$ref": f"{label}.target"})
        args = _args(place, id, opening, network.model.cidr)
        undo = Step(f"shut {id} {number}", cloud, "guards", "destroy", {"ids": [made[-1]]})
        found.append(Step(label, cloud, "guards", "create", args, undo=undo))
    tagging = {"kind": "guard", "ids": made, "tags": {TAG: "1"}}
    return [*found, *([Step(f"tag rules of {id}", cloud, "tags", "set", tagging)] if made else [])]


def _args(place: str, place_id: str, opening: Opening, cidr: str) -> dict[str, Any]:
    args: dict[str, Any] = {"place": place, "place_id": place_id, "protocol": opening.protocol}
    if opening.first >= 0:
        args |= {"first_port": opening.first, "last_port": opening.last}
    if place == "egress":
        return {**args, "to_cidrs": [*opening.ranges], "cidrs": [cidr] if cidr else []}
    return {**args, "cidrs": [*opening.ranges]}


def _opening(guard: Guard) -> Opening:
    ports = (-1, -1) if guard.first_port is None or guard.last_port is None else (guard.first_port, guard.last_port)
    return Opening(guard.protocol, *ports, guard.to_cidrs if guard.place == "egress" else guard.cidrs)
