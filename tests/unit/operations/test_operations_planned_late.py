"""Steps that are planned when their turn comes: what they become, whose turn it is, and what a restart makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pretend import World

from gcelib.errors import Refused, Unavailable
from gcelib.server.operations.plan import LATE, Step, Work


def volume(name: str) -> Step:
    undo = Step(f"undo {name}", "gva", "volumes", "destroy", {"id": {"$ref": f"{name}.target"}})
    return Step(name, "gva", "volumes", "create", {"name": name}, undo=undo)


def late(name: str = "o", *steps: Step, cloud: str = "") -> Work:
    plan = Step("plan", "", LATE, "more", {"name": name, **({"cloud": cloud} if cloud else {})})
    return Work("insert", f"demo/zones/z/disks/{name}", [*steps, plan], "plan")


def made(world: World) -> list[str]:
    return [each.args["name"] for each in world.cloud.effects if each.verb == "create"]


@pytest.fixture
def books(world: World) -> list[str]:
    """What was there when something was planned; each plan makes two volumes of its own."""
    seen: list[str] = []

    def more(name: str) -> list[Step]:
        there = [each.args["name"] for each in world.cloud.effects if each.done_at <= world.clock()]
        seen.append(f"{name} after {', '.join(each for each in there if not each.startswith('three')) or 'nothing'}")
        return [volume(f"{name}-1"), volume(f"{name}-2")]

    world.plans["more"] = more
    return seen


def test_a_step_becomes_others_and_the_request_waits_for_the_first_of_them(world: World, books: list[str]) -> None:
    record = world.begin(late("o", volume("first")))
    world.run()
    done = world.record(record)
    assert (done.status, done.error, made(world)) == ("DONE", None, ["first", "o-1", "o-2"])
    assert books == ["o after first"]
    assert [step["name"] for step in done.work["steps"]] == ["first", "plan", "o-1", "o-2"]
    world.cloud.script["create no-1"] = [Refused("The cloud says no.")]
    with pytest.raises(Refused, match="says no"):
        world.begin(late("no"))


def test_operations_take_turns_from_the_planning_to_the_end(world: World, books: list[str]) -> None:
    one, two = world.begin(late("one")), world.begin(late("two"))
    elsewhere = world.begin(late("three"), project="other")
    assert books == ["one after nothing", "three after nothing"]
    assert one.name in world.record(two).state["says"]
    world.run()
    assert [world.record(each).status for each in (one, two, elsewhere)] == ["DONE"] * 3
    assert books[2] == "two after one-1, one-2"


def test_operations_on_different_clouds_have_their_turns_beside_each_other(world: World, books: list[str]) -> None:
    more = world.plans["more"]
    world.plans["more"] = lambda name, cloud="": more(name)
    here = world.begin(late("here", cloud="gva"))
    there = world.begin(late("there", cloud="lab"))
    assert books == ["here after nothing", "there after nothing"]
    again = world.begin(late("again", cloud="gva"))
    both = world.begin(late("both"))
    assert len(books) == 2
    assert here.name in world.record(again).state["says"]
    assert world.record(both).state["says"].split("'")[1] in (here.name, there.name)
    world.run()
    assert [world.record(each).status for each in (here, there, again, both)] == ["DONE"] * 4
    assert {each.partition(" ")[0] for each in books} == {"here", "there", "again", "both"}


def test_one_that_fails_takes_back_what_was_planned_and_passes_the_turn_on(world: World, books: list[str]) -> None:
    world.cloud.script["create one-2"] = [("fails", Refused("The cloud says no."))]
    one, two = world.begin(late("one", volume("first"))), world.begin(late("two"))
    world.run()
    assert world.record(one).error["errors"][0]["message"] == "The cloud says no."
    assert world.record(two).error is None
    gone = {each.args["id"] for each in world.cloud.effects if each.verb == "destroy"}
    assert gone == {"id-of-first", "id-of-one-1", "id-of-one-2"}


def test_a_restarted_process_goes_on_with_what_was_planned(world: World, books: list[str]) -> None:
    one, two = world.begin(late("one")), world.begin(late("two"))
    world.restarted()
    world.run()
    assert (world.record(one).error, world.record(two).error) == (None, None)
    assert books == ["one after nothing", "two after one-1, one-2"]
    assert sorted(made(world)) == ["one-1", "one-2", "two-1", "two-2"]


def test_a_cloud_that_is_away_is_asked_again_and_one_that_says_no_ends_it(world: World, books: list[str]) -> None:
    answers: list[Any] = [Unavailable("Nobody at home."), Unavailable("Nobody at home."), None]
    more = world.plans["more"]

    def moody(name: str) -> list[Step]:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return more(name)

    world.plans["more"] = moody
    record = world.begin(late("o", volume("first")))
    world.run()
    assert (world.record(record).error, len(answers)) == (None, 0)
    answers[:] = [Unavailable("Nobody at home.")]
    with pytest.raises(Unavailable):
        world.begin(late("at-once"))
    answers[:] = [Refused("It makes no sense any more.")]
    record = world.begin(late("senseless", volume("second")))
    world.run()
    assert "no sense" in world.record(record).error["errors"][0]["message"]
    assert world.cloud.count("volumes", "destroy", id="id-of-second") == 1


def test_what_is_planned_is_on_the_books_even_when_they_were_away(world: World, books: list[str]) -> None:
    grow = world.runner.operations.grow
    tries: list[int] = []

    def growing(record: Any, *changes: Any) -> bool:
        tries.append(1)
        if len(tries) == 1:
            raise Unavailable("The database is away.")
        return grow(record, *changes)

    world.runner.operations.grow = growing  # type: ignore[method-assign]
    record = world.begin(late("o"))
    world.run()
    assert [step["name"] for step in world.record(record).work["steps"]] == ["plan", "o-1", "o-2"]
    assert (made(world), books) == (["o-1", "o-2"], ["o after nothing"])
