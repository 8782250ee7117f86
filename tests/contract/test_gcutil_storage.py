"""gcutil's commands for disks, snapshots and images: each succeeds, or is refused for the cloud's own reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.conftest import GcutilFor
from tests.contract.gcutil import Gcutil
from tests.live import Live

ZONE = "--zone=de-adv1"


@pytest.fixture(scope="module")
def gcutil(gcutil_for: GcutilFor, plain: Live) -> Gcutil:
    """Signed in, without TLS."""
    made = gcutil_for(plain)
    made.log_in()
    return made


@pytest.fixture(scope="module")
def machine(gcutil: Gcutil) -> Iterator[str]:
    """A machine to attach disks to."""
    gcutil.run("addinstance", "keeper", ZONE, "--machine_type=micro", "--image=debian-12",
               "--noadd_compute_key_to_project")
    yield "keeper"
    gcutil.run("deleteinstance", "keeper", ZONE, "-f", "--delete_boot_pd")


def test_disk_types(gcutil: Gcutil) -> None:
    assert "pd-standard" in [row["name"] for row in gcutil.run("listdisktypes", ZONE).rows]
    assert gcutil.run("getdisktype", "pd-standard", ZONE).details["valid-disk-size"] == ["1GB-1024GB"]


def test_a_disk_from_its_making_to_its_end(gcutil: Gcutil, machine: str) -> None:
    (made,) = gcutil.run("adddisk", "logs", ZONE, "--size_gb=10", "--description=Logs").rows
    assert made == {"name": "logs", "zone": "de-adv1", "status": "READY", "size-gb": "10"}
    assert gcutil.run("getdisk", "logs").details["description"] == ["Logs"]
    refused = gcutil.run("addsnapshot", "too-early", "--source_disk=logs", ZONE, code=1)
    assert "never attached" in refused.err
    gcutil.run("attachdisk", machine, ZONE, "--disk=logs,deviceName=logs")
    gcutil.run("setinstancediskautodelete", machine, ZONE, "--device_name=logs", "--auto_delete")
    assert "already being used by" in gcutil.run("deletedisk", "logs", "-f", code=1).err
    gcutil.run("addsnapshot", "logs-copy", "--source_disk=logs", ZONE, "--description=A copy")
    assert gcutil.run("listsnapshots").rows == [{"name": "logs-copy", "status": "READY", "disk-size-gb": "10"}]
    shown = gcutil.run("getsnapshot", "logs-copy").details
    assert (shown["source-disk"], shown["storage-bytes-status"]) == (["de-adv1/disks/logs"], ["UP_TO_DATE"])
    gcutil.run("detachdisk", machine, ZONE, "--device_name=logs")
    (copy,) = gcutil.run("adddisk", "logs-2", ZONE, "--source_snapshot=logs-copy", "--wait_until_complete").rows
    assert copy["size-gb"] == "10"
    gcutil.run("deletesnapshot", "logs-copy", "-f")
    gcutil.run("deletedisk", "logs", "logs-2", "-f")
    assert [row["name"] for row in gcutil.run("listdisks").rows] == [machine]


def test_a_disk_of_an_image_is_refused_for_the_clouds_reason(gcutil: Gcutil) -> None:
    refused = gcutil.run("adddisk", "of-image", ZONE, "--source_image=debian-12", code=1)
    assert "compute.disks.insert with field 'sourceImage' is not offered on cloud 'sim'" in refused.err


def test_an_image_from_its_making_to_its_end(gcutil: Gcutil) -> None:
    for name, source in (("mine-1", "http://images.example/mine.qcow2"), ("mine-2", "gs://bucket/mine.raw")):
        made = gcutil.run("addimage", name, source, "--description=Mine")
        assert made.rows[0]["status"] == "READY"
    assert ".qcow2, .raw" in gcutil.run("addimage", "mine-3", "gs://bucket/mine.tar.gz", code=1).err
    gcutil.run("deprecateimage", "mine-1", "--state=DEPRECATED", "--replacement=mine-2")
    shown = gcutil.run("getimage", "mine-1").details
    assert (shown["deprecation"], shown["replacement"]) == (["DEPRECATED"], ["mine-2"])
    assert "not the project's own" in gcutil.run("deleteimage", "debian-12", "-f", code=1).err
    gcutil.run("deleteimage", "mine-1", "mine-2", "-f")
    assert not [row for row in gcutil.run("listimages").rows if row["name"].startswith("mine")]
