"""gcutil's commands that set something on a machine or move it: done, or refused in a sentence, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api import Api
from tests.contract.conftest import GcutilFor
from tests.contract.gcutil import Gcutil
from tests.live import Live
from tests.wire.machines import machine

ZONE = "--zone=ch-gv2"
HERE = "zones/ch-gv2/instances"


@pytest.fixture(scope="module")
def gcutil(gcutil_for: GcutilFor, plain: Live) -> Gcutil:
    """Signed in, with an SSH key."""
    made = gcutil_for(plain)
    made.log_in()
    made.make_ssh_key()
    return made


@pytest.fixture(scope="module")
def api(plain: Live) -> Api:
    """A look at the same server from beside gcutil."""
    return plain.api()


@pytest.fixture(scope="module")
def name(api: Api) -> Iterator[str]:
    """A machine that runs."""
    api.change("POST", HERE, machine("set-me"))
    yield "set-me"
    api.change("DELETE", f"{HERE}/set-me")


def test_metadata_and_tags_with_their_fingerprints(gcutil: Gcutil, api: Api, name: str) -> None:
    mark = api.get(f"{HERE}/{name}")["metadata"]["fingerprint"]
    gcutil.run("setinstancemetadata", name, ZONE, "--metadata=role:front", f"--fingerprint={mark}", "--force")
    assert api.get(f"{HERE}/{name}")["metadata"]["items"] == [{"key": "role", "value": "front"}]
    stale = gcutil.run("setinstancemetadata", name, ZONE, "--metadata=a:b", f"--fingerprint={mark}", "--force", code=1)
    assert "does not match current fingerprint" in stale.out + stale.err
    mark = api.get(f"{HERE}/{name}")["tags"]["fingerprint"]
    gcutil.run("setinstancetags", name, ZONE, "--tags=web,db", f"--fingerprint={mark}")
    assert sorted(api.get(f"{HERE}/{name}")["tags"]["items"]) == ["db", "web"]


def test_scheduling_and_reset(gcutil: Gcutil, api: Api, name: str) -> None:
    gcutil.run("setscheduling", name, ZONE, "--on_host_maintenance=terminate", "--noautomatic_restart")
    found = api.get(f"{HERE}/{name}")["scheduling"]
    assert (found["onHostMaintenance"], found["automaticRestart"]) == ("TERMINATE", False)
    gcutil.run("resetinstance", name, ZONE)


def test_serial_output_is_refused(gcutil: Gcutil, name: str) -> None:
    said = gcutil.run("getserialportoutput", name, ZONE, code=1)
    assert "compute.instances.getSerialPortOutput is not offered on cloud 'sim'" in said.out + said.err


def test_a_usage_bucket_is_refused_and_none_is_taken(gcutil: Gcutil) -> None:
    said = gcutil.run("setusagebucket", "--bucket=reports", code=1)
    assert "compute.projects.setUsageExportBucket is not offered on cloud 'sim'" in said.out + said.err
    gcutil.run("clearusagebucket")


def test_the_projects_metadata(gcutil: Gcutil, api: Api) -> None:
    gcutil.run("setcommoninstancemetadata", "--metadata=colour:blue", "--force")
    assert {"key": "colour", "value": "blue"} in api.get("")["commonInstanceMetadata"]["items"]
    api.change("POST", "setCommonInstanceMetadata", {})


def test_moving_machines_ends_cleanly(gcutil: Gcutil, api: Api) -> None:
    api.change("POST", HERE, machine("mover"))
    said = gcutil.run("moveinstances", "mover", "--source_zone=ch-gv2", "--destination_zone=de-adv1", "--force", code=1)
    assert "not offered for a boot disk on cloud 'sim'" in said.err
    assert api.get(f"{HERE}/mover")["status"] == "RUNNING"
    api.change("DELETE", f"{HERE}/mover")
