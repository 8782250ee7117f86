"""Firewalls and networks over the wire, and what becomes of them in the cloud's security groups."""

from __future__ import annotations

from typing import Any

import pytest
from cs import CloudStack

from tests.api import Api
from tests.wire.machines import machine

HERE = "global/firewalls"


def firewall(name: str, **fields: Any) -> dict[str, Any]:
    """A firewall as a client asks for one."""
    body: dict[str, Any] = {
        "name": name, "network": "global/networks/default", "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}],
    }
    return {**body, **fields}


def rules(cloudstack: CloudStack, group: str) -> set[tuple[Any, ...]]:
    """A group's rules as the cloud's own portal shows them."""
    found = cloudstack.listSecurityGroups(securitygroupname=group).get("securitygroup", [])
    return {
        (rule["protocol"], rule.get("startport", rule.get("icmptype")), rule.get("endport", rule.get("icmpcode")),
         rule.get("cidr", rule.get("securitygroupname")))
        for row in found for rule in row["ingressrule"]
    }


def test_a_firewall_reads_back_as_it_was_sent(api: Api, cloudstack: CloudStack) -> None:
    sent = firewall(
        "several", description="Several at once", priority=900, sourceRanges=["10.0.0.0/8", "192.168.1.0/24"],
        allowed=[{"IPProtocol": "TCP", "ports": ["22", "80-90"]}, {"IPProtocol": "17", "ports": ["53"]},
                 {"IPProtocol": "icmp"}, {"IPProtocol": "esp"}],
    )
    api.change("POST", HERE, sent)
    found = api.get(f"{HERE}/several")
    for field in ("description", "priority", "sourceRanges"):
        assert found[field] == sent[field]
    assert [entry["IPProtocol"].lower() for entry in found["allowed"]] == ["tcp", "17", "icmp", "esp"]
    assert found["allowed"][0]["ports"] == ["22", "80-90"]
    assert (found["direction"], found["disabled"]) == ("INGRESS", False)
    assert rules(cloudstack, "default") >= {
        (protocol, first, last, source) for source in sent["sourceRanges"]
        for protocol, first, last in (("tcp", 22, 22), ("tcp", 80, 90), ("udp", 53, 53), ("icmp", -1, -1))
    }
    api.change("DELETE", f"{HERE}/several")
    assert api.call("GET", f"{HERE}/several").status == 404
    assert not {rule for rule in rules(cloudstack, "default") if rule[3] in sent["sourceRanges"]}


def test_target_and_source_tags_are_groups_that_machines_join(api: Api, cloudstack: CloudStack) -> None:
    api.change("POST", HERE, firewall("from-front", sourceTags=["front"], targetTags=["back"]))
    api.change("POST", "zones/ch-gv2/instances", machine("back-1", tags={"items": ["back"]}))
    found = api.get(f"{HERE}/from-front")
    assert (found["sourceTags"], found["targetTags"], "sourceRanges" in found) == (["front"], ["back"], False)
    vm = cloudstack.listVirtualMachines(name="back-1")["virtualmachine"][0]
    names = {group["name"] for group in vm["securitygroup"]}
    assert {"default", "gcelib:default:tag:back"} <= names
    assert len([name for name in names if name.startswith("gcelib:default:vm:back-1:")]) == 1
    assert rules(cloudstack, "gcelib:default:tag:back") == {("tcp", 22, 22, "gcelib:default:tag:front")}
    api.change("DELETE", f"{HERE}/from-front")
    assert rules(cloudstack, "gcelib:default:tag:back") == set()


def test_two_firewalls_may_want_the_same_rule(api: Api, cloudstack: CloudStack) -> None:
    api.change("POST", HERE, firewall("one", sourceRanges=["172.16.0.0/12"]))
    api.change("POST", HERE, firewall("two", sourceRanges=["172.16.0.0/12"]))
    api.change("DELETE", f"{HERE}/one")
    assert ("tcp", 22, 22, "172.16.0.0/12") in rules(cloudstack, "default")
    assert api.get(f"{HERE}/two")["sourceRanges"] == ["172.16.0.0/12"]
    api.change("DELETE", f"{HERE}/two")
    assert ("tcp", 22, 22, "172.16.0.0/12") not in rules(cloudstack, "default")


