"""gcloud and gcutil on a real OpenStack: what people do with machines, with the tools' own waiting and printing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.contract.conftest import GcloudFor, GcutilFor
from tests.contract.gcloud import Gcloud
from tests.contract.gcutil import Gcutil
from tests.live import Live


@dataclass(frozen=True)
class Offer:
    """What the cloud has that a machine can be made of."""

    zone: str
    region: str
    image: str
    small: str
    large: str


@pytest.fixture(scope="module")
def offer(live: Live) -> Offer:
    """The first zone and image, and the two smallest sizes."""
    api = live.api()
    zone = api.get("zones")["items"][0]["name"]
    image = next(row["name"] for row in api.get("global/images")["items"] if row["status"] == "READY")
    sizes = sorted(api.get(f"zones/{zone}/machineTypes")["items"], key=lambda row: int(row["memoryMb"]))
    return Offer(zone, zone.rpartition("-")[0], image, sizes[0]["name"], sizes[1]["name"])


@pytest.fixture(scope="module")
def gcloud(live: Live, gcloud_for: GcloudFor) -> Gcloud:
    """gcloud, signed in."""
    made = gcloud_for(live)
    made.activate()
    return made


@pytest.fixture(scope="module")
def gcutil(live: Live, gcutil_for: GcutilFor) -> Gcutil:
    """gcutil, signed in, with a key of its own."""
    made = gcutil_for(live)
    made.make_ssh_key()
    made.log_in()
    return made


def status(gcloud: Gcloud, name: str) -> str:
    """The machine's, as gcloud lists it."""
    return next(row["STATUS"] for row in gcloud.compute("instances", "list").rows if row["NAME"] == name)


def test_a_machines_life_in_gcloud(gcloud: Gcloud, offer: Offer) -> None:
    zone = f"--zone={offer.zone}"
    made = gcloud.compute(
        "instances", "create", "gcloud-1", zone, f"--machine-type={offer.small}", f"--image={offer.image}",
        "--tags=web", "--labels=env=test", "--metadata=startup-script=echo hello", "--description=a test",
    ).rows
    assert [(row["NAME"], row["STATUS"]) for row in made] == [("gcloud-1", "RUNNING")]
    assert made[0]["INTERNAL_IP"]
    assert made[0]["EXTERNAL_IP"]
    shown = gcloud.compute("instances", "describe", "gcloud-1", zone, "--format=json").data
    assert (shown["description"], shown["labels"], shown["tags"]["items"]) == ("a test", {"env": "test"}, ["web"])
    gcloud.compute("instances", "stop", "gcloud-1", zone)
    assert status(gcloud, "gcloud-1") == "TERMINATED"
    gcloud.compute("instances", "set-machine-type", "gcloud-1", zone, f"--machine-type={offer.large}")
    gcloud.compute("instances", "start", "gcloud-1", zone)
    shown = gcloud.compute("instances", "describe", "gcloud-1", zone, "--format=json").data
    assert (shown["status"], shown["machineType"].rpartition("/")[2]) == ("RUNNING", offer.large)
    gcloud.compute("instances", "reset", "gcloud-1", zone)
    gcloud.compute("instances", "add-tags", "gcloud-1", zone, "--tags=db")
    gcloud.compute("instances", "add-labels", "gcloud-1", zone, "--labels=team=blue")
    shown = gcloud.compute("instances", "describe", "gcloud-1", zone, "--format=json").data
    assert (shown["tags"]["items"], shown["labels"]) == (["db", "web"], {"env": "test", "team": "blue"})
    assert gcloud.compute("instances", "get-serial-port-output", "gcloud-1", zone).out.strip()
    assert "never again" in gcloud.refused("instances", "add-metadata", "gcloud-1", zone, "--metadata=startup-script=x")
    gcloud.compute("instances", "delete", "gcloud-1", zone)
    assert "gcloud-1" not in gcloud.compute("instances", "list").out


def test_disks_snapshots_and_images_in_gcloud(gcloud: Gcloud, offer: Offer) -> None:
    zone = f"--zone={offer.zone}"
    gcloud.compute("instances", "create", "gcloud-2", zone, f"--machine-type={offer.small}", f"--image={offer.image}",
                   "--no-address", "--boot-disk-size=7GB", "--create-disk=name=gcloud-more,size=2GB,auto-delete=yes")
    gcloud.compute("disks", "create", "gcloud-data", zone, "--size=3GB", "--labels=a=b")
    gcloud.compute("instances", "attach-disk", "gcloud-2", zone, "--disk=gcloud-data", "--device-name=data")
    sizes = {row["NAME"]: row["SIZE_GB"] for row in gcloud.compute("disks", "list").rows}
    assert (sizes["gcloud-2"], sizes["gcloud-more"], sizes["gcloud-data"]) == ("7", "2", "3")
    gcloud.compute("disks", "snapshot", "gcloud-data", zone, "--snapshot-names=gcloud-copy")
    copy = next(row for row in gcloud.compute("snapshots", "list").rows if row["NAME"] == "gcloud-copy")
    assert (copy["DISK_SIZE_GB"], copy["SRC_DISK"], copy["STATUS"]) == ("3", f"{offer.zone}/disks/gcloud-data", "READY")
    gcloud.compute("disks", "create", "gcloud-again", zone, "--source-snapshot=gcloud-copy")
    gcloud.compute("disks", "resize", "gcloud-again", zone, "--size=5GB")
    gcloud.compute("instances", "detach-disk", "gcloud-2", zone, "--disk=gcloud-data")
    assert "'gcloud-copy'" in gcloud.refused("disks", "delete", "gcloud-data", zone)
    gcloud.compute("snapshots", "delete", "gcloud-copy")
    gcloud.compute("disks", "delete", "gcloud-data", "gcloud-again", zone)
    gcloud.compute("instances", "stop", "gcloud-2", zone)
    gcloud.compute("images", "create", "gcloud-image", "--source-disk=gcloud-2", f"--source-disk-zone={offer.zone}")
    shown = gcloud.compute("images", "list", "--no-standard-images").rows
    assert next(row["STATUS"] for row in shown if row["NAME"] == "gcloud-image") == "READY"
    gcloud.compute("images", "delete", "gcloud-image")
    gcloud.compute("instances", "delete", "gcloud-2", zone)
    assert "gcloud-" not in gcloud.compute("disks", "list").out


