"""A machine's network tags, which are security groups on the cloud.

A stopped machine changes its groups. One that runs keeps them: a tag added reaches it through its own group.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib import naming
from gcelib.errors import Invalid, Unsupported
from gcelib.models import Network, Node, NodeState
from gcelib.server import fingerprint, groups, guarding, late, remarks
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.firewalls import firewalls
from gcelib.server.guarding import Member
from gcelib.server.operations.plan import Step
from gcelib.server.resources.instances.labelling import subject

TAG = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
MOST_TAGS = 64


def checked(sent: Mapping[str, Any], field: str) -> list[str]:
    """The tags, each once. Raises Invalid naming the one that GCE would not take."""
    items = list(dict.fromkeys(sent.get("items") or []))
    for index, tag in enumerate(items):
        if not TAG.match(tag):
            raise Invalid(
                f"Invalid value for field '{field}.items[{index}]': '{tag}'. Must be a match of regex "
                f"'{naming.LABEL_PATTERN}'",
                field=f"{field}.items[{index}]",
            )
    if len(items) > MOST_TAGS:
        raise Invalid(f"Invalid value for field '{field}.items': {len(items)} tags. At most {MOST_TAGS} are allowed.",
                      field=f"{field}.items")
    return items


def tags_steps(ctx: Context, item: Found[Node], sent: Mapping[str, Any], field: str = "resource") -> list[Step]:
    """The tags replaced, and with them what the machine's firewalls are.

    Raises Stale when a fingerprint was sent that no longer holds, Unsupported for what cannot be done while it runs.
    """
    about = subject(ctx, item)
    before = groups.network_tags(item, about.note)
    fingerprint.check(sent.get("fingerprint"), fingerprint.fingerprint(before), f"{field}.fingerprint")
    tags = checked(sent, field)
    kept = remarks.restated(about, {"tags": ",".join(tags)}) if tags != before else []
    member = guarding.member(ctx.view, item, tags)
    if member is None:
        return [*kept, *(late.around(ctx.view, _networks(ctx, item)) if kept else [])]
    if item.model.state is NodeState.STOPPED or item.cloud.traits.change_groups_running:
        return rejoin(ctx, member, kept) if kept or unclean(member) else []
    if tags == before:
        return []
    _refuse_while_running(ctx, member)
    return [*kept, late.machine(item.cloud.name, item.model.id)]


def _networks(ctx: Context, item: Found[Node]) -> list[Found[Network] | None]:
    """The networks a machine is in."""
    return [ctx.view.networks.by_id(item.cloud.name, nic.network_id) for nic in item.model.nics]


def rejoin(ctx: Context, member: Member, kept: Sequence[Step] = ()) -> list[Step]:
    """Steps after which the machine is in exactly its tags' groups, beside those that are none of a tag's.

    `kept` come between joining the groups and taking back what stood in for them.
    """
    cloud, node, network = member.item.cloud, member.item.model, member.network
    stay = [name for name in member.groups if not groups.tag_of(name, network)]
    names = [*stay, *(groups.tag_group(network, tag) for tag in member.tags)]
    steps, ids = groups.ensure(ctx.view, cloud, network, names)
    if not member.own and not cloud.traits.change_groups_running:
        args = {"name": groups.private_group(network, member.item.name), "description": "Kept by gcelib",
                **groups.where(ctx.view, cloud, network)}
        undo = Step("drop own group", cloud.name, "firewalls", "destroy_group", {"id": {"$ref": "own group.target"}})
        steps.append(Step("own group", cloud.name, "firewalls", "create_group", args, undo=undo))
        ids.append({"$ref": "own group.target"})
    ids += [id for id in node.group_ids if id not in member.groups.values()]
    if set(map(str, ids)) != set(node.group_ids):
        undo = Step("old groups", cloud.name, "nodes", "regroup", {"id": node.id, "group_ids": [*node.group_ids]})
        steps.append(Step("join groups", cloud.name, "nodes", "regroup", {"id": node.id, "group_ids": ids}, undo=undo))
    return [*steps, *kept, *withdraw_copies(ctx, member.own)]


def unclean(member: Member) -> bool:
    """Whether the machine's groups are not those of its tags."""
    return bool(member.missing or member.left)


def withdraw_copies(ctx: Context, own: str) -> list[Step]:
    """Steps that take back every rule that stands in for a membership of the machine with this own group."""
    return [
        guarding.withdraw(firewall.name, key, rule)
        for firewall in firewalls(ctx).values() if own and firewall.ours
        for key, rule in firewall.rules.items() if guarding.concerns(key, own)
    ]


def _refuse_while_running(ctx: Context, member: Member) -> None:
    """Raise Unsupported for a tag whose group the machine is in and for one that it has no group to take up."""
    name, cloud = member.item.name, member.item.cloud.name
    why = (
        f"a machine joins and leaves the security groups of that cloud only while it is stopped. Stop '{name}', set "
        "its tags, start it again."
    )
    if member.left:
        raise Unsupported(
            f"{ctx.method.id} is not offered on cloud '{cloud}' for a running machine that is to lose tag "
            f"'{member.left[0]}', whose group it joined while it was stopped or made: {why}", field="resource.items",
        )
    if member.missing and not member.own:
        raise Unsupported(
            f"{ctx.method.id} is not offered on cloud '{cloud}' for this running machine, which was not made by gcelib "
            f"and has no group of its own for tag '{member.missing[0]}': {why}", field="resource.items",
        )
