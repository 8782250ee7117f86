"""Fixtures over real clouds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcelib.drivers.openstack.cloud import OpenStack
from tests.backends import openstack
from tests.contract.browser import make_person
from tests.live import Live


@pytest.fixture(scope="session")
def lab() -> openstack.Lab:
    """A running OpenStack; skips without one."""
    found = openstack.found()
    if found is None:
        pytest.skip(f"no OpenStack is here: {openstack.NEEDED}")
    return found


@pytest.fixture(scope="module")
def stack(lab: openstack.Lab) -> Iterator[OpenStack]:
    """The driver over it, nothing remembered."""
    made = lab.cloud()
    yield made
    made.close()


@pytest.fixture(scope="module")
def live(lab: openstack.Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A gcelib process over it, which must not have made a mistake at the end."""
    server = Live(tmp_path_factory.mktemp("openstack"), lab.url, lab.user, lab.password, clouds=lab.clouds).start()
    server.sign_in()
    make_person(server)
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.said(), server.said()
