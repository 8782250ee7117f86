"""Firewalls of networks in custom mode: entries of the access list before a private cloud's tiers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine
from tests.wire.test_firewalls_on_addresses import ADVANCED, DISKS
from tests.wire.test_subnetworks import SUBNETS, subnet

HERE = "global/firewalls"
NETWORK = "global/networks/custom"
ANY = "0.0.0.0/0"
OUT = ("Egress", "Allow", "all", "", ANY)
"""What leaves is let out last of all."""


def firewall(name: str, **fields: Any) -> dict[str, Any]:
    """A firewall as a client asks for one."""
    body: dict[str, Any] = {"name": name, "network": NETWORK, "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}
    return {field: value for field, value in (body | fields).items() if value is not None}


def listed(cloudstack: CloudStack, tier: str = "front") -> list[tuple[Any, ...]]:
    """The entries before a tier in their order, as the cloud's own portal shows them."""
    network = cloudstack.listNetworks(name=tier)["network"][0]
    rows = cloudstack.listNetworkACLs(aclid=network["aclid"])["networkacl"]
    return [(row["traffictype"], row["action"], row["protocol"],
             f"{row['startport']}-{row['endport']}" if "startport" in row else "", row["cidrlist"])
            for row in sorted(rows, key=lambda row: row["number"])]


def custom(api: Api, *tiers: str) -> None:
    """A network in custom mode with these subnetworks."""
    api.change("POST", "global/networks", {"name": "custom", "autoCreateSubnetworks": False})
    for number, tier in enumerate(tiers, 1):
        api.change("POST", SUBNETS, subnet(tier, "custom", f"10.5.{number}.0/24"))


def from_portal(cloudstack: CloudStack, network: str, **tier: str) -> dict[str, Any]:
    """A private cloud made elsewhere, with one tier "front"."""
    zone = cloudstack.listZones(name="DE-ADV1")["zone"][0]["id"]
    vpc: dict[str, Any] = cloudstack.createVPC(
        name=network, cidr="10.5.0.0/16", zoneid=zone, fetch_result=True,
        vpcofferingid=cloudstack.listVPCOfferings()["vpcoffering"][0]["id"],
    )["vpc"]
    offering = next(row["id"] for row in cloudstack.listNetworkOfferings(forvpc="true")["networkoffering"])
    cloudstack.createNetwork(name="front", zoneid=zone, vpcid=vpc["id"], networkofferingid=offering,
                             gateway="10.5.1.1", netmask="255.255.255.0", **tier)
    return vpc


@pytest.fixture
def cloud(launch: Launch) -> tuple[Api, CloudStack, Simulator]:
    """A client, the cloud's portal and the cloud, of the test's own."""
    live, simulator = launch()
    return live.api(), portal(simulator), simulator


Cloud = tuple[Api, CloudStack, Simulator]


@pytest.fixture
def forgetful(launch: Launch) -> Cloud:
    """The same, where lists are remembered for a second: what others change is soon seen."""
    live, simulator = launch(extra="[cache]\nother = 1\n")
    return live.api(), portal(simulator), simulator


def test_a_subnetwork_lets_nothing_in_and_all_out_until_a_firewall_says_otherwise(cloud: Cloud) -> None:
    api, cloudstack, _ = cloud
    custom(api, "front", "back")
    assert listed(cloudstack, "front") == listed(cloudstack, "back") == [OUT]
    names = {row["name"] for row in cloudstack.listNetworkACLLists()["networkacllist"]}
    assert names == {"gcelib", "default_allow", "default_deny"}
    assert "items" not in api.get(HERE)
    sent = firewall("web", description="The web", priority=700, sourceRanges=["10.0.0.0/8", "192.168.0.0/16"],
                    allowed=[{"IPProtocol": "tcp", "ports": ["80", "443-444"]}, {"IPProtocol": "icmp"}])
    api.change("POST", HERE, sent)
    shown = api.get(f"{HERE}/web")
    assert {field: shown[field] for field in sent if field != "network"} == {
        field: value for field, value in sent.items() if field != "network"}
    assert (shown["direction"], shown["disabled"], shown["network"].endswith(NETWORK)) == ("INGRESS", False, True)
    ranges = "10.0.0.0/8,192.168.0.0/16"
    web = {("Ingress", "Allow", "tcp", "80-80", ranges), ("Ingress", "Allow", "tcp", "443-444", ranges),
           ("Ingress", "Allow", "icmp", "", ranges)}
    assert {*listed(cloudstack, "back")} == {*web, OUT}
    api.change("POST", SUBNETS, subnet("third", "custom", "10.5.3.0/24"))
    assert {*listed(cloudstack, "third")} == {*web, OUT}
    api.change("DELETE", f"{HERE}/web")
    assert listed(cloudstack, "third") == [OUT]


