"""What a request will want is asked for ahead: at once, once each, and not by everybody at the same time."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gcelib.errors import NotFound, Unavailable
from gcelib.server.gathering import MOST_AHEAD, Gathering
from gcelib.server.questions import Questions


class Facet:
    """A list that counts how often it is asked for, and waits for `gate`."""

    def __init__(self) -> None:
        self.asked, self.gate, self.fault = 0, threading.Event(), None
        self.gate.set()

    def list(self) -> list[str]:
        self.asked += 1
        assert self.gate.wait(10)
        if self.fault:
            raise self.fault
        return ["row"]


class Cloud:
    """Three facets, and two that it has not."""

    provider = "dummy"

    def __init__(self, name: str = "one") -> None:
        self.name = name
        self.nodes, self.sizes, self.zones = Facet(), Facet(), Facet()
        self.vpcs = None


NAMES = ("nodes.list", "sizes.list", "vpcs.list", "nodes.list")


@pytest.mark.parametrize("count", [1, 2])
def test_lists_are_begun_at_once_and_asked_for_once(count: int) -> None:
    clouds: list[Any] = [Cloud(f"c{number}") for number in range(count)]
    questions = Questions(clouds, Gathering())
    for cloud in clouds:
        cloud.nodes.gate.clear()
    questions.ahead(NAMES)
    assert questions.known("nodes.list")
    assert not questions.known("zones.list")
    assert [part.rows for part in questions.answer("sizes.list")] == [["row"]] * count
    for cloud in clouds:
        cloud.nodes.gate.set()
    assert [part.rows for part in questions.answer("nodes.list")] == [["row"]] * count
    assert questions.answer("vpcs.list") == []
    assert {(cloud.nodes.asked, cloud.sizes.asked, cloud.zones.asked) for cloud in clouds} == {(1, 1, 0)}


@pytest.mark.parametrize("count", [1, 2])
def test_a_fault_is_told_to_whoever_looks_at_the_list(count: int) -> None:
    clouds: list[Any] = [Cloud(f"c{number}") for number in range(count)]
    clouds[0].nodes.fault = Unavailable("down")
    questions = Questions(clouds, Gathering())
    questions.ahead(NAMES)
    assert not any(part.fault for part in questions.answer("sizes.list"))
    part = questions.answer("nodes.list")[0]
    assert part.fault is not None
    assert part.fault.message == "down"
    questions.need(["c1"])
    with pytest.raises(Unavailable, match="down"):
        questions.need(["c0"])


def test_one_list_alone_needs_no_thread() -> None:
    cloud: Any = Cloud()
    questions = Questions([cloud], Gathering())
    questions.ahead(("nodes.list",))
    assert not questions.known("nodes.list")
    questions.ahead(("nodes.list",), least=1)
    assert questions.known("nodes.list")


def test_many_requests_at_once_do_not_all_ask_ahead() -> None:
    cloud: Any = Cloud()
    cloud.nodes.gate.clear()
    cloud.sizes.gate.clear()
    gathering = Gathering()
    crowd = [Questions([cloud], gathering) for _ in range(MOST_AHEAD * 2)]
    for questions in crowd:
        questions.ahead(NAMES)
        if not gathering.has_room():
            break
    late = Questions([cloud], gathering)
    until(lambda: not gathering.has_room())
    late.ahead(NAMES)
    assert not late.known("nodes.list")
    cloud.nodes.gate.set()
    cloud.sizes.gate.set()
    until(gathering.has_room)
    late.ahead(NAMES)
    assert late.known("nodes.list")


def test_the_fault_of_a_short_list_is_raised() -> None:
    cloud: Any = Cloud()
    cloud.nodes.find = lambda name: (_ for _ in ()).throw(NotFound(name))
    with pytest.raises(NotFound, match="web"):
        Questions([cloud], Gathering()).one(cloud, "nodes", "find", "web")


def until(true: Any) -> None:
    """Wait until threads have got so far."""
    done = threading.Event()
    for _ in range(1000):
        if true():
            return
        done.wait(0.01)
    raise AssertionError("it never became so")
