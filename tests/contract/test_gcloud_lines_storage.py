"""gcloud's command lines for disks, snapshots, images and what there is to choose from, as its users type them."""

from __future__ import annotations

import pytest

from tests.contract import gcloud_lines
from tests.contract.conftest import GcloudFor
from tests.contract.gcloud import Gcloud
from tests.live import Live


@pytest.fixture(scope="module")
def gcloud(gcloud_for: GcloudFor, secure: Live) -> Gcloud:
    """Signed in as the service account."""
    made = gcloud_for(secure)
    made.activate()
    return made


@pytest.mark.parametrize("name", gcloud_lines.STORAGE)
def test_each_line_is_done_or_refused_by_name(gcloud: Gcloud, name: str) -> None:
    gcloud_lines.check(gcloud_lines.played(gcloud, name))
