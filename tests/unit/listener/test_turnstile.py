"""A lane has so many threads; the others of it wait, in order and not for ever, or are sent away."""

from __future__ import annotations

import pytest

from gcelib.config import CacheConfig, CloudConfig, Config, ProjectConfig, ServerConfig
from gcelib.server.lanes import Lanes
from gcelib.server.listening.turnstile import FEW, LONGEST, STUCK, TICK, Entry, Turnstile
from tests.clock import Clock


@pytest.fixture
def turnstile(clock: Clock) -> Turnstile[str]:
    return Turnstile(lambda: 2, 20, clock)


def fill(turnstile: Turnstile[str], waiting: int = 0) -> None:
    """Take both seats of lane `a`, and have some wait."""
    assert [turnstile.enter("a") for _ in range(2)] == [Entry.GO, Entry.GO]
    for number in range(waiting):
        assert turnstile.enter("a") is Entry.WAIT
        assert turnstile.wait("a", f"guest {number}") is Entry.WAIT


def test_one_lane_that_is_full_leaves_the_other_alone(turnstile: Turnstile[str]) -> None:
    fill(turnstile)
    assert turnstile.enter("a") is Entry.WAIT
    assert turnstile.enter("b") is Entry.GO


def test_a_seat_goes_to_who_has_waited_longest(turnstile: Turnstile[str]) -> None:
    fill(turnstile, 2)
    assert turnstile.leave("a") == ["guest 0"]
    assert turnstile.leave("a") == ["guest 1"]
    assert [turnstile.leave("a"), turnstile.leave("a")] == [[], []]
    assert turnstile.enter("a") is Entry.GO


def test_a_seat_given_back_before_somebody_sits_down_to_wait_is_theirs(turnstile: Turnstile[str]) -> None:
    fill(turnstile)
    assert turnstile.enter("a") is Entry.WAIT
    assert turnstile.leave("a") == []
    assert turnstile.wait("a", "late") is Entry.GO


def test_only_so_many_wait(turnstile: Turnstile[str]) -> None:
    fill(turnstile, 20)
    assert turnstile.enter("a") is Entry.FULL


def test_a_lane_that_does_not_move_takes_nobody(turnstile: Turnstile[str], clock: Clock) -> None:
    fill(turnstile)
    clock.now += STUCK + 1
    assert turnstile.enter("a") is Entry.FULL
    turnstile.leave("a")
    assert turnstile.enter("a") is Entry.GO
    assert turnstile.enter("a") is Entry.WAIT


def test_a_lane_that_was_idle_for_long_is_not_stuck(turnstile: Turnstile[str], clock: Clock) -> None:
    turnstile.enter("a")
    turnstile.leave("a")
    clock.now += 1000
    fill(turnstile)
    assert turnstile.enter("a") is Entry.WAIT


def test_nobody_waits_for_ever(turnstile: Turnstile[str], clock: Clock) -> None:
    fill(turnstile, 2)
    clock.now += LONGEST + 1
    assert turnstile.tick() == ([], ["guest 0", "guest 1"])
    assert turnstile.leave("a") == []


def test_a_lane_that_only_fails_has_one_thread_until_something_else_comes(
    turnstile: Turnstile[str], clock: Clock
) -> None:
    for _ in range(3):
        turnstile.enter("a")
        turnstile.leave("a", failed=True)
    assert turnstile.enter("a") is Entry.WAIT
    clock.now += 1
    assert turnstile.enter("a") is Entry.GO
    for number in range(FEW):
        assert turnstile.wait("a", f"guest {number}") is Entry.WAIT
    assert turnstile.enter("a") is Entry.FULL
    assert turnstile.leave("a", failed=True) == []
    clock.now += 1
    assert turnstile.tick()[0] == ["guest 0"]
    assert turnstile.leave("a") == ["guest 1", "guest 2"]


def test_a_crowd_is_sent_away_a_few_at_a_time(turnstile: Turnstile[str]) -> None:
    for number in range(TICK + 5):
        assert turnstile.refuse(str(number))
    assert len(turnstile.tick()[1]) == TICK
    assert turnstile.tick()[1] == [str(TICK + number) for number in range(5)]


def test_an_end_leaves_nobody_behind(turnstile: Turnstile[str]) -> None:
    fill(turnstile, 2)
    turnstile.refuse("refused")
    assert turnstile.empty() == ["refused", "guest 0", "guest 1"]
    assert turnstile.tick() == ([], [])


def lanes(**projects: tuple[str, ...]) -> Lanes:
    clouds = {name: CloudConfig(name=name, provider="cloudstack") for name in ("one", "two")}
    rows = {name: ProjectConfig(name=name, clouds=on) for name, on in projects.items()}
    return Lanes(lambda: Config(ServerConfig(), CacheConfig(), clouds, rows))


@pytest.mark.parametrize(("target", "lane"), [
    (b"/compute/v1/projects/a/zones", "one"),
    (b"/compute/v1/projects/%61/zones/z/instances?x=/operations", "one"),
    (b"/compute/v1/projects/both", "one,two"),
    (b"/compute/v1/projects/a/zones/z/operations/o/wait", ""),
    (b"/compute/v1/projects/unknown/zones", ""),
    (b"/batch/compute/v1", "batch"),
    (b"/oauth2/token", ""),
    (b"*", ""),
])
def test_requests_share_a_lane_with_those_for_the_same_clouds(target: bytes, lane: str) -> None:
    assert lanes(a=("one",), both=("one", "two")).of(target) == lane


def test_a_lane_has_half_of_the_threads_and_more_where_it_is_the_only_one() -> None:
    assert lanes(a=("one",), b=("two",)).limit(32) == 16
    assert lanes(a=("one",), b=("one",)).limit(32) == 24
    assert lanes(a=("one",), b=("two",)).limit(1) == 1
