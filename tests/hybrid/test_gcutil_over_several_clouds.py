"""gcutil's tables over several clouds, one of them away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract import gcutil
from tests.contract.browser import make_person
from tests.contract.gcutil import Gcutil
from tests.hybrid.clouds import Cloud, Hybrid

pytestmark = pytest.mark.skipif(not (gcutil.executable() and gcutil.python()), reason=gcutil.NEEDED)


@pytest.fixture
def client(live: Hybrid, tmp_path: Path) -> Gcutil:
    """Signed in as a person."""
    live.sign_in()
    make_person(live)
    made = Gcutil([gcutil.python(), gcutil.executable()], live.url, tmp_path)
    made.log_in()
    return made


def test_its_tables_have_every_cloud_and_it_finds_a_machine_by_its_name(
    client: Gcutil, clouds: tuple[Cloud, Cloud]
) -> None:
    zones = {row["zone"] for row in client.run("listinstances").rows}
    assert zones == {"ch-gv2", "two-ch-gv2", "dummy-a"}
    assert {row["name"] for row in client.run("listzones").rows} >= {"ch-gv2", "two-ch-gv2", "fr-sg1", "dummy-a"}
    client.run("addinstance", "only", "--zone=fr-sg1", "--machine_type=micro", "--image=debian-12", "--network=default",
               "--persistent_boot_disk", "--wait_until_running", "--noadd_compute_key_to_project")
    assert client.run("getinstance", "only").details["zone"] == ["fr-sg1"]
    client.run("deleteinstance", "only", "--force", "--delete_boot_pd")
    clouds[0].kill()
    try:
        partial = client.run("listinstances")
    finally:
        clouds[0].start()
    assert {row["zone"] for row in partial.rows} == {"two-ch-gv2", "dummy-a"}
    assert "Cloud 'one'" in partial.out + partial.err
