"""Forwarding rules as they stand on the clouds: each is one load-balancing rule for every port, on one address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.models import Address, Balancer
from gcelib.naming import Named
from gcelib.server import metadata
from gcelib.server.context import Context
from gcelib.server.directory import Found

NOTE = "forwardingRule"


@dataclass(frozen=True, slots=True)
class Rule:
    """A forwarding rule. `ours`: made through gcelib, which keeps `note`; others are shown, and left as they are.

    `target` is a path below the project; that of a rule made elsewhere is a pool of the rule's own name.
    """

    name: str
    region: str
    cloud: Cloud
    balancers: tuple[Balancer, ...]
    note: Mapping[str, Any]
    ours: bool

    @property
    def target(self) -> str:
        return str(self.note["target"]) if self.ours else f"regions/{self.region}/targetPools/{self.name}"

    @property
    def first(self) -> Balancer:
        """One of its balancers, which differ in nothing but the port."""
        return self.balancers[0]

    @property
    def ports(self) -> tuple[int, int]:
        """The first and the last."""
        return min(each.port for each in self.balancers), max(each.port for each in self.balancers)

    @property
    def node_ids(self) -> tuple[str, ...]:
        """The machines behind every port of it."""
        shared = set(self.first.node_ids).intersection(*(each.node_ids for each in self.balancers))
        return tuple(sorted(shared))


def note_id(region: str, name: str) -> str:
    """Where the store keeps a rule, or a pool."""
    return f"{region}/{name}"


def where(ctx: Context, kind: str, id: str) -> dict[str, str]:
    """The arguments of a step that writes a note of the project's own."""
    return {"place": metadata.place(ctx), "kind": kind, "id": id}


def rules(ctx: Context) -> Mapping[tuple[str, str], Rule]:
    """Every forwarding rule by (region, name)."""
    found: Mapping[tuple[str, str], Rule] = ctx.view.memo("forwarding rules", lambda: _rules(ctx))
    return found


def rules_on(ctx: Context, item: Found[Address]) -> list[str]:
    """Paths below the project of the rules on an address."""
    return [
        f"regions/{rule.region}/forwardingRules/{rule.name}"
        for rule in rules(ctx).values()
        if (rule.cloud.name, rule.first.address_id) == (item.cloud.name, item.model.id)
    ]


def rules_to(ctx: Context, target: str) -> list[Rule]:
    """The rules that lead to this target, a path below the project."""
    return [rule for rule in rules(ctx).values() if rule.target == target]


def _rules(ctx: Context) -> Mapping[tuple[str, str], Rule]:
    regions = {place: naming.region_of(zone) for place, zone in ctx.view.zone_names().items()}
    found: dict[tuple[str, str], Rule] = {}
    notes = ctx.view.notes_at(metadata.place(ctx), NOTE)
    for part in ctx.view.parts("balancers"):
        pieces: dict[tuple[str, str], list[Balancer]] = {}
        for balancer in part.rows:
            pieces.setdefault((balancer.address_id, balancer.name), []).append(balancer)
        for id, note in notes.items():
            region, _, name = id.partition("/")
            own = pieces.pop((str(note.get("address")), name), []) if note.get("cloud") == part.cloud.name else []
            if own:
                own.sort(key=lambda each: each.port)
                found[region, name] = Rule(name, region, part.cloud, tuple(own), note, ours=True)
        _elsewhere(part.cloud, [each for several in pieces.values() for each in several], regions, found)
    return found


def _elsewhere(
    cloud: Cloud, balancers: list[Balancer], regions: Mapping[tuple[str, str], str],
    found: dict[tuple[str, str], Rule],
) -> None:
    """Add those made outside gcelib, one rule each."""
    names = naming.labels(Named(each.id, each.name, (f"port{each.port}",)) for each in balancers)
    for each in balancers:
        region = regions.get((cloud.name, each.zone_id), "")
        name = names[each.id]
        if (region, name) in found:
            name = naming.with_suffix(name, each.id[:8])
        if region:
            found[region, name] = Rule(name, region, cloud, (each,), {}, ours=False)
