"""The suite over libcloud's Dummy driver, which keeps its machines in its own object and names them itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from tests.conformance.every_method import complaints
from tests.conformance.site import Site
from tests.conformance.suite import Conformance
from tests.live import Live

CLOUDS = """
[clouds.dum]
provider = "dummy"
key = "0"
[projects.demo]
clouds = ["dum"]
"""


class TestDummy(Conformance):
    """What it can, which is little."""

    known: ClassVar = {
        "test_a_machine_is_made_shown_and_deleted": "the driver makes every machine of a size of its own, 'foo'",
        "test_machines_begun_before_a_crash_are_there_once": "the machines live in the process, and die with it",
    }

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
        live = Live(tmp_path_factory.mktemp("dummy"), "", "", "", clouds=CLOUDS)
        live.start()
        yield Site(live, "dummy", "dum", "dum-a", "global/images/ubuntu-9-10", "small", "medium")
        assert live.stop() == 0
        assert "Traceback" not in live.said(), live.said()

    def test_every_method_of_gce_is_served_or_refused_by_name(self, site: Site) -> None:
        assert list(complaints(site)) == []
