"""Network ACL lists of private clouds: their items, their order, and which tier has which."""

from __future__ import annotations

import pytest

from tests.simulator.client import Refusal
from tests.simulator.test_networks import ZONE, network, offering, refused


@pytest.fixture
def vpc(demo):
    """A private cloud of the account's."""
    kind = demo.rows("listVPCOfferings")[0]["id"]
    return demo.result("createVPC", name="vpc", cidr="10.5.0.0/16", zoneid=demo.zone(ZONE), vpcofferingid=kind)


def tier(call, vpc, name="tier", number=1, **given):
    place = {"vpcid": vpc["id"], "networkofferingid": offering(call, "ForVpc"), "netmask": "255.255.255.0"}
    return network(call, name, **place, gateway=f"10.5.{number}.1", **given)


def made_list(call, vpc, name="mine"):
    return call.result("createNetworkACLList", name=name, vpcid=vpc["id"], description="of a test")


def item(call, acl, **given):
    return call.result("createNetworkACL", aclid=acl["id"], **({"protocol": "tcp"} | given))


def test_two_lists_are_everybodys_and_nobody_changes_them(demo, vpc):
    found = {row["name"]: row for row in demo.rows("listNetworkACLLists")}
    assert set(found) == {"default_allow", "default_deny"}
    assert "vpcid" not in found["default_deny"]
    rows = demo.rows("listNetworkACLs", aclid=found["default_deny"]["id"])
    assert {(row["number"], row["traffictype"], row["action"]) for row in rows} == {
        (1, "Ingress", "Deny"), (2, "Egress", "Deny")}
    refused(431, demo, "createNetworkACL", aclid=found["default_deny"]["id"], protocol="tcp")
    assert demo.job("deleteNetworkACLList", id=found["default_deny"]["id"])["jobresultcode"] == 431
    assert demo.job("deleteNetworkACL", id=rows[0]["id"])["jobresultcode"] == 431
    assert len(demo.rows("listNetworkACLs")) == 4


def test_a_list_belongs_to_a_private_cloud(demo, other, vpc):
    refused(531, demo, "createNetworkACLList", name="mine")
    acl = made_list(demo, vpc)
    assert (acl["vpcid"], acl["name"], acl["description"]) == (vpc["id"], "mine", "of a test")
    assert "mine" not in {row["name"] for row in other.rows("listNetworkACLLists")}
    refused(531, other, "createNetworkACL", aclid=acl["id"], protocol="tcp")
    with pytest.raises(Refusal):
        other("listNetworkACLs", aclid=acl["id"])
    renamed = demo.result("updateNetworkACLList", id=acl["id"], name="theirs")
    assert (renamed["name"], renamed["description"]) == ("theirs", "of a test")


def test_items_have_numbers_of_their_own_ports_as_text_and_ranges_as_one_text(demo, vpc):
    acl = made_list(demo, vpc)
    first = item(demo, acl, startport=22, cidrlist="10.0.0.0/8,192.168.0.0/16", number=2_097_152_000, action="deny")
    assert {name: first[name] for name in ("startport", "endport", "cidrlist", "action", "traffictype", "state")} == {
        "startport": "22", "endport": "22", "cidrlist": "10.0.0.0/8,192.168.0.0/16", "action": "Deny",
        "traffictype": "Ingress", "state": "Active"}
    refused(431, demo, "createNetworkACL", aclid=acl["id"], protocol="udp", number=2_097_152_000)
    last = item(demo, acl, protocol="icmp", traffictype="egress")
    assert (last["number"], last["icmptype"], last["cidrlist"]) == (2_097_152_001, -1, "0.0.0.0/0,::/0")
    changed = demo.result("updateNetworkACLItem", id=last["id"], number=7, cidrlist="9.9.9.9/32")
    assert (changed["number"], changed["cidrlist"], changed["protocol"]) == (7, "9.9.9.9/32", "icmp")
    refused_job = demo.job("updateNetworkACLItem", id=last["id"], number=2_097_152_000)
    assert refused_job["jobresultcode"] == 431
    rows = demo.rows("listNetworkACLs", aclid=acl["id"], traffictype="Egress")
    assert [row["id"] for row in rows] == [last["id"]]
    demo.job("createTags", resourceids=last["id"], resourcetype="NetworkACL", **{"tags[0].key": "a",
                                                                                   "tags[0].value": "b"})
    assert demo.rows("listNetworkACLs", id=last["id"])[0]["tags"][0]["key"] == "a"
    assert demo.job("deleteNetworkACL", id=first["id"])["jobresult"] == {"success": True}
    assert len(demo.rows("listNetworkACLs", aclid=acl["id"])) == 1


