"""Networks in GCE's modes and their subnetworks, and what they are on the cloud."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cs import CloudStack

from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine

DISKS = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
ADVANCED = "zones/de-adv1/instances"
SUBNETS = "regions/de/subnetworks"


def subnet(name: str, network: str, cidr: str, **fields: Any) -> dict[str, Any]:
    """A subnetwork as a client asks for one."""
    return {"name": name, "network": f"global/networks/{network}", "ipCidrRange": cidr, **fields}


def test_a_network_in_auto_mode_has_a_subnetwork_in_each_region(launch: Launch) -> None:
    api = launch()[0].api()
    body = {"name": "automatic", "autoCreateSubnetworks": True, "description": "By itself",
            "routingConfig": {"routingMode": "REGIONAL"}}
    api.change("POST", "global/networks", body)
    found = api.get("global/networks/automatic")
    assert {field: found[field] for field in body} == body
    assert "IPv4Range" not in found
    assert [link.partition("/demo/")[2] for link in found["subnetworks"]] == [f"{SUBNETS}/automatic"]
    below = api.get(f"{SUBNETS}/automatic")
    assert below["network"] == found["selfLink"]
    assert (below["ipCidrRange"], below["gatewayAddress"]) == ("10.1.1.0/24", "10.1.1.1")
    refused = api.call("DELETE", f"{SUBNETS}/automatic")
    assert (refused.status, "auto mode" in refused.message) == (400, True)
    api.change("DELETE", "global/networks/automatic")
    assert api.call("GET", f"{SUBNETS}/automatic").status == 404


def test_a_network_in_custom_mode_is_a_private_cloud_with_tiers(launch: Launch) -> None:
    live, simulator = launch()
    api, cloudstack = live.api(), portal(simulator)
    api.change("POST", "global/networks", {"name": "custom", "autoCreateSubnetworks": False, "description": "Mine"})
    found = api.get("global/networks/custom")
    assert (found["autoCreateSubnetworks"], found["description"], "subnetworks" in found) == (False, "Mine", False)
    assert not cloudstack.listVPCs()
    bodies = [subnet(name, "custom", cidr, description=f"The {name}", privateIpGoogleAccess=False)
              for name, cidr in (("front", "10.5.1.0/24"), ("back", "10.5.2.0/24"))]
    # At once: both are to be in the one private cloud, which is not there yet.
    with ThreadPoolExecutor(2) as pool:
        begun = [*pool.map(lambda body: api.start("POST", SUBNETS, body), bodies)]
    for sent, operation in zip(bodies, begun, strict=True):
        assert "error" not in api.until_done(operation)
        shown = api.get(f"{SUBNETS}/{sent['name']}")
        assert {field: shown[field] for field in ("name", "ipCidrRange", "description")} == {
            field: sent[field] for field in ("name", "ipCidrRange", "description")}
        assert shown["network"].endswith("/global/networks/custom")
    vpc = cloudstack.listVPCs()["vpc"][0]
    assert (vpc["name"], sorted(tier["name"] for tier in vpc["network"])) == ("custom", ["back", "front"])
    assert len(api.get("global/networks/custom")["subnetworks"]) == 2
    usable = api.get("aggregated/subnetworks/listUsable")["items"]
    assert {each["ipCidrRange"] for each in usable} == {"10.5.1.0/24", "10.5.2.0/24"}
    first = api.get("aggregated/subnetworks/listUsable", maxResults=1)
    second = api.get("aggregated/subnetworks/listUsable", maxResults=1, pageToken=first["nextPageToken"])
    assert {each["ipCidrRange"] for each in first["items"] + second["items"]} == {"10.5.1.0/24", "10.5.2.0/24"}
    busy = api.call("DELETE", "global/networks/custom")
    assert (busy.status, busy.reason) == (400, "resourceInUseByAnotherResource")
    for name in ("front", "back"):
        api.change("DELETE", f"{SUBNETS}/{name}")
    api.change("DELETE", "global/networks/custom")
    assert not cloudstack.listVPCs()
    assert api.call("GET", "global/networks/custom").status == 404


def test_a_machine_joins_a_subnetwork_and_keeps_it_from_being_deleted(launch: Launch) -> None:
    api = launch()[0].api()
    api.change("POST", "global/networks", {"name": "custom", "autoCreateSubnetworks": False})
    api.change("POST", SUBNETS, subnet("one", "custom", "172.20.1.0/24"))
    body = machine("by-network", "de-adv1", disks=DISKS, networkInterfaces=[{"network": "global/networks/custom"}])
    api.change("POST", ADVANCED, body)
    nic = api.get(f"{ADVANCED}/by-network")["networkInterfaces"][0]
    assert nic["network"].endswith("/global/networks/custom")
    assert nic["subnetwork"].endswith(f"/{SUBNETS}/one")
    busy = api.call("DELETE", f"{SUBNETS}/one")
    assert (busy.status, busy.reason) == (400, "resourceInUseByAnotherResource")
    api.change("POST", SUBNETS, subnet("two", "custom", "172.20.2.0/24"))
    unclear = api.call("POST", ADVANCED, {**body, "name": "which"})
    assert (unclear.status, "one, two" in unclear.message) == (400, True)
    nics = [{"subnetwork": f"{SUBNETS}/two"}]
    api.change("POST", ADVANCED, {**body, "name": "by-subnetwork", "networkInterfaces": nics})
    assert api.get(f"{ADVANCED}/by-subnetwork")["networkInterfaces"][0]["networkIP"].startswith("172.20.2.")
    for name in ("by-network", "by-subnetwork"):
        api.change("DELETE", f"{ADVANCED}/{name}")
    failed = api.until_done(api.start("DELETE", f"{SUBNETS}/one"))
    assert "until the cloud purges them" in failed["error"]["errors"][0]["message"]


@pytest.fixture(scope="module")
def custom(api: Api) -> Iterator[Api]:
    """A project with a network in custom mode."""
    api.change("POST", "global/networks", {"name": "custom", "autoCreateSubnetworks": False})
    api.change("POST", SUBNETS, subnet("there", "custom", "10.6.4.0/22"))
    yield api
    api.change("DELETE", f"{SUBNETS}/there")
    api.change("DELETE", "global/networks/custom")


def test_a_range_wider_than_the_cloud_gives_is_refused_with_what_it_gives_and_leaves_nothing(
    custom: Api, cloudstack: CloudStack
) -> None:
    custom.change("POST", "global/networks", {"name": "wide", "autoCreateSubnetworks": False})
    failed = custom.until_done(custom.start("POST", SUBNETS, subnet("wide", "wide", "10.128.0.0/20")))
    (error,) = failed["error"]["errors"]
    assert "/22 or less" in error["message"]
    assert "wide" not in [row["name"] for row in cloudstack.listVPCs().get("vpc", [])]
    custom.change("POST", SUBNETS, subnet("wide", "wide", "10.128.0.0/22"))
    assert custom.get(f"{SUBNETS}/wide")["ipCidrRange"] == "10.128.0.0/22"
    custom.change("DELETE", f"{SUBNETS}/wide")
    custom.change("DELETE", "global/networks/wide")


@pytest.mark.parametrize(("path", "body", "status", "words"), [
    (SUBNETS, subnet("x", "custom", "10.6.5.0/24"), 400, "overlaps"),
    (SUBNETS, subnet("x", "custom", "192.168.0.0/24"), 400, "private cloud"),
    (SUBNETS, subnet("x", "custom", "10.7.0.1/24"), 400, "resource.ipCidrRange"),
    (SUBNETS, subnet("x", "custom", "10.7.0.0/24", privateIpGoogleAccess=True), 400, "resource.privateIpGoogleAccess"),
    (SUBNETS, subnet("x", "custom", "10.7.0.0/24", secondaryIpRanges=[{"rangeName": "a"}]), 400, "secondaryIpRanges"),
    (SUBNETS, subnet("x", "nowhere", "10.7.0.0/24"), 400, "resource.network"),
    (SUBNETS, subnet("x", "demo-network", "10.7.0.0/24"), 400, "legacy mode"),
    (SUBNETS, subnet("there", "custom", "10.7.0.0/24"), 409, "already exists"),
    ("regions/ch/subnetworks", subnet("x", "custom", "10.7.0.0/24"), 400, "'sim'"),
    ("global/networks", {"name": "x", "autoCreateSubnetworks": True, "IPv4Range": "10.0.0.0/8"}, 400, "IPv4Range"),
    ("global/networks", {"name": "x", "routingConfig": {"routingMode": "GLOBAL"}}, 400, "resource.routingConfig"),
    ("global/networks", {"name": "x", "autoCreateSubnetworks": False, "mtu": 1500}, 400, "resource.mtu"),
    ("global/networks", {"name": "custom"}, 409, "already exists"),
    (f"{SUBNETS}/there/setPrivateIpGoogleAccess", {"privateIpGoogleAccess": True}, 400, "'sim'"),
    (f"{SUBNETS}/there/expandIpCidrRange", {"ipCidrRange": "10.0.0.0/8"}, 400, "'sim'"),
    ("global/networks/custom/switchToCustomMode", None, 400, "'sim'"),
])
def test_what_cannot_be_is_refused_by_field(custom: Api, path: str, body: Any, status: int, words: str) -> None:
    answer = custom.call("POST", path, body)
    assert answer.status == status, answer.data
    assert words in answer.message
    assert custom.call("GET", f"{SUBNETS}/x").status == 404


def test_what_is_so_already_can_be_asked_for_again(custom: Api) -> None:
    there = custom.get(f"{SUBNETS}/there")
    custom.change("PATCH", f"{SUBNETS}/there", {"fingerprint": there["fingerprint"], "ipCidrRange": "10.6.4.0/22"})
    custom.change("POST", f"{SUBNETS}/there/setPrivateIpGoogleAccess", {"privateIpGoogleAccess": False})
    custom.change("PATCH", "global/networks/custom", {"routingConfig": {"routingMode": "REGIONAL"}})
    stale = custom.call("PATCH", f"{SUBNETS}/there", {"fingerprint": "AAAAAAAAAAA=", "ipCidrRange": "10.6.4.0/22"})
    assert stale.status == 412
    assert custom.call("PATCH", "global/networks/custom", {"description": "other"}).status == 400
    found = custom.get("aggregated/subnetworks")["items"]
    assert [each["name"] for each in found["regions/de"]["subnetworks"]] == ["there"]
    assert "warning" in found["regions/ch"]
    asked = {"permissions": ["compute.subnetworks.delete"]}
    assert custom.call("POST", f"{SUBNETS}/there/testIamPermissions", asked).data["permissions"]


def test_a_private_cloud_made_elsewhere_is_a_network_in_custom_mode(launch: Launch) -> None:
    live, simulator = launch(extra="[cache]\nother = 1\n")
    api, cloudstack = live.api(), portal(simulator)
    assert api.call("GET", "global/networks/from-portal").status == 404
    zone = cloudstack.listZones(name="DE-ADV1")["zone"][0]["id"]
    offering = cloudstack.listVPCOfferings()["vpcoffering"][0]["id"]
    made = cloudstack.createVPC(name="From Portal", displaytext="Portal", cidr="10.9.0.0/16", zoneid=zone,
                                vpcofferingid=offering, fetch_result=True)["vpc"]
    shown = api.until(lambda: api.call("GET", "global/networks/from-portal"), 200)
    assert (shown.data["autoCreateSubnetworks"], shown.data["description"]) == (False, "Portal")
    api.change("POST", SUBNETS, subnet("added", "from-portal", "10.9.1.0/24"))
    assert cloudstack.listNetworks(vpcid=made["id"])["network"][0]["name"] == "added"
    api.change("DELETE", f"{SUBNETS}/added")
    api.change("DELETE", "global/networks/from-portal")


def test_where_there_are_no_private_clouds_a_subnetwork_is_an_isolated_network(launch: Launch) -> None:
    live, simulator = launch()
    for command in ("listVPCOfferings", "listVPCs", "listStaticRoutes"):
        simulator.faults.add(command=command, times=0, status=432, errorcode=432, text="not available for user")
    api, cloudstack = live.api(), portal(simulator)
    api.change("POST", "global/networks", {"name": "custom", "autoCreateSubnetworks": False})
    api.change("POST", SUBNETS, subnet("only", "custom", "10.6.0.0/24", description="The one"))
    shown = api.get(f"{SUBNETS}/only")
    assert (shown["ipCidrRange"], shown["description"]) == ("10.6.0.0/24", "The one")
    assert shown["network"].endswith("/global/networks/custom")
    assert api.get("global/networks/custom")["subnetworks"] == [shown["selfLink"]]
    assert "only" in {each["name"] for each in cloudstack.listNetworks()["network"]}
    refused = api.call("POST", SUBNETS, subnet("more", "custom", "10.7.0.0/24"))
    assert (refused.status, "no private clouds" in refused.message) == (400, True)
    firewall = {"name": "in", "network": "global/networks/custom", "allowed": [{"IPProtocol": "icmp"}]}
    api.change("POST", "global/firewalls", firewall)
    assert api.get("global/firewalls/in")["network"].endswith("/global/networks/custom")
    api.change("DELETE", "global/firewalls/in")
    api.change("DELETE", f"{SUBNETS}/only")
    api.change("DELETE", "global/networks/custom")
