"""gcloud signs in, and its compute commands end well with the right rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcelib.simulator import Simulator
from tests.contract.conftest import GcloudFor
from tests.contract.gcloud import Gcloud
from tests.live import Live

BASIC, ISOLATED = "--zone=ch-gv2", "--zone=de-adv1"
ZONES = ["ch-gv2", "de-adv1", "fr-sg1"]
SIZES = ["extra-large", "huge", "large", "medium", "micro", "small", "tiny"]
IMAGE = "linux-centos-6-4-64-bit-10gb"
SMALL = [BASIC, "--machine-type=micro", f"--image={IMAGE}", "--image-project=demo"]
ADDRESS = re.compile(r"185\.19\.28\.\d+\Z")


@pytest.fixture(scope="module")
def gcloud(gcloud_for: GcloudFor, plain: Live) -> Gcloud:
    """Signed in with a key file, without TLS."""
    made = gcloud_for(plain)
    made.activate()
    return made


@pytest.fixture(scope="module")
def machine(gcloud: Gcloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One machine with all the ornaments; deleted at the end."""
    script: Path = tmp_path_factory.mktemp("script") / "start.sh"
    script.write_text("#!/bin/sh\necho started\n")
    made = gcloud.compute(
        "instances", "create", "ornate", BASIC, "--machine-type=tiny", "--image-family=debian-12-with-password",
        "--image-project=demo", code=1,
    )
    assert "is not in zone 'ch-gv2'" in made.err
    made = gcloud.compute(
        "instances", "create", "ornate", *SMALL, "--tags=web,db", "--labels=env=prod,tier=one",
        "--metadata=role=front,colour=blue", f"--metadata-from-file=startup-script={script}",
        "--description=All of it", "--boot-disk-size=10GB", "--create-disk=size=20GB,name=ornate-data",
        "--network=default",
    )
    (row,) = made.rows
    assert (row["NAME"], row["ZONE"], row["MACHINE_TYPE"], row["STATUS"]) == ("ornate", "ch-gv2", "micro", "RUNNING")
    assert ADDRESS.match(row["INTERNAL_IP"])
    assert row["EXTERNAL_IP"] == row["INTERNAL_IP"]
    yield "ornate"
    gcloud.compute("instances", "delete", "ornate", BASIC)


def test_a_program_signs_in_with_its_key_file(gcloud_for: GcloudFor, plain: Live) -> None:
    gcloud = gcloud_for(plain)
    assert "Activated service account credentials" in gcloud.activate().err
    assert gcloud.compute("zones", "list").column("NAME") == ZONES


def test_a_person_signs_in_with_a_browser(gcloud_for: GcloudFor, plain: Live) -> None:
    gcloud = gcloud_for(plain)
    assert "You are now logged in as [ann@example.com]" in gcloud.log_in()
    assert gcloud.compute("zones", "list").column("NAME") == ZONES


def test_over_tls_it_signs_in_and_makes_and_deletes_a_machine(gcloud_for: GcloudFor, secure: Live) -> None:
    gcloud = gcloud_for(secure)
    gcloud.activate()
    assert gcloud.compute("instances", "create", "over-tls", *SMALL).column("STATUS") == ["RUNNING"]
    assert "over-tls" in gcloud.compute("instances", "list").column("NAME")
    gcloud.compute("instances", "delete", "over-tls", BASIC)


def test_zones_and_regions(gcloud: Gcloud) -> None:
    rows = gcloud.compute("zones", "list").rows
    assert [(row["NAME"], row["REGION"], row["STATUS"]) for row in rows] == [
        ("ch-gv2", "ch", "UP"), ("de-adv1", "de", "UP"), ("fr-sg1", "fr", "UP")
    ]
    assert gcloud.compute("zones", "describe", "ch-gv2", "--format=value(description)").out == "CH-GV2\n"
    regions = gcloud.compute("regions", "list").rows
    assert [row["NAME"] for row in regions] == ["ch", "de", "fr"]
    assert all(re.match(r"[\d.]+/\d+", row["CPUS"]) for row in regions)
    shown = gcloud.compute("regions", "describe", "de", "--format=json").data
    assert shown["zones"] == [f"{gcloud.live.url}/compute/v1/projects/demo/zones/de-adv1"]


def test_images(gcloud: Gcloud) -> None:
    own = gcloud.compute("images", "list", "--no-standard-images").rows
    assert len(own) == 28
    assert {"NAME": IMAGE, "PROJECT": "demo", "FAMILY": "linux-centos-6-4-64-bit", "DEPRECATED": "",
            "STATUS": "READY"} in own
    everybodys = gcloud.compute("images", "list", "--filter=name~ubuntu.*-10gb$")
    assert everybodys.column("NAME") == ["linux-ubuntu-12-04-lts-64-bit-10gb", "linux-ubuntu-13-04-64-bit-10gb"]
    assert gcloud.compute("images", "describe", IMAGE, "--format=value(diskSizeGb)").out == "10\n"
    family = gcloud.compute("images", "describe-from-family", "debian-12", "--format=value(name)")
    assert family.out == "debian-12\n"


