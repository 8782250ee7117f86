"""gcloud's commands that set something on a machine, each done or refused in one clear sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.conftest import GcloudFor
from tests.contract.gcloud import Gcloud
from tests.live import Live

ZONE = "--zone=ch-gv2"
SMALL = [ZONE, "--machine-type=micro", "--image=linux-centos-6-4-64-bit-10gb", "--image-project=demo"]


@pytest.fixture(scope="module")
def gcloud(gcloud_for: GcloudFor, plain: Live) -> Gcloud:
    """Signed in with a key file."""
    made = gcloud_for(plain)
    made.activate()
    return made


@pytest.fixture(scope="module")
def machine(gcloud: Gcloud) -> Iterator[str]:
    """A machine that runs at the start of each test."""
    gcloud.compute("instances", "create", "set-me", *SMALL)
    yield "set-me"
    gcloud.compute("instances", "delete", "set-me", ZONE)


def shown(gcloud: Gcloud, name: str, fields: str) -> str:
    """Some of a machine's fields, tabs between."""
    return gcloud.compute("instances", "describe", name, ZONE, f"--format=value({fields})").out.strip()


def test_metadata_tags_and_labels(gcloud: Gcloud, machine: str) -> None:
    gcloud.compute("instances", "add-metadata", machine, ZONE, "--metadata=role=front,colour=blue")
    gcloud.compute("instances", "remove-metadata", machine, ZONE, "--keys=colour")
    assert shown(gcloud, machine, "metadata.items.map().extract(key,value)") == "['role', 'front']"
    gcloud.compute("instances", "remove-metadata", machine, ZONE, "--all")
    gcloud.compute("instances", "add-tags", machine, ZONE, "--tags=web,db")
    assert shown(gcloud, machine, "tags.items") == "db;web"
    gcloud.compute("instances", "remove-tags", machine, ZONE, "--tags=db")
    assert shown(gcloud, machine, "tags.items") == "web"
    gcloud.compute("instances", "remove-tags", machine, ZONE, "--all")
    gcloud.compute("instances", "add-labels", machine, ZONE, "--labels=env=prod,tier=one")
    gcloud.compute("instances", "remove-labels", machine, ZONE, "--labels=tier")
    gcloud.compute("instances", "update", machine, ZONE, "--update-labels=team=x", "--deletion-protection")
    assert shown(gcloud, machine, "labels,deletionProtection") == "env=prod;team=x\tTrue"
    gcloud.compute("instances", "update", machine, ZONE, "--remove-labels=team", "--no-deletion-protection")
    assert shown(gcloud, machine, "tags.items,labels") == "env=prod"


def test_what_needs_a_stopped_machine(gcloud: Gcloud, machine: str) -> None:
    said = gcloud.refused("instances", "set-machine-type", machine, ZONE, "--machine-type=small")
    assert "must be in status TERMINATED" in said
    gcloud.compute("instances", "stop", machine, ZONE)
    gcloud.compute("instances", "set-machine-type", machine, ZONE, "--machine-type=small")
    gcloud.compute("instances", "set-machine-type", machine, ZONE, "--custom-cpu=2", "--custom-memory=4096MB")
    assert shown(gcloud, machine, "machineType.basename()") == "custom-2-4096"
    gcloud.compute("instances", "set-name", machine, ZONE, "--new-name=set-it")
    gcloud.compute("instances", "set-name", "set-it", ZONE, f"--new-name={machine}")
    said = gcloud.refused("instances", "set-service-account", machine, ZONE, "--service-account=a@b.example")
    assert "gives machines no service accounts" in said
    gcloud.compute("instances", "set-service-account", machine, ZONE, "--no-service-account", "--no-scopes")
    gcloud.compute("instances", "start", machine, ZONE)


def test_scheduling(gcloud: Gcloud, machine: str) -> None:
    gcloud.compute("instances", "set-scheduling", machine, ZONE, "--maintenance-policy=TERMINATE",
                   "--no-restart-on-failure")
    assert shown(gcloud, machine, "scheduling.onHostMaintenance,scheduling.automaticRestart") == "TERMINATE\tFalse"
    said = gcloud.refused("instances", "set-scheduling", machine, ZONE, "--provisioning-model=SPOT",
                          "--instance-termination-action=STOP")
    assert "resource.provisioningModel" in said


