"""Books that cannot be written for long: what is under way waits, and what was not sent counts as no attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gcelib.errors import Unavailable
from tests.unit.operations.pretend import World, machine


def closed(world: World) -> Callable[[], None]:
    """Let nothing be written any more of operations that are there; returns what ends that."""
    operations = world.runner.operations
    save = operations.save

    def full(*_: Any) -> bool:
        raise Unavailable("The disk is full.")

    operations.save = full  # type: ignore[method-assign]

    def opened() -> None:
        operations.save = save  # type: ignore[method-assign]

    return opened


def test_an_operation_that_cannot_be_put_on_the_books_for_hours_is_sent_once_afterwards(world: World) -> None:
    opened = closed(world)
    record = world.begin(machine())
    world.run(7200.0)
    assert world.cloud.submits == []
    opened()
    world.run()
    done = world.record(record)
    assert (done.status, done.error) == ("DONE", None)
    assert world.cloud.submits == ["nodes.create"]


@pytest.mark.parametrize(("behaviour", "submits"), [("dropped", 2), ("lost", 1)])
def test_a_step_in_doubt_is_not_given_up_while_the_books_are_closed(
    world: World, behaviour: str, submits: int
) -> None:
    world.cloud.script = {"nodes.create": [behaviour]}
    record = world.begin(machine())
    opened = closed(world)
    world.run(1200.0)
    assert len(world.cloud.submits) == 1
    opened()
    world.run()
    done = world.record(record)
    assert (done.status, done.error) == ("DONE", None)
    assert len(world.cloud.submits) == submits
