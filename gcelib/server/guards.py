"""Firewalls where rules stand on a machine's public addresses and where traffic leaves its network.

Such a rule has no name and no room for one: a firewall is a note in the store, and the rules are what all notes of a
network amount to together. Rules that overlap would be refused by the cloud, so they are joined. Those of ours carry a
tag; every other rule is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib.models import Address, Guard, Network, Node
from gcelib.server import groups, metadata, networks, rules
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step
from gcelib.server.rules import Rule

TAG = "gcelib-fw"
"""What a rule of ours carries on the cloud."""

Definitions = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """One rule as the cloud has it: ports -1 where there are none; `ranges` are the other side's."""

    protocol: str
    first: int
    last: int
    ranges: tuple[str, ...]


def definitions(ctx: Context, network: str) -> dict[str, Mapping[str, Any]]:
    """The firewalls of a GCE network that are kept as notes, by name."""
    notes = ctx.view.notes_at(metadata.place(ctx), "firewall")
    return {name: note["definition"] for name, note in notes.items() if note.get("network") == network}


def steps_for_address(
    ctx: Context, network: Found[Network], address_id: Any, tags: Sequence[str], wanted: Definitions | None = None
) -> list[Step]:
    """The steps after which a public address lets in what the firewalls of its machine's network allow.

    `address_id` may be a reference to an earlier step. `tags` are the network tags of the machine it stands for.
    `wanted` are the firewalls if not those there are. No steps where rules on addresses guard nothing. An address that
    stops standing for a machine loses its rules by itself.
    """
    if network.model.guard != "addresses" or network.cloud.guards is None:
        return []
    found = _wanted(ctx, network, wanted)
    allow = [each for each in found if each["direction"] == "INGRESS" and not each["disabled"] and (
        not each["targetTags"] or set(each["targetTags"]) & set(tags))]  # fmt: skip
    return _steps(ctx, network, "address", address_id, _openings(allow, "sourceRanges", "allowed"))


def steps_for_machine(ctx: Context, item: Found[Node], tags: Sequence[str]) -> list[Step]:
    """The steps after which a machine's public addresses let in what they are to with these network tags."""
    steps: list[Step] = []
    for network, address in _addresses(ctx):
        if network.cloud.name == item.cloud.name and address.node_id == item.model.id:
            steps += steps_for_address(ctx, network, address.id, tags)
    return steps


def steps_for_network(ctx: Context, name: str, wanted: Definitions) -> list[Step]:
    """The steps after which every address and every exit of a GCE network is guarded as these firewalls say."""
    steps: list[Step] = []
    for network, address in _addresses(ctx):
        if networks.network_name(ctx.view, network) == name:
            item = ctx.view.nodes.by_id(network.cloud.name, address.node_id)
            note = ctx.view.note("node").get((network.cloud.name, address.node_id), {})
            tags = groups.network_tags(item, note) if item else []
            steps += steps_for_address(ctx, network, address.id, tags, wanted)
    for network, address_id, tags in _fronts(ctx):
        if networks.network_name(ctx.view, network) == name:
            steps += steps_for_address(ctx, network, address_id, tags, wanted)
    for network in ctx.view.networks:
        if networks.network_name(ctx.view, network) == name:
            steps += _leaving(ctx, network, wanted)
    return steps


def _leaving(ctx: Context, network: Found[Network], wanted: Definitions) -> list[Step]:
    """The steps for what may leave a network, or may not where all else may."""
    if network.model.guard != "addresses" or network.cloud.guards is None:
        return []
    found = [each for each in wanted if each["direction"] == "EGRESS" and not each["disabled"]]
    field = "denied" if network.model.egress_open else "allowed"
    return _steps(ctx, network, "egress", network.model.id, _openings(found, "destinationRanges", field))


def _wanted(ctx: Context, network: Found[Network], wanted: Definitions | None) -> Definitions:
    if wanted is not None:
        return wanted
    return [*definitions(ctx, networks.network_name(ctx.view, network)).values()]


