"""gcutil's commands for networks and routes."""

from __future__ import annotations

import pytest

from tests.contract.conftest import GcutilFor
from tests.contract.gcutil import Gcutil
from tests.live import Live


@pytest.fixture(scope="module")
def gcutil(gcutil_for: GcutilFor, plain: Live) -> Gcutil:
    """Signed in."""
    made = gcutil_for(plain)
    made.log_in()
    return made


def test_networks_have_the_range_they_were_given(gcutil: Gcutil) -> None:
    gcutil.run("addnetwork", "mine", "--range=10.9.0.0/24", "--gateway=10.9.0.1", "--description=Mine")
    shown = gcutil.run("getnetwork", "mine").out
    assert "10.9.0.0/24" in shown
    assert "10.9.0.1" in shown
    assert "Mine" in shown
    assert "mine" in gcutil.run("listnetworks").out
    gcutil.run("deletenetwork", "mine", "--force")
    assert "mine" not in gcutil.run("listnetworks").out


def test_routes_are_shown_and_an_isolated_network_takes_no_others(gcutil: Gcutil) -> None:
    listed = gcutil.run("listroutes", "--filter=network eq '.*demo-network'")
    assert "0.0.0.0/0" in listed.out
    name = next(word for word in listed.out.split() if word.startswith("default-route-"))
    assert name in gcutil.run("getroute", name).out
    refused = gcutil.run("addroute", "far", "192.168.0.0/24", "--network=demo-network", "--next_hop_ip=10.1.1.9",
                         "--priority=1000", code=1)
    assert "private clouds" in refused.out + refused.err
    refused = gcutil.run("deleteroute", name, "--force", code=1)
    assert "goes with it" in refused.out + refused.err
