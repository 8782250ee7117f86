"""Starting, stopping, destroying and changing machines."""

from __future__ import annotations

from gcelib.simulator.addresses import implement, implemented
from gcelib.simulator.call import Call
from gcelib.simulator.commands import Body, Task, command
from gcelib.simulator.deploy import give_back, make_ready, volumes_of
from gcelib.simulator.errors import ApiError, forbidden, invalid
from gcelib.simulator.hardware import Machine, Volume
from gcelib.simulator.machines import full_row
from gcelib.simulator.names import free_name
from gcelib.simulator.records import Row
from gcelib.simulator.release import release_machine
from gcelib.simulator.world import World

GONE = ("Destroyed", "Expunging")


def _result(call: Call, machine: Machine) -> Row:
    machine.updated = call.world.now()
    return {"virtualmachine": full_row(call, machine)}


def _through(machine: Machine, during: str, after: str, back: str) -> Body:
    """Pass through a state for the job's time; a failure falls back."""
    machine.state = during
    try:
        yield 1.0
    except ApiError:
        machine.state = back
        raise
    machine.state = after
    return {}


@command("startVirtualMachine", seconds=2)
def start(call: Call) -> Task:
    """Start a stopped machine; one that runs already fails the job."""
    machine = call.find(Machine, "id")

    def body() -> Body:
        if machine.state != "Stopped":
            raise invalid(f"Unable to start: the vm is in state {machine.state}, not Stopped")
        try:
            for nic in machine.nics:
                implement(call.world, nic.network)
            yield from _through(machine, "Starting", "Running", "Stopped")
        finally:
            implemented(machine)
        make_ready(call.world, machine)
        return _result(call, machine)

    return Task(body=body(), on=machine, event="VM.START")


@command("stopVirtualMachine", seconds=2)
def stop(call: Call) -> Task:
    """Stop a machine; one that is stopped already is fine."""
    machine = call.find(Machine, "id")
    if call.flag("forced") and not call.world.settings.force_stop and not call.account.admin:
        raise forbidden("Users may not force a stop (allow.user.force.stop.vm)")

    def body() -> Body:
        if machine.state in GONE:
            raise invalid(f"Unable to stop: the vm is in state {machine.state}")
        if machine.state != "Stopped":
            yield from _through(machine, "Stopping", "Stopped", machine.state)
        return _result(call, machine)

    return Task(body=body(), on=machine, event="VM.STOP")


@command("rebootVirtualMachine", seconds=2)
def reboot(call: Call) -> Task:
    """Reboot a running machine; its state stays Running."""
    machine = call.find(Machine, "id")

    def body() -> Body:
        if machine.state != "Running":
            raise invalid(f"Unable to reboot: the vm is in state {machine.state}, not Running")
        yield 1.0
        return _result(call, machine)

    return Task(body=body(), on=machine, event="VM.REBOOT")


@command("destroyVirtualMachine", seconds=2)
def destroy(call: Call) -> Task:
    """Destroy a machine: data disks survive unless named; name and address stay taken until it is expunged."""
    machine = call.find(Machine, "id")
    expunge_now = call.flag("expunge")
    if expunge_now and not _may_expunge(call):
        raise forbidden("Parameter expunge can be passed by Admin only, or when allow.user.expunge.recover.vm is set")
    if machine.protected:
        raise invalid(f"Instance {machine.name} has delete protection enabled")
    named = [call.get(Volume, volume_id, "volumeids") for volume_id in call.items("volumeids")]
    if any(volume.machine is not machine or volume.root for volume in named):
        raise invalid("volumeids must name data volumes that are attached to this machine")
    return Task(body=_destroy(call, machine, named, expunge_now), on=machine, event="VM.DESTROY")


def _destroy(call: Call, machine: Machine, named: list[Volume], expunge_now: bool) -> Body:
    world = call.world
    failed_start = machine.state == "Error"
    if machine.state not in GONE:
        if machine.state not in ("Stopped", "Error"):
            yield from _through(machine, "Stopping", "Destroyed", machine.state)
        else:
            yield 1.0
        machine.state = "Destroyed"
        for volume in volumes_of(world, machine):
            if not volume.root:
                volume.machine, volume.device = None, None
        for volume in named:
            world.remove(volume)
        _expunge_later(world, machine)
    if expunge_now or failed_start:
        expunge(world, machine)
    return _result(call, machine)


def _may_expunge(call: Call) -> bool:
    return call.account.admin or call.world.settings.user_may_expunge


def _expunge_later(world: World, machine: Machine) -> None:
    destroyed_at = machine.updated = world.now()

    def due() -> None:
        if machine.state == "Destroyed" and machine.updated <= destroyed_at + 1:
            expunge(world, machine)

    world.at(destroyed_at + world.settings.expunge_delay, due)


def expunge(world: World, machine: Machine) -> None:
    """Free everything that a machine holds: name, addresses, root disk, rules, membership."""
    machine.state = "Expunging"
    free_name(machine)
    for nic in machine.nics:
        give_back(nic)
    release_machine(world, machine.id)
    for volume in volumes_of(world, machine):
        if volume.root:
            world.remove(volume)
        else:
            volume.machine, volume.device = None, None
    world.remove(machine)


def expunge_destroyed(world: World) -> list[str]:
    """Run the expunger at once; the ids of the machines it removed."""
    with world.lock:
        world.advance()
        gone = [machine for machine in world.all(Machine) if machine.state == "Destroyed"]
        for machine in gone:
            expunge(world, machine)
        return [machine.id for machine in gone]


@command("expungeVirtualMachine", seconds=1)
def expunge_machine(call: Call) -> Task:
    """Expunge a destroyed machine at once."""
    machine = call.find(Machine, "id")
    if not _may_expunge(call):
        raise forbidden("Expunging a vm can only be done by an Admin, or when allow.user.expunge.recover.vm is set")

    def body() -> Body:
        if machine.state not in ("Destroyed", "Error"):
            raise invalid(f"Please destroy vm {machine.id} before expunging it")
        yield 1.0
        expunge(call.world, machine)
        return {"success": True}

    return Task(body=body(), on=machine, event="VM.EXPUNGE")


@command("recoverVirtualMachine")
def recover(call: Call) -> Row:
    """Bring a destroyed machine back as a stopped one."""
    machine = call.find(Machine, "id")
    if not _may_expunge(call):
        raise forbidden("Recovering a vm can only be done by an Admin, or when allow.user.expunge.recover.vm is set")
    if machine.state != "Destroyed":
        raise invalid(f"Unable to recover: the vm is in state {machine.state}, not Destroyed")
    machine.state = "Stopped"
    return _result(call, machine)
