"""The janitor removes what is surely gone, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from pretend import World, machine

from gcelib.errors import Unavailable
from gcelib.models import Group, Job, JobState, Node, NodeState
from gcelib.server.operations.janitor import NOTE_RUNS, Janitor
from gcelib.server.operations.plan import Step, Work
from gcelib.store.notes import Notes

HOUR = 3600.0


@dataclass
class Listed:
    """A facet that lists what it is given, or fails."""

    things: list[Any] = field(default_factory=list)
    away: bool = False

    def list(self) -> list[Any]:
        if self.away:
            raise Unavailable("Cloud 'gva' does not answer.")
        return self.things


@dataclass
class GroupCloud:
    """A cloud with machines and groups."""

    name: str = "gva"
    firewalls: Listed = field(default_factory=Listed)
    nodes: Listed = field(default_factory=Listed)

    def submit(self, facet: str, verb: str, args: dict[str, Any], key: str) -> Job:
        assert (facet, verb) == ("firewalls", "destroy_group")
        self.firewalls.things = [group for group in self.firewalls.things if group.id != args["id"]]
        return Job(JobState.DONE)


@pytest.fixture
def notes(world: World) -> Notes:
    return Notes(world.store, world.clock)


def machine_of(name: str) -> str | None:
    return name.rpartition(":vm:")[2] if name.startswith("gcelib:") and ":vm:" in name else None


def test_done_operations_are_forgotten_after_a_fortnight_and_open_ones_never(world: World, notes: Notes) -> None:
    world.cloud.seconds = 1e9
    world.begin(machine("open"))
    world.cloud.script["nodes.create"] = ["sync"]
    world.begin(machine("done"))
    janitor = Janitor(world.runner.operations, notes, present=lambda place, kind: None, clock=world.clock)
    world.clock.now += 13 * 24 * HOUR
    janitor.run()
    assert len(world.runner.operations.list("demo")) == 2
    world.clock.now += 2 * 24 * HOUR
    janitor.run()
    assert [each.target[-4:] for each in world.runner.operations.list("demo")] == ["open"]


def test_notes_of_things_that_are_missing_for_days_are_forgotten_and_no_sooner(world: World, notes: Notes) -> None:
    for id in ("here", "gone"):
        notes.put("gva", "node", id, {"description": id})
    janitor = Janitor(world.runner.operations, notes, present=lambda place, kind: {"here"}, clock=world.clock)
    world.clock.now += 2 * HOUR
    notes.put("gva", "node", "new", {})
    for _ in range(2 * 24):
        janitor.run()
    assert set(notes.all("gva", "node")) == {"here", "gone", "new"}
    for _ in range(24):
        janitor.run()
    assert set(notes.all("gva", "node")) == {"here", "new"}


def test_a_listing_that_fails_or_knows_nothing_forgets_nothing(world: World, notes: Notes) -> None:
    notes.put("gva", "node", "n", {})
    notes.put("project:demo", "pool", "p", {})

    def present(place: str, kind: str) -> None:
        if place == "gva":
            raise Unavailable("Cloud 'gva' does not answer.")

    janitor = Janitor(world.runner.operations, notes, present=present, clock=world.clock)
    world.clock.now += 2 * HOUR
    for _ in range(3):
        janitor.run()
    assert notes.kept() == [("gva", "node"), ("project:demo", "pool")]


def test_a_thing_that_comes_back_between_two_runs_keeps_its_notes(world: World, notes: Notes) -> None:
    notes.put("gva", "node", "n", {})
    answers = [*[set()] * (NOTE_RUNS - 1), {"n"}] * 2
    janitor = Janitor(world.runner.operations, notes, present=lambda place, kind: answers.pop(0), clock=world.clock)
    world.clock.now += 2 * HOUR
    while answers:
        janitor.run()
    assert notes.get("gva", "node", "n") == {}


def test_only_empty_private_groups_of_machines_that_are_gone_are_removed(world: World, notes: Notes) -> None:
    cloud = GroupCloud()
    cloud.nodes.things = [Node("1", "Web", NodeState.RUNNING, "z")]
    cloud.firewalls.things = [
        Group("a", "gcelib:demo:vm:web"),
        Group("b", "gcelib:demo:vm:gone"),
        Group("c", "gcelib:demo:vm:renamed", node_ids=("1",)),
        Group("d", "gcelib:demo:vm:coming"),
        Group("e", "gcelib:demo:tag:gone"),
        Group("f", "somebody's"),
    ]
    step = Step("group", "gva", "firewalls", "create_group", {"name": "gcelib:demo:vm:coming"})
    world.begin(Work("insert", "demo/zones/z/instances/coming", [step]))
    janitor = Janitor(
        world.runner.operations, notes, present=lambda place, kind: None, clock=world.clock,
        clouds=lambda: [cloud], machine_of=machine_of,  # type: ignore[list-item]
    )
    janitor.run()
    cloud.nodes.away = True
    janitor.run()
    assert len(cloud.firewalls.things) == 6
    cloud.nodes.away = False
    janitor.run()
    assert [group.id for group in cloud.firewalls.things] == ["a", "c", "d", "e", "f"]