def test_priorities_decide_and_of_two_the_denying_one_comes_first(cloud: Cloud) -> None:
    api, cloudstack, _ = cloud
    custom(api, "front")
    api.change("POST", HERE, firewall("usual"))
    denied = [{"IPProtocol": "tcp"}]
    api.change("POST", HERE, firewall("not-from-there", allowed=None, denied=denied, sourceRanges=["192.0.2.0/24"]))
    api.change("POST", HERE, firewall("first", priority=0, allowed=[{"IPProtocol": "47"}]))
    api.change("POST", HERE, firewall("last", priority=65535, direction="EGRESS", allowed=None,
                                      denied=[{"IPProtocol": "all"}], destinationRanges=["203.0.113.0/24"]))
    assert listed(cloudstack) == [
        ("Ingress", "Allow", "47", "", ANY),
        ("Ingress", "Deny", "tcp", "", "192.0.2.0/24"),
        ("Ingress", "Allow", "tcp", "22-22", ANY),
        ("Egress", "Deny", "all", "", "203.0.113.0/24"),
        OUT,
    ]
    shown = api.get(f"{HERE}/last")
    assert (shown["direction"], shown["denied"], shown["destinationRanges"], shown["priority"]) == (
        "EGRESS", [{"IPProtocol": "all"}], ["203.0.113.0/24"], 65535)
    assert "sourceRanges" not in shown
    api.change("PATCH", f"{HERE}/usual", {"priority": 10})
    assert listed(cloudstack)[1] == ("Ingress", "Allow", "tcp", "22-22", ANY)
    assert api.get(f"{HERE}/usual")["priority"] == 10
    effective = api.get(f"{NETWORK}/getEffectiveFirewalls")["firewalls"]
    assert {each["name"] for each in effective} == {"usual", "not-from-there", "first", "last"}


def test_one_that_is_disabled_is_kept_and_in_force_again_when_it_is_enabled(cloud: Cloud) -> None:
    api, cloudstack, _ = cloud
    custom(api, "front")
    api.change("POST", HERE, firewall("ssh", disabled=True))
    assert (api.get(f"{HERE}/ssh")["disabled"], listed(cloudstack)) == (True, [OUT])
    api.change("PATCH", f"{HERE}/ssh", {"disabled": False})
    assert len(listed(cloudstack)) == 2
    api.change("PUT", f"{HERE}/ssh", firewall("ssh", sourceRanges=["10.0.0.0/8"], disabled=None))
    assert listed(cloudstack) == [("Ingress", "Allow", "tcp", "22-22", "10.0.0.0/8"), OUT]


def test_two_firewalls_that_say_the_same_share_an_entry_until_both_are_gone(cloud: Cloud) -> None:
    api, cloudstack, _ = cloud
    custom(api, "front")
    for name in ("one", "two"):
        api.change("POST", HERE, firewall(name))
    assert len(listed(cloudstack)) == 2
    api.change("DELETE", f"{HERE}/one")
    assert len(listed(cloudstack)) == 2
    api.change("DELETE", f"{HERE}/two")
    assert listed(cloudstack) == [OUT]


def test_a_firewall_may_be_there_before_the_first_subnetwork(cloud: Cloud) -> None:
    api, cloudstack, _ = cloud
    custom(api)
    api.change("POST", HERE, firewall("ssh"))
    assert api.get(f"{HERE}/ssh")["network"].endswith(NETWORK)
    busy = api.call("DELETE", NETWORK)
    assert (busy.status, busy.reason) == (400, "resourceInUseByAnotherResource")
    refused = api.call("POST", HERE, firewall("x", targetTags=["web"]))
    assert "resource.targetTags" in refused.message
    api.change("POST", SUBNETS, subnet("front", "custom", "10.5.1.0/24"))
    assert listed(cloudstack) == [("Ingress", "Allow", "tcp", "22-22", ANY), OUT]


def test_a_subnetwork_and_a_firewall_made_in_the_same_instant_find_each_other(launch: Launch) -> None:
    live, simulator = launch(job_delay=0.3)
    api, cloudstack = live.api(), portal(simulator)
    custom(api)
    begun = [api.start("POST", SUBNETS, subnet("front", "custom", "10.5.1.0/24")),
             api.start("POST", HERE, firewall("ssh")), api.start("POST", HERE, firewall("web", priority=5))]
    for operation in begun:
        assert "error" not in api.until_done(operation)
    assert listed(cloudstack) == [("Ingress", "Allow", "tcp", "22-22", ANY)] * 2 + [OUT]


