"""The suite over the simulator: a zone with security groups, and one of isolated networks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcelib.simulator import Simulator
from tests.conformance.site import Site
from tests.conformance.suite import Conformance
from tests.conftest import launched
from tests.live import Live


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A cloud and a gcelib of the suite's own: one test kills it."""
    with Simulator(job_delay=0.1) as cloud:
        server = launched(tmp_path_factory.mktemp("simulator"), cloud)
        yield server
        assert server.stop() == 0
        assert "Traceback" not in server.said(), server.said()


class TestZoneWithSecurityGroups(Conformance):
    """CloudStack's basic zone."""

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, live: Live) -> Site:
        return Site(live, "cloudstack", "sim", "ch-gv2", "global/images/linux-ubuntu-12-04-lts-64-bit-10gb", "micro",
                    "small", not_here={"addresses": "machines of a basic zone have public addresses of their own"})


class TestZoneOfIsolatedNetworks(Conformance):
    """CloudStack's advanced zone."""

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, live: Live) -> Site:
        groups = {"firewalls": "isolated networks are guarded by rules on addresses, not by groups"}
        return Site(live, "cloudstack", "sim", "de-adv1", "global/images/debian-12", "micro", "small",
                    network="global/networks/demo-network", not_here=groups)
