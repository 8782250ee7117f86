"""Operations that pass from one process to another and back, with clocks that differ: nothing twice, and all end."""

from __future__ import annotations

from typing import Any

import pytest
from pretend import Clock, World, machine

from gcelib.errors import Bug, NotFound, Refused, Unavailable
from gcelib.server.operations.plan import LATE, Step, Work
from gcelib.server.operations.runner import LEASE_SECONDS
from gcelib.store.notes import Notes
from gcelib.store.records import Record

TAGS = Step("tags", "gva", "tags", "set", {"name": "tags"})
HOURS = 3600.0


def insert(*steps: Step) -> Work:
    return Work("insert", "demo/zones/z/instances/n", steps, "", "", "node")


def volume(name: str, **options: Any) -> Step:
    undo = Step("undo", "gva", "volumes", "destroy", {"id": {"$ref": f"{name}.target"}})
    return Step(name, "gva", "volumes", "create", {"name": name}, undo, **options)


def message(record: Record) -> str:
    return " ".join(each["message"] for each in (record.error or {"errors": []})["errors"])


def test_what_another_did_meanwhile_is_not_done_again_by_one_that_gets_it_back(world: World) -> None:
    node = Step("node", "gva", "nodes", "create", {"name": "n"})
    first = world.runner
    record = world.begin(insert(node, TAGS))
    world.clock.now += LEASE_SECONDS + 1.0
    second = world.restarted()
    second.run_due()
    assert world.cloud.count("tags", "set") == 1
    world.clock.now += LEASE_SECONDS + 1.0
    world.runner = first
    first.sweep()
    first.run_due()
    first.sweep()
    world.run()
    assert world.cloud.submits == ["nodes.create", "tags.set"]
    assert (world.record(record).status, world.record(record).error) == ("DONE", None)


def test_a_note_of_an_operation_that_is_in_other_hands_is_not_written(world: World) -> None:
    notes = Notes(world.store, world.clock)
    place = {"place": "gva", "kind": "node", "id": "n"}
    note = Step("note", "", "notes", "put", {**place, "data": {"description": "old"}})
    first, save = world.runner, world.runner.operations.save

    def standing_still(*args: Any) -> bool:
        """As soon as it is written down that the note is about to be written, for longer than a lease."""
        first.operations.save = save  # type: ignore[method-assign]
        kept = save(*args)
        world.clock.now += LEASE_SECONDS + 1.0
        world.restarted()
        world.run()
        notes.put("gva", "node", "n", {"description": "new"})
        return kept

    first.operations.save = standing_still  # type: ignore[method-assign]
    record = world.begin(insert(note))
    first.run_due()
    assert world.record(record).status == "DONE"
    assert notes.get("gva", "node", "n") == {"description": "new"}


def test_a_clock_that_was_set_back_by_a_year_keeps_no_operation_for_a_year(world: World) -> None:
    world.cloud.script["nodes.create"] = ["hangs"]
    record = world.begin(machine())
    world.clock.now -= 365 * 24 * HOURS
    world.restarted()
    world.run(2 * HOURS)
    done = world.record(record)
    assert done.status == "DONE"
    assert "is not known" in message(done)


def test_what_was_not_looked_after_for_long_is_asked_for_before_it_is_given_up(world: World) -> None:
    record = world.begin(machine())
    world.clock.now += 24 * HOURS
    world.cloud.away = Unavailable("Cloud 'gva' is just starting.")
    world.restarted()
    world.run(60.0)
    assert world.record(record).status == "RUNNING"
    world.cloud.away = None
    world.run()
    assert (world.record(record).status, world.record(record).error) == ("DONE", None)


def test_a_step_that_waits_for_its_cloud_has_a_deadline_before_it_is_sent(world: World) -> None:
    ticks = Clock(0.0)
    world.cloud.clock = ticks
    world.restarted(ticks=ticks, sleep=ticks.sleep)
    world.cloud.script = {"volumes.create": ["sync"]}
    world.cloud.seconds = 30.0
    record = world.begin(insert(volume("v"), volume("w"), TAGS))
    cooling = world.runner._turns._advance._carrier._cooling
    world.cloud.away = Unavailable("Cloud 'gva' is down.")
    while not world.record(record).done:
        assert ticks.now < 3 * HOURS
        # Others are always before it.
        cooling.failed("demo", "gva", "Cloud 'gva' is down.")
        ticks.now += 5.0
        world.runner.run_due()
    assert "is down" in message(world.record(record))


