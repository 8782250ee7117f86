"""Fixtures over recorded answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from recorded_cloud import Recorded, recorded

from gcelib.drivers.openstack.cloud import OpenStack


@pytest.fixture
def site() -> Iterator[Recorded]:
    """A recorded OpenStack."""
    with recorded() as made:
        yield made


@pytest.fixture
def cloud(site: Recorded) -> Iterator[OpenStack]:
    """The driver over it."""
    made = site.cloud()
    yield made
    made.close()
