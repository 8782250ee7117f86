"""Fixtures over real clouds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcelib.drivers.openstack.cloud import OpenStack
from tests.backends import openstack
from tests.backends.moto import Moto
from tests.contract.browser import make_person
from tests.contract.conftest import gcloud_for, gcutil_for, gcutil_program
from tests.live import Live

__all__ = ["gcloud_for", "gcutil_for", "gcutil_program"]


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


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    """Moto's EC2, which all tests of a session share."""
    server = Moto(tmp_path_factory.mktemp("moto")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ec2_live(moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A gcelib process over it, which must not have made a mistake at the end."""
    server = Live(tmp_path_factory.mktemp("ec2"), moto.url, "", "", clouds=moto.clouds()).start()
    server.sign_in()
    make_person(server)
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.said(), server.said()
