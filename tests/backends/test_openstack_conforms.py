"""The suite that every provider inherits, over a real OpenStack."""

from __future__ import annotations

import pytest

from tests.conformance.site import Site
from tests.conformance.suite import Conformance
from tests.live import Live


class TestOpenStack(Conformance):
    """Debian's own, or whichever is named; the first zone, image and sizes it has."""

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, live: Live) -> Site:
        api = live.api()
        zone = api.get("zones")["items"][0]["name"]
        image = next(row["name"] for row in api.get("global/images")["items"] if row["status"] == "READY")
        sizes = sorted(api.get(f"zones/{zone}/machineTypes")["items"], key=lambda row: int(row["memoryMb"]))
        small, large = sizes[0]["name"], sizes[1]["name"]
        return Site(live, "openstack", "lab", zone, f"global/images/{image}", small, large)
