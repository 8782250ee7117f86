"""Disks."""

from __future__ import annotations

from gcelib.simulator.call import Call, job_fields, ownership, tag_rows
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.deploy import disk_size, volumes_of
from gcelib.simulator.errors import ApiError, failed, forbidden, invalid
from gcelib.simulator.hardware import GIB, DiskOffering, Machine, Snapshot, Volume
from gcelib.simulator.listing import listing
from gcelib.simulator.places import Zone
from gcelib.simulator.quotas import demand
from gcelib.simulator.records import Row

# Device 0 is the root disk, 3 is reserved for CD-ROM drives.
DEVICES: tuple[int, ...] = (1, 2, *range(4, 16))


def volume_row(call: Call, volume: Volume) -> Row:
    """A disk; its size is in bytes."""
    row: Row = {
        "id": volume.id,
        "name": volume.name,
        "zoneid": volume.zone.id,
        "zonename": volume.zone.name,
        "type": "ROOT" if volume.root else "DATADISK",
        "size": volume.size,
        "created": date_text(volume.created),
        "state": volume.state,
        **ownership(call.world, volume.owner),
        "storagetype": "shared",
        "provisioningtype": "thin",
        "hypervisor": "None" if volume.state == "Allocated" else "KVM",
        "destroyed": False,
        "isextractable": True,
        "quiescevm": False,
        "deleteprotection": False,
        "tags": tag_rows(call.world, volume),
        **job_fields(volume),
    }
    machine, template, offering = volume.machine, volume.template, volume.offering
    if machine is not None:
        row |= {"deviceid": volume.device, "virtualmachineid": machine.id, "vmname": machine.name}
        row |= {"vmdisplayname": machine.displayname, "vmstate": machine.state}
        if volume.attached:
            row["attached"] = date_text(volume.attached)
        if volume.root:
            row |= {"serviceofferingid": machine.offering.id, "serviceofferingname": machine.offering.name}
    if template is not None:
        row |= {"templateid": template.id, "templatename": template.name, "templatedisplaytext": template.displaytext}
    if offering is not None:
        row |= {"diskofferingid": offering.id, "diskofferingname": offering.name}
        row["diskofferingdisplaytext"] = offering.displaytext
    if volume.snapshot_id:
        row["snapshotid"] = volume.snapshot_id
    return row


@command("listVolumes")
def list_volumes(call: Call) -> Row:
    """The caller's disks."""
    rows = call.selected(call.visible(Volume), name="name", state="state")
    if call.given("type"):
        rows = [volume for volume in rows if volume.root == (call.text("type").upper() == "ROOT")]
    if call.given("virtualmachineid"):
        wanted = call.text("virtualmachineid")
        rows = [volume for volume in rows if volume.machine is not None and volume.machine.id == wanted]
    if call.given("diskofferingid"):
        wanted = call.text("diskofferingid")
        rows = [volume for volume in rows if volume.offering is not None and volume.offering.id == wanted]
    return listing(call, "volume", rows, lambda volume: volume_row(call, volume))


def _blank(call: Call, volume_id: str) -> Volume:
    offering, zone = call.shared(DiskOffering, "diskofferingid"), call.shared(Zone, "zoneid")
    if not zone.enabled:
        raise forbidden(f"Cannot perform this operation, zone {zone.name} is currently disabled")
    if offering.zones and zone not in offering.zones:
        raise forbidden(f"Disk offering {offering.id} is not available in zone {zone.name}")
    return Volume(id=volume_id, owner=call.owner(), created=call.world.now(), name=call.text("name"), zone=zone,
                  size=disk_size(call, offering), offering=offering)  # fmt: skip