def test_networks_firewalls_and_addresses_in_gcloud(gcloud: Gcloud, offer: Offer) -> None:
    zone, region = f"--zone={offer.zone}", f"--region={offer.region}"
    gcloud.compute("networks", "create", "gcloud-net", "--subnet-mode=custom")
    gcloud.compute("networks", "subnets", "create", "gcloud-sub", region, "--network=gcloud-net",
                   "--range=10.77.0.0/24")
    gcloud.compute("firewall-rules", "create", "gcloud-web", "--network=gcloud-net", "--allow=tcp:80,icmp")
    made = gcloud.compute("instances", "create", "gcloud-3", zone, f"--machine-type={offer.small}",
                          f"--image={offer.image}", "--network=gcloud-net", "--subnet=gcloud-sub",
                          "--private-network-ip=10.77.0.55", "--no-address").rows
    assert made[0]["INTERNAL_IP"] == "10.77.0.55"
    gcloud.compute("addresses", "create", "gcloud-front", region)
    ip = gcloud.compute("addresses", "describe", "gcloud-front", region, "--format=json").data["address"]
    gcloud.compute("instances", "add-access-config", "gcloud-3", zone, f"--address={ip}")
    used = next(row for row in gcloud.compute("addresses", "list").rows if row["NAME"] == "gcloud-front")
    assert (used["ADDRESS/RANGE"], used["STATUS"]) == (ip, "IN_USE")
    rows = {row["NAME"]: row for row in gcloud.compute("firewall-rules", "list").rows}
    assert (rows["gcloud-web"]["NETWORK"], rows["gcloud-web"]["ALLOW"]) == ("gcloud-net", "tcp:80,icmp")
    gcloud.compute("instances", "delete", "gcloud-3", zone)
    gcloud.compute("addresses", "delete", "gcloud-front", region)
    gcloud.compute("firewall-rules", "delete", "gcloud-web")
    gcloud.compute("networks", "subnets", "delete", "gcloud-sub", region)
    gcloud.compute("networks", "delete", "gcloud-net")
    assert "gcloud-net" not in gcloud.compute("networks", "list").out


def test_a_machines_life_in_gcutil(gcutil: Gcutil, offer: Offer) -> None:
    zone = f"--zone={offer.zone}"
    made = gcutil.run("addinstance", "gcutil-1", zone, f"--machine_type={offer.small}", f"--image={offer.image}",
                      "--wait_until_running", "--tags=web", "--metadata=startup-script:echo")
    assert [(row["name"], row["status"]) for row in made.rows] == [("gcutil-1", "RUNNING")]
    assert gcutil.run("getinstance", "gcutil-1", zone).details["tags"] == ["web"]
    assert gcutil.run("getserialportoutput", "gcutil-1", zone).out.strip()
    gcutil.run("resetinstance", "gcutil-1", zone)
    gcutil.run("adddisk", "gcutil-disk", zone, "--size_gb=2", "--wait_until_complete")
    gcutil.run("attachdisk", "gcutil-1", zone, "--disk=gcutil-disk")
    gcutil.run("addsnapshot", "gcutil-copy", "--source_disk=gcutil-disk", zone, "--wait_until_complete")
    assert "gcutil-copy" in [row["name"] for row in gcutil.run("listsnapshots").rows]
    gcutil.run("addfirewall", "gcutil-web", "--allowed=tcp:80", "--target_tags=web", "--network=default")
    assert "gcutil-web" in [row["name"] for row in gcutil.run("listfirewalls").rows]
    gcutil.run("deleteaccessconfig", "gcutil-1", zone)
    gcutil.run("reserveaddress", "gcutil-front", f"--region={offer.region}")
    ip = gcutil.run("getaddress", "gcutil-front", f"--region={offer.region}").details["ip"][0]
    gcutil.run("addaccessconfig", "gcutil-1", zone, f"--access_config_nat_ip={ip}")
    shown = next(row for row in gcutil.run("listinstances").rows if row["name"] == "gcutil-1")
    assert (shown["status"], shown["external-ip"]) == ("RUNNING", ip)
    gcutil.run("detachdisk", "gcutil-1", zone, "--device_name=gcutil-disk")
    gcutil.run("deletesnapshot", "gcutil-copy", "-f")
    gcutil.run("deletedisk", "gcutil-disk", zone, "-f")
    gcutil.run("deletefirewall", "gcutil-web", "-f")
    gcutil.run("deleteinstance", "gcutil-1", zone, "-f", "--delete_boot_pd")
    gcutil.run("releaseaddress", "gcutil-front", f"--region={offer.region}", "-f")
    assert "gcutil-1" not in gcutil.run("listinstances").out
