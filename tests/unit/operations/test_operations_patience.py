"""How many may be at one cloud at once, and what is said of one that does not answer."""

from __future__ import annotations

from contextlib import ExitStack

from gcelib.server.operations.patience import A_SECOND, CALLS, SILENT, Cooling, next_poll


def test_a_cloud_that_hangs_holds_so_many_threads_and_no_more() -> None:
    now = [100.0]
    cooling = Cooling(lambda: now[0], jitter=lambda: 0.5)
    with ExitStack() as stack:
        for _ in range(CALLS):
            assert cooling.crowded("a") == 0.0
            stack.enter_context(cooling.calling("a"))
        assert 0.0 < cooling.crowded("a") < 0.1
        assert cooling.crowded("b") == 0.0
        assert cooling.words("p", "a") == ""
        now[0] += SILENT + 1
        assert cooling.crowded("a") > 1.0
        assert cooling.words("p", "a") == "Cloud 'a' does not answer."
    assert cooling.crowded("a") == 0.0
    assert cooling.words("p", "a") == ""


def test_those_that_wait_behind_a_failure_are_told_what_it_was() -> None:
    cooling = Cooling(lambda: 0.0, jitter=lambda: 0.5)
    cooling.failed("p", "a", "Cloud 'a' is down.")
    assert cooling.words("p", "a") == "Cloud 'a' is down."
    assert cooling.words("q", "a") == ""
    cooling.answered("p", "a")
    assert cooling.words("p", "a") == ""


def test_of_a_crowd_each_is_asked_for_less_often() -> None:
    assert next_poll(0.0) < 0.1
    assert next_poll(10.0) == next_poll(10.0, 20) == 1.0
    assert next_poll(10.0, 1000) == 1000 / A_SECOND
    assert next_poll(10.0, 1_000_000) < 60.0
