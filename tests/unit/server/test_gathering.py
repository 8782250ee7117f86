"""Clouds asked side by side: who is waited for, who is left alone, and when one is looked for again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from gcelib.drivers.breaker import Crowded
from gcelib.drivers.lists import Lists
from gcelib.errors import Fault, Forbidden, Unauthenticated, Unavailable
from gcelib.server import gathering
from gcelib.server.gathering import Gathering, Part


class Facet:
    """`list` answers what it is told to, once the gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.asked = 0
        self.say: Callable[[], Sequence[str]] = lambda: ["row"]

    def list(self) -> Sequence[str]:
        self.asked += 1
        self.gate.wait(20)
        return self.say()


class Cloud:
    """A cloud of one facet; `lists` as the layer that remembers has them, but nothing in them."""

    provider = "made-up"

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes, self.sizes, self.images = Facet(), Facet(), Facet()
        self.quotas = self.nodes
        self.lists = Lists()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Patience in tenths of what it is."""
    monkeypatch.setattr(gathering, "SHORTEST", 0.15)
    monkeypatch.setattr(gathering, "FIRST", 0.3)


@pytest.fixture
def two() -> Iterator[tuple[Any, Any]]:
    clouds = Cloud("a"), Cloud("b")
    yield clouds
    for cloud in clouds:
        for facet in (cloud.nodes, cloud.sizes, cloud.images):
            facet.gate.set()


def gathered(clouds: Sequence[Any], **options: Any) -> tuple[list[Part], float]:
    begun = time.monotonic()
    parts = made.ask(clouds, "nodes", "list", **options)
    return parts, time.monotonic() - begun


made = Gathering()


@pytest.fixture(autouse=True)
def fresh_one() -> None:
    global made
    made = Gathering(jitter=lambda: 0.5)


def raising(fault: BaseException) -> Callable[[], Sequence[str]]:
    def say() -> Sequence[str]:
        raise fault

    return say


def test_parts_come_in_the_clouds_order(two: tuple[Any, Any]) -> None:
    parts, _ = gathered(two)
    assert [(part.cloud.name, part.rows, part.fault) for part in parts] == [("a", ["row"], None), ("b", ["row"], None)]


def test_one_that_hangs_is_left_behind_and_later_ones_do_not_wait(two: tuple[Any, Any]) -> None:
    _, b = two
    gathered(two)
    b.nodes.gate.clear()
    parts, first = gathered(two)
    assert parts[0].rows == ["row"]
    assert isinstance(parts[1].fault, Unavailable)
    assert "Cloud 'b' (made-up) has not answered nodes.list" in parts[1].fault.message
    assert parts[1].fault.retry_after >= 1
    assert 0.1 < first < 1
    before = b.nodes.asked
    for _ in range(5):
        parts, later = gathered(two)
        assert parts[1].fault
        assert later < 0.1
    assert b.nodes.asked == before


def test_that_others_wait_for_their_turn_does_not_make_it_well(two: tuple[Any, Any]) -> None:
    _, b = two
    gathered(two)
    b.nodes.gate.clear()
    b.sizes.gate.clear()
    b.sizes.say = raising(Crowded("too many wait"))
    sizes = made.begin([b], "sizes", "list")
    assert gathered(two)[0][1].fault
    b.sizes.gate.set()
    deadline = time.monotonic() + 5
    while made._under_way > 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    parts, seconds = gathered(two)
    assert isinstance(parts[1].fault, Unavailable)
    assert seconds < 0.1
    assert isinstance(sizes(frozenset({"b"}))[0].fault, Crowded)


def test_its_late_answer_makes_it_well(two: tuple[Any, Any]) -> None:
    _, b = two
    gathered(two)
    b.nodes.gate.clear()
    assert gathered(two)[0][1].fault
    b.nodes.gate.set()
    deadline = time.monotonic() + 5
    while gathered(two)[0][1].fault:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_cloud_that_is_slow_as_ever_is_waited_for(two: tuple[Any, Any]) -> None:
    _, b = two

    def slow() -> Sequence[str]:
        time.sleep(0.2)
        return ["slow"]

    b.nodes.say = slow
    for _ in range(3):
        assert gathered(two)[0][1].rows == ["slow"]


def test_a_list_that_is_long_the_first_time_does_not_make_its_cloud_look_away(two: tuple[Any, Any]) -> None:
    _, b = two
    b.sizes.gate.clear()
    for _ in range(2):
        assert made.ask(two, "sizes", "list")[1].fault
        assert gathered(two)[0][1].rows == ["row"]
    b.images.gate.clear()
    assert made.ask(two, "images", "list")[1].fault
    assert gathered(two)[0][1].rows == ["row"]
    b.sizes.gate.set()
    deadline = time.monotonic() + 5
    while made.ask(two, "sizes", "list")[1].fault:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert made.ask(two, "images", "list")[1].fault


def test_two_lists_in_a_row_without_an_answer_are_a_cloud_that_is_away(two: tuple[Any, Any]) -> None:
    _, b = two
    for facet in (b.sizes, b.images, b.nodes):
        facet.gate.clear()
    assert made.ask(two, "sizes", "list")[1].fault
    assert made.ask(two, "images", "list")[1].fault
    before = b.nodes.asked
    parts, took = gathered(two)
    assert parts[1].fault
    assert took < 0.1
    assert b.nodes.asked == before
    for facet in (b.sizes, b.images):
        facet.gate.set()


def test_one_that_is_needed_is_waited_for_as_long_as_it_takes(two: tuple[Any, Any]) -> None:
    _, b = two
    b.nodes.gate.clear()
    threading.Timer(0.6, b.nodes.gate.set).start()
    parts, took = gathered(two, needed=frozenset({"b"}))
    assert parts[1].rows == ["row"]
    assert took > 0.5


def test_others_do_not_wait_for_one_that_somebody_needs_and_waits_for(two: tuple[Any, Any]) -> None:
    _, b = two
    gathered(two)
    b.nodes.gate.clear()
    waiting = threading.Thread(target=gathered, args=(two,), kwargs={"needed": frozenset({"b"})})
    waiting.start()
    waiting.join(0.4)
    assert waiting.is_alive()
    for needed in (frozenset[str](), frozenset({"b"})):
        parts, took = gathered(two, needed=needed)
        assert parts[1].fault
        assert took < 0.1
    b.nodes.gate.set()
    waiting.join(5)
    assert not waiting.is_alive()
    assert gathered(two)[0][1].rows == ["row"]


def test_it_is_looked_for_behind_and_rests_longer_each_time(two: tuple[Any, Any]) -> None:
    global made
    now = [0.0]
    made = Gathering(clock=lambda: time.monotonic() + now[0], jitter=lambda: 0.5)
    _, b = two
    gathered(two)
    b.nodes.gate.clear()
    gathered(two)
    looks = []
    for _ in range(40):
        now[0] += 1.0
        gathered(two)
        deadline = time.monotonic() + 0.05
        while time.monotonic() < deadline and b.nodes.asked == (looks[-1] if looks else 2):
            time.sleep(0.005)
        looks.append(b.nodes.asked)
    assert looks[-1] == 2 + gathering.MOST_LOOKS
    first, second, third = (looks.index(count) for count in (3, 4, 5))
    assert third - second > second - first > 1


def test_a_prompt_failure_is_told_and_the_next_request_asks_again(two: tuple[Any, Any]) -> None:
    _, b = two
    b.nodes.say = raising(Unavailable("Cloud 'b' is broken."))
    for _ in range(3):
        parts, took = gathered(two)
        assert parts[1].fault is not None
        assert parts[1].fault.message == "Cloud 'b' is broken."
        assert took < 0.2
    b.nodes.say = lambda: ["well"]
    assert gathered(two)[0][1].rows == ["well"]


def test_a_slow_failure_leaves_the_cloud_alone(two: tuple[Any, Any]) -> None:
    _, b = two

    def late() -> Sequence[str]:
        time.sleep(0.2)
        raise Unavailable("Cloud 'b' timed out.")

    b.nodes.say = late
    gathered(two, needed=frozenset({"b"}))
    b.nodes.say = lambda: ["well"]
    parts, took = gathered(two)
    assert parts[1].fault is not None
    assert parts[1].fault.message == "Cloud 'b' timed out."
    assert took < 0.1


def test_remembered_rows_are_given_though_the_cloud_is_away(two: tuple[Any, Any]) -> None:
    _, b = two
    b.nodes.gate.clear()
    assert gathered(two)[0][1].fault
    b.lists.get("nodes", "list", 60, lambda: ["kept"])
    assert gathered(two)[0][1].rows == ("kept",)


def test_keys_that_are_no_good_are_the_callers_business(two: tuple[Any, Any]) -> None:
    _, b = two
    b.nodes.say = raising(Unauthenticated("no"))
    with pytest.raises(Unauthenticated):
        gathered(two)


def test_our_own_mistakes_come_out(two: tuple[Any, Any]) -> None:
    two[1].nodes.say = raising(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        gathered(two)


def test_an_ornament_that_is_not_allowed_is_left_out(two: tuple[Any, Any]) -> None:
    two[1].nodes.say = raising(Forbidden("no"))
    assert [part.fault for part in made.ask(two, "quotas", "list")] == [None, None]
    assert isinstance(gathered(two)[0][1].fault, Fault)
