"""The firewalls a project has: notes, and what is read out of its clouds' security groups and access lists."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.models import Group, GroupRule
from gcelib.server import access_lists, groups, guarding, metadata, networks, rules
from gcelib.server.context import Context, Ground
from gcelib.server.guarding import RULE_TAG, Key
from gcelib.server.times import EPOCH, from_seconds

FILLED = ("allowed", "denied", "sourceRanges", "destinationRanges", "sourceTags", "targetTags")
"""Fields that are shown where there is something in them."""


@dataclass(slots=True)
class Firewall:
    """One firewall: the rules that carry it, or what was `noted` where rules cannot be told apart.

    `ours` is False for one that was made elsewhere; `origin` says for people what it is there. `parts` are the
    (cloud, network id) pairs that it guards, where not all of its GCE network.
    """

    name: str
    network: str
    ours: bool
    rules: dict[Key, GroupRule] = field(default_factory=dict)
    cloud: str = ""
    number: str = ""
    noted: Mapping[str, Any] | None = None
    origin: str = ""
    parts: frozenset[tuple[str, str]] = frozenset()

    def target_tags(self) -> list[str]:
        """The tags whose groups carry it; none when it is the whole network's, the group's own name when foreign."""
        names = {group for _, group, _ in self.rules}
        if self.ours:
            return sorted(tag for name in names if (tag := groups.tag_of(name, self.network)))
        return sorted({naming.slug(name) for name in names if name != "default"})

    def definition(self, note: Mapping[str, Any]) -> dict[str, Any]:
        """GCE's fields: as they were sent where the rules still say so, else as the rules say now."""
        if self.noted is not None:
            return dict(self.noted)
        sent = note.get("definition")
        kept = {key[2] for key in self.rules if not guarding.is_copy(key)}
        if self.ours and sent:
            tags = {tag: groups.tag_group(self.network, tag) for tag in sent["sourceTags"]}
            if rules.expand(sent, tags) == kept and sorted(sent["targetTags"]) == self.target_tags():
                return dict(sent)
        names = {rule.source.removeprefix("group:") for rule in kept}
        described = rules.describe(kept, {name: groups.tag_of(name, self.network) or name for name in names})
        return {
            "description": (sent or {}).get("description", "" if self.ours else f"{self.origin}, made outside gcelib"),
            "priority": (sent or {}).get("priority", 1000),
            "targetTags": self.target_tags(),
            **described,
        }


def firewalls(ground: Ground) -> dict[str, Firewall]:
    """Every firewall by name: ours by notes and by the tags on their rules; of rules made elsewhere one firewall for
    each source that a group has, and for each entry of an access list."""
    found: dict[str, Firewall] = {}
    foreign: dict[tuple[str, str, str], Firewall] = {}
    for part in ground.view.parts("firewalls"):
        for group in part.rows:
            private = groups.is_private(group.name)
            for rule in group.rules:
                if rule.direction == "ingress" and (not private or _is_ours(rule)):
                    _place(found, foreign, part.cloud, group, rule, alone=len(ground.view.clouds) == 1,
                           home=_home(ground, part.cloud, group))
    for name, note in ground.view.notes_at(metadata.place(ground), "firewall").items():
        if "network" in note:
            found[name] = Firewall(name, note["network"], True, noted=note["definition"])
    for firewall in (*foreign.values(), *_listed(ground)):
        if firewall.name in found:
            firewall.name = naming.with_suffix(firewall.name, "other" if firewall.rules else _mark(firewall.number))
        found[firewall.name] = firewall
    return found


