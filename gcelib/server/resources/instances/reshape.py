"""Another size for a machine that is stopped."""

from __future__ import annotations

from typing import Any

from gcelib.errors import Missing, Unsupported
from gcelib.models import Node
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step
from gcelib.server.resources.instances.labelling import must_be_stopped
from gcelib.server.resources.instances.sizes import size_for


def size_steps(ctx: Context, item: Found[Node], link: str) -> list[Step]:
    """Nothing when it has this size already.

    Raises NotReady for a running machine, NotFound for no such size, Missing without one.
    """
    if not link:
        raise Missing("Required field 'resource.machineType' not specified", field="resource.machineType")
    node, cloud = item.model, item.cloud.name
    size = size_for(ctx, ctx.view.zone(item.zone, ctx.project), link).model
    must_be_stopped(ctx, item, "its machine type", "resize")
    args: dict[str, Any] = {"id": node.id, "size_id": size.id}
    before: dict[str, Any] = {"id": node.id, "size_id": node.size_id}
    if size.custom:
        args |= {"cpus": size.cpus, "ram_mb": size.ram_mb}
    old = ctx.view.sizes.by_id(cloud, node.size_id)
    if old is not None and old.model.custom:
        before |= {"cpus": node.cpus, "ram_mb": node.ram_mb}
    if args == before:
        return []
    undo = Step("old size", cloud, "nodes", "resize", before)
    return [Step("resize", cloud, "nodes", "resize", args, undo=undo)]


def resources(ctx: Context, item: Found[Node]) -> None:
    """Nothing for no accelerators. Raises NotReady for a running machine, Unsupported for an accelerator."""
    must_be_stopped(ctx, item, "its resources")
    if any(each.get("acceleratorCount") for each in ctx.body.get("guestAccelerators") or []):
        raise Unsupported(
            f"{ctx.method.id} with field 'resource.guestAccelerators' is not offered on cloud '{item.cloud.name}': its "
            "machines have no accelerators. CPUs and memory are changed with compute.instances.setMachineType, as in "
            "'custom-2-4096'.", field="resource.guestAccelerators",
        )
