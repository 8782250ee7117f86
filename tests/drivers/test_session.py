"""Leased drivers: never two threads on one, bounded, evicted, thrown away when broken."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from cloud_stub import wait_for

from gcelib.drivers.faults import At, Garbled
from gcelib.drivers.session import Session
from gcelib.errors import Unavailable

AT = At("gva", "cloudstack", ("secret",))


class Driver:
    """Counts who uses it; stands for a libcloud driver."""

    def __init__(self) -> None:
        self.users = 0
        self.closed = 0
        self.connection = self
        self.session = self

    def close(self) -> None:
        self.closed += 1


def session(**rest):
    made = []

    def make():
        made.append(Driver())
        made[-1].connection = made[-1]
        return made[-1]

    return Session(AT, make, **rest), made


@pytest.fixture
def tiny_switch_interval():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_answers_are_never_swapped_between_threads(stub, client_of, tiny_switch_interval):
    """With one shared libcloud driver this fails: its answer is parked on the shared connection."""
    cloud = stub(lambda command, params: {"echo": params["id"]})
    client = client_of(cloud.url, size=4)

    def ask(number):
        fields = client.read("listVirtualMachines", id=f"vm-{number}")
        return bytes(fields["echo"]).decode() == f'"vm-{number}"'

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(ask, range(600)))
    assert cloud.connections <= 4 + 1


def test_no_driver_is_ever_lent_twice(tiny_switch_interval):
    pool, made = session(size=3)

    def use(_):
        def work(driver):
            driver.users += 1
            alone = driver.users == 1
            for _ in range(50):
                alone = alone and driver.users == 1
            driver.users -= 1
            return alone

        return pool.call("x", work)

    with ThreadPoolExecutor(12) as threads:
        assert all(threads.map(use, range(2000)))
    assert len(made) <= 3


def test_when_all_are_busy_the_caller_gets_unavailable_in_time():
    pool, _ = session(size=1, wait=0.05)
    with pool.lease(), pytest.raises(Unavailable, match="busy") as caught:
        pool.call("x", lambda driver: None)
    assert caught.value.retry_after > 0
    assert pool.call("x", lambda driver: "free again") == "free again"


def test_a_waiting_caller_gets_the_driver_given_back():
    pool, made = session(size=1, wait=10)
    got = []
    with pool.lease():
        waiting = threading.Thread(target=lambda: got.append(pool.call("x", lambda driver: driver)))
        waiting.start()
        wait_for(lambda: len(pool._turn._waiters) == 1)
    waiting.join(10)
    assert got == made


def test_the_driver_used_last_is_lent_first_and_idle_ones_are_closed():
    now = [0.0]
    pool, made = session(size=3, idle=60, clock=lambda: now[0])
    with pool.lease() as first, pool.lease() as second:
        pass
    with pool.lease() as again:
        assert again is first
        now[0] = 61.0
        with pool.lease() as fresh:
            assert fresh not in (first, second)
    assert second.closed == 1
    assert len(made) == 3


@pytest.mark.parametrize("broken", [ConnectionResetError(), Garbled("html"), TypeError(), AttributeError()])
def test_a_driver_whose_connection_failed_is_thrown_away(broken):
    pool, made = session(size=1)

    def fail(driver):
        raise broken

    with pytest.raises(Unavailable):
        pool.call("x", fail)
    assert made[0].closed == 1
    pool.call("x", lambda driver: None)
    assert len(made) == 2


def test_a_driver_that_cannot_be_built_does_not_use_up_the_pool():
    def make():
        raise Unavailable("not set up")

    pool = Session(AT, make, size=1, wait=0.05)
    for _ in range(3):
        with pytest.raises(Unavailable, match="not set up"):
            pool.call("x", lambda driver: None)


def test_close_closes_free_drivers_at_once_and_lent_ones_when_they_return():
    pool, made = session(size=2)
    with pool.lease() as first, pool.lease():
        pass
    with pool.lease() as lent:
        pool.close()
        assert lent.closed == 0
    assert [driver.closed for driver in made] == [1, 1]
    with pytest.raises(Unavailable, match="closed"):
        pool.call("x", lambda driver: first)


def test_every_call_is_told_to_the_observer_with_its_outcome():
    told = []
    pool, _ = session(observe=told.append)
    pool.call("listZones", lambda driver: None)
    with pytest.raises(Unavailable):
        pool.call("listNodes", lambda driver: [][0])
    assert [(row.provider, row.what, row.outcome) for row in told] == [
        ("cloudstack", "listZones", "ok"),
        ("cloudstack", "listNodes", "Unavailable"),
    ]
    assert all(row.seconds >= 0 for row in told)
