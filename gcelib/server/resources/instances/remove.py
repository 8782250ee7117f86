"""Deleting a machine so that its name can be given again at once, and keeping one from being deleted."""

from __future__ import annotations

import secrets
from dataclasses import replace

from gcelib import naming
from gcelib.errors import Invalid
from gcelib.models import Node, NodeState
from gcelib.server import guarding, instance_groups
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import access, render, tagging
from gcelib.server.resources.instances.power import of


def delete(ctx: Context, item: Found[Node]) -> Work:
    """Stop, rename, destroy where a destroyed machine holds its name; else just destroy.

    Data disks marked so go too. Raises Invalid for a protected machine.
    """
    note = ctx.view.note("node").get((item.cloud.name, item.model.id), {})
    if render.deletion_protected(item, note):
        raise Invalid(
            f"Invalid resource usage: 'Resource cannot be deleted if it's protected against deletion. "
            f"projects/{ctx.project}/zones/{item.zone}/instances/{item.name}'. Clear deletionProtection first."
        )
    node, cloud = item.model, item.cloud.name
    steps: list[Step] = []
    lingering = item.cloud.traits.lingering
    if node.state is not NodeState.ERROR and lingering is not None and lingering():
        if node.state is not NodeState.STOPPED:
            steps.append(Step("stop", cloud, "nodes", "stop", {"id": node.id}))
        name = naming.with_suffix(item.name, "x" + secrets.token_hex(4))
        undo = Step("rename back", cloud, "nodes", "rename", {"id": node.id, "name": node.name})
        steps.append(Step("rename", cloud, "nodes", "rename", {"id": node.id, "name": name}, undo=undo))
    dying = [
        disk.model.id
        for disk in render.disks_of(ctx, item)
        if not disk.model.boot and disk.model.dies is None and render.auto_delete(ctx, disk)
    ]
    steps.append(Step("destroy", cloud, "nodes", "destroy", {"id": node.id, "volume_ids": dying}, weight=2))
    steps += [replace(step, optional=True) for step in access.with_machine(ctx, item)]
    member = guarding.tagged(ctx.view, item)
    if member is not None:
        steps += [replace(step, optional=True) for step in tagging.withdraw_copies(ctx, member.own)]
    steps += instance_groups.leaving(ctx, item)
    if note:
        where = {"place": cloud, "kind": "node", "id": node.id}
        steps.append(Step("un-note", "", "notes", "delete", where))
    return of(ctx, item, "delete", steps)


def protect(ctx: Context, item: Found[Node]) -> Work:
    """Set the cloud's own protection; without a parameter it is switched on, as on GCE."""
    return of(ctx, item, "setDeletionProtection", [protection(item, bool(ctx.query.get("deletionProtection", True)))])


def protection(item: Found[Node], on: bool) -> Step:
    """The step that sets or clears it."""
    return Step("protect", item.cloud.name, "nodes", "protect", {"id": item.model.id, "on": on})