def test_the_list_goes_with_its_network(cloud: Cloud) -> None:
    api, cloudstack, _ = cloud
    custom(api, "front")
    api.change("POST", HERE, firewall("ssh"))
    api.change("DELETE", f"{SUBNETS}/front")
    busy = api.call("DELETE", NETWORK)
    assert (busy.reason, "firewalls/ssh" in busy.message) == ("resourceInUseByAnotherResource", True)
    api.change("DELETE", f"{HERE}/ssh")
    api.change("DELETE", NETWORK)
    names = {row["name"] for row in cloudstack.listNetworkACLLists()["networkacllist"]}
    assert names == {"default_allow", "default_deny"}


def test_entries_made_elsewhere_in_our_list_are_shown_and_stay(forgetful: Cloud) -> None:
    api, cloudstack, _ = forgetful
    custom(api, "front")
    acl = cloudstack.listNetworks(name="front")["network"][0]["aclid"]
    cloudstack.createNetworkACL(aclid=acl, protocol="udp", startport=53, endport=53, cidrlist="9.9.9.9/32", number=7,
                                action="deny", traffictype="egress", fetch_result=True)
    shown = api.until(lambda: api.call("GET", f"{HERE}/gcelib-7"), 200).data
    assert (shown["priority"], shown["direction"], shown["denied"], shown["destinationRanges"]) == (
        7, "EGRESS", [{"IPProtocol": "udp", "ports": ["53"]}], ["9.9.9.9/32"])
    assert "made outside gcelib" in shown["description"]
    for verb in ("DELETE", "PATCH"):
        refused = api.call(verb, f"{HERE}/gcelib-7", {"priority": 8} if verb == "PATCH" else None)
        assert (refused.status, "entry 7 of access list gcelib" in refused.message) == (400, True), refused.data
    api.change("POST", HERE, firewall("ssh", priority=0))
    api.change("DELETE", f"{HERE}/ssh")
    assert listed(cloudstack) == [("Egress", "Deny", "udp", "53-53", "9.9.9.9/32"), OUT]


def test_a_tier_from_elsewhere_without_a_list_is_given_ours_by_the_first_firewall(cloud: Cloud) -> None:
    api, cloudstack, _ = cloud
    from_portal(cloudstack, "custom")
    api.until(lambda: api.call("GET", f"{SUBNETS}/front"), 200)
    api.change("POST", HERE, firewall("ssh"))
    assert listed(cloudstack) == [("Ingress", "Allow", "tcp", "22-22", ANY), OUT]


def test_somebody_elses_list_is_shown_and_never_replaced(forgetful: Cloud) -> None:
    api, cloudstack, _ = forgetful
    lists = {row["name"]: row["id"] for row in cloudstack.listNetworkACLLists()["networkacllist"]}
    vpc = from_portal(cloudstack, "custom", aclid=lists["default_allow"])
    api.until(lambda: api.call("GET", f"{SUBNETS}/front"), 200)
    shown = {each["name"]: each for each in api.get(HERE)["items"]}
    assert set(shown) == {"default-allow-1", "default-allow-2"}
    assert (shown["default-allow-1"]["allowed"], shown["default-allow-1"]["network"].endswith(NETWORK)) == (
        [{"IPProtocol": "all"}], True)
    refused = api.call("POST", HERE, firewall("ssh"))
    assert refused.status == 400
    for words in ("'front'", "'default_allow'", "'sim'", "left as it is"):
        assert words in refused.message
    api.change("POST", SUBNETS, subnet("ours", "custom", "10.5.9.0/24"))
    assert listed(cloudstack, "ours") == [OUT]
    assert "default_allow" in api.call("POST", HERE, firewall("ssh")).message
    own = next(row["id"] for row in cloudstack.listNetworkACLLists(vpcid=vpc["id"])["networkacllist"]
               if row["name"] == "gcelib")
    tier = cloudstack.listNetworks(name="front")["network"][0]["id"]
    cloudstack.replaceNetworkACLList(aclid=own, networkid=tier, fetch_result=True)
    api.until(lambda: api.call("GET", f"{HERE}/default-allow-1"), 404)
    api.change("POST", HERE, firewall("ssh"))
    assert len(listed(cloudstack)) == 2


