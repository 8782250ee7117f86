"""google-api-python-client calls what is served of places, operations, projects, networks and load balancing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.caller import Caller
from tests.live import Live

ZONE, REGION = {"zone": "de-adv1"}, {"region": "de"}
MACHINES = "zones/de-adv1/instances"


@pytest.fixture(scope="module")
def google(plain: Live) -> Iterator[Caller]:
    """The client."""
    made = Caller(plain)
    yield made
    made.close()


@pytest.fixture(scope="module")
def machine(google: Caller) -> str:
    """The link of a machine in an isolated network."""
    body = {
        "name": "balanced", "machineType": "zones/de-adv1/machineTypes/micro",
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}],
        "networkInterfaces": [{"network": "global/networks/demo-network"}],
    }
    google.change("instances", "insert", **ZONE, body=body)
    return str(google.ask("instances", "get", **ZONE, instance="balanced")["selfLink"])


def permitted(google: Caller, collection: str, resource: str, **where: Any) -> bool:
    """Whether the caller may read the thing, as the thing itself says."""
    wish = {"permissions": [f"compute.{collection}.get"]}
    return bool(google.ask(collection, "testIamPermissions", **where, resource=resource, body=wish) == wish)


@pytest.mark.parametrize(("collection", "where", "argument"), [
    ("zones", {}, "zone"), ("regions", {}, "region"), ("machineTypes", ZONE, "machineType"),
    ("diskTypes", ZONE, "diskType"),
])
def test_places_and_what_they_offer(google: Caller, collection: str, where: Any, argument: str) -> None:
    names = google.names(collection, **where)
    assert names == sorted(set(names))
    for name in names:
        assert google.ask(collection, "get", **where, **{argument: name})["name"] == name
    if where:
        assert set(names) <= set(google.names(collection, "aggregatedList"))


@pytest.mark.parametrize(("collection", "where", "change"), [
    ("zoneOperations", ZONE, ("instances", "reset", {"instance": "balanced"})),
    ("regionOperations", REGION, ("targetPools", "insert", {"body": {"name": "operated"}})),
    ("globalOperations", {}, ("httpHealthChecks", "insert", {"body": {"name": "operated"}})),
])
def test_operations(google: Caller, machine: str, collection: str, where: Any, change: Any) -> None:
    begun = google.ask(change[0], change[1], **where, **change[2])
    done = google.ask(collection, "wait", **where, operation=begun["name"])
    assert (done["status"], done["progress"], done["selfLink"]) == ("DONE", 100, begun["selfLink"])
    assert google.ask(collection, "get", **where, operation=begun["name"]) == done
    assert begun["name"] in google.names(collection, **where)
    assert begun["name"] in google.names("globalOperations", "aggregatedList")
    google.ask(collection, "delete", **where, operation=begun["name"])
    google.refused(404, collection, "get", **where, operation=begun["name"])


def test_the_project(google: Caller) -> None:
    before = google.ask("projects", "get")["commonInstanceMetadata"]
    items = [{"key": "called-by", "value": "every-method"}]
    body = {"items": items, "fingerprint": before["fingerprint"]}
    google.change("projects", "setCommonInstanceMetadata", body=body)
    assert google.ask("projects", "get")["commonInstanceMetadata"]["items"] == items
    google.change("projects", "setUsageExportBucket", body={})
    for method, body in (("moveInstance", {"targetInstance": MACHINES, "destinationZone": "zones/fr-sg1"}),
                         ("moveDisk", {"targetDisk": "zones/x/disks/y", "destinationZone": "zones/fr-sg1"}),
                         ("setUsageExportBucket", {"bucketName": "gs://bucket"})):
        assert f"compute.projects.{method} is not offered on cloud 'sim'" in google.refused(
            400, "projects", method, body=body)


def test_networks_subnetworks_and_routes(google: Caller) -> None:
    google.change("networks", "insert", body={"name": "private", "autoCreateSubnetworks": False})
    google.change("networks", "patch", network="private", body={"routingConfig": {"routingMode": "REGIONAL"}})
    assert "private" in google.names("networks")
    assert google.ask("networks", "get", network="private")["routingConfig"] == {"routingMode": "REGIONAL"}
    google.ask("networks", "getEffectiveFirewalls", network="demo-network")

    body: dict[str, Any] = {"name": "tier", "network": "global/networks/private", "ipCidrRange": "10.5.1.0/24"}
    google.change("subnetworks", "insert", **REGION, body=body)
    tier = google.ask("subnetworks", "get", **REGION, subnetwork="tier")
    wish = {"privateIpGoogleAccess": False, "fingerprint": tier["fingerprint"]}
    google.change("subnetworks", "patch", **REGION, subnetwork="tier", body=wish)
    google.change("subnetworks", "setPrivateIpGoogleAccess", **REGION, subnetwork="tier",
                  body={"privateIpGoogleAccess": False})
    assert google.ask("subnetworks", "get", **REGION, subnetwork="tier")["privateIpGoogleAccess"] is False
    assert permitted(google, "subnetworks", "tier", **REGION)
    for names in (google.names("subnetworks", **REGION), google.names("subnetworks", "aggregatedList")):
        assert "tier" in names
    usable = google.ask("subnetworks", "listUsable")["items"]
    assert tier["selfLink"] in [each["subnetwork"] for each in usable]

    body = {"name": "far", "network": "global/networks/private", "destRange": "192.168.7.0/24",
            "nextHopIp": "10.5.1.9", "priority": 1000}
    google.change("routes", "insert", body=body)
    assert google.ask("routes", "get", route="far")["destRange"] == "192.168.7.0/24"
    assert "far" in google.names("routes")
    assert permitted(google, "routes", "far")
    google.change("routes", "delete", route="far")
    google.change("subnetworks", "delete", **REGION, subnetwork="tier")
    google.change("networks", "delete", network="private")


def test_firewalls(google: Caller) -> None:
    body: dict[str, Any] = {"name": "web", "network": "global/networks/default", "sourceRanges": ["10.0.0.0/8"],
                            "allowed": [{"IPProtocol": "tcp", "ports": ["80"]}]}
    google.change("firewalls", "insert", body=body)
    assert google.ask("firewalls", "get", firewall="web")["sourceRanges"] == ["10.0.0.0/8"]
    google.change("firewalls", "patch", firewall="web", body={"sourceRanges": ["10.1.0.0/16"]})
    google.change("firewalls", "update", firewall="web", body={**body, "sourceRanges": ["10.2.0.0/16"]})
    assert google.ask("firewalls", "get", firewall="web")["sourceRanges"] == ["10.2.0.0/16"]
    assert "web" in google.names("firewalls")
    assert permitted(google, "firewalls", "web")
    google.change("firewalls", "delete", firewall="web")


def test_addresses(google: Caller) -> None:
    google.change("addresses", "insert", **REGION, body={"name": "front"})
    front = google.ask("addresses", "get", **REGION, address="front")
    body = {"labels": {"a": "b"}, "labelFingerprint": front["labelFingerprint"]}
    google.change("addresses", "setLabels", **REGION, resource="front", body=body)
    assert google.ask("addresses", "get", **REGION, address="front")["labels"] == {"a": "b"}
    for names in (google.names("addresses", **REGION), google.names("addresses", "aggregatedList")):
        assert "front" in names
    assert permitted(google, "addresses", "front", **REGION)
    google.change("addresses", "delete", **REGION, address="front")


def test_health_checks_target_pools_and_forwarding_rules(google: Caller, machine: str) -> None:
    google.change("httpHealthChecks", "insert", body={"name": "up", "port": 8080})
    google.change("httpHealthChecks", "patch", httpHealthCheck="up", body={"requestPath": "/up"})
    google.change("httpHealthChecks", "update", httpHealthCheck="up", body={"name": "up", "requestPath": "/live"})
    assert google.ask("httpHealthChecks", "get", httpHealthCheck="up")["requestPath"] == "/live"
    assert "up" in google.names("httpHealthChecks")
    assert permitted(google, "httpHealthChecks", "up")

    pool = {**REGION, "targetPool": "web"}
    members, checks = {"instances": [{"instance": machine}]}, {
        "healthChecks": [{"healthCheck": "global/httpHealthChecks/up"}]}
    google.change("targetPools", "insert", **REGION, body={"name": "web"})
    google.change("targetPools", "setBackup", **pool, body={})
    google.change("targetPools", "addInstance", **pool, body=members)
    google.change("targetPools", "addHealthCheck", **pool, body=checks)
    assert google.ask("targetPools", "get", **pool)["instances"] == [machine]
    body: dict[str, Any] = {"name": "shop", "portRange": "80", "IPProtocol": "TCP", "target":
                            "regions/de/targetPools/web"}
    google.change("forwardingRules", "insert", **REGION, body=body)
    assert google.ask("targetPools", "getHealth", **pool, body={"instance": machine})["healthStatus"]
    for names in (google.names("targetPools", **REGION), google.names("targetPools", "aggregatedList")):
        assert "web" in names
    assert permitted(google, "targetPools", "web", **REGION)

    google.change("targetInstances", "insert", **ZONE, body={"name": "alone", "instance": machine})
    alone = google.ask("targetInstances", "get", **ZONE, targetInstance="alone")["selfLink"]
    for names in (google.names("targetInstances", **ZONE), google.names("targetInstances", "aggregatedList")):
        assert names == ["alone"]
    assert permitted(google, "targetInstances", "alone", **ZONE)

    rule = {**REGION, "forwardingRule": "shop"}
    google.change("forwardingRules", "setTarget", **rule, body={"target": alone})
    shop = google.ask("forwardingRules", "get", **rule)
    assert shop["target"] == alone
    marks = {name: shop[name] for name in ("labelFingerprint", "fingerprint")}
    google.change("forwardingRules", "setLabels", **REGION, resource="shop", body={
        "labels": {"a": "b"}, "labelFingerprint": marks["labelFingerprint"]})
    marks = {name: google.ask("forwardingRules", "get", **rule)[name] for name in marks}
    google.change("forwardingRules", "patch", **rule, body={"labels": {"a": "c"}, **marks})
    assert google.ask("forwardingRules", "get", **rule)["labels"] == {"a": "c"}
    for names in (google.names("forwardingRules", **REGION), google.names("forwardingRules", "aggregatedList")):
        assert names == ["shop"]

    google.change("forwardingRules", "delete", **rule)
    google.change("targetInstances", "delete", **ZONE, targetInstance="alone")
    google.change("targetPools", "removeInstance", **pool, body=members)
    google.change("targetPools", "removeHealthCheck", **pool, body=checks)
    google.change("targetPools", "delete", **pool)
    google.change("httpHealthChecks", "delete", httpHealthCheck="up")
