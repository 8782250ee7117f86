"""Clouds of callers: one for each pair of keys, a bounded number, and the cloud's word on whose keys they are."""

from __future__ import annotations

from typing import Any

import pytest

from gcelib.config import Secret
from gcelib.config.keys import Holder, Keys
from gcelib.drivers import callers
from gcelib.drivers.callers import Callers
from gcelib.errors import Unauthenticated, Unavailable


class Pretend:
    """A cloud that says whose keys it was built with."""

    def __init__(self, keys: Keys, project: str) -> None:
        self.keys, self.project = keys, project
        self.closed, self.dropped, self.asked = False, 0, 0
        self.says: Holder | Exception = keys.holder

    def holder(self) -> Holder:
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def drop(self) -> None:
        self.dropped += 1

    def close(self) -> None:
        self.closed = True


class Bench:
    """Callers over pretended clouds, and a clock moved by hand."""

    def __init__(self, most: int = 3) -> None:
        self.now = 0.0
        self.made: list[Pretend] = []
        self.callers = Callers(self._build, most=most, clock=lambda: self.now)

    def _build(self, keys: Keys, project: str) -> Any:
        self.made.append(Pretend(keys, project))
        return self.made[-1]


def _keys(id: str, account: str = "1") -> Keys:
    return Keys(id, "sim", Holder(account, "demo", (("p", "shared"),)), f"key-{id}", Secret("s"))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_each_pair_of_keys_and_each_project_has_a_cloud_of_its_own(bench: Bench) -> None:
    one = bench.callers.cloud(_keys("a"))
    assert bench.callers.cloud(_keys("a")) is one
    assert bench.callers.cloud(_keys("a"), "p") is not one
    assert bench.callers.cloud(_keys("b")) is not one
    assert [(made.keys.id, made.project) for made in bench.made] == [("a", ""), ("a", "p"), ("b", "")]


def test_those_used_longest_ago_go_and_are_closed_once_nobody_can_be_using_them(bench: Bench) -> None:
    first = bench.callers.cloud(_keys("a"))
    for id in "bcd":
        bench.callers.cloud(_keys(id))
    assert len(bench.callers) == 3
    assert not first.closed
    bench.now = callers.RETIRE_SECONDS + 1
    again = bench.callers.cloud(_keys("a"))
    assert first.closed
    assert again is not first


def test_however_many_come_few_stay_open(bench: Bench) -> None:
    for number in range(50):
        bench.callers.cloud(_keys(str(number)))
    assert sum(not made.closed for made in bench.made) <= 8
    bench.callers.close()
    assert all(made.closed for made in bench.made)


def test_the_cloud_is_asked_whose_keys_they_are_now_and_then(bench: Bench) -> None:
    keys = _keys("a")
    for _ in range(3):
        assert bench.callers.holder(keys).name == "demo"
    assert bench.made[0].asked == 1
    bench.made[0].says = Holder("1", "demo", (("p", "shared"), ("q", "new")))
    bench.now = callers.ASK_SECONDS
    assert bench.callers.holder(keys).project("new") == ("q", "new")


def test_keys_that_are_refused_or_became_anothers_are_no_longer_good(bench: Bench) -> None:
    keys = _keys("a")
    bench.callers.holder(keys)
    for answer in (Unauthenticated("no"), Holder("2", "other")):
        bench.made[0].says = answer
        bench.now += callers.ASK_SECONDS
        with pytest.raises(Unauthenticated):
            bench.callers.holder(keys)


def test_a_cloud_that_is_away_is_believed_for_some_minutes(bench: Bench) -> None:
    keys = _keys("a")
    bench.callers.holder(keys)
    bench.made[0].says = Unavailable("away")
    bench.now = callers.TRUST_SECONDS
    assert bench.callers.holder(keys).name == "demo"
    bench.now += 1
    with pytest.raises(Unavailable):
        bench.callers.holder(keys)
    bench.callers.cloud(_keys("b"))
    bench.made[1].says = Unavailable("away")
    with pytest.raises(Unavailable):
        bench.callers.holder(_keys("b"))


def test_a_change_is_told_to_other_keys_of_the_same_account_alone(bench: Bench) -> None:
    mine, too, theirs = (bench.callers.cloud(keys) for keys in (_keys("a"), _keys("b"), _keys("c", "2")))
    bench.callers.changed(_keys("a"))
    assert [cloud.dropped for cloud in (mine, too, theirs)] == [0, 1, 0]
