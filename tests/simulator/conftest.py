"""Simulated clouds and outside clients for the simulator's own tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from cs import CloudStack

from gcelib.simulator import SettableClock, Simulator
from tests.simulator.client import Caller


@pytest.fixture
def simulate() -> Iterator[Callable[..., Simulator]]:
    """Starts simulators (jobs end when polled, unless said otherwise) and stops them all at the end."""
    running: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        simulator = Simulator(**({"job_delay": 0} | options))
        simulator.start()
        running.append(simulator)
        return simulator

    yield start
    for simulator in running:
        simulator.stop()


@pytest.fixture
def clock() -> SettableClock:
    """A clock that the test turns."""
    return SettableClock()


@pytest.fixture
def simulator(simulate: Callable[..., Simulator]) -> Simulator:
    """A cloud whose jobs end when polled."""
    return simulate()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """One HTTP session for a test."""
    with requests.Session() as opened:
        yield opened


@pytest.fixture
def caller(simulator: Simulator, session: requests.Session) -> Callable[[str], Caller]:
    """Makes clients of our own: `caller("demo")`."""
    return lambda name="demo": Caller(simulator, name, session)


@pytest.fixture
def demo(caller: Callable[[str], Caller]) -> Caller:
    """The plain user's client."""
    return caller("demo")


@pytest.fixture
def other(caller: Callable[[str], Caller]) -> Caller:
    """The second tenant's client."""
    return caller("other")


@pytest.fixture
def admin(caller: Callable[[str], Caller]) -> Caller:
    """The administrator's client."""
    return caller("admin")


@pytest.fixture
def cs(simulator: Simulator) -> CloudStack:
    """The `cs` package's client, as demo."""
    account = simulator.accounts["demo"]
    return CloudStack(endpoint=simulator.url, key=account.api_key, secret=account.secret_key, poll_interval=0.01)
