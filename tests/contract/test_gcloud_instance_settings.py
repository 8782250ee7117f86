"""What gcloud writes to files for a machine, and what it reads from them; which firewalls are in force for it."""

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


def test_effective_firewalls(gcloud: Gcloud, machine: str) -> None:
    gcloud.compute("firewall-rules", "create", "set-all", "--allow=tcp:22", "--source-ranges=192.0.2.0/24")
    said = gcloud.compute("instances", "network-interfaces", "get-effective-firewalls", machine, ZONE).out
    assert "192.0.2.0/24" in said
    gcloud.compute("firewall-rules", "delete", "set-all")


def test_ssh_says_what_it_would_do_and_config_ssh_writes_its_hosts(gcloud: Gcloud, machine: str) -> None:
    said = gcloud.compute("ssh", machine, ZONE, "--dry-run", "--quiet").out
    assert shown(gcloud, machine, "networkInterfaces[0].networkIP") in said
    gcloud.compute("config-ssh", "--quiet")
    hosts = (gcloud.home / ".ssh" / "config").read_text()
    assert f"Host {machine}.ch-gv2.demo" in hosts
    assert "ssh-keys" in gcloud.compute("project-info", "describe", "--format=json").out
    gcloud.compute("config-ssh", "--remove", "--quiet")


def test_a_machine_exported_and_updated_from_its_file(gcloud: Gcloud, machine: str) -> None:
    path = gcloud.home / "machine.yaml"
    gcloud.compute("instances", "export", machine, ZONE, f"--destination={path}")
    told = path.read_text().replace("description: ''", "description: From a file")
    assert "From a file" in told
    path.write_text(told)
    gcloud.compute("instances", "update-from-file", machine, ZONE, f"--source={path}")
    assert shown(gcloud, machine, "description") == "From a file"
