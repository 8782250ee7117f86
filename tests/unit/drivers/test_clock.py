"""How far a cloud's clock is from ours: heard from its answers, told once an hour, minded where times are judged."""

from __future__ import annotations

import datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest

from gcelib.drivers import clock
from gcelib.drivers.cloudstack.facet import Facet

HOUR = datetime.timedelta(hours=1)


@pytest.fixture(autouse=True)
def unheard(monkeypatch: pytest.MonkeyPatch) -> None:
    """No cloud has told anything yet."""
    monkeypatch.setattr(clock, "_AHEAD", {})
    monkeypatch.setattr(clock, "_SAID", {})


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def heard(by: datetime.timedelta) -> None:
    """An answer of cloud `lab` whose clock is off by this."""
    with clock.asking("lab"):
        clock.heard(format_datetime(now() + by, usegmt=True))


@pytest.mark.parametrize(("by", "words"), [
    (5 * HOUR, "5 hours ahead of"), (-HOUR, "1 hour behind"), (72 * HOUR, "3 days ahead of"),
    (datetime.timedelta(minutes=-11), "11 minutes behind"),
])
def test_a_clock_that_is_far_off_is_told(by: datetime.timedelta, words: str, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        heard(by)
    assert clock.said("lab") == f" Its clock is {words} this machine's: look which one is wrong, and set it."
    assert caplog.text.count(words) == 1
    assert clock.said("another") == ""


def test_a_clock_that_is_right_again_is_not_told_any_more() -> None:
    heard(HOUR)
    heard(datetime.timedelta(seconds=20))
    assert clock.said("lab") == ""


@pytest.mark.parametrize("date", [
    None, "", "soon", "Fri, 99 Nov 2026 12:00:00 GMT", "Fri, 27 Nov 0001 12:00:00 GMT",
    "Fri, 27 Nov 9999 23:59:59 -2359", "1", "x" * 9999,
])
def test_what_is_no_time_says_nothing(date: str | None) -> None:
    with clock.asking("lab"):
        clock.heard(date)
    assert clock.ahead("lab") == datetime.timedelta(0)


def test_answers_that_nobody_waits_for_are_nobodys() -> None:
    clock.heard(format_datetime(now() + HOUR, usegmt=True))
    assert clock.ahead("lab") == clock.ahead() == datetime.timedelta(0)


def test_a_cloud_that_is_behind_may_tell_of_earlier_times_and_one_ahead_not_of_later_ones() -> None:
    heard(-5 * HOUR)
    assert abs(now() - clock.since("lab", now()) - 5 * HOUR) < datetime.timedelta(seconds=5)
    heard(5 * HOUR)
    moment = now()
    assert clock.since("lab", moment) == moment


def test_a_machine_of_a_cloud_behind_is_known_as_the_new_one_and_an_old_one_is_not() -> None:
    facet: Any = Facet(SimpleNamespace(at=SimpleNamespace(cloud="lab")), SimpleNamespace())  # type: ignore[arg-type]
    args = {"submitted": now().isoformat()}
    there = (now() - 5 * HOUR).isoformat()
    assert not facet.young(there, args)
    heard(-5 * HOUR)
    assert facet.young(there, args)
    assert not facet.young((now() - 6 * HOUR).isoformat(), args)
