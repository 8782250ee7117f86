"""The suite over libvirt's own pretended hypervisor, where libvirt is installed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.site import Site
from tests.conformance.suite import Conformance
from tests.live import Live

pytest.importorskip("libvirt", reason="libvirt-python is not installed")
CLOUDS = """
[clouds.here]
provider = "libvirt"
[clouds.here.options]
uri = "test:///default"
[projects.demo]
clouds = ["here"]
"""


class TestLibvirt(Conformance):
    """One machine, `test`, that is there and stays."""

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
        live = Live(tmp_path_factory.mktemp("libvirt"), "", "", "", clouds=CLOUDS)
        live.start()
        yield Site(live, "libvirt", "here", "here-a", "", "")
        assert live.stop() == 0
        assert "Traceback" not in live.said(), live.said()

    def test_its_machine_is_stopped_started_and_reset(self, site: Site) -> None:
        assert site.machine("test")["status"] == "RUNNING"
        site.api.change("POST", site.path("instances", "test", "stop"))
        assert site.machine("test")["status"] == "TERMINATED"
        site.api.change("POST", site.path("instances", "test", "start"))
        site.api.change("POST", site.path("instances", "test", "reset"))
        assert site.machine("test")["status"] == "RUNNING"

    def test_it_is_neither_deleted_nor_copied(self, site: Site) -> None:
        refused = site.api.call("DELETE", site.path("instances", "test"))
        assert (refused.status, refused.reason) == (400, "unsupportedOperation")
        assert "switches a machine off and keeps it" in refused.message