def test_a_patch_changes_what_it_names_and_an_update_the_rest_too(api: Api, cloudstack: CloudStack) -> None:
    api.change("POST", HERE, firewall("changing", description="first", sourceRanges=["10.1.0.0/16"]))
    api.change("PATCH", f"{HERE}/changing", {"allowed": [{"IPProtocol": "tcp", "ports": ["22", "443"]}]})
    found = api.get(f"{HERE}/changing")
    assert (found["description"], found["allowed"][0]["ports"]) == ("first", ["22", "443"])
    assert {rule for rule in rules(cloudstack, "default") if rule[3] == "10.1.0.0/16"} == {
        ("tcp", 22, 22, "10.1.0.0/16"), ("tcp", 443, 443, "10.1.0.0/16")}
    api.change("PUT", f"{HERE}/changing", firewall("changing", sourceRanges=["10.2.0.0/16"]))
    found = api.get(f"{HERE}/changing")
    assert (found["description"], found["sourceRanges"]) == ("", ["10.2.0.0/16"])
    assert not {rule for rule in rules(cloudstack, "default") if rule[3] == "10.1.0.0/16"}
    api.change("DELETE", f"{HERE}/changing")


def test_a_null_in_a_patch_clears_the_field(api: Api, cloudstack: CloudStack) -> None:
    api.change("POST", HERE, firewall("cleared", description="first", sourceRanges=["10.3.0.0/16"]))
    api.change("PATCH", f"{HERE}/cleared", {"description": None, "sourceRanges": None, "sourceTags": ["front"]})
    found = api.get(f"{HERE}/cleared")
    assert (found["description"], "sourceRanges" in found, found["sourceTags"]) == ("", False, ["front"])
    assert not {rule for rule in rules(cloudstack, "default") if rule[3] == "10.3.0.0/16"}
    api.change("DELETE", f"{HERE}/cleared")


def test_a_group_made_elsewhere_is_shown_and_left_as_it_is(api: Api, cloudstack: CloudStack) -> None:
    cloudstack.createSecurityGroup(name="Made In Portal")
    cloudstack.authorizeSecurityGroupIngress(
        securitygroupname="Made In Portal", protocol="TCP", startport=8080, endport=8080, cidrlist="0.0.0.0/0",
        fetch_result=True)
    found = api.until(lambda: api.call("GET", f"{HERE}/made-in-portal"), 200)
    assert found.data["allowed"] == [{"IPProtocol": "tcp", "ports": ["8080"]}]
    for verb, body in (("DELETE", None), ("PATCH", {"priority": 1})):
        answer = api.call(verb, f"{HERE}/made-in-portal", body)
        assert answer.status == 400
        assert "outside gcelib" in answer.message


@pytest.mark.parametrize(("change", "reason", "words"), [
    ({"allowed": None, "denied": [{"IPProtocol": "tcp"}]}, "unsupportedOperation", "resource.denied"),
    ({"direction": "EGRESS"}, "unsupportedOperation", "resource.direction"),
    ({"disabled": True}, "unsupportedOperation", "resource.disabled"),
    ({"logConfig": {"enable": True}}, "unsupportedOperation", "resource.logConfig"),
    ({"allowed": [{"IPProtocol": "warp"}]}, "invalid", "warp"),
    ({"allowed": [{"IPProtocol": "\N{SUPERSCRIPT TWO}"}]}, "invalid", "resource.allowed[0].IPProtocol"),
    ({"targetTags": [""]}, "invalid", "resource.targetTags[0]"),
    ({"sourceTags": ["front", "Back Office"]}, "invalid", "resource.sourceTags[1]"),
    ({"allowed": [{"IPProtocol": "tcp", "ports": ["99999"]}]}, "invalid", "99999"),
    ({"sourceRanges": ["10.0.0.0/99"]}, "invalid", "10.0.0.0/99"),
    ({"network": "global/networks/nowhere"}, "invalid", "nowhere"),
])
def test_what_the_groups_cannot_say_is_refused_by_field(
    api: Api, change: dict[str, Any], reason: str, words: str
) -> None:
    answer = api.call("POST", HERE, {**firewall("refused"), **change})
    assert (answer.status, answer.reason) == (400, reason), answer.data
    assert words in answer.message
    assert api.call("GET", f"{HERE}/refused").status == 404
