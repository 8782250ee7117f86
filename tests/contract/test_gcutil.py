"""gcutil 1.16.1, unmodified: it signs in through the page, and every table it prints is filled."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest

from tests.contract.conftest import GcutilFor
from tests.contract.gcutil import Gcutil
from tests.live import Live

ZONES = ["ch-gv2", "de-adv1", "fr-sg1"]
SIZES = ["micro", "tiny", "small", "medium", "large", "extra-large", "huge"]
IMAGE = "linux-centos-6-4-64-bit-10gb"
OPERATION = re.compile(r"operation-[-0-9a-f]+\Z")


@pytest.fixture(scope="module")
def gcutil(gcutil_for: GcutilFor, plain: Live) -> Gcutil:
    """Signed in, without TLS."""
    made = gcutil_for(plain)
    made.log_in()
    return made


@pytest.fixture
def machine(gcutil: Gcutil, request: pytest.FixtureRequest) -> Iterator[str]:
    """A machine that is gone at the end of the test, whoever deletes it."""
    name = "vm-" + re.sub("[^a-z]+", "-", request.node.name)[-40:].strip("-")
    gcutil.run("addinstance", name, "--zone=ch-gv2", "--machine_type=micro", f"--image={IMAGE}",
               "--noadd_compute_key_to_project", "--tags=web,db", "--description=A machine",
               "--metadata=role:front")
    yield name
    if f"ch-gv2/instances/{name}" in gcutil.run("listinstances", "--format=names").out.split():
        gcutil.run("deleteinstance", name, "--zone=ch-gv2", "-f", "--delete_boot_pd")


def one_operation(rows: list[dict[str, str]], verb: str) -> str:
    """The name of the one operation that a change prints, which is done."""
    (row,) = rows
    assert OPERATION.match(row["name"])
    assert (row["status"], row["operation-type"]) == ("DONE", verb)
    assert row["insert-time"].startswith("20")
    return row["name"]


def test_a_person_signs_in_with_a_code_carried_by_hand(gcutil_for: GcutilFor, plain: Live) -> None:
    gcutil = gcutil_for(plain)
    assert "Authentication successful." in gcutil.log_in()
    assert "ann@example.com" in gcutil.run("whoami").out
    assert [row["name"] for row in gcutil.run("listzones").rows] == ZONES


def test_a_person_signs_in_with_the_browser_sent_back_to_gcutil(gcutil_for: GcutilFor, plain: Live) -> None:
    gcutil = gcutil_for(plain)
    assert "Authentication successful." in gcutil.log_in_locally()
    assert [row["name"] for row in gcutil.run("listzones").rows] == ZONES


def test_over_tls_it_signs_in_and_makes_and_deletes_a_machine(gcutil_for: GcutilFor, secure: Live) -> None:
    gcutil = gcutil_for(secure)
    gcutil.log_in()
    made = gcutil.run("addinstance", "over-tls", "--zone=ch-gv2", "--machine_type=Micro", f"--image={IMAGE}",
                      "--noadd_compute_key_to_project", "--wait_until_running")
    assert made.rows[0]["status"] == "RUNNING"
    assert [row["zone"] for row in gcutil.run("listinstances").rows] == ["ch-gv2"]
    gcutil.run("deleteinstance", "over-tls", "-f", "--delete_boot_pd")
    assert gcutil.run("listinstances").rows == []


def test_a_token_that_died_is_refreshed_without_a_word(gcutil_for: GcutilFor, plain: Live) -> None:
    gcutil = gcutil_for(plain)
    gcutil.log_in()
    store = gcutil.home / "credentials"
    kept = json.loads(store.read_text())
    kept["data"][0]["credential"]["access_token"] = "it-has-died"
    store.write_text(json.dumps(kept))
    assert [row["name"] for row in gcutil.run("listzones").rows] == ZONES


def test_zones(gcutil: Gcutil) -> None:
    rows = gcutil.run("listzones").rows
    assert rows == [{"name": zone, "status": "UP", "next-maintenance": "None scheduled"} for zone in ZONES]
    shown = gcutil.run("getzone", "ch-gv2").details
    assert (shown["name"], shown["description"], shown["status"]) == (["ch-gv2"], ["CH-GV2"], ["UP"])


def test_the_clouds_own_spelling_of_a_zone_is_understood(gcutil: Gcutil) -> None:
    assert gcutil.run("getzone", "CH-GV2").details["name"] == ["ch-gv2"]


def test_regions(gcutil: Gcutil) -> None:
    rows = gcutil.run("listregions").rows
    assert [(row["name"], row["status"]) for row in rows] == [("ch", "UP"), ("de", "UP"), ("fr", "UP")]
    assert all(re.match(r"[\d.]+/[\d.e+]+\Z", row[quota])
               for row in rows for quota in ("cpus", "disks-total-gb", "static-addresses"))
    assert gcutil.run("getregion", "de").details["zones"] == ["de-adv1"]


def test_machine_types(gcutil: Gcutil) -> None:
    rows = gcutil.run("listmachinetypes").rows
    assert {(row["name"], row["zone"]) for row in rows} == {(size, zone) for size in SIZES for zone in ZONES}
    assert {(row["cpus"], row["memory-mb"]) for row in rows if row["name"] == "large"} == {("4", "8182")}
    here = gcutil.run("listmachinetypes", "--zone=fr-sg1").rows
    assert sorted(row["name"] for row in here) == sorted(SIZES)
    shown = gcutil.run("getmachinetype", "Extra-large", "--zone=CH-GV2").details
    assert (shown["name"], shown["cpus"], shown["memory-mb"]) == (["extra-large"], ["4"], ["16384"])
    assert shown["zone"] == ["ch-gv2"]


def test_a_machine_type_without_a_zone_asks_for_the_zone(gcutil: Gcutil) -> None:
    asked = gcutil.run("getmachinetype", "micro", answers="2\n")
    assert "1: ch-gv2\n2: de-adv1\n3: fr-sg1" in asked.out
    assert "de-adv1" in asked.out.partition(">>>")[2]


def test_images(gcutil: Gcutil) -> None:
    rows = {row["name"]: row for row in gcutil.run("listimages").rows}
    assert rows[IMAGE] == {"name": IMAGE, "deprecation": "", "status": "READY"}
    assert rows["debian-13"]["status"] == "PENDING"
    assert len(rows) == 28
    shown = gcutil.run("getimage", IMAGE).details
    assert (shown["description"], shown["disk-size-gb"]) == (["Linux CentOS 6.4 64-bit 10GB Disk"], ["10"])
    filtered = gcutil.run("listimages", "--filter=name eq linux-ubuntu.*100gb").rows
    assert sorted(row["name"] for row in filtered) == [
        "linux-ubuntu-12-04-lts-64-bit-100gb", "linux-ubuntu-13-04-64-bit-100gb"
    ]


def test_disk_types(gcutil: Gcutil) -> None:
    rows = gcutil.run("listdisktypes").rows
    assert {row["zone"] for row in rows if row["name"] == "pd-standard"} == set(ZONES)
    assert gcutil.run("getdisktype", "pd-standard", "--zone=ch-gv2").details["name"] == ["pd-standard"]


def test_networks(gcutil: Gcutil) -> None:
    rows = {row["name"]: row for row in gcutil.run("listnetworks").rows}
    assert rows["default"] == {"name": "default", "addresses": "185.19.0.0/16", "gateway": "185.19.0.1"}
    assert rows["demo-network"]["addresses"] == "10.1.1.0/24"
    shown = gcutil.run("getnetwork", "default").details
    assert (shown["name"], shown["gateway"]) == (["default"], ["185.19.0.1"])


def test_the_project_and_its_metadata(gcutil: Gcutil) -> None:
    shown = gcutil.run("getproject").details
    assert shown["name"] == ["demo"]
    assert {"usage", "instances", "cpus", "disks-total-gb", "common-instance-metadata-fingerprint"} <= set(shown)
    changed = gcutil.run("setcommoninstancemetadata", "--metadata=role:web", "--metadata=stage:test", "-f")
    assert changed.rows[0]["name"] == "demo"
    one_operation(changed.operations, "setCommonInstanceMetadata")
    shown = gcutil.run("getproject").details
    assert (shown["role"], shown["stage"]) == (["web"], ["test"])
    refused = gcutil.run("setcommoninstancemetadata", "--metadata=stage:live", code=1)
    assert "would wipe out the following metadata: role" in refused.err
    gcutil.run("setcommoninstancemetadata", "--metadata=stage:live", "-f")
    shown = gcutil.run("getproject").details
    assert shown["stage"] == ["live"]
    assert "role" not in shown


def test_metadata_with_an_old_fingerprint_is_refused(gcutil: Gcutil) -> None:
    old = gcutil.run("getproject").details["common-instance-metadata-fingerprint"][0]
    gcutil.run("setcommoninstancemetadata", "--metadata=who:me", "-f")
    refused = gcutil.run("setcommoninstancemetadata", "--metadata=who:you", "-f", f"--fingerprint={old}", code=1)
    assert "fingerprint" in refused.err
    assert gcutil.run("getproject").details["who"] == ["me"]


def test_a_firewall_is_added_shown_and_deleted(gcutil: Gcutil) -> None:
    added = gcutil.run("addfirewall", "web", "--description=The web", "--allowed=tcp:80,tcp:8000-8080,udp:53,icmp",
                       "--target_tags=web", "--allowed_ip_sources=10.0.0.0/8")
    assert added.rows == [{"name": "web", "network": "default"}]
    one_operation(added.operations, "insert")
    assert gcutil.run("listfirewalls").rows == [{"name": "web", "network": "default"}]
    shown = gcutil.run("getfirewall", "web").details
    assert sorted(shown["allowed"]) == ["1", "17: 53", "6: 80, 8000-8080"]
    assert (shown["source-ips"], shown["target-tags"]) == (["10.0.0.0/8"], ["web"])
    assert shown["description"] == ["The web"]
    deleted = gcutil.run("deletefirewall", "web", answers="y\n")
    assert "Delete firewall web?" in deleted.out
    one_operation(deleted.operations, "delete")
    assert gcutil.run("listfirewalls").rows == []
    assert "was not found" in gcutil.run("getfirewall", "web", code=1).err


def test_what_is_not_said_is_asked_for(gcutil: Gcutil) -> None:
    asked = gcutil.run("addinstance", "asked-for", "--noadd_compute_key_to_project",
                       answers="1\n5\n6\n")
    assert "Select a zone:\n1: ch-gv2\n2: de-adv1\n3: fr-sg1" in asked.out
    assert "5: micro\tMicro 512mb 1cpu" in asked.out
    assert f"6: {IMAGE}\n" in asked.out
    (row,) = asked.rows
    assert (row["name"], row["zone"], row["status"]) == ("asked-for", "ch-gv2", "RUNNING")
    assert row["network-ip"] == row["external-ip"] != ""
    one_operation(asked.operations, "insert")
    deleted = gcutil.run("deleteinstance", "asked-for", answers="y\ny\n")
    assert "Delete instance asked-for?" in deleted.out
    one_operation(deleted.operations, "delete")
    assert "could not be determined" in gcutil.run("getinstance", "asked-for", code=1).err


def test_the_persons_ssh_key_is_added_to_the_project_first(gcutil: Gcutil) -> None:
    public = gcutil.make_ssh_key()
    gcutil.run("addinstance", "with-key", "--zone=ch-gv2", "--machine_type=micro", f"--image={IMAGE}")
    (key,) = gcutil.run("getproject").details["sshKeys"]
    assert public in key
    gcutil.run("deleteinstance", "with-key", "-f", "--delete_boot_pd")


def test_an_instance_in_every_table(gcutil: Gcutil, machine: str) -> None:
    (row,) = gcutil.run("listinstances").rows
    assert (row["name"], row["zone"], row["status"]) == (machine, "ch-gv2", "RUNNING")
    assert row["network-ip"] == row["external-ip"] != ""
    shown = gcutil.run("getinstance", machine).details
    assert shown["machine"] == ["ch-gv2/machineTypes/micro"]
    assert (shown["description"], shown["status"], shown["zone"]) == (["A machine"], ["RUNNING"], ["ch-gv2"])
    assert sorted(shown["tags"]) == ["db", "web"]
    assert shown["role"] == ["front"]
    assert shown["device-name"] == [machine]
    assert shown["access-configuration"] == ["External NAT"]
    (disk,) = gcutil.run("listdisks").rows
    assert disk == {"name": machine, "zone": "ch-gv2", "status": "READY", "size-gb": "10"}
    assert gcutil.run("getdisk", machine).details["size-gb"] == ["10"]
    assert gcutil.run("listinstances", "--filter=name eq vm.*").rows == [row]
    assert gcutil.run("listinstances", f"--filter=name ne {machine}").rows == []
    assert gcutil.run("listinstances", "--zone=fr-sg1").rows == []


def test_an_instance_is_reset(gcutil: Gcutil, machine: str) -> None:
    reset = gcutil.run("resetinstance", machine)
    assert reset.rows[0]["status"] == "RUNNING"
    one_operation(reset.operations, "reset")


def test_a_name_that_is_taken_is_refused_in_words(gcutil: Gcutil, machine: str) -> None:
    refused = gcutil.run("addinstance", machine, "--zone=ch-gv2", "--machine_type=micro", f"--image={IMAGE}",
                         "--noadd_compute_key_to_project", code=1)
    assert f"Error: The resource 'projects/demo/zones/ch-gv2/instances/{machine}' already exists" in refused.err


def test_an_instance_is_deleted_without_a_question(gcutil: Gcutil, machine: str) -> None:
    deleted = gcutil.run("deleteinstance", machine, "-f", "--delete_boot_pd")
    one_operation(deleted.operations, "delete")
    assert gcutil.run("listinstances").rows == []
    assert gcutil.run("listdisks").rows == []


def test_several_instances_are_made_and_deleted_at_once(gcutil: Gcutil) -> None:
    names = ["many-1", "many-2", "many-3"]
    made = gcutil.run("addinstance", *names, "--zone=ch-gv2", "--machine_type=tiny", f"--image={IMAGE}",
                      "--noadd_compute_key_to_project")
    assert sorted(row["name"] for row in made.rows) == names
    assert len(made.operations) == 3
    gcutil.run("deleteinstance", *names, "-f", "--delete_boot_pd")
    assert gcutil.run("listinstances").rows == []


def test_an_image_that_is_unknown_is_refused_in_words(gcutil: Gcutil) -> None:
    refused = gcutil.run("addinstance", "none", "--zone=ch-gv2", "--machine_type=micro", "--image=nothing-like-it",
                         "--noadd_compute_key_to_project", code=1)
    assert "Error: The resource 'projects/demo/global/images/nothing-like-it' was not found" in refused.err


def test_operations_are_listed_shown_and_forgotten(gcutil: Gcutil) -> None:
    changed = gcutil.run("setcommoninstancemetadata", "--metadata=n:1", "-f")
    name = one_operation(changed.operations, "setCommonInstanceMetadata")
    listed = {row["name"]: row for row in gcutil.run("listoperations").rows}
    assert listed[name]["operation-type"] == "setCommonInstanceMetadata"
    assert name in {row["name"] for row in gcutil.run("listoperations", "--global").rows}
    shown = gcutil.run("getoperation", name).details
    assert (shown["status"], shown["progress"], shown["user"]) == (["DONE"], ["100"], ["ann@example.com"])
    gcutil.run("deleteoperation", name, answers="y\n")
    assert name not in gcutil.run("listoperations", "--format=names").out


def test_every_format_of_a_list(gcutil: Gcutil) -> None:
    sparse = gcutil.run("listzones", "--format=sparse").rows
    assert sparse == gcutil.run("listzones").rows
    read = list(csv.DictReader(io.StringIO(gcutil.run("listzones", "--format=csv").out)))
    assert read == sparse
    assert gcutil.run("listzones", "--format=names").out.split() == ZONES
    said = json.loads(gcutil.run("listzones", "--format=json").out)
    assert said["kind"] == "compute#zoneList"
    assert [zone["name"] for zone in said["items"]] == ZONES


def test_every_format_of_one_thing(gcutil: Gcutil) -> None:
    assert gcutil.run("getzone", "ch-gv2", "--format=sparse").details["name"] == ["ch-gv2"]
    assert gcutil.run("getzone", "ch-gv2", "--format=csv").details["status"] == ["UP"]
    assert gcutil.run("getzone", "ch-gv2", "--format=names").out.split() == ["ch-gv2"]
    said = json.loads(gcutil.run("getzone", "ch-gv2", "--format=json").out)
    assert (said["kind"], said["name"]) == ("compute#zone", "ch-gv2")