@pytest.mark.parametrize(("words", "method", "instead"), [
    (["suspend"], "compute.instances.suspend", "compute.instances.stop"),
    (["resume"], "compute.instances.resume", "compute.instances.start"),
    (["get-serial-port-output"], "compute.instances.getSerialPortOutput", "Log in by ssh"),
    (["tail-serial-port-output"], "compute.instances.getSerialPortOutput", "Log in by ssh"),
    (["simulate-maintenance-event"], "compute.instances.simulateMaintenanceEvent", "its operator alone"),
    (["get-screenshot"], "compute.instances.getScreenshot", "Log in by ssh"),
    (["send-diagnostic-interrupt"], "compute.instances.sendDiagnosticInterrupt", "compute.instances.reset"),
])
def test_what_the_cloud_has_not_is_refused(
    gcloud: Gcloud, machine: str, words: list[str], method: str, instead: str
) -> None:
    said = gcloud.compute("instances", *words, machine, ZONE, code=1).err
    for part in (method, "not offered on cloud 'sim'", instead):
        assert part in said


def test_no_guest_attributes_are_there(gcloud: Gcloud, machine: str) -> None:
    said = gcloud.compute("instances", "get-guest-attributes", machine, ZONE, code=1).err
    assert "no place to write attributes" in said


def test_effective_firewalls(gcloud: Gcloud, machine: str) -> None:
    gcloud.compute("firewall-rules", "create", "set-all", "--allow=tcp:22", "--source-ranges=192.0.2.0/24")
    said = gcloud.compute("instances", "network-interfaces", "get-effective-firewalls", machine, ZONE).out
    assert "192.0.2.0/24" in said
    gcloud.compute("firewall-rules", "delete", "set-all")


def test_a_bulk(gcloud: Gcloud) -> None:
    said = gcloud.compute("instances", "bulk", "create", "--name-pattern=bulk-#", "--count=2", *SMALL).err
    assert "VM instances created: 2, failed: 0." in said
    found = gcloud.compute("instances", "list", "--filter=name~bulk").column("NAME")
    assert sorted(found) == ["bulk-1", "bulk-2"]
    gcloud.compute("instances", "delete", "bulk-1", "bulk-2", ZONE)


def test_ssh_says_what_it_would_do_and_config_ssh_writes_its_hosts(gcloud: Gcloud, machine: str) -> None:
    said = gcloud.compute("ssh", machine, ZONE, "--dry-run", "--quiet").out
    assert shown(gcloud, machine, "networkInterfaces[0].networkIP") in said
    gcloud.compute("config-ssh", "--quiet")
    hosts = (gcloud.home / ".ssh" / "config").read_text()
    assert f"Host {machine}.ch-gv2.demo" in hosts
    assert "ssh-keys" in gcloud.compute("project-info", "describe", "--format=json").out
    gcloud.compute("config-ssh", "--remove", "--quiet")


def test_the_projects_metadata_and_usage_bucket(gcloud: Gcloud) -> None:
    gcloud.compute("project-info", "add-metadata", "--metadata=colour=blue")
    gcloud.compute("project-info", "remove-metadata", "--keys=colour")
    said = gcloud.refused("project-info", "set-usage-bucket", "--bucket=gs://reports")
    assert "compute.projects.setUsageExportBucket" in said
    gcloud.compute("project-info", "set-usage-bucket", "--no-bucket")


def test_a_machine_exported_and_updated_from_its_file(gcloud: Gcloud, machine: str) -> None:
    path = gcloud.home / "machine.yaml"
    gcloud.compute("instances", "export", machine, ZONE, f"--destination={path}")
    told = path.read_text().replace("description: ''", "description: From a file")
    assert "From a file" in told
    path.write_text(told)
    gcloud.compute("instances", "update-from-file", machine, ZONE, f"--source={path}")
    assert shown(gcloud, machine, "description") == "From a file"


def test_a_move_to_another_zone_is_refused(gcloud: Gcloud, machine: str) -> None:
    said = gcloud.compute("instances", "move", machine, ZONE, "--destination-zone=de-adv1", code=1).err
    assert "compute.projects.moveInstance is not offered on cloud 'sim'" in said
