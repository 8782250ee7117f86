"""What happens to a machine's disks."""

from __future__ import annotations

from gcelib.errors import Invalid, Missing, NotReady, Unsupported
from gcelib.models import Node, NodeState, Volume
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import drives, render
from gcelib.server.resources.instances.power import of


def set_auto_delete(ctx: Context, item: Found[Node]) -> Work:
    """Keep the wish with the disk. Raises Unsupported for a boot disk that cannot outlive its machine."""
    wish = bool(ctx.query.get("autoDelete"))
    disk = _device(ctx, item)
    if disk.model.boot and item.cloud.traits.boot_disk_dies:
        if not wish:
            raise Unsupported(
                f"compute.instances.setDiskAutoDelete is not offered for a boot disk on cloud '{item.cloud.name}': "
                "it is deleted with its machine. Take a snapshot or an image first."
            )
        return of(ctx, item, "setDiskAutoDelete", [])
    if disk.model.dies is not None:
        args = {"id": disk.model.id, "node_id": item.model.id, "on": not wish}
        keep = [Step("auto-delete", item.cloud.name, "volumes", "outlive", args)] if wish != disk.model.dies else []
        return of(ctx, item, "setDiskAutoDelete", keep)
    steps = drives.marked(ctx, disk, {"auto-delete": "true" if wish else ""})
    return of(ctx, item, "setDiskAutoDelete", steps)


def attach(ctx: Context, item: Found[Node]) -> Work:
    """Attach a disk that is there, or a new one; running machines see it at once.

    Raises Unsupported for a boot disk, Invalid for a device name that is taken, and what `attachment` raises.
    """
    body, zone = ctx.body, ctx.view.zone(item.zone, ctx.project)
    if body.get("boot"):
        raise Unsupported(
            f"{ctx.method.id} with field 'resource.boot' is not offered on cloud '{item.cloud.name}': a machine keeps "
            "the boot disk it was made with. Make an image of this disk and a machine of that.", field="resource.boot",
        )
    if ctx.query.get("forceAttach"):
        raise Unsupported(f"{ctx.method.id} with parameter 'forceAttach' is not offered on cloud '{item.cloud.name}': "
                          "a disk is attached to one machine. Detach it there first.", field="forceAttach")
    if not (body.get("source") or body.get("initializeParams")):
        raise Missing("Required field 'resource.source' not specified", field="resource.source")
    _settled(ctx, item)
    there = _devices(ctx, item)
    steps = drives.attachment(ctx, zone, item.model.id, len(there), body, "resource", (item.name, set()))
    if body.get("deviceName") in there:
        raise Invalid(
            f"Invalid value for field 'resource.deviceName': '{body['deviceName']}'. The instance has a device of this "
            "name.", field="resource.deviceName",
        )
    return of(ctx, item, "attachDisk", steps)


def detach(ctx: Context, item: Found[Node]) -> Work:
    """Detach a data disk, which stays as it is. Raises Unsupported for the boot disk."""
    disk = _device(ctx, item)
    if disk.model.boot:
        raise Unsupported(
            f"{ctx.method.id} is not offered for a boot disk on cloud '{item.cloud.name}': it stays with its machine. "
            "Make a snapshot or an image of it."
        )
    _settled(ctx, item)
    cloud = item.cloud.name
    args = {"id": disk.model.id, "node_id": item.model.id}
    undo = Step("attach again", cloud, "volumes", "attach", args)
    steps = [Step("detach", cloud, "volumes", "detach", args, undo=undo)]
    return of(ctx, item, "detachDisk", steps + drives.marked(ctx, disk, {"device": "", "auto-delete": ""}))


def _devices(ctx: Context, item: Found[Node]) -> dict[str, Found[Volume]]:
    """The machine's disks by the names it knows them under."""
    note = ctx.view.note("node").get((item.cloud.name, item.model.id), {})
    return {
        render.device_name(ctx, disk, item.model, note, index): disk
        for index, disk in enumerate(render.disks_of(ctx, item))
    }


def _device(ctx: Context, item: Found[Node]) -> Found[Volume]:
    """The disk that `deviceName` means. Raises Invalid naming those there are."""
    device, there = ctx.query.get("deviceName", ""), _devices(ctx, item)
    if device not in there:
        raise Invalid(
            f"Invalid value for field 'deviceName': '{device}'. "
            f"Devices of this instance: {', '.join(there) or 'none'}.", field="deviceName",
        )
    return there[device]


def _settled(ctx: Context, item: Found[Node]) -> None:
    """Raise NotReady for a machine on its way to another state: its disks stay as they are meanwhile."""
    if item.model.state not in (NodeState.RUNNING, NodeState.STOPPED):
        raise NotReady(
            f"The resource 'projects/{ctx.project}/zones/{item.zone}/instances/{item.name}' is not ready: disks are "
            "attached and detached while it runs or is stopped."
        )
