"""Firewalls of isolated networks: rules on the public addresses of machines, and on what leaves the network."""

from __future__ import annotations

from typing import Any

import pytest
from cs import CloudStack

from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine

HERE = "global/firewalls"
ADVANCED = "zones/de-adv1/instances"
DISKS = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
NETWORK = "global/networks/demo-network"


def firewall(name: str, **fields: Any) -> dict[str, Any]:
    """A firewall as a client asks for one."""
    body: dict[str, Any] = {"name": name, "network": NETWORK, "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}
    return {**body, **fields}


def egress(name: str, **fields: Any) -> dict[str, Any]:
    """One for what leaves the network."""
    return firewall(name, direction="EGRESS", **fields)


def opened(cloudstack: CloudStack, ip: str) -> set[tuple[Any, ...]]:
    """The rules on an address as the cloud's own portal shows them."""
    rows = cloudstack.listFirewallRules().get("firewallrule", [])
    return {(row["protocol"], row.get("startport"), row.get("endport"), row["cidrlist"])
            for row in rows if row["ipaddress"] == ip}


def reachable(api: Api, name: str, *tags: str) -> str:
    """Makes a machine with a public address; gives the address."""
    nic = {"network": NETWORK, "accessConfigs": [{"type": "ONE_TO_ONE_NAT"}]}
    api.change("POST", ADVANCED, machine(name, "de-adv1", disks=DISKS, networkInterfaces=[nic],
                                         tags={"items": list(tags)}))
    ip: str = api.get(f"{ADVANCED}/{name}")["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
    return ip


def test_a_firewall_opens_the_addresses_of_its_targets_only(launch: Launch) -> None:
    live, simulator = launch()
    api, cloudstack = live.api(), portal(simulator)
    web, plain = reachable(api, "web-1", "web"), reachable(api, "plain-1")
    sent = firewall("http", description="The web", priority=700, targetTags=["web"], sourceRanges=["10.0.0.0/8"],
                    allowed=[{"IPProtocol": "tcp", "ports": ["80", "443-444"]}, {"IPProtocol": "icmp"}])
    api.change("POST", HERE, sent)
    shown = api.get(f"{HERE}/http")
    assert {field: shown[field] for field in sent if field != "network"} == {
        field: value for field, value in sent.items() if field != "network"}
    assert (shown["direction"], shown["disabled"], shown["network"].endswith(NETWORK)) == ("INGRESS", False, True)
    web_rules = {("tcp", 80, 80, "10.0.0.0/8"), ("tcp", 443, 444, "10.0.0.0/8"), ("icmp", None, None, "10.0.0.0/8")}
    assert (opened(cloudstack, web), opened(cloudstack, plain)) == (web_rules, set())
    api.change("POST", HERE, firewall("ssh"))
    ssh = ("tcp", 22, 22, "0.0.0.0/0")
    assert (opened(cloudstack, web), opened(cloudstack, plain)) == ({*web_rules, ssh}, {ssh})
    late = reachable(api, "web-2", "web")
    assert opened(cloudstack, late) == {*web_rules, ssh}
    api.change("PATCH", f"{HERE}/ssh", {"disabled": True})
    assert api.get(f"{HERE}/ssh")["disabled"] is True
    assert (opened(cloudstack, web), opened(cloudstack, plain)) == (web_rules, set())
    tags = api.get(f"{ADVANCED}/plain-1")["tags"]
    api.change("POST", f"{ADVANCED}/plain-1/setTags", {"items": ["web"], "fingerprint": tags["fingerprint"]})
    assert opened(cloudstack, plain) == web_rules
    busy = api.call("DELETE", NETWORK)
    assert (busy.status, busy.reason) == (400, "resourceInUseByAnotherResource")
    for name in ("http", "ssh"):
        api.change("DELETE", f"{HERE}/{name}")
    assert not opened(cloudstack, web) | opened(cloudstack, plain) | opened(cloudstack, late)


def test_firewalls_that_overlap_are_one_rule_and_rules_made_elsewhere_stay(launch: Launch) -> None:
    live, simulator = launch()
    api, cloudstack = live.api(), portal(simulator)
    ip = reachable(api, "one")
    address = next(row for row in cloudstack.listPublicIpAddresses()["publicipaddress"] if row["ipaddress"] == ip)
    cloudstack.createFirewallRule(ipaddressid=address["id"], protocol="udp", startport=53, endport=53,
                                  cidrlist="0.0.0.0/0", fetch_result=True)
    elsewhere = ("udp", 53, 53, "0.0.0.0/0")
    api.change("POST", HERE, firewall("low", allowed=[{"IPProtocol": "tcp", "ports": ["20-30"]}]))
    api.change("POST", HERE, firewall("high", allowed=[{"IPProtocol": "tcp", "ports": ["25-40"]}]))
    assert opened(cloudstack, ip) == {elsewhere, ("tcp", 20, 40, "0.0.0.0/0")}
    api.change("DELETE", f"{HERE}/low")
    assert opened(cloudstack, ip) == {elsewhere, ("tcp", 25, 40, "0.0.0.0/0")}
    api.change("DELETE", f"{HERE}/high")
    assert opened(cloudstack, ip) == {elsewhere}


def test_a_firewall_that_allows_everything_opens_all_that_an_address_can_let_in(
    api: Api, cloudstack: CloudStack
) -> None:
    ip = reachable(api, "open-1", "open")
    everything = firewall("everything", targetTags=["open"], allowed=[{"IPProtocol": "all"}])
    api.change("POST", HERE, everything)
    api.change("POST", HERE, firewall("also-ssh", targetTags=["open"]))
    assert opened(cloudstack, ip) == {("tcp", 1, 65535, "0.0.0.0/0"), ("udp", 1, 65535, "0.0.0.0/0"),
                                      ("icmp", None, None, "0.0.0.0/0")}
    assert api.get(f"{HERE}/everything")["allowed"] == everything["allowed"]
    api.change("DELETE", f"{HERE}/everything")
    assert opened(cloudstack, ip) == {("tcp", 22, 22, "0.0.0.0/0")}
    api.change("DELETE", f"{HERE}/also-ssh")
    assert not opened(cloudstack, ip)
    api.change("DELETE", f"{ADVANCED}/open-1")


def test_what_may_leave_a_closed_network_is_said_by_egress_firewalls(api: Api, cloudstack: CloudStack) -> None:
    api.change("POST", HERE, egress("dns", destinationRanges=["9.9.9.9/32"],
                                    allowed=[{"IPProtocol": "udp", "ports": ["53"]}]))
    shown = api.get(f"{HERE}/dns")
    assert (shown["direction"], shown["destinationRanges"]) == ("EGRESS", ["9.9.9.9/32"])
    assert "sourceRanges" not in shown
    network = cloudstack.listNetworks(name="demo-network")["network"][0]
    rows = cloudstack.listEgressFirewallRules(networkid=network["id"])["firewallrule"]
    assert [(row["protocol"], row["startport"], row["destcidrlist"]) for row in rows] == [("udp", 53, "9.9.9.9/32")]
    effective = api.get(f"{NETWORK}/getEffectiveFirewalls")["firewalls"]
    assert [each["name"] for each in effective] == ["dns"]
    api.change("DELETE", f"{HERE}/dns")
    assert not cloudstack.listEgressFirewallRules(networkid=network["id"])


@pytest.mark.parametrize(("body", "reason", "words"), [
    (firewall("x", allowed=None, denied=[{"IPProtocol": "tcp"}]), "unsupportedOperation", "resource.denied"),
    (firewall("x", sourceTags=["a"]), "unsupportedOperation", "resource.sourceTags"),
    (firewall("x", allowed=[{"IPProtocol": "esp"}]), "unsupportedOperation", "IPProtocol"),
    (firewall("x", sourceRanges=["::/0"]), "unsupportedOperation", "resource.sourceRanges[0]"),
    (firewall("x", logConfig={"enable": True}), "unsupportedOperation", "resource.logConfig"),
    (firewall("x", allowed=[{"IPProtocol": "tcp", "ports": ["99999"]}]), "invalid", "99999"),
    (egress("x", targetTags=["a"]), "unsupportedOperation", "resource.targetTags"),
    (egress("x", allowed=None, denied=[{"IPProtocol": "tcp"}]), "unsupportedOperation", "resource.denied"),
    (egress("x", destinationRanges=["1.2.3.4/99"]), "invalid", "resource.destinationRanges[0]"),
    (firewall("x", allowed=None), "invalid", "resource.allowed"),
])
def test_what_rules_on_addresses_cannot_say_is_refused_by_field(
    api: Api, body: dict[str, Any], reason: str, words: str
) -> None:
    answer = api.call("POST", HERE, body)
    assert (answer.status, answer.reason) == (400, reason), answer.data
    assert words in answer.message
    assert api.call("GET", f"{HERE}/x").status == 404