def _addresses(ctx: Context) -> Iterable[tuple[Found[Network], Address]]:
    """The addresses that stand for machines, with their networks."""
    for part in ctx.view.parts("addresses"):
        for address in part.rows:
            network = ctx.view.networks.by_id(part.cloud.name, address.network_id) if address.node_id else None
            if network is not None:
                yield network, address


def _fronts(ctx: Context) -> Iterable[tuple[Found[Network], str, list[str]]]:
    """The addresses that are shared out among machines, with those machines' tags."""
    nodes: dict[tuple[str, str, str], set[str]] = {}
    for part in ctx.view.parts("balancers"):
        for each in part.rows:
            nodes.setdefault((part.cloud.name, each.network_id, each.address_id), set()).update(each.node_ids)
    for (cloud, network_id, address_id), ids in nodes.items():
        network = ctx.view.networks.by_id(cloud, network_id)
        members = [item for id in sorted(ids) if (item := ctx.view.nodes.by_id(cloud, id)) is not None]
        if network is not None:
            yield network, address_id, tags_of(ctx, members)


def tags_of(ctx: Context, items: Iterable[Found[Node]]) -> list[str]:
    """The network tags that any of these machines has."""
    notes = ctx.view.note("node")
    return sorted({
        tag for item in items for tag in groups.network_tags(item, notes.get((item.cloud.name, item.model.id), {}))
    })


def _openings(found: Definitions, ranges: str, field: str) -> set[Opening]:
    """The rules that all these firewalls amount to: for each range and protocol, ports that overlap are joined."""
    spans: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for each in found:
        sent = {"allowed": each[field], "sourceRanges": each[ranges], "sourceTags": []}
        for rule in rules.expand(sent, {}):
            spans.setdefault((rule.protocol, rule.source), []).append(_ports(rule))
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


def _steps(ctx: Context, network: Found[Network], place: str, place_id: Any, wanted: set[Opening]) -> list[Step]:
    """Rules of ours that are not wanted go, then those that are not there come: the cloud refuses overlapping ones."""
    cloud = network.cloud.name
    rows = [part.rows for part in ctx.view.parts("guards") if part.cloud.name == cloud]
    there = [guard for each in rows for guard in each if (guard.place, guard.place_id) == (place, place_id)]
    about = place_id if isinstance(place_id, str) else place_id["$ref"].partition(".")[0]
    steps = _removal(cloud, about, [g for g in there if TAG in g.tags and _opening(g) not in wanted])
    for number, opening in enumerate(sorted(wanted - {_opening(guard) for guard in there})):
        label = f"open {about} {number}"
        args = _args(place, place_id, opening, network.model.cidr)
        undo = Step(f"shut {about} {number}", cloud, "guards", "destroy", {"ids": [{"$ref": f"{label}.target"}]})
        steps.append(Step(label, cloud, "guards", "create", args, undo=undo))
        steps.append(Step(f"tag {label}", cloud, "tags", "set",
                          {"kind": "guard", "ids": [{"$ref": f"{label}.target"}], "tags": {TAG: "1"}}))
    return steps


def _removal(cloud: str, about: str, old: Sequence[Guard]) -> list[Step]:
    if not old:
        return []
    return [Step(f"shut {about}", cloud, "guards", "destroy", {"ids": [guard.id for guard in old]})]


def _args(place: str, place_id: Any, opening: Opening, cidr: str) -> dict[str, Any]:
    args: dict[str, Any] = {"place": place, "place_id": place_id, "protocol": opening.protocol}
    if opening.first >= 0:
        args |= {"first_port": opening.first, "last_port": opening.last}
    if place == "egress":
        return {**args, "to_cidrs": [*opening.ranges], "cidrs": [cidr] if cidr else []}
    return {**args, "cidrs": [*opening.ranges]}


def _opening(guard: Guard) -> Opening:
    ports = (-1, -1) if guard.first_port is None or guard.last_port is None else (guard.first_port, guard.last_port)
    return Opening(guard.protocol, *ports, guard.to_cidrs if guard.place == "egress" else guard.cidrs)
