"""The process ends at labelled points of changes of several steps: each is carried through all the same, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.crashes import Crashes, changes, crashes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    """One cloud and one server's books for all seeds."""
    with crashes(tmp_path_factory.mktemp("crashes")) as furnished:
        yield furnished


@pytest.mark.parametrize("seed", range(24))
def test_a_change_whose_process_ends_anywhere_is_carried_through_once(made: Crashes, seed: int) -> None:
    assert made.attempt(seed)


def test_every_change_has_points_around_its_writes_and_its_commands(made: Crashes) -> None:
    there, back = changes("a rule of several ports")
    life = made.life([("4c5be9b5-24f9-4a57-9c8c-6a1d3c7f0000", there[0])])
    for what in ("storing the operation", "storing its course (DONE)", "sending createLoadBalancerRule"):
        assert life.points.index(f"before {what}") < life.points.index(f"after {what}")
    made.done(back, [])
