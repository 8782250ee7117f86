"""gcloud and gcutil on Moto's EC2: what people do with machines, with the tools' own waiting and printing."""

from __future__ import annotations

import pytest

from tests.contract.conftest import GcloudFor, GcutilFor
from tests.contract.gcloud import Gcloud
from tests.contract.gcutil import Gcutil
from tests.live import Live

IMAGE = "debian-12-amd64"
ZONE = "--zone=us-east-1a"


@pytest.fixture(scope="module")
def gcloud(ec2_live: Live, gcloud_for: GcloudFor) -> Gcloud:
    """gcloud, signed in."""
    made = gcloud_for(ec2_live)
    made.activate()
    return made


@pytest.fixture(scope="module")
def gcutil(ec2_live: Live, gcutil_for: GcutilFor) -> Gcutil:
    """gcutil, signed in, with a key of its own."""
    made = gcutil_for(ec2_live)
    made.make_ssh_key()
    made.log_in()
    return made


def listed(gcloud: Gcloud, name: str) -> dict[str, str]:
    """The machine's row, as gcloud lists it."""
    return next(row for row in gcloud.compute("instances", "list").rows if row["NAME"] == name)


def test_a_machines_life_in_gcloud(gcloud: Gcloud) -> None:
    made = gcloud.compute(
        "instances", "create", "c-1", ZONE, "--machine-type=t3.micro", f"--image={IMAGE}", "--tags=web",
        "--labels=env=test", "--metadata=startup-script=echo hello", "--boot-disk-size=300", "--description=für alle",
    ).rows
    assert [(row["NAME"], row["STATUS"]) for row in made] == [("c-1", "RUNNING")]
    assert made[0]["EXTERNAL_IP"]
    gcloud.compute("instances", "stop", "c-1", ZONE)
    assert listed(gcloud, "c-1")["STATUS"] == "TERMINATED"
    gcloud.compute("instances", "add-metadata", "c-1", ZONE, "--metadata=startup-script=echo again")
    gcloud.compute("instances", "set-machine-type", "c-1", ZONE, "--machine-type=t3-small")
    gcloud.compute("instances", "start", "c-1", ZONE)
    gcloud.compute("instances", "reset", "c-1", ZONE)
    gcloud.compute("instances", "add-tags", "c-1", ZONE, "--tags=db")
    gcloud.compute("instances", "remove-tags", "c-1", ZONE, "--tags=web")
    gcloud.compute("instances", "add-labels", "c-1", ZONE, "--labels=team=blue")
    shown = gcloud.compute("instances", "describe", "c-1", ZONE, "--format=json").data
    assert (shown["status"], shown["machineType"].rpartition("/")[2]) == ("RUNNING", "t3-small")
    assert (shown["tags"]["items"], shown["labels"]) == (["db"], {"env": "test", "team": "blue"})
    assert (shown["description"], shown["disks"][0]["diskSizeGb"]) == ("für alle", "300")
    assert "Linux" in gcloud.compute("instances", "get-serial-port-output", "c-1", ZONE).out
    said = gcloud.refused("instances", "add-metadata", "c-1", ZONE, "--metadata=startup-script=x")
    assert "only while it is stopped" in said
    gcloud.compute("instances", "delete", "c-1", ZONE)
    assert "c-1" not in gcloud.compute("instances", "list").out


def test_disks_snapshots_and_images_in_gcloud(gcloud: Gcloud) -> None:
    gcloud.compute("instances", "create", "c-2", ZONE, "--machine-type=t3.micro", f"--image={IMAGE}", "--no-address",
                   "--create-disk=name=c-more,size=200,auto-delete=yes")
    gcloud.compute("disks", "create", "c-data", ZONE, "--size=200", "--type=gp2")
    gcloud.compute("instances", "attach-disk", "c-2", ZONE, "--disk=c-data", "--device-name=data")
    gcloud.compute("disks", "snapshot", "c-data", ZONE, "--snapshot-names=c-copy")
    copy = next(row for row in gcloud.compute("snapshots", "list").rows if row["NAME"] == "c-copy")
    assert (copy["DISK_SIZE_GB"], copy["SRC_DISK"], copy["STATUS"]) == ("200", "us-east-1a/disks/c-data", "READY")
    gcloud.compute("disks", "create", "c-again", "--zone=us-east-1b", "--source-snapshot=c-copy", "--type=gp3")
    gcloud.compute("disks", "resize", "c-again", "--zone=us-east-1b", "--size=250")
    gcloud.compute("instances", "detach-disk", "c-2", ZONE, "--disk=c-data")
    gcloud.compute("instances", "stop", "c-2", ZONE)
    gcloud.compute("images", "create", "c-image", "--source-disk=c-2", "--source-disk-zone=us-east-1a", "--family=fam")
    gcloud.compute("images", "create", "c-image-2", "--source-snapshot=c-copy", "--labels=a=b")
    gcloud.compute("instances", "create", "c-3", ZONE, "--machine-type=t3.micro", "--image-family=fam", "--no-address")
    gcloud.compute("instances", "set-disk-auto-delete", "c-2", ZONE, "--disk=c-2", "--no-auto-delete")
    gcloud.compute("instances", "delete", "c-2", "c-3", ZONE)
    rows = gcloud.compute("disks", "list").rows
    disks = {row["NAME"]: row["SIZE_GB"] for row in rows if row["NAME"].startswith("c-")}
    # The boot disk of one was to stay; what was made with a machine to go with it went.
    assert disks == {"c-2": disks["c-2"], "c-data": "200", "c-again": "250"}
    gcloud.compute("images", "delete", "c-image", "c-image-2")
    gcloud.compute("snapshots", "delete", "c-copy")
    gcloud.compute("disks", "delete", "c-2", "c-data", ZONE)
    gcloud.compute("disks", "delete", "c-again", "--zone=us-east-1b")
    assert "c-" not in gcloud.compute("disks", "list").out