def _listed(ground: Ground) -> list[Firewall]:
    """The entries made elsewhere in the access lists that stand before subnetworks, one firewall each."""
    view = ground.view
    tiers: dict[tuple[str, str, str], set[tuple[str, str]]] = {}
    for part in view.networks:
        if part.model.acl_id:
            key = (part.cloud.name, part.model.acl_id, networks.network_name(view, part))
            tiers.setdefault(key, set()).add((part.cloud.name, part.model.id))
    found: list[Firewall] = []
    for (cloud, id, network), parts in tiers.items():
        for acl in (each for each in access_lists.lists(view, cloud) if each.id == id):
            for rule in (each for each in acl.rules if not access_lists.is_ours(acl, each)):
                origin = f"Entry {rule.number} of access list {acl.name} of cloud {cloud}"
                noted = {"description": f"{origin}, made outside gcelib", **access_lists.describe(rule)}
                name = naming.with_suffix(naming.slug(acl.name), str(rule.number))
                found.append(Firewall(name, network, False, cloud=cloud, number=f"{rule.id} {network}", noted=noted,
                                      origin=origin, parts=frozenset(parts)))
    return found


def _home(ground: Ground, cloud: Cloud, group: Group) -> str:
    """The network that a group made elsewhere is for."""
    vpc = ground.view.vpcs.by_id(cloud.name, group.vpc_id) if group.vpc_id else None
    return vpc.name if vpc is not None else "default"


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _place(
    found: dict[str, Firewall],
    foreign: dict[tuple[str, str, str], Firewall],
    cloud: Cloud,
    group: Group,
    rule: GroupRule,
    *,
    alone: bool,
    home: str,
) -> None:
    """Put a rule with the firewalls it carries; `alone`: no other cloud may have a group of this name.

    `home` is the network that a group made elsewhere is for.
    """
    key = (cloud.name, group.name, rules.rule_of(rule))
    names = [tag.removeprefix(RULE_TAG) for tag in rule.tags if tag.startswith(RULE_TAG)]
    for name in names:
        network = _network_of(cloud, group.name)
        firewall = found.setdefault(name, Firewall(name, network, True, cloud=cloud.name))
        firewall.rules[key] = rule
    if not names:
        slot = (cloud.name, group.name, key[2].source)
        if slot not in foreign:
            others = [each for each in group.rules if not each.tags and each.direction == "ingress"]
            several = not alone or len({rules.rule_of(each).source for each in others}) > 1
            label = naming.slug(group.name)
            name = naming.with_suffix(label, _mark("\0".join(slot))) if several else label
            foreign[slot] = Firewall(name, home, False, cloud=cloud.name, number=group.id + key[2].source,
                                     origin=f"Security group {group.name} of cloud {cloud.name}")
        foreign[slot].rules[key] = rule


def _is_ours(rule: GroupRule) -> bool:
    return any(tag.startswith(RULE_TAG) for tag in rule.tags)


def _network_of(cloud: Cloud, group: str) -> str:
    """The GCE network whose rules this group of ours holds."""
    if group == cloud.traits.default_group:
        return "default"
    return group.removeprefix(groups.MARK).partition(":")[0]


def render(ctx: Context, item: Firewall) -> dict[str, Any]:
    """A firewall as GCE shows it, without kind and selfLink."""
    note = note_of(ctx, item.name) if item.ours else {}
    definition = item.definition(note)
    shown: dict[str, Any] = {
        "id": number(ctx, item),
        "creationTimestamp": from_seconds(note["created"]) if "created" in note else EPOCH,
        "name": item.name,
        "description": definition["description"],
        "network": ctx.link("global", "networks", item.network),
        "priority": definition["priority"],
        "direction": definition.get("direction", "INGRESS"),
        "disabled": definition.get("disabled", False),
        "logConfig": {"enable": False},
    }
    shown.update({key: definition[key] for key in FILLED if definition.get(key)})
    return shown


def number(ctx: Context, item: Firewall) -> str:
    """The firewall's numeric id."""
    if item.ours:
        return naming.number("", "firewall", f"{ctx.tenancy} {item.name}")
    return naming.number(item.cloud, "group", item.number)


def note_of(ground: Ground, name: str) -> Mapping[str, Any]:
    """What the store adds to a firewall: how it was sent, and when."""
    return ground.view.notes_at(metadata.place(ground), "firewall").get(name, {})
