"""Fixtures of the driver tests: a scripted cloud, and clients and clouds that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cloud_stub import KEY, SECRET, Script, Stub
from simulated import cloud_at

from gcelib.drivers.base import Cloud
from gcelib.drivers.cloudstack.client import Client
from gcelib.drivers.cloudstack.cloud import CloudStack
from gcelib.drivers.cloudstack.connection import Endpoint, make_driver
from gcelib.drivers.faults import At
from gcelib.drivers.session import Session
from gcelib.simulator import Simulator


@pytest.fixture
def stub() -> Iterator[Callable[[Script], Stub]]:
    """Makes scripted clouds and stops them afterwards."""
    made: list[Stub] = []

    def make(script: Script | None = None) -> Stub:
        made.append(Stub(script))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def client_of() -> Iterator[Callable[..., Client]]:
    """Makes clients for a stub, and closes them afterwards."""
    made: list[Client] = []

    def make(url: str, *, key: str = KEY, secret: str = SECRET, timeout: float = 5.0, **rest: Any) -> Client:
        size = rest.pop("size", 8)
        endpoint = Endpoint(url, timeout)
        at = At("gva", "cloudstack", (secret, key))
        session = Session(at, lambda: make_driver(endpoint, key, secret), size=size)
        made.append(Client(session, **rest))
        return made[-1]

    yield make
    for each in made:
        each.session.close()


@pytest.fixture
def cloud_of(client_of: Callable[..., Client]) -> Callable[..., CloudStack]:
    """Makes clouds for a stub."""

    def make(url: str, options: dict[str, Any] | None = None, **rest: Any) -> CloudStack:
        return CloudStack(client_of(url, **rest), options or {})

    return make


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A simulated CloudStack whose jobs end when polled."""
    with Simulator(job_delay=0) as running:
        yield running


@pytest.fixture
def cloud(sim: Simulator) -> Iterator[Cloud]:
    """The simulated cloud as its account demo sees it, nothing remembered."""
    made = cloud_at(sim)
    yield made
    made.close()