def test_an_instance_with_all_its_ornaments(gcloud: Gcloud, machine: str) -> None:
    shown = gcloud.compute("instances", "describe", machine, BASIC, "--format=json").data
    assert shown["description"] == "All of it"
    assert sorted(shown["tags"]["items"]) == ["db", "web"]
    assert shown["labels"] == {"env": "prod", "tier": "one"}
    assert {item["key"]: item["value"] for item in shown["metadata"]["items"]} == {
        "role": "front", "colour": "blue", "startup-script": "#!/bin/sh\necho started\n"
    }
    assert [(disk["boot"], disk["diskSizeGb"]) for disk in shown["disks"]] == [(True, "10"), (False, "20")]
    assert shown["networkInterfaces"][0]["accessConfigs"][0]["name"] == "external-nat"


def test_lists_of_instances_are_filtered_sorted_and_cut(gcloud: Gcloud, machine: str) -> None:
    def listed(*words: str) -> list[str]:
        return gcloud.compute("instances", "list", *words).column("NAME")

    assert machine in listed()
    assert listed("--filter=name=ornate") == ["ornate"]
    assert listed("--filter=labels.env=prod AND status=RUNNING AND tags.items:web") == ["ornate"]
    assert listed("--filter=status=TERMINATED") == []
    assert listed("--zones=ch-gv2,fr-sg1", "--filter=name~^orn", "--sort-by=~name", "--limit=1") == ["ornate"]


def test_several_names_go_in_one_batch(gcloud: Gcloud) -> None:
    names = ["batch-1", "batch-2", "batch-3"]
    made = gcloud.compute("instances", "create", *names, BASIC, "--machine-type=Micro",
                          "--image-family=linux-centos-6-4-64-bit", "--image-project=demo")
    assert sorted(made.column("NAME")) == names
    shown = gcloud.compute("instances", "describe", "batch-2", BASIC, "--format=value(name)")
    assert shown.out == "batch-2\n"
    deleted = gcloud.compute("instances", "delete", *names, BASIC)
    assert len(re.findall(r"Deleted \[", deleted.err)) == 3


def test_an_instance_is_made_without_waiting(gcloud: Gcloud) -> None:
    begun = gcloud.compute("instances", "create", "later", *SMALL, "--async")
    operation = re.search(r"operations/(operation-[-0-9a-f]+)", begun.err)
    assert operation
    waited = gcloud.compute("operations", "describe", operation[1], BASIC, "--format=json").data
    assert waited["operationType"] == "insert"
    gcloud.compute("instances", "delete", "later", BASIC)
    rows = gcloud.compute("operations", "list", "--filter=name=" + operation[1]).rows
    assert [(row["TYPE"], row["TARGET"], row["HTTP_STATUS"], row["STATUS"]) for row in rows] == [
        ("insert", "ch-gv2/instances/later", "200", "DONE")
    ]


def test_operations(gcloud: Gcloud, machine: str) -> None:
    found = gcloud.compute("operations", "list", "--filter=operationType=insert", "--sort-by=~insertTime", "--limit=1")
    (row,) = found.rows
    assert (row["TYPE"], row["HTTP_STATUS"], row["STATUS"]) == ("insert", "200", "DONE")
    in_zone = gcloud.compute("operations", "list", "--zones=ch-gv2", f"--filter=targetLink~{machine}$").rows
    name = in_zone[0]["NAME"]
    shown = gcloud.compute("operations", "describe", name, BASIC, "--format=json").data
    assert (shown["status"], shown["progress"], shown["user"]) == ("DONE", 100, "tester@demo.gcelib.local")
    assert shown["zone"].endswith("/zones/ch-gv2")


@pytest.mark.parametrize(("words", "message"), [
    (["instances", "create", "e", BASIC, "--machine-type=micro", "--image=none", "--image-project=demo"],
     "The resource 'projects/demo/global/images/none' was not found"),
    (["instances", "create", "e", BASIC, "--machine-type=n1-none", f"--image={IMAGE}", "--image-project=demo"],
     "The resource 'projects/demo/zones/ch-gv2/machineTypes/n1-none' was not found"),
    (["instances", "create", "e", "--zone=xx-1", "--machine-type=micro", f"--image={IMAGE}", "--image-project=demo"],
     "The resource 'projects/demo/zones/xx-1' was not found"),
    (["instances", "create", "Bad_name", *SMALL],
     "Invalid value for field 'resource.name': 'Bad_name'. Must be a match of regex "
     "'(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'"),
    (["instances", "describe", "nobody", BASIC],
     "The resource 'projects/demo/zones/ch-gv2/instances/nobody' was not found"),
    (["firewall-rules", "delete", "nothing"],
     "The resource 'projects/demo/global/firewalls/nothing' was not found"),
])
def test_what_is_refused_is_said_in_one_line(gcloud: Gcloud, words: list[str], message: str) -> None:
    assert gcloud.refused(*words) == message


def test_a_name_that_is_taken_is_refused(gcloud: Gcloud, machine: str) -> None:
    said = gcloud.refused("instances", "create", machine, *SMALL)
    assert said == f"The resource 'projects/demo/zones/ch-gv2/instances/{machine}' already exists"


def test_a_quota_that_is_used_up_is_said_in_the_clouds_words(gcloud: Gcloud, cloud: Simulator) -> None:
    cloud.world.set_limit("demo", "user_vm", 0)
    try:
        said = gcloud.refused("instances", "create", "too-many", *SMALL)
    finally:
        cloud.world.set_limit("demo", "user_vm", -1)
    assert "Maximum amount of resources of type user_vm for demo has been exceeded" in said
    assert "too-many" not in gcloud.compute("instances", "list").column("NAME")