@pytest.mark.parametrize("wrong", [
    {"number": 0}, {"action": "maybe"}, {"traffictype": "sideways"}, {"startport": 0, "endport": 5},
    {"startport": 9, "endport": 5}, {"protocol": "all", "startport": 5, "endport": 6}, {"protocol": "sctp"},
    {"protocol": "256"}, {"cidrlist": "10.0.0.0/99"}, {"icmptype": 8}, {"protocol": "icmp", "startport": 1},
])
def test_what_no_item_can_say_is_a_431(demo, vpc, wrong):
    acl = made_list(demo, vpc)
    refused(431, demo, "createNetworkACL", aclid=acl["id"], **({"protocol": "tcp"} | wrong))
    assert "networkacl" not in demo("listNetworkACLs", aclid=acl["id"])


def test_a_tier_has_one_list_of_its_own_cloud_and_keeps_it_from_being_deleted(demo, vpc):
    acl = made_list(demo, vpc)
    made = tier(demo, vpc)
    assert "aclid" not in made
    assert tier(demo, vpc, "with", 2, aclid=acl["id"])["aclid"] == acl["id"]
    assert demo.job("deleteNetworkACLList", id=acl["id"])["jobresultcode"] == 530
    assert demo.job("replaceNetworkACLList", aclid=acl["id"], networkid=made["id"])["jobstatus"] == 1
    assert demo.rows("listNetworks", id=made["id"])[0]["aclid"] == acl["id"]
    assert demo.rows("listNetworkACLLists", networkid=made["id"])[0]["id"] == acl["id"]
    plain = network(demo, "plain")
    assert demo.job("replaceNetworkACLList", aclid=acl["id"], networkid=plain["id"])["jobresultcode"] == 431
    kind = demo.rows("listVPCOfferings")[0]["id"]
    away = demo.result("createVPC", name="away", cidr="10.6.0.0/16", zoneid=demo.zone(ZONE), vpcofferingid=kind)
    foreign = made_list(demo, away, "foreign")
    assert demo.job("replaceNetworkACLList", aclid=foreign["id"], networkid=made["id"])["jobresultcode"] == 431
    refused(431, demo, "createNetwork", name="x", zoneid=demo.zone(ZONE), vpcid=vpc["id"], aclid=foreign["id"],
            networkofferingid=offering(demo, "ForVpc"), gateway="10.5.9.1", netmask="255.255.255.0")


def test_an_item_for_a_tier_without_a_list_makes_one(demo, vpc):
    made = tier(demo, vpc)
    first = demo.result("createNetworkACL", networkid=made["id"], protocol="all")
    assert demo.rows("listNetworks", id=made["id"])[0]["aclid"] == first["aclid"]
    assert first["aclname"] == f"VPC_vpc_Tier_tier_ACL_{made['id']}"
    refused(431, demo, "createNetworkACL", protocol="all")
    refused(431, demo, "createNetworkACL", networkid=network(demo, "plain")["id"], protocol="all")


def test_lists_go_with_their_private_cloud(demo, vpc):
    acl = made_list(demo, vpc)
    item(demo, acl)
    assert demo.job("deleteVPC", id=vpc["id"])["jobstatus"] == 1
    assert {row["name"] for row in demo.rows("listNetworkACLLists")} == {"default_allow", "default_deny"}
    assert len(demo.rows("listNetworkACLs")) == 4
