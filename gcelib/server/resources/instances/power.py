"""Starting, stopping and resetting a machine."""

from __future__ import annotations

from collections.abc import Sequence

from gcelib import naming
from gcelib.errors import NotReady
from gcelib.models import Node, NodeState
from gcelib.server import guarding
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import tagging

GONE_WRONG = "The resource 'projects/{}/zones/{}/instances/{}' is not ready: the cloud could not make it. Delete it."


def start(ctx: Context, item: Found[Node]) -> Work:
    """Nothing to do for one that runs, as on GCE. Raises NotReady for one the cloud could not make.

    One that was tagged while it ran joins its tags' groups before it starts.
    """
    if item.model.state is NodeState.ERROR:
        raise NotReady(GONE_WRONG.format(ctx.project, item.zone, item.name))
    if item.model.state in (NodeState.RUNNING, NodeState.STAGING):
        return of(ctx, item, "start", [])
    member = guarding.tagged(ctx.view, item)
    steps = tagging.rejoin(ctx, member) if member is not None and tagging.unclean(member) else []
    return of(ctx, item, "start", [*steps, _step(item, "start")])


def stop(ctx: Context, item: Found[Node]) -> Work:
    """Nothing to do for one that is stopped, as on GCE."""
    stopped = item.model.state in (NodeState.STOPPED, NodeState.STOPPING, NodeState.ERROR)
    return of(ctx, item, "stop", [] if stopped else [_step(item, "stop")])


def reset(ctx: Context, item: Found[Node]) -> Work:
    """Raises NotReady for one that does not run."""
    if item.model.state is not NodeState.RUNNING:
        raise NotReady(
            f"The resource 'projects/{ctx.project}/zones/{item.zone}/instances/{item.name}' is not ready: "
            "only a running machine can be reset; start it instead."
        )
    return of(ctx, item, "reset", [_step(item, "reset")])


def _step(item: Found[Node], verb: str) -> Step:
    return Step(verb, item.cloud.name, "nodes", verb, {"id": item.model.id})


def of(
    ctx: Context, item: Found[Node], verb: str, steps: list[Step], warnings: Sequence[tuple[str, str]] = ()
) -> Work:
    """A work on a machine that is there."""
    return Work(
        verb, f"{ctx.project}/zones/{item.zone}/instances/{item.name}", steps, main=steps[0].name if steps else "",
        target_id=naming.number(item.cloud.name, "node", item.model.id), target_kind="node", warnings=warnings,
    )
