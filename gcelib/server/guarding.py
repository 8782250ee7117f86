"""Which rules a firewall needs in which groups, machines that were tagged while they ran included.

A machine changes its groups only while it is stopped. One that is given a tag while it runs stays outside the
tag's group: what that group allows is copied into the machine's own group, and whoever allows the tag as a source
allows the machine's own group as well. Such copies carry the firewall's tag like the rules they stand beside.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib.drivers.base import Cloud
from gcelib.models import GroupRule, Node
from gcelib.server import groups, networks, rules
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step
from gcelib.server.rules import Rule
from gcelib.server.view import View

RULE_TAG = "gcelib-fw-"
"""A rule of ours has one such tag for each firewall that wants it."""

Key = tuple[str, str, Rule]
"""(cloud, group name, rule)"""

Late = Mapping[str, Collection[str]]
"""Tag -> the own groups of the machines that carry it and are not in its group."""


@dataclass(frozen=True, slots=True)
class Member:
    """A machine among its groups: `groups` are name -> id of those it is in, `tags` what it carries."""

    item: Found[Node]
    network: str
    tags: Sequence[str]
    groups: Mapping[str, str]

    @property
    def own(self) -> str:
        """The name of its own group; "" when it has none."""
        return next((name for name in self.groups if groups.is_private(name)), "")

    @property
    def missing(self) -> list[str]:
        """Tags it carries without being in their group."""
        return [tag for tag in self.tags if groups.tag_group(self.network, tag) not in self.groups]

    @property
    def left(self) -> list[str]:
        """Tags whose group it is in without carrying them."""
        joined = (groups.tag_of(name, self.network) for name in self.groups)
        return sorted(tag for tag in joined if tag and tag not in self.tags)


def member(view: View, item: Found[Node], tags: Sequence[str] | None = None) -> Member | None:
    """The machine among its groups, as if it carried `tags`; None where groups guard nothing."""
    if item.cloud.firewalls is None or not item.model.nics:
        return None
    network = view.networks.by_id(item.cloud.name, item.model.nics[0].network_id)
    if network is None or not network.model.grouped:
        return None
    if tags is None:
        tags = groups.network_tags(item, view.note("node").get((item.cloud.name, item.model.id), {}))
    names = groups.names_by_id(view, item.cloud)
    joined = {names[id]: id for id in item.model.group_ids if id in names}
    return Member(item, networks.network_name(view, network), tags, joined)


def tagged(view: View, item: Found[Node]) -> Member | None:
    """The machine among its groups; None without tags, so that nobody has to see groups for a machine that has none."""
    note = view.note("node").get((item.cloud.name, item.model.id), {})
    tags = groups.network_tags(item, note)
    return member(view, item, tags) if tags else None


def latecomers(view: View, cloud: Cloud, network: str, instead: Member | None = None) -> dict[str, list[str]]:
    """The own groups of a network's machines by the tags they lack the group of; `instead` replaces its machine."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in view.nodes:
        if item.cloud.name != cloud.name:
            continue
        same = instead is not None and item.model.id == instead.item.model.id
        tagged = instead.tags if same and instead else groups.network_tags(item, view.note("node").get(
            (cloud.name, item.model.id), {}))
        seen = member(view, item, tagged) if tagged else None
        if seen is not None and seen.network == network and seen.own:
            for tag in seen.missing:
                found[tag].append(seen.own)
    return found


def wanted(cloud: Cloud, network: str, definition: Mapping[str, Any], late: Late) -> set[Key]:
    """Every rule that a firewall needs on one cloud."""
    tags: Sequence[str] = definition["targetTags"]
    targets = [groups.tag_group(network, tag) for tag in tags] or [groups.network_group(cloud, network)]
    targets += [own for tag in tags for own in late.get(tag, ())]
    found = set(rules.expand(definition, {tag: groups.tag_group(network, tag) for tag in definition["sourceTags"]}))
    for tag in definition["sourceTags"]:
        for own in late.get(tag, ()):
            found |= rules.expand({**definition, "sourceRanges": [], "sourceTags": [tag]}, {tag: own})
    return {(cloud.name, target, rule) for target in targets for rule in found}


def groups_of(cloud: Cloud, network: str, definition: Mapping[str, Any]) -> list[str]:
    """The groups that must be there for a firewall: its targets' and its sources'."""
    targets = [groups.tag_group(network, tag) for tag in definition["targetTags"]]
    sources = [groups.tag_group(network, tag) for tag in definition["sourceTags"]]
    return [*(targets or [groups.network_group(cloud, network)]), *sources]


def allow(name: str, keys: Iterable[Key], ids: Mapping[str, Any]) -> list[Step]:
    """Steps that make these rules of firewall `name`; `ids` has the id, or a reference to it, of each group.

    Rules that differ in their source alone are made in one job, and all of a cloud are claimed in one.
    """
    by_group: dict[tuple[str, str], list[Rule]] = defaultdict(list)
    for cloud, group, rule in keys:
        by_group[cloud, group].append(rule)
    steps: list[Step] = []
    made: dict[str, list[dict[str, str]]] = defaultdict(list)
    for (cloud, group), found in sorted(by_group.items()):
        for number, bundle in enumerate(_bundles(found)):
            where = f"{number} in {group} of {cloud}"
            label = f"allow {name} {where}"
            undo = Step(f"withdraw {name} {where}", cloud, "firewalls", "revoke",
                        {"rule_ids": {"$ref": f"{label}.made_ids"}, "direction": "ingress"})
            steps.append(Step(label, cloud, "firewalls", "allow", {"group_id": ids[group], **bundle}, undo=undo))
            made[cloud].append({"$ref": f"{label}.rule_ids"})
    for cloud, claimed in made.items():
        about: dict[str, Any] = {"kind": "rule", "ids": claimed}
        undo = Step(f"disclaim {name} on {cloud}", cloud, "tags", "remove", {**about, "keys": [RULE_TAG + name]})
        steps.append(Step(f"claim {name} on {cloud}", cloud, "tags", "set",
                          {**about, "tags": {RULE_TAG + name: "1"}}, undo=undo))
    return steps


def withdraw(name: str, key: Key, rule: GroupRule) -> Step:
    """The step that takes one rule of firewall `name` back; one that another firewall wants too stays for that one.

    Which it is, the cloud is asked when the step is carried out: others may come and go until then.
    """
    cloud, group, _ = key
    args = {"rule_ids": [rule.id], "direction": rule.direction, "claim": RULE_TAG + name, "claims": RULE_TAG}
    return Step(f"withdraw {name}'s {rule.id} in {group} of {cloud}", cloud, "firewalls", "revoke", args)


def is_copy(key: Key) -> bool:
    """Whether a rule stands in for a membership that a machine does not have."""
    return groups.is_private(key[1]) or groups.is_private(key[2].source.removeprefix("group:"))


def concerns(key: Key, own: str) -> bool:
    """Whether a rule is in this machine's own group, or lets it in."""
    return own in (key[1], key[2].source.removeprefix("group:"))


def _bundles(found: Iterable[Rule]) -> list[dict[str, Any]]:
    """Arguments for `allow`, rules that differ in their source alone taken together."""
    bundles: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule in sorted(found):
        args = rules.arguments(rule)
        bundle = bundles.setdefault((rule.protocol, rule.first, rule.last), {**args, "cidrs": [], "group_names": []})
        bundle["cidrs"] += args.get("cidrs", [])
        bundle["group_names"] += args.get("group_names", [])
    return list(bundles.values())
