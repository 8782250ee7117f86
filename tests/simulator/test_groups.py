"""Security groups: one rule for each source, failures, use."""

from __future__ import annotations

import pytest

from tests.simulator.client import Refusal

ANYWHERE = "0.0.0.0/0"


def refused(code, call, command, **given):
    with pytest.raises(Refusal) as caught:
        call(command, **given)
    assert caught.value.code == code


def group(call, name):
    return call.rows("listSecurityGroups", securitygroupname=name)[0]


def allow(call, name, command="authorizeSecurityGroupIngress", **given):
    return call.job(command, securitygroupname=name, **given)


def test_every_account_has_a_default_group_that_stays(demo):
    (default,) = demo.rows("listSecurityGroups")
    assert (default["name"], default["ingressrule"], default["virtualmachinecount"]) == ("default", [], 0)
    refused(431, demo, "deleteSecurityGroup", name="default")
    refused(431, demo, "createSecurityGroup", name="default")


def test_a_rule_is_made_for_each_cidr_and_only_new_ones_are_told(demo):
    demo("createSecurityGroup", name="web")
    ssh = {"protocol": "TCP", "startport": 22, "endport": 22}
    first = allow(demo, "web", **ssh, cidrlist=ANYWHERE)["jobresult"]["securitygroup"]
    assert [(rule["protocol"], rule["startport"], rule["cidr"]) for rule in first["ingressrule"]] == [
        ("tcp", 22, ANYWHERE)
    ]
    second = allow(demo, "web", **ssh, cidrlist=f"{ANYWHERE},10.0.0.0/8")["jobresult"]["securitygroup"]
    assert [rule["cidr"] for rule in second["ingressrule"]] == ["10.0.0.0/8"]
    assert len(group(demo, "web")["ingressrule"]) == 2
    assert allow(demo, "web", **ssh, cidrlist=ANYWHERE)["jobresultcode"] == 530


@pytest.mark.parametrize(("given", "shown"), [
    ({"protocol": "udp", "startport": 0, "endport": 0}, {"protocol": "udp", "startport": 0, "endport": 65535}),
    ({"protocol": "icmp", "icmptype": -1, "icmpcode": -1}, {"protocol": "icmp", "icmptype": -1, "icmpcode": -1}),
    ({}, {"protocol": "all", "startport": 0, "endport": 0}),
    ({"protocol": "47"}, {"protocol": "47"}),
])  # fmt: skip
def test_protocols_keep_their_own_fields(demo, given, shown):
    made = allow(demo, "default", **given, cidrlist=ANYWHERE)["jobresult"]["securitygroup"]["ingressrule"][0]
    assert shown.items() <= made.items()
    assert ("startport" in made) == ("startport" in shown)
    assert ("icmptype" in made) == ("icmptype" in shown)


@pytest.mark.parametrize("given", [
    {"protocol": "tcp", "cidrlist": ANYWHERE}, {"protocol": "tcp", "startport": 9, "endport": 8, "cidrlist": ANYWHERE},
    {"protocol": "all"}, {"protocol": "sctpx", "cidrlist": ANYWHERE}, {"protocol": "icmp", "cidrlist": ANYWHERE},
    {"protocol": "all", "cidrlist": "everywhere"}, {"protocol": "300", "cidrlist": ANYWHERE},
])  # fmt: skip
def test_a_rule_that_makes_no_sense_fails(demo, given):
    assert allow(demo, "default", **given)["jobresultcode"] == 431
    assert group(demo, "default")["ingressrule"] == []


def test_a_group_can_be_a_source_and_is_then_in_use(demo):
    for name in ("web", "db"):
        demo("createSecurityGroup", name=name)
    source = {"usersecuritygrouplist[0].group": "web", "usersecuritygrouplist[0].account": "demo"}
    allow(demo, "db", protocol="tcp", startport=5432, endport=5432, **source)
    assert group(demo, "db")["ingressrule"][0]["securitygroupname"] == "web"
    refused(536, demo, "deleteSecurityGroup", name="web")
    assert demo("deleteSecurityGroup", name="db") == {"success": True}
    assert demo("deleteSecurityGroup", id=group(demo, "web")["id"]) == {"success": True}


def test_a_rule_is_revoked_by_its_id_and_in_its_own_direction(demo):
    allow(demo, "default", "authorizeSecurityGroupEgress", cidrlist=ANYWHERE)
    rule = group(demo, "default")["egressrule"][0]["ruleid"]
    refused(431, demo, "revokeSecurityGroupIngress", id="00000000-0000-0000-0000-000000000000")
    assert demo.job("revokeSecurityGroupIngress", id=rule)["jobresultcode"] == 431
    assert demo.job("revokeSecurityGroupEgress", id=rule)["jobresult"] == {"success": True}
    refused(431, demo, "revokeSecurityGroupEgress", id=rule)


def test_rules_carry_tags(demo):
    allow(demo, "default", cidrlist=ANYWHERE)
    rule = group(demo, "default")["ingressrule"][0]["ruleid"]
    tag = {"resourcetype": "SecurityGroupRule", "tags[0].key": "gce", "tags[0].value": "ssh"}
    assert demo.job("createTags", resourceids=rule, **tag)["jobstatus"] == 1
    assert group(demo, "default")["ingressrule"][0]["tags"][0]["value"] == "ssh"


def test_membership_counts_destroyed_machines_and_changes_only_when_stopped(demo):
    groups = {name: demo("createSecurityGroup", name=name)["securitygroup"]["id"] for name in ("a", "b")}
    machine = demo.machine(securitygroupnames="a")
    assert [row["name"] for row in machine["securitygroup"]] == ["a"]
    assert group(demo, "a")["virtualmachineids"] == [machine["id"]]
    refused(431, demo, "updateVirtualMachine", id=machine["id"], securitygroupids=groups["b"])
    demo.job("stopVirtualMachine", id=machine["id"])
    demo("updateVirtualMachine", id=machine["id"], securitygroupids=groups["b"])
    assert (group(demo, "a")["virtualmachinecount"], group(demo, "b")["virtualmachinecount"]) == (0, 1)
    demo.job("destroyVirtualMachine", id=machine["id"])
    refused(536, demo, "deleteSecurityGroup", id=groups["b"])


def test_groups_are_refused_where_there_are_none(demo):
    mine = group(demo, "default")["id"]
    refused(431, demo, "deployVirtualMachine", **demo.deploying("DE-ADV1", securitygroupids=mine))
    refused(431, demo, "deployVirtualMachine", **demo.deploying(securitygroupids=mine, securitygroupnames="default"))
    refused(431, demo, "deployVirtualMachine", **demo.deploying(securitygroupnames="missing"))
