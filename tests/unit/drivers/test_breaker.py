"""A cloud that does not answer is left alone, looked for now and then, and asked again as soon as it answers."""

from __future__ import annotations

import threading
import time

import pytest

from gcelib.drivers import deadline
from gcelib.drivers.breaker import Away, Breaker, Call, Crowded, looking
from gcelib.drivers.faults import At
from gcelib.drivers.pacing import Pace
from gcelib.drivers.session import Session
from gcelib.errors import Refused, TooMany, Unavailable, Uncertain, fault_from_data
from tests.clock import Clock


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("Cloud 'gva' (cloudstack)", clock, lambda: 0.5)


def fail(breaker: Breaker, clock: Clock, seconds: float, call: Call | None = None) -> None:
    """A call that fails after so long."""
    call = call or breaker.enter()
    clock.now += seconds
    breaker.leave(call, Unavailable("Cloud 'gva' does not answer."))


def test_after_a_time_out_calls_are_refused_at_once_with_when_to_come_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, 30)
    with pytest.raises(Away, match="'gva'") as caught:
        breaker.enter()
    assert (caught.value.status, caught.value.retry_after) == (503, 1)


def test_a_failure_that_comes_promptly_keeps_nobody_out(breaker: Breaker, clock: Clock) -> None:
    for _ in range(10):
        fail(breaker, clock, 0.1)
    breaker.leave(breaker.enter(), None)


def test_what_the_cloud_refuses_is_an_answer(breaker: Breaker, clock: Clock) -> None:
    call = breaker.enter()
    clock.now += 20
    breaker.leave(call, Refused("No."))
    breaker.enter()


def test_one_probe_goes_through_when_it_is_time_and_its_answer_lets_all_in(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, 30)
    clock.now += 1.1
    probe = breaker.enter()
    with pytest.raises(Away):
        breaker.enter()
    breaker.leave(probe, None)
    breaker.enter()
    breaker.enter()


def test_each_probe_that_fails_makes_the_next_come_later_but_never_late(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, 30)
    waits = []
    for _ in range(8):
        with pytest.raises(Away) as caught:
            breaker.enter()
        waits.append(caught.value.retry_after)
        clock.now += caught.value.retry_after
        fail(breaker, clock, 0.2 + 1.5)
    assert waits == sorted(waits)
    assert 10 < waits[-1] <= 19


def test_recovery_of_many_is_spread_by_chance(clock: Clock) -> None:
    untils = []
    for chance in (0.0, 0.3, 1.0):
        each = Breaker("x", clock, lambda chance=chance: chance)  # type: ignore[misc]
        fail(each, clock, 2)
        untils.append(each._until - clock.now)
    assert len(set(untils)) == 3
    assert 0.75 <= min(untils) <= max(untils) <= 1.25


def test_a_probe_that_hangs_does_not_hide_that_the_cloud_is_back(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, 30)
    clock.now += 20
    breaker.enter()
    clock.now += 20
    breaker.leave(breaker.enter(), None)
    breaker.enter()


def test_calls_that_all_hang_make_the_cloud_silent_before_their_time_outs(breaker: Breaker, clock: Clock) -> None:
    hanging = [breaker.enter() for _ in range(4)]
    clock.now += 9
    breaker.enter()
    clock.now += 2
    with pytest.raises(Away, match="any of 5 calls"):
        breaker.enter()
    breaker.leave(hanging[0], None)
    breaker.enter()


def test_a_cloud_that_answers_others_is_not_silent(breaker: Breaker, clock: Clock) -> None:
    for _ in range(5):
        breaker.enter()
    for _ in range(10):
        clock.now += 5
        breaker.leave(breaker.enter(), None)


def test_a_time_out_of_a_call_begun_before_the_last_answer_says_nothing_new(breaker: Breaker, clock: Clock) -> None:
    old = breaker.enter()
    clock.now += 5
    breaker.leave(breaker.enter(), None)
    fail(breaker, clock, 25, old)
    breaker.enter()


def test_who_looks_for_it_is_let_through(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, clock, 30)
    with looking():
        breaker.enter()


def test_refusals_are_stored_as_what_they_are_to_others() -> None:
    assert type(fault_from_data(Away("x").to_data())) is Unavailable
    assert type(fault_from_data(Crowded("x").to_data())) is TooMany


def hung_session(clock: Clock, calls: list[str], **options: object) -> Session[object]:
    return Session(At("gva", "cloudstack"), object, clock=clock, **options)  # type: ignore[arg-type]


def test_a_dead_cloud_is_not_asked_again_by_the_next_call(clock: Clock) -> None:
    asked: list[object] = []
    session = hung_session(clock, [])

    def times_out(driver: object) -> None:
        asked.append(driver)
        clock.now += 30
        raise TimeoutError

    with pytest.raises(Uncertain):
        session.call("deploy", times_out, writes=True)
    with pytest.raises(Away):
        session.call("deploy", times_out, writes=True)
    assert len(asked) == 1


def test_a_call_refused_for_lack_of_connections_says_nothing_about_the_cloud(clock: Clock) -> None:
    session = hung_session(clock, [], size=1, wait=0.0)
    with session.lease():
        for _ in range(3):
            clock.now += 20
            with pytest.raises(Unavailable, match="busy"):
                session.call("list", lambda driver: None)
    session.call("list", lambda driver: None)


def test_only_so_many_wait_for_a_connection_and_the_next_is_told_at_once() -> None:
    session: Session[object] = Session(At("gva", "cloudstack"), object, size=1, wait=20)
    ended: list[object] = []

    def wait() -> None:
        ended.append(session.call("list", lambda driver: 1))

    with session.lease():
        waiting = [threading.Thread(target=wait) for _ in range(8)]
        for thread in waiting:
            thread.start()
        until = time.monotonic() + 10
        while session._waiting < 8 and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(TooMany) as caught:
            session.call("list", lambda driver: None)
        assert caught.value.retry_after > 0
    for thread in waiting:
        thread.join(10)
    assert len(ended) == 8


def test_a_request_whose_time_is_over_asks_no_more() -> None:
    session: Session[object] = Session(At("gva", "cloudstack"), object, size=1, wait=20)
    started = time.monotonic()
    with session.lease(), deadline.within(0.05), pytest.raises(Unavailable):
        session.call("list", lambda driver: None)
    assert time.monotonic() - started < 5


def test_an_inner_deadline_never_gives_more_time() -> None:
    with deadline.within(5), deadline.within(50):
        assert deadline.left() <= 5


def test_calls_come_at_the_pace_that_is_set(clock: Clock) -> None:
    def sleep(seconds: float) -> None:
        clock.now += seconds

    pace = Pace(10, clock, sleep)
    begun = clock.now
    for _ in range(40):
        pace.turn("Cloud 'gva'")
    assert 2.9 <= clock.now - begun <= 4.1


def test_who_would_wait_too_long_for_a_turn_is_told_when_to_come(clock: Clock) -> None:
    pace = Pace(1, clock, lambda seconds: None)
    for _ in range(6):
        pace.turn("Cloud 'gva'")
    with pytest.raises(TooMany, match="1 times a second") as caught:
        pace.turn("Cloud 'gva'")
    assert caught.value.retry_after >= 5
