"""Snapshots as other things make them: the steps that copy a disk, and what is kept of where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gcelib.errors import Exists, Missing, Unsupported
from gcelib.models import Volume
from gcelib.server import disks, remarks, unmet
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step

REFUSED: unmet.Wishes = {
    "snapshotEncryptionKey": bool, "sourceDiskEncryptionKey": bool, "sourceInstantSnapshot": bool, "chainName": bool,
    "storageLocations": bool, "guestFlush": bool, "enableConfidentialCompute": bool, "region": bool,
    "snapshotType": lambda value: value != "STANDARD",
}


def creation(ctx: Context, disk: Found[Volume], body: Mapping[str, Any]) -> list[Step]:
    """The steps of a new snapshot of a disk, the first one named "snapshot".

    Raises Exists for a taken name, Unsupported naming a field, NotReady for a disk that cannot be copied.
    """
    cloud, name = disk.cloud, body.get("name", "")
    if not name:
        raise Missing("Required field 'resource.name' not specified", field="resource.name")
    unmet.refuse(ctx, cloud, body, REFUSED, "snapshots", "resource")
    if ctx.query.get("guestFlush"):
        raise Unsupported(
            f"{ctx.method.id} with parameter 'guestFlush' is not offered on cloud '{cloud.name}': nothing there tells "
            "a guest to flush. Flush inside the guest, and leave it out.", field="guestFlush",
        )
    there = ctx.view.snapshots.match(name)
    if there is not None and there.name == name:
        raise Exists(f"The resource 'projects/{ctx.project}/global/snapshots/{name}' already exists")
    disks.readable(ctx, disk)
    labels = remarks.check_labels(body.get("labels") or {})
    said = {"description": body.get("description", ""), "source": f"{disk.zone}/{disk.name}"}
    undo = Step("drop snapshot", cloud.name, "snapshots", "destroy", {"id": {"$ref": "snapshot.target"}})
    args = {"name": name, "volume_id": disk.model.id, "submitted": "$now"}
    first = Step("snapshot", cloud.name, "snapshots", "create", args, undo=undo, early=True, weight=5)
    return [first, *remarks.steps(cloud, "snapshot", "snapshot", labels, said)]