def test_a_machine_has_the_firewalls_of_its_subnetwork(cloud: Cloud) -> None:
    api, cloudstack, _ = cloud
    lists = {row["name"]: row["id"] for row in cloudstack.listNetworkACLLists()["networkacllist"]}
    from_portal(cloudstack, "custom", aclid=lists["default_deny"])
    api.until(lambda: api.call("GET", f"{SUBNETS}/front"), 200)
    api.change("POST", SUBNETS, subnet("ours", "custom", "10.5.9.0/24"))
    for name, tier in (("theirs", "front"), ("mine", "ours")):
        api.change("POST", ADVANCED, machine(name, "de-adv1", disks=DISKS,
                                             networkInterfaces=[{"subnetwork": f"{SUBNETS}/{tier}"}]))
    found = api.get(f"{ADVANCED}/theirs/getEffectiveFirewalls", networkInterface="nic0")["firewalls"]
    assert {each["name"] for each in found} == {"default-deny-1", "default-deny-2"}
    assert not api.get(f"{ADVANCED}/mine/getEffectiveFirewalls", networkInterface="nic0").get("firewalls")


def test_a_change_that_fails_half_way_leaves_the_list_and_the_firewall_as_they_were(cloud: Cloud) -> None:
    api, cloudstack, simulator = cloud
    custom(api, "front")
    api.change("POST", HERE, firewall("ssh", description="before"))
    before = listed(cloudstack)
    ports = {"description": "after", "allowed": [{"IPProtocol": "tcp", "ports": ["80", "443", "22-23"]}]}
    for command, skip in (("createNetworkACL", 1), ("deleteNetworkACL", 0)):
        simulator.faults.add(command, "job_fail", skip=skip)
        done = api.until_done(api.start("PATCH", f"{HERE}/ssh", ports))
        assert done["error"]["errors"]
        assert listed(cloudstack) == before
        assert api.get(f"{HERE}/ssh")["description"] == "before"
    api.change("PATCH", f"{HERE}/ssh", ports)
    assert len(listed(cloudstack)) == 4


def test_where_users_see_no_access_lists_a_subnetwork_says_so(cloud: Cloud) -> None:
    api, _, simulator = cloud
    for command in ("listNetworkACLLists", "listNetworkACLs", "createNetworkACLList"):
        simulator.faults.add(command=command, times=0, status=432, errorcode=432, text="not available for user")
    api.change("POST", "global/networks", {"name": "custom", "autoCreateSubnetworks": False})
    made = api.change("POST", SUBNETS, subnet("front", "custom", "10.5.1.0/24"))
    assert "may not see" in made["warnings"][0]["message"]


@pytest.mark.parametrize(("body", "reason", "words"), [
    (firewall("x", targetTags=["a"]), "unsupportedOperation", "resource.targetTags"),
    (firewall("x", sourceTags=["a"]), "unsupportedOperation", "resource.sourceTags"),
    (firewall("x", destinationRanges=["10.0.0.0/8"]), "unsupportedOperation", "resource.destinationRanges"),
    (firewall("x", direction="EGRESS", sourceRanges=["10.0.0.0/8"]), "unsupportedOperation", "resource.sourceRanges"),
    (firewall("x", logConfig={"enable": True}), "unsupportedOperation", "resource.logConfig"),
    (firewall("x", targetServiceAccounts=["a@b"]), "unsupportedOperation", "resource.targetServiceAccounts"),
    (firewall("x", sourceRanges=["::/0"]), "unsupportedOperation", "resource.sourceRanges[0]"),
    (firewall("x", denied=[{"IPProtocol": "tcp"}]), "invalid", "resource.denied"),
    (firewall("x", allowed=None), "invalid", "resource.allowed"),
    (firewall("x", allowed=[{"IPProtocol": "icmp", "ports": ["8"]}]), "invalid", "ports"),
    (firewall("x", allowed=None, denied=[{"IPProtocol": "tcp", "ports": ["9-5"]}]), "invalid", "resource.denied[0]"),
    (firewall("x", priority=70000), "invalid", "resource.priority"),
])
def test_what_an_access_list_cannot_say_is_refused_by_field(
    private: Api, body: dict[str, Any], reason: str, words: str
) -> None:
    answer = private.call("POST", HERE, body)
    assert (answer.status, answer.reason) == (400, reason), answer.data
    assert words in answer.message
    assert reason == "invalid" or "'sim'" in answer.message
    assert private.call("GET", f"{HERE}/x").status == 404


@pytest.fixture(scope="module")
def private(api: Api) -> Iterator[Api]:
    """The shared server with a network in custom mode."""
    custom(api, "refusing")
    yield api
    api.change("DELETE", f"{SUBNETS}/refusing")
    api.change("DELETE", NETWORK)
