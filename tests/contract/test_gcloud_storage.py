"""gcloud's commands for disks, snapshots and images: each ends well, or is refused for the cloud's own reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.conftest import GcloudFor
from tests.contract.gcloud import Gcloud
from tests.live import Live

ZONE = "--zone=de-adv1"


@pytest.fixture(scope="module")
def gcloud(gcloud_for: GcloudFor, plain: Live) -> Gcloud:
    """Signed in with a key file, without TLS."""
    made = gcloud_for(plain)
    made.activate()
    return made


@pytest.fixture(scope="module")
def machine(gcloud: Gcloud) -> Iterator[str]:
    """A machine with a data disk, both gone at the end."""
    gcloud.compute("instances", "create", "keeper", ZONE, "--machine-type=micro", "--image=debian-12",
                   "--image-project=demo", "--create-disk=size=5,name=keeper-data,device-name=data,auto-delete=yes")
    yield "keeper"
    gcloud.compute("instances", "delete", "keeper", ZONE)
    assert "keeper-data" not in gcloud.compute("disks", "list").out


def test_a_disk_is_made_enlarged_labelled_and_deleted(gcloud: Gcloud) -> None:
    (row,) = gcloud.compute("disks", "create", "plain", ZONE, "--size=10GB", "--labels=a=b", "--description=Text").rows
    assert (row["NAME"], row["SIZE_GB"], row["TYPE"], row["STATUS"]) == ("plain", "10", "pd-standard", "READY")
    gcloud.compute("disks", "resize", "plain", ZONE, "--size=20GB")
    assert "only grow" in gcloud.refused("disks", "resize", "plain", ZONE, "--size=5GB")
    gcloud.compute("disks", "update", "plain", ZONE, "--update-labels=c=d", "--remove-labels=a")
    gcloud.compute("disks", "update", "plain", ZONE, "--size=30")
    gcloud.compute("disks", "add-labels", "plain", ZONE, "--labels=e=f")
    gcloud.compute("disks", "remove-labels", "plain", ZONE, "--labels=c")
    shown = gcloud.compute("disks", "describe", "plain", ZONE, "--format=json").data
    assert (shown["sizeGb"], shown["labels"], shown["description"]) == ("30", {"e": "f"}, "Text")
    assert "provisionedIops" in gcloud.refused("disks", "update", "plain", ZONE, "--provisioned-iops=3000")
    assert "stays in its zone" in gcloud.refused("disks", "move", "plain", ZONE, "--destination-zone=fr-sg1")
    gcloud.compute("disks", "delete", "plain", ZONE)


def test_a_disk_of_an_image_is_refused_for_the_clouds_reason(gcloud: Gcloud) -> None:
    said = gcloud.refused("disks", "create", "no", ZONE, "--image=debian-12", "--image-project=demo")
    assert said.startswith("compute.disks.insert with field 'resource.sourceImage' is not offered on cloud 'sim'")


def test_a_disk_is_attached_and_detached(gcloud: Gcloud, machine: str) -> None:
    gcloud.compute("disks", "create", "guest", ZONE, "--size=1GB")
    gcloud.compute("instances", "attach-disk", machine, "--disk=guest", ZONE, "--device-name=guest")
    gcloud.compute("instances", "set-disk-auto-delete", machine, "--disk=guest", ZONE, "--auto-delete")
    disks = gcloud.compute("instances", "describe", machine, ZONE, "--format=json").data["disks"]
    assert [(disk["deviceName"], disk["autoDelete"]) for disk in disks][1:] == [("data", True), ("guest", True)]
    gcloud.compute("instances", "detach-disk", machine, "--disk=guest", ZONE)
    gcloud.compute("disks", "delete", "guest", ZONE)


def test_snapshots_and_what_is_made_of_them(gcloud: Gcloud, machine: str) -> None:
    gcloud.compute("disks", "snapshot", machine, ZONE, "--snapshot-names=first", "--labels=k=v", "--description=One")
    gcloud.compute("snapshots", "create", "second", f"--source-disk={machine}", "--source-disk-zone=de-adv1")
    rows = gcloud.compute("snapshots", "list").rows
    assert [(row["NAME"], row["SRC_DISK"], row["STATUS"]) for row in rows] == [
        ("first", "de-adv1/disks/keeper", "READY"), ("second", "de-adv1/disks/keeper", "READY")]
    gcloud.compute("snapshots", "add-labels", "first", "--labels=x=y")
    gcloud.compute("snapshots", "remove-labels", "first", "--labels=k")
    assert gcloud.compute("snapshots", "describe", "first", "--format=json").data["labels"] == {"x": "y"}
    gcloud.compute("disks", "create", "restored", ZONE, "--source-snapshot=first")
    gcloud.compute("disks", "create", "cloned", ZONE, f"--source-disk={machine}", "--source-disk-zone=de-adv1")
    gcloud.compute("instances", "create", "lodger", ZONE, "--machine-type=micro", "--image=debian-12",
                   "--image-project=demo", "--disk=name=restored,device-name=two,auto-delete=yes")
    gcloud.compute("instances", "delete", "lodger", ZONE)
    gcloud.compute("disks", "delete", "cloned", ZONE)
    gcloud.compute("snapshots", "delete", "first", "second")


def test_an_image_from_its_making_to_its_end(gcloud: Gcloud, machine: str) -> None:
    of = ["--source-disk-zone=de-adv1", f"--source-disk={machine}"]
    assert "Stop the instance" in gcloud.refused("images", "create", "mine-1", *of)
    gcloud.compute("instances", "stop", machine, ZONE)
    (row,) = gcloud.compute("images", "create", "mine-1", *of, "--family=mine", "--labels=a=b").rows
    assert (row["NAME"], row["PROJECT"], row["FAMILY"], row["STATUS"]) == ("mine-1", "demo", "mine", "READY")
    gcloud.compute("images", "create", "mine-2", "--source-uri=gs://bucket/disk.qcow2")
    assert "sourceImage" in gcloud.refused("images", "create", "mine-3", "--source-image=mine-1")
    assert gcloud.compute("images", "describe-from-family", "mine", "--format=json").data["name"] == "mine-1"
    gcloud.compute("images", "add-labels", "mine-1", "--labels=c=d")
    gcloud.compute("images", "remove-labels", "mine-1", "--labels=a")
    gcloud.compute("images", "update", "mine-1", "--description=New", "--family=ours")
    gcloud.compute("images", "deprecate", "mine-1", "--state=DEPRECATED", "--replacement=mine-2")
    shown = gcloud.compute("images", "describe", "mine-1", "--format=json").data
    assert (shown["labels"], shown["description"], shown["family"]) == ({"c": "d"}, "New", "ours")
    assert shown["deprecated"]["replacement"].endswith("/global/images/mine-2")
    assert "not the project's own" in gcloud.refused("images", "delete", "debian-12")
    gcloud.compute("images", "delete", "mine-1", "mine-2")