def test_firewalls_and_addresses_in_gcloud(gcloud: Gcloud) -> None:
    gcloud.compute("firewall-rules", "create", "c-web", "--allow=tcp:80,tcp:443,icmp", "--target-tags=web",
                   "--source-ranges=0.0.0.0/0,10.0.0.0/8")
    gcloud.compute("firewall-rules", "create", "c-inner", "--allow=udp:53", "--source-tags=web", "--target-tags=db")
    gcloud.compute("firewall-rules", "update", "c-web", "--allow=tcp:8080")
    rows = {row["NAME"]: row["ALLOW"] for row in gcloud.compute("firewall-rules", "list").rows}
    assert (rows["c-web"], rows["c-inner"]) == ("tcp:8080", "udp:53")
    gcloud.compute("addresses", "create", "c-front", "--region=us-east")
    ip = gcloud.compute("addresses", "describe", "c-front", "--region=us-east", "--format=json").data["address"]
    made = gcloud.compute("instances", "create", "c-4", ZONE, "--machine-type=t3.micro", f"--image={IMAGE}",
                          f"--address={ip}", "--tags=web").rows
    assert made[0]["EXTERNAL_IP"] == ip
    used = next(row for row in gcloud.compute("addresses", "list").rows if row["NAME"] == "c-front")
    assert (used["ADDRESS/RANGE"], used["STATUS"]) == (ip, "IN_USE")
    assert "already being used" in gcloud.refused("addresses", "delete", "c-front", "--region=us-east")
    gcloud.compute("instances", "delete-access-config", "c-4", ZONE, "--access-config-name=external-nat")
    gcloud.compute("instances", "add-access-config", "c-4", ZONE)
    assert listed(gcloud, "c-4")["EXTERNAL_IP"] not in ("", ip)
    gcloud.compute("instances", "delete", "c-4", ZONE)
    gcloud.compute("addresses", "delete", "c-front", "--region=us-east")
    gcloud.compute("firewall-rules", "delete", "c-web", "c-inner")
    assert "c-" not in gcloud.compute("firewall-rules", "list").out


def test_what_ec2_or_gcelib_on_it_lacks_is_refused_in_words(gcloud: Gcloud) -> None:
    assert "gcelib makes no" in gcloud.refused("networks", "create", "c-net", "--subnet-mode=custom")
    said = gcloud.refused("disks", "create", "c-boot", ZONE, f"--image={IMAGE}")
    assert "compute.disks.insert" in said


def test_a_machines_life_in_gcutil(gcutil: Gcutil) -> None:
    made = gcutil.run("addinstance", "u-1", ZONE, "--machine_type=t3.micro", f"--image={IMAGE}",
                      "--wait_until_running", "--tags=web", "--metadata=startup-script:echo", "--auto_delete_boot_disk")
    assert [(row["name"], row["status"]) for row in made.rows] == [("u-1", "RUNNING")]
    assert gcutil.run("getinstance", "u-1", ZONE).details["tags"] == ["web"]
    assert "Linux" in gcutil.run("getserialportoutput", "u-1", ZONE).out
    gcutil.run("resetinstance", "u-1", ZONE)
    gcutil.run("adddisk", "u-disk", ZONE, "--size_gb=10", "--wait_until_complete")
    gcutil.run("attachdisk", "u-1", ZONE, "--disk=u-disk")
    gcutil.run("addsnapshot", "u-copy", "--source_disk=u-disk", ZONE, "--wait_until_complete")
    assert "u-copy" in [row["name"] for row in gcutil.run("listsnapshots").rows]
    gcutil.run("addfirewall", "u-web", "--allowed=tcp:80", "--target_tags=web", "--network=default")
    assert "u-web" in [row["name"] for row in gcutil.run("listfirewalls").rows]
    gcutil.run("deleteaccessconfig", "u-1", ZONE)
    gcutil.run("reserveaddress", "u-front", "--region=us-east")
    ip = gcutil.run("getaddress", "u-front", "--region=us-east").details["ip"][0]
    gcutil.run("addaccessconfig", "u-1", ZONE, f"--access_config_nat_ip={ip}")
    shown = next(row for row in gcutil.run("listinstances").rows if row["name"] == "u-1")
    assert (shown["status"], shown["external-ip"]) == ("RUNNING", ip)
    gcutil.run("detachdisk", "u-1", ZONE, "--device_name=u-disk")
    gcutil.run("deletesnapshot", "u-copy", "-f")
    gcutil.run("deletedisk", "u-disk", ZONE, "-f")
    gcutil.run("deletefirewall", "u-web", "-f")
    gcutil.run("deleteinstance", "u-1", ZONE, "-f", "--delete_boot_pd")
    gcutil.run("releaseaddress", "u-front", "--region=us-east", "-f")
    assert "u-1" not in gcutil.run("listinstances").out
