"""gcloud's command lines for disks, snapshots, images and what there is to choose from, as its users type them."""

from __future__ import annotations

import pytest

from tests.contract import gcloud_lines
from tests.contract.conftest import GcloudFor
from tests.live import Live


@pytest.mark.parametrize("name", gcloud_lines.STORAGE)
def test_each_line_is_done_or_refused_by_name(gcloud_for: GcloudFor, secure: Live, name: str) -> None:
    gcloud = gcloud_for(secure)
    gcloud.activate()
    gcloud_lines.check(gcloud_lines.played(gcloud, name))
