"""What happens to a machine's disks."""

from __future__ import annotations

from gcelib.errors import Invalid, Unsupported
from gcelib.models import Node
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import render
from gcelib.server.resources.instances.power import of


def set_auto_delete(ctx: Context, item: Found[Node]) -> Work:
    """Keep the wish with the machine. Raises Unsupported for a boot disk that cannot outlive it."""
    wish, device = bool(ctx.query.get("autoDelete")), ctx.query.get("deviceName", "")
    note = ctx.view.note("node").get((item.cloud.name, item.model.id), {})
    named = {
        render.device_name(disk, item.model, note, index): disk
        for index, disk in enumerate(render.disks_of(ctx, item))
    }
    if device not in named:
        raise Invalid(
            f"Invalid value for field 'deviceName': '{device}'. "
            f"Devices of this instance: {', '.join(named) or 'none'}.",
            field="deviceName",
        )
    disk = named[device].model
    steps: list[Step] = []
    if disk.boot and item.cloud.traits.boot_disk_dies:
        if not wish:
            raise Unsupported(
                f"compute.instances.setDiskAutoDelete is not offered for a boot disk on cloud '{item.cloud.name}': "
                "it is deleted with its machine. Take a snapshot or an image first."
            )
    else:
        kept = [id for id in note.get("auto_delete", []) if id != disk.id] + ([disk.id] if wish else [])
        args = {"place": item.cloud.name, "kind": "node", "id": item.model.id, "data": {"auto_delete": kept}}
        steps.append(Step("note", "", "notes", "merge", args))
    return of(ctx, item, "setDiskAutoDelete", steps)
