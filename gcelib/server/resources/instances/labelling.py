"""What a machine is called and said to be: name, labels, metadata, scheduling, service account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, Invalid, NotReady, Unsupported
from gcelib.models import Node, NodeState
from gcelib.server import metadata, remarks
from gcelib.server.abilities import needed
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.labels import BOOT_DISK_TAG
from gcelib.server.operations.plan import Step
from gcelib.server.resources.instances import asked

Warnings = list[tuple[str, str]]


def subject(ctx: Context, item: Found[Node]) -> remarks.Subject:
    """The machine with all that is kept of it."""
    note = ctx.view.note("node").get((item.cloud.name, item.model.id), {})
    return remarks.Subject(item.cloud, "node", item.model.id, item.model.tags, note)


def metadata_steps(
    ctx: Context, item: Found[Node], sent: Mapping[str, Any], field: str = "resource"
) -> tuple[list[Step], Warnings]:
    """The metadata replaced; what of it the machine's next boot reads is given to the cloud when it has changed.

    Raises Stale when a fingerprint was sent that no longer holds, Invalid for what GCE or the cloud would not take.
    """
    about = subject(ctx, item)
    before: metadata.Items = list(about.note.get("metadata", []))
    items = metadata.checked(sent, before, field)
    shared = metadata.common(ctx)
    then, now = (metadata.public_keys(each, shared) for each in (before, items))
    longest = item.cloud.traits.user_data_bytes
    old, new = metadata.user_data(before, then, longest), metadata.user_data(items, now, longest)
    steps: list[Step] = []
    if old != new:
        args = {"id": item.model.id, "user_data": new}
        undo = Step("old user data", item.cloud.name, "nodes", "set_user_data", {**args, "user_data": old})
        steps.append(Step("user data", item.cloud.name, "nodes", "set_user_data", args, undo=undo))
    where = {"place": item.cloud.name, "kind": "node", "id": item.model.id, "data": {"metadata": items or None}}
    if items != before:
        steps.append(Step("note metadata", "", "notes", "merge", where))
    unheard = metadata.unheard(items, ())
    if then == now:
        return steps, unheard
    why = f"cloud '{item.cloud.name}' gives a machine its SSH keys when it is made; carry them to this one yourself"
    return steps, [*unheard, asked.warning(f"{field}.items[ssh-keys]", why)]


def labels_steps(ctx: Context, item: Found[Node]) -> list[Step]:
    """The labels replaced. Raises Stale without the fingerprint of the labels as they are."""
    return remarks.relabelled(subject(ctx, item), ctx.body)


def scheduling_steps(
    ctx: Context, item: Found[Node], sent: Mapping[str, Any], field: str = "resource"
) -> tuple[list[Step], Warnings]:
    """The wish kept and shown. Raises Unsupported naming what no machine of this cloud can be."""
    asked.refuse_scheduling(ctx, item.cloud, sent, field)
    about = subject(ctx, item)
    before = about.note.get("scheduling", {})
    wish = asked.unusual_scheduling({**before, **sent})
    where = {"place": item.cloud.name, "kind": "node", "id": item.model.id, "data": {"scheduling": wish or None}}
    steps = [Step("note scheduling", "", "notes", "merge", where)] if wish != before else []
    return steps, asked.ignored_scheduling(item.cloud, sent, field)


def service_account(ctx: Context, item: Found[Node]) -> None:
    """Nothing for "no account". Raises NotReady for a running machine, Unsupported for an account."""
    must_be_stopped(ctx, item, "its service account")
    if ctx.body.get("email") or ctx.body.get("scopes"):
        raise Unsupported(
            f"{ctx.method.id} is not offered on cloud '{item.cloud.name}': it gives machines no service accounts. Put "
            "a key file of `gcelib account create-service` on the machine instead.", field="resource.email",
        )


def name_steps(ctx: Context, item: Found[Node]) -> list[Step]:
    """Another name for a stopped machine; its boot disk keeps the one it has.

    Raises NotReady for a running one, Invalid when `currentName` is another's, Exists for a taken name.
    """
    name, zone = ctx.body.get("name", ""), item.zone
    if not naming.is_label(name):
        raise Invalid(f"Invalid value for field 'resource.name': '{name}'. Must be a match of regex "
                      f"'{naming.LABEL_PATTERN}'", field="resource.name")
    if ctx.body.get("currentName", item.name) != item.name:
        raise Invalid(f"Invalid value for field 'resource.currentName': '{ctx.body['currentName']}'. The instance is "
                      f"'{item.name}'.", field="resource.currentName")
    must_be_stopped(ctx, item, "its name", "rename")
    if name == item.name:
        return []
    if ctx.view.nodes.match(name, zone) is not None:
        raise Exists(f"The resource 'projects/{ctx.project}/zones/{zone}/instances/{name}' already exists")
    node, cloud = item.model, item.cloud.name
    undo = Step("rename back", cloud, "nodes", "rename", {"id": node.id, "name": node.name})
    steps = [Step("rename", cloud, "nodes", "rename", {"id": node.id, "name": name}, undo=undo)]
    if BOOT_DISK_TAG not in node.tags:
        steps += remarks.restated(subject(ctx, item), {"disk": item.name})
    return steps


def must_be_stopped(ctx: Context, item: Found[Node], what: str, verb: str = "") -> None:
    """Raise NotReady in GCE's sense for a machine that is not TERMINATED.

    Raise Unsupported where its cloud has no such `verb`: stopping it would not help.
    """
    if item.model.state is not NodeState.STOPPED:
        if verb:
            needed(ctx, item.cloud, "nodes", verb)
        raise NotReady(
            f"The resource 'projects/{ctx.project}/zones/{item.zone}/instances/{item.name}' is not ready: the instance "
            f"must be in status TERMINATED before {what} can be changed. Stop it first."
        )


def described(ctx: Context, item: Found[Node], text: str) -> list[Step]:
    """The description replaced."""
    return remarks.restated(subject(ctx, item), {"description": text})