def _from_snapshot(call: Call, volume_id: str) -> Volume:
    snapshot = call.find(Snapshot, "snapshotid")
    if snapshot.state != "BackedUp":
        raise invalid(f"Snapshot {snapshot.id} is not BackedUp but {snapshot.state}")
    if call.given("diskofferingid") and not snapshot.root:
        raise invalid("A disk offering can't be given for a volume from a data disk's snapshot")
    offering = call.shared(DiskOffering, "diskofferingid") if call.given("diskofferingid") else None
    # VolumeApiServiceImpl.allocVolume: an offering has the size said as for a blank disk; without one none is heard.
    wanted = disk_size(call, offering) if offering is not None else 0
    if wanted and wanted < snapshot.size:
        raise invalid(f"Volume size {wanted} is smaller than the snapshot's {snapshot.size}")
    return Volume(id=volume_id, owner=call.owner(), created=call.world.now(), name=call.text("name"),
                  zone=snapshot.zone, size=wanted or snapshot.size, offering=offering,
                  snapshot_id=snapshot.id, state="Creating")  # fmt: skip


@command("createVolume", seconds=1)
def create_volume(call: Call) -> Task:
    """Make a disk, blank (on no storage until first attached) or from a snapshot."""
    world, volume_id = call.world, call.world.new_id("volume")
    if call.given("snapshotid"):
        volume = _from_snapshot(call, volume_id)
    elif call.given("diskofferingid") and call.given("zoneid"):
        volume = _blank(call, volume_id)
    else:
        raise invalid("Either a snapshotid, or a diskofferingid and a zoneid, must be given")
    volume.name = volume.name or f"DATA-{volume_id[:8]}"
    machine = call.find(Machine, "virtualmachineid") if call.given("virtualmachineid") else None
    demand(world, volume.owner, "volume")
    demand(world, volume.owner, "primary_storage", -(-volume.size // GIB))
    world.add(volume)

    def body() -> Body:
        try:
            yield 1.0
            if volume.snapshot_id:
                volume.state = "Ready"
            if machine is not None:
                _attach(call, volume, machine, _device(call, machine, None))
        except ApiError:
            world.remove(volume)
            raise
        return {"volume": volume_row(call, volume)}

    return Task(body=body(), on=volume, event="VOLUME.CREATE")


def _device(call: Call, machine: Machine, wanted: int | None) -> int:
    """The device that a disk gets. Raises ApiError 530."""
    taken = {volume.device for volume in volumes_of(call.world, machine)}
    free = [device for device in DEVICES if device not in taken]
    if wanted is None:
        if not free:
            raise failed(f"All device Ids are in use by vm {machine.id}")
        return free[0]
    if wanted not in free:
        raise failed(f"deviceId {wanted} is used by vm {machine.id}, reserved, or out of range")
    return wanted


def _attach(call: Call, volume: Volume, machine: Machine, device: int) -> None:
    volume.machine, volume.device, volume.state = machine, device, "Ready"
    volume.attached = call.world.now()


@command("attachVolume", seconds=1)
def attach(call: Call) -> Task:
    """Attach a disk to a machine of the same owner and zone."""
    volume, machine, wanted = call.find(Volume, "id"), call.find(Machine, "virtualmachineid"), call.number("deviceid")

    def check() -> int:
        if volume.machine is not None:
            raise invalid(f"Volume {volume.id} is attached to a vm already")
        if volume.state not in ("Allocated", "Ready", "Uploaded"):
            raise invalid(f"Volume state must be in Allocated, Ready or in Uploaded state, not {volume.state}")
        if machine.state not in ("Running", "Stopped"):
            raise invalid(f"Please specify a vm that is either running or stopped, not {machine.state}")
        if machine.zone is not volume.zone or machine.owner is not volume.owner:
            raise invalid("The vm and the volume must be in the same zone and belong to the same owner")
        return _device(call, machine, wanted)

    check()

    def body() -> Body:
        before, volume.state = volume.state, "Attaching"
        try:
            yield 1.0
            volume.state = before
            _attach(call, volume, machine, check())
        except ApiError:
            volume.state = before
            raise
        return {"volume": volume_row(call, volume)}

    return Task(body=body(), on=volume, event="VOLUME.ATTACH")


@command("detachVolume", seconds=1)
def detach(call: Call) -> Task:
    """Detach a disk, named by its id or by machine and device."""
    if call.given("id"):
        volume = call.find(Volume, "id")
    else:
        machine, device = call.find(Machine, "virtualmachineid"), call.number("deviceid")
        at_device = [volume for volume in volumes_of(call.world, machine) if volume.device == device]
        if not at_device:
            raise invalid(f"Vm {machine.id} has no volume at device {device}")
        volume = at_device[0]
    if volume.machine is None:
        raise invalid(f"Volume {volume.id} is not attached to a vm")
    if volume.root and volume.machine.state != "Stopped":
        raise invalid("A root disk can be detached only from a stopped vm")
    if volume.machine.state not in ("Running", "Stopped", "Destroyed"):
        raise invalid(f"Please specify a vm that is either running or stopped, not {volume.machine.state}")

    def body() -> Body:
        yield 1.0
        volume.machine, volume.device, volume.attached = None, None, 0.0
        return {"volume": volume_row(call, volume)}

    return Task(body=body(), on=volume, event="VOLUME.DETACH")


def _check_deletable(call: Call, volume: Volume) -> None:
    if volume.machine is not None:
        raise invalid(f"Please specify a volume that is not attached to any vm: {volume.id}")
    if any(snapshot.volume_id == volume.id and snapshot.state in ("Allocated", "Creating", "BackingUp")
           for snapshot in call.world.owned(Snapshot, volume.owner)):  # fmt: skip
        raise invalid(f"There are snapshots of volume {volume.id} in progress")


@command("deleteVolume")
def delete_volume(call: Call) -> Row:
    """Delete a disk that is not attached; its snapshots survive."""
    volume = call.find(Volume, "id")
    _check_deletable(call, volume)
    call.world.remove(volume)
    return {"success": True}


@command("destroyVolume", seconds=1)
def destroy_volume(call: Call) -> Task:
    """Delete a disk that is not attached, as a job."""
    volume = call.find(Volume, "id")
    _check_deletable(call, volume)

    def body() -> Body:
        yield 1.0
        row = volume_row(call, volume) | {"state": "Destroy"}
        call.world.remove(volume)
        return {"volume": row}

    return Task(body=body(), on=volume, event="VOLUME.DESTROY")


@command("resizeVolume", seconds=1)
def resize(call: Call) -> Task:
    """Make a disk larger: by size where its offering lets the caller choose, else by another offering."""
    volume = call.find(Volume, "id")
    offering = call.shared(DiskOffering, "diskofferingid") if call.given("diskofferingid") else volume.offering
    wanted = (call.number("size") or 0) * GIB
    if volume.root and volume.machine is not None and volume.machine.offering.root_gib:
        # VolumeApiServiceImpl.isNotPossibleToResize
        raise invalid("Failed to resize Root volume. The service offering has been configured with a root disk size")
    if offering is not None and offering.gib:
        if wanted:
            raise invalid("The disk offering does not allow custom sizes: give another diskofferingid")
        wanted = offering.gib * GIB
    if volume.state not in ("Allocated", "Ready"):
        raise invalid(f"Volume should be in Ready or Allocated state for a resize, not {volume.state}")
    if not GIB <= wanted <= 1024 * GIB:
        raise invalid("The size must be 1 to 1024 GB")
    if wanted < volume.size:
        raise invalid("Going from a larger to a smaller size is not possible for QCOW2 disks")
    demand(call.world, volume.owner, "primary_storage", (wanted - volume.size) // GIB)

    def body() -> Body:
        before, volume.state = volume.state, "Resizing"
        try:
            yield 1.0
        finally:
            volume.state = before
        volume.size, volume.offering = wanted, offering
        return {"volume": volume_row(call, volume)}

    return Task(body=body(), on=volume, event="VOLUME.RESIZE")
