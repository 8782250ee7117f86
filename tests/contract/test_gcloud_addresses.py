"""gcloud's commands for addresses, access configs and load balancing, each done or refused in one clear sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api import Api
from tests.contract.conftest import GcloudFor
from tests.contract.gcloud import Gcloud
from tests.live import Live
from tests.wire.machines import machine

ZONE, REGION = "--zone=de-adv1", "--region=de"
HERE = "zones/de-adv1/instances"
DISKS = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]


@pytest.fixture(scope="module")
def gcloud(gcloud_for: GcloudFor, plain: Live) -> Gcloud:
    """Signed in with a key file."""
    made = gcloud_for(plain)
    made.activate()
    return made


@pytest.fixture(scope="module")
def api(plain: Live) -> Api:
    """A look at the same server from beside gcloud."""
    return plain.api()


@pytest.fixture(scope="module")
def name(api: Api) -> Iterator[str]:
    """A machine in an isolated network."""
    api.change("POST", HERE, machine("stand-for-me", "de-adv1", disks=DISKS,
                                     networkInterfaces=[{"network": "global/networks/demo-network"}]))
    yield "stand-for-me"
    api.change("DELETE", f"{HERE}/stand-for-me")


def test_addresses_are_made_listed_and_used(gcloud: Gcloud, api: Api, name: str) -> None:
    gcloud.compute("addresses", "create", "front", REGION, "--description=For the front")
    ip = gcloud.compute("addresses", "describe", "front", REGION, "--format=value(address)").out.strip()
    listed = next(row for row in gcloud.compute("addresses", "list").rows if row["NAME"] == "front")
    assert (listed["ADDRESS/RANGE"], listed["TYPE"], listed["REGION"], listed["STATUS"]) == (
        ip, "EXTERNAL", "de", "RESERVED")
    gcloud.compute("instances", "add-access-config", name, ZONE, f"--address={ip}")
    assert api.get("regions/de/addresses/front")["status"] == "IN_USE"
    assert "already being used" in gcloud.refused("addresses", "delete", "front", REGION)
    gcloud.compute("instances", "delete-access-config", name, ZONE)
    gcloud.compute("instances", "add-access-config", name, ZONE, "--access-config-name=outside")
    said = gcloud.refused("instances", "update-access-config", name, ZONE, "--public-ptr",
                          "--public-ptr-domain=a.example.")
    assert "not offered on cloud 'sim'" in said
    gcloud.compute("instances", "delete-access-config", name, ZONE, "--access-config-name=outside")
    gcloud.compute("addresses", "delete", "front", REGION)
    assert api.call("GET", "regions/de/addresses/front").status == 404


def test_global_addresses_and_those_of_basic_zones_are_refused(gcloud: Gcloud) -> None:
    assert "compute.globalAddresses.insert is not offered on cloud 'sim'" in gcloud.refused(
        "addresses", "create", "all", "--global")
    assert "compute.addresses.insert is not offered on cloud 'sim'" in gcloud.refused(
        "addresses", "create", "none", "--region=ch")
    assert gcloud.compute("addresses", "list", "--global").out == ""


def test_health_checks(gcloud: Gcloud, api: Api) -> None:
    gcloud.compute("http-health-checks", "create", "up", "--port=8080", "--request-path=/up")
    gcloud.compute("http-health-checks", "update", "up", "--port=8081", "--host=www.example")
    found = api.get("global/httpHealthChecks/up")
    assert (found["port"], found["host"], found["requestPath"]) == (8081, "www.example", "/up")
    assert gcloud.compute("http-health-checks", "list").rows[0]["PORT"] == "8081"
    gcloud.compute("http-health-checks", "describe", "up")
    gcloud.compute("http-health-checks", "delete", "up")


def test_pools_and_forwarding_rules(gcloud: Gcloud, api: Api, name: str) -> None:
    gcloud.compute("http-health-checks", "create", "ping")
    gcloud.compute("target-pools", "create", "web", REGION, "--http-health-check=ping")
    gcloud.compute("target-pools", "create", "other", REGION)
    gcloud.compute("target-pools", "add-instances", "web", REGION, f"--instances={name}", "--instances-zone=de-adv1")
    listed = {row["NAME"]: row for row in gcloud.compute("target-pools", "list").rows}
    assert (listed["web"]["REGION"], listed["web"]["SESSION_AFFINITY"]) == ("de", "NONE")
    gcloud.compute("forwarding-rules", "create", "public", REGION, "--target-pool=web", "--ports=80-81")
    rule = gcloud.compute("forwarding-rules", "describe", "public", REGION, "--format=json").data
    assert (rule["portRange"], rule["IPProtocol"]) == ("80-81", "TCP")
    row = gcloud.compute("forwarding-rules", "list").rows[0]
    assert (row["NAME"], row["IP_ADDRESS"], row["IP_PROTOCOL"]) == ("public", rule["IPAddress"], "TCP")
    assert "healthState: HEALTHY" in gcloud.compute("target-pools", "get-health", "web", REGION).out
    gcloud.compute("forwarding-rules", "update", "public", REGION, "--update-labels=a=b")
    assert api.get("regions/de/forwardingRules/public")["labels"] == {"a": "b"}
    gcloud.compute("target-instances", "create", "single", ZONE, f"--instance={name}")
    assert "single" in gcloud.compute("target-instances", "list").column("NAME")
    gcloud.compute("target-instances", "describe", "single", ZONE)
    gcloud.compute("forwarding-rules", "set-target", "public", REGION, "--target-instance=single",
                   "--target-instance-zone=de-adv1")
    gcloud.compute("forwarding-rules", "set-target", "public", REGION, "--target-pool=other")
    assert api.get("regions/de/targetPools/other")["name"] == "other"
    gcloud.compute("forwarding-rules", "delete", "public", REGION)
    gcloud.compute("target-pools", "remove-instances", "web", REGION, f"--instances={name}",
                   "--instances-zone=de-adv1")
    gcloud.compute("target-pools", "remove-health-checks", "web", REGION, "--http-health-check=ping")
    gcloud.compute("target-pools", "add-health-checks", "web", REGION, "--http-health-check=ping")
    assert "not offered on cloud 'sim'" in gcloud.refused(
        "target-pools", "set-backup", "web", REGION, "--backup-pool=other", "--failover-ratio=0.5")
    gcloud.compute("target-pools", "describe", "web", REGION)
    gcloud.compute("target-pools", "delete", "web", "other", REGION)
    gcloud.compute("target-instances", "delete", "single", ZONE)
    gcloud.compute("http-health-checks", "delete", "ping")
    assert "items" not in api.get("regions/de/forwardingRules")
