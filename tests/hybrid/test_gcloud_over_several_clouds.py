"""gcloud's list of machines over several clouds, all of them well and one of them away."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.contract.gcloud import Gcloud
from tests.hybrid.clouds import Cloud, Hybrid

pytestmark = pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")


@pytest.fixture
def gcloud(live: Hybrid, tmp_path: Path) -> Gcloud:
    """Signed in with the service account's key file."""
    live.sign_in()
    made = Gcloud(live, tmp_path)
    made.run("auth", "activate-service-account", f"--key-file={live.key_file}")
    return made


def test_one_table_with_a_warning_where_a_cloud_is_away(gcloud: Gcloud, clouds: tuple[Cloud, Cloud]) -> None:
    well = gcloud.run("compute", "instances", "list")
    assert {(row["NAME"], row["ZONE"]) for row in well.rows} == {
        (name, zone) for zone, names in {
            "ch-gv2": ("preloaded-1", "preloaded-2"), "two-ch-gv2": ("preloaded-1", "preloaded-2"),
            "dummy-a": ("dummy-1", "dummy-2"),
        }.items() for name in names
    }  # fmt: skip
    assert "WARNING" not in well.err
    clouds[0].kill()
    try:
        partial = gcloud.run("compute", "instances", "list")
    finally:
        clouds[0].start()
    assert {row["ZONE"] for row in partial.rows} == {"two-ch-gv2", "dummy-a"}
    assert len(partial.rows) == 4
    assert "Some requests did not succeed" in partial.err
    assert "Cloud 'one'" in partial.err