def test_a_second_step_whose_end_is_not_known_is_named_beside_the_first_that_failed(world: World) -> None:
    world.cloud.script = {"create slow": ["hangs"], "create no": [Refused("No disks.")]}
    record = world.begin(insert(volume("slow", early=True), volume("no")))
    world.run(2 * HOURS)
    said = message(world.record(record))
    assert said.startswith("No disks.")
    assert "ended for the disk 'slow' (id-of-slow) is not known" in said
    assert world.cloud.count("volumes", "destroy") == 0


def test_a_thing_of_a_job_that_failed_is_named_where_nothing_is_taken_back(world: World) -> None:
    world.cloud.script = {"create slow": ["hangs"], "create half": [("fails", Refused("No room."))]}
    record = world.begin(insert(volume("slow", early=True), volume("half")))
    world.run(2 * HOURS)
    said = message(world.record(record))
    assert "No room." in said
    assert "Left as it is, because it is not known how the operation ended: disk 'half' (id-of-half)." in said


def test_a_plan_that_breaks_ends_its_operation_and_lets_others_plan(world: World) -> None:
    def broken(name: str) -> list[Step]:
        if name == "bad":
            raise LookupError(name)
        return [volume(name)]

    world.plans["more"] = broken
    work = insert(volume("first", early=True), Step("plan", "", LATE, "more", {"name": "bad"}))
    record = world.begin(work)
    assert record.status == "DONE"
    said = message(world.record(record))
    assert "gcelib broke at this operation (LookupError)" in said
    assert "ended for the disk 'first' (id-of-first) is not known" in said
    good = Step("plan", "", LATE, "more", {"name": "good"})
    after = world.begin(Work("insert", "demo/zones/z/disks/good", [good], "plan"))
    world.run()
    assert (world.record(after).error, world.cloud.count("volumes", "create", name="good")) == (None, 1)


def test_a_repeated_request_whose_first_outcome_is_not_known_is_not_carried_out_again(world: World) -> None:
    world.cloud.script["nodes.create"] = [TypeError("our own mistake"), "job"]
    world.cloud.seek = None  # type: ignore[assignment, method-assign]
    asked = {"request_id": "8e0e4d1e-0000-4000-8000-000000000001"}
    with pytest.raises(Bug):
        world.begin(machine(), **asked)
    again = world.begin(machine(), **asked)
    assert (again.status, world.cloud.submits) == ("DONE", ["nodes.create"])
    assert "gcelib broke" in message(again)


@pytest.mark.parametrize("waiting", [True, False], ids=["sent", "in doubt"])
def test_a_cloud_that_left_the_configuration_ends_its_operations_and_says_so(world: World, waiting: bool) -> None:
    world.cloud.script["create w"] = ["job" if waiting else "lost"]
    record = world.begin(insert(volume("v"), volume("w", early=True), TAGS))
    world.run(11.0)
    world.restarted()
    gone = NotFound("Project 'demo' no longer has a cloud 'gva': put it back into the configuration.")

    def nowhere(project: str, cloud: str) -> Any:
        raise gone

    world.runner._turns._advance._carrier._reach._clouds = nowhere
    world.run(60.0)
    done = world.record(record)
    assert done.status == "DONE"
    assert "no longer has a cloud 'gva'" in message(done)
    assert "ended for the disk 'w'" in message(done)
    assert "Left as it is, because it is not known how the operation ended: disk 'v' (id-of-v)." in message(done)


def test_an_operation_whose_books_cannot_be_read_for_a_moment_goes_on_later(world: World) -> None:
    record = world.begin(machine())
    world.restarted()
    load = world.runner.operations.load

    def broken(id: str) -> Any:
        raise ValueError("half a row")

    world.runner.operations.load = broken  # type: ignore[method-assign]
    assert world.runner.run_due() == 1
    world.runner.operations.load = load  # type: ignore[method-assign]
    world.run()
    assert world.record(record).status == "DONE"


def test_an_operation_that_was_lost_while_its_books_were_away_is_looked_at_again(world: World) -> None:
    first = world.runner
    save, load = first.operations.save, first.operations.load

    def taken(record: Record, *changes: Any) -> bool:
        """Another has it, for a moment."""
        world.restarted()
        return save(record, *changes)

    def away(id: str) -> Any:
        raise Unavailable("The database is away.")

    first.operations.save, first.operations.load = taken, away  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        world.begin(machine())
    first.operations.save, first.operations.load = save, load  # type: ignore[method-assign]
    world.clock.now += LEASE_SECONDS + 1.0
    world.runner = first
    first.run_due()
    first.sweep()
    world.run()
    (record,) = first.operations.list("demo")
    assert (record.status, record.error) == ("DONE", None)
    assert world.cloud.count("nodes", "create") == 1
