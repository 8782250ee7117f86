"""Firewalls in security groups: steps that bring rules up to what a firewall says, or to what a machine's tags need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcelib.models import GroupRule, Node
from gcelib.server import groups, guarding, metadata, networks
from gcelib.server.context import Ground
from gcelib.server.directory import Found
from gcelib.server.firewalls import firewalls, note_of
from gcelib.server.guarding import Key, Member
from gcelib.server.operations.plan import Step


def clouds(ground: Ground, network: str) -> list[str]:
    """The clouds on which security groups guard a GCE network's machines."""
    parts = [part for part in ground.view.networks if networks.network_name(ground.view, part) == network]
    return sorted({part.cloud.name for part in parts if part.model.grouped and part.cloud.firewalls is not None})


def steps(
    ground: Ground, verb: str, name: str, network: str, definition: Mapping[str, Any] | None, created: float
) -> list[Step]:
    """The steps that turn the rules of a firewall into what `definition` says, None for nothing.

    New rules are made before old ones go, so that what stays allowed is never shut in between.
    """
    there = firewalls(ground).get(name)
    before = there.rules if there is not None and there.ours else {}
    found: list[Step] = []
    wanted: set[Key] = set()
    where = {"place": metadata.place(ground), "kind": "firewall", "id": name}
    for cloud_name in clouds(ground, network) if definition else ():
        assert definition is not None
        wanted |= _allow(ground, cloud_name, name, network, definition, before, found)
    if definition is not None:
        note = {"definition": dict(definition), "created": created}
        undo = Step("un-note", "", "notes", "delete", where) if verb == "insert" else None
        found.append(Step("note", "", "notes", "put", {**where, "data": note}, undo=undo))
    for key, rule in before.items():
        if key not in wanted:
            found.append(guarding.withdraw(name, key, rule))
    if definition is None:
        found.append(Step("note", "", "notes", "delete", where))
    return found


def _allow(
    ground: Ground, cloud_name: str, name: str, network: str, definition: Mapping[str, Any],
    before: Mapping[Key, GroupRule], found: list[Step],
) -> set[Key]:
    """Steps for the rules that are not there yet on one cloud; gives all the keys the firewall then has there."""
    cloud = ground.view.cloud(cloud_name)
    late = guarding.latecomers(ground.view, cloud, network)
    wanted = guarding.wanted(cloud, network, definition, late)
    names = [*guarding.groups_of(cloud, network, definition), *sorted({group for _, group, _ in wanted})]
    made, ids = groups.ensure(ground.view, cloud, network, names)
    found += made
    found += guarding.allow(name, wanted - before.keys(), dict(zip(dict.fromkeys(names), ids, strict=True)))
    return wanted


def copies_of(ground: Ground, cloud: str, id: str) -> list[Step]:
    """The steps after which the rules that stand in for a machine's memberships are those its tags need now."""
    item: Found[Node] | None = ground.view.nodes.by_id(cloud, id)
    member = guarding.member(ground.view, item) if item is not None else None
    return _copies(ground, member) if member is not None and member.own else []


def _copies(ground: Ground, member: Member) -> list[Step]:
    cloud = member.item.cloud
    late = guarding.latecomers(ground.view, cloud, member.network)
    ours = [each for each in firewalls(ground).values()
            if each.ours and each.noted is None and each.network == member.network]
    wanted: dict[str, set[Key]] = {}
    for firewall in ours:
        keys = guarding.wanted(cloud, member.network, firewall.definition(note_of(ground, firewall.name)), late)
        wanted[firewall.name] = {key for key in keys if guarding.concerns(key, member.own)}
    names = sorted({group for keys in wanted.values() for _, group, _ in keys})
    made, ids = groups.ensure(ground.view, cloud, member.network, names)
    withdrawn: list[Step] = []
    for firewall in ours:
        keys = wanted[firewall.name]
        made += guarding.allow(firewall.name, keys - firewall.rules.keys(), dict(zip(names, ids, strict=True)))
        there = {key: rule for key, rule in firewall.rules.items() if guarding.concerns(key, member.own)}
        withdrawn += [guarding.withdraw(firewall.name, key, rule) for key, rule in there.items() if key not in keys]
    return [*made, *withdrawn]
