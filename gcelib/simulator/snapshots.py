"""Snapshots of disks."""

from __future__ import annotations

from datetime import UTC, datetime

from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.errors import ApiError, invalid
from gcelib.simulator.hardware import GIB, Snapshot, Volume
from gcelib.simulator.listing import listing
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Row


def _row(call: Call, snapshot: Snapshot) -> Row:
    return {
        "id": snapshot.id,
        "name": snapshot.name,
        "volumeid": snapshot.volume_id,
        "volumename": snapshot.volume_name,
        "volumetype": "ROOT" if snapshot.root else "DATADISK",
        "created": date_text(snapshot.created),
        "state": snapshot.state,
        "snapshottype": "MANUAL",
        "intervaltype": "MANUAL",
        "locationtype": "SECONDARY",
        "physicalsize": snapshot.size // 4,
        "virtualsize": snapshot.size,
        "zoneid": snapshot.zone.id,
        "zonename": snapshot.zone.name,
        **({"ostypeid": snapshot.os.id, "osdisplayname": snapshot.os.description} if snapshot.os is not None else {}),
        "revertable": True,
        **ownership(call.world, snapshot.owner),
        "tags": tag_rows(call.world, snapshot),
        **job_fields(snapshot),
    }


@command("listSnapshots")
def list_snapshots(call: Call) -> Row:
    """The caller's snapshots."""
    rows = call.selected(call.visible(Snapshot), name="name", volumeid="volume_id")
    if call.text("snapshottype", "MANUAL").upper() != "MANUAL" or call.text("intervaltype", "MANUAL") != "MANUAL":
        rows = []
    return listing(call, "snapshot", rows, lambda snapshot: _row(call, snapshot))


@command("createSnapshot", seconds=5)
def create_snapshot(call: Call) -> Task:
    """Copy a disk that is on storage: Creating, then BackingUp, then BackedUp."""
    volume, world = call.find(Volume, "volumeid"), call.world
    if volume.state != "Ready":
        raise invalid(f"VolumeId: {volume.id} is not in Ready state but {volume.state}. Cannot take snapshot.")
    demand(world, volume.owner, "snapshot")
    demand(world, volume.owner, "secondary_storage", -(-volume.size // GIB))
    machine_name = volume.machine.name if volume.machine is not None else "detached"
    moment = datetime.fromtimestamp(world.now(), UTC).strftime("%Y%m%d%H%M%S")
    snapshot = world.add(
        Snapshot(
            id=world.new_id("snapshot"), owner=volume.owner, created=world.now(),
            name=call.text("name", f"{machine_name}_{volume.name}_{moment}"), volume_id=volume.id,
            volume_name=volume.name, root=volume.root, zone=volume.zone, size=volume.size,
            os=volume.template.os if volume.template is not None else None, tags=call.pairs("tags"),
        )
    )  # fmt: skip

    def body() -> Body:
        try:
            yield 0.05
            snapshot.state = "Creating"
            yield 0.4
            snapshot.state = "BackingUp"
            yield 0.55
        except ApiError:
            snapshot.state = "Error"
            raise
        snapshot.state = "BackedUp"
        return {"snapshot": _row(call, snapshot)}

    return Task(body=body(), on=snapshot, event="SNAPSHOT.CREATE")


@command("deleteSnapshot", seconds=1)
def delete_snapshot(call: Call) -> Task:
    """Delete a snapshot; what was made from it survives."""
    snapshot = call.find(Snapshot, "id")
    if snapshot.state not in ("BackedUp", "Error"):
        raise invalid(f"Can't delete snapshot {snapshot.id}: it is {snapshot.state}")

    def body() -> Body:
        before, snapshot.state = snapshot.state, "Destroying"
        try:
            yield 1.0
        except ApiError:
            snapshot.state = before
            raise
        call.world.remove(snapshot)
        return {"success": True}

    return Task(body=body(), on=snapshot, event="SNAPSHOT.DELETE")
