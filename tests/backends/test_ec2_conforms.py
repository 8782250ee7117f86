"""The suite that every provider inherits, over Moto's EC2."""

from __future__ import annotations

import pytest

from tests.conformance.site import Site
from tests.conformance.suite import Conformance
from tests.live import Live


class TestEc2(Conformance):
    """The first zone, and an image of another owner's that the configuration names."""

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, ec2_live: Live) -> Site:
        return Site(ec2_live, "ec2", "lab", "us-east-1a", "global/images/debian-12-amd64", "t3-micro", "t3-small")
