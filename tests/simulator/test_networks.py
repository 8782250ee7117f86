"""Isolated networks, public addresses and the rules on them, private clouds."""

from __future__ import annotations

import pytest

from tests.simulator.client import Refusal

ZONE = "DE-ADV1"


def refused(code, call, command, **given):
    with pytest.raises(Refusal) as caught:
        call(command, **given)
    assert caught.value.code == code


def offering(call, name):
    return next(row["id"] for row in call.rows("listNetworkOfferings") if name in row["name"])


def network(call, name="lan", **given):
    wanted = {"networkofferingid": offering(call, "WithSourceNat"), "zoneid": call.zone(ZONE), "name": name}
    return call("createNetwork", **(wanted | given))["network"]


def address(call, network_id):
    """An address of the network that is not its source NAT one."""
    return call.result("associateIpAddress", networkid=network_id)


@pytest.fixture
def machine(demo):
    return demo.machine(ZONE, name="web")


def test_a_network_is_allocated_until_its_first_machine(demo, machine):
    made = network(demo)
    assert (made["state"], made["cidr"], made["type"]) == ("Allocated", "10.1.1.0/24", "Isolated")
    used = demo.rows("listNetworks", id=machine["nic"][0]["networkid"])[0]
    assert (used["state"], used["egressdefaultpolicy"]) == ("Implemented", False)
    (nat,) = demo.rows("listPublicIpAddresses")
    assert (nat["issourcenat"], nat["associatednetworkid"]) == (True, used["id"])
    assert demo.job("disassociateIpAddress", id=nat["id"])["jobresultcode"] == 431


def test_nothing_stands_for_a_machine_whose_network_is_only_coming_up(simulator, demo):
    lan = network(demo)["id"]
    spare = [address(demo, lan) for _ in range(2)][1]
    simulator.faults.add("deployVirtualMachine", "job_stuck")
    begun = demo("deployVirtualMachine", **demo.deploying(ZONE, networkids=lan))
    assert demo.rows("listNetworks", id=lan)[0]["state"] == "Implementing"
    refused(530, demo, "enableStaticNat", ipaddressid=spare["id"], virtualmachineid=begun["id"])


def test_several_networks_and_none_named_is_a_431(demo):
    made = network(demo)
    refused(431, demo, "deployVirtualMachine", **demo.deploying(ZONE))
    assert demo.machine(ZONE, networkids=made["id"])["nic"][0]["networkid"] == made["id"]


def test_a_network_is_made_for_who_has_none(other):
    assert other("listNetworks", type="Isolated") == {}
    assert other.machine(ZONE)["nic"][0]["networkname"] == "other-network"
    assert other.rows("listNetworks", type="Isolated")[0]["name"] == "other-network"


def test_networks_are_not_for_basic_zones_and_only_one_for_those_with_groups(demo):
    (basic,) = demo.rows("listNetworks", zoneid=demo.zone())
    assert (basic["name"], basic["type"]) == ("defaultGuestNetwork", "Shared")
    refused(431, demo, "deployVirtualMachine", **demo.deploying(networkids=basic["id"]))
    refused(431, demo, "associateIpAddress", zoneid=demo.zone())
    refused(431, demo, "createNetwork", name="x", zoneid=demo.zone(), networkofferingid=offering(demo, "WithSourceNat"))
    (grouped,) = demo.rows("listNetworks", zoneid=demo.zone("FR-SG1"))
    assert demo.machine("FR-SG1", networkids=grouped["id"])["nic"][0]["ipaddress"].startswith("10.20.")


def test_an_asked_for_address_is_given_if_it_is_free(demo):
    assert demo.machine(ZONE, ipaddress="10.1.1.77")["nic"][0]["ipaddress"] == "10.1.1.77"
    for taken in ("10.1.1.77", "10.9.9.9", "here"):
        refused(431, demo, "deployVirtualMachine", **demo.deploying(ZONE, ipaddress=taken))


def test_a_second_network_card_comes_and_goes(demo, machine):
    second = network(demo)["id"]
    cards = demo.result("addNicToVirtualMachine", virtualmachineid=machine["id"], networkid=second)["nic"]
    assert [(card["networkid"] == second, card["isdefault"]) for card in cards] == [(False, True), (True, False)]
    assert demo.job("deleteNetwork", id=second)["jobresultcode"] == 530
    gone = {"virtualmachineid": machine["id"], "nicid": cards[1]["id"]}
    assert len(demo.result("removeNicFromVirtualMachine", **gone)["nic"]) == 1
    default = {"virtualmachineid": machine["id"], "nicid": cards[0]["id"]}
    assert demo.job("removeNicFromVirtualMachine", **default)["jobresultcode"] == 431
    assert demo.job("deleteNetwork", id=second)["jobstatus"] == 1


def test_static_nat_is_one_to_one_and_excludes_other_rules(demo, machine):
    lan = machine["nic"][0]["networkid"]
    first, second = address(demo, lan), address(demo, lan)
    pair = {"ipaddressid": first["id"], "virtualmachineid": machine["id"]}
    assert demo("enableStaticNat", **pair) == {"success": True}
    shown = demo.rows("listPublicIpAddresses", id=first["id"])[0]
    assert (shown["isstaticnat"], shown["virtualmachinename"], shown["vmipaddress"]) == (
        True, "web", machine["nic"][0]["ipaddress"]
    )  # fmt: skip
    assert demo.rows("listVirtualMachines")[0]["publicip"] == first["ipaddress"]
    refused(431, demo, "enableStaticNat", ipaddressid=second["id"], virtualmachineid=machine["id"])
    forward = {"protocol": "tcp", "publicport": 80, "privateport": 80, "virtualmachineid": machine["id"]}
    refused(431, demo, "createPortForwardingRule", ipaddressid=first["id"], **forward)
    assert demo.job("disableStaticNat", ipaddressid=first["id"])["jobstatus"] == 1
    assert demo.job("createPortForwardingRule", ipaddressid=first["id"], **forward)["jobstatus"] == 1
    refused(537, demo, "enableStaticNat", **pair)
    (nat,) = demo.rows("listPublicIpAddresses", issourcenat="true")
    refused(431, demo, "enableStaticNat", ipaddressid=nat["id"], virtualmachineid=machine["id"])


def test_a_forwarding_opens_the_firewall_and_shows_ports_as_text(demo, machine):
    where = address(demo, machine["nic"][0]["networkid"])["id"]
    given = {"ipaddressid": where, "protocol": "TCP", "virtualmachineid": machine["id"]}
    rule = demo.result("createPortForwardingRule", **given, publicport=8000, publicendport=8009, privateport=80,
                       privateendport=89)  # fmt: skip
    assert (rule["publicport"], rule["privateendport"], rule["state"]) == ("8000", "89", "Active")
    (opened,) = demo.rows("listFirewallRules", ipaddressid=where)
    assert (opened["startport"], opened["endport"], opened["cidrlist"]) == (8000, 8009, "0.0.0.0/0")
    refused(537, demo, "createPortForwardingRule", **given, publicport=8005, privateport=80)
    refused(431, demo, "createPortForwardingRule", **given, publicport=1, publicendport=9, privateport=80)
    assert demo.job("deletePortForwardingRule", id=rule["id"])["jobstatus"] == 1
    assert demo("listPortForwardingRules") == {}


def test_firewall_rules_conflict_when_they_overlap(demo, machine):
    where = {"ipaddressid": address(demo, machine["nic"][0]["networkid"])["id"], "protocol": "tcp"}
    rule = demo.result("createFirewallRule", **where, startport=80, endport=90, cidrlist="10.0.0.0/8,192.168.0.0/16")
    assert (rule["cidrlist"], rule["startport"], rule["state"]) == ("10.0.0.0/8,192.168.0.0/16", 80, "Active")
    refused(537, demo, "createFirewallRule", **where, startport=85, endport=95, cidrlist="10.0.0.0/8")
    demo.result("createFirewallRule", **where, startport=85, endport=95, cidrlist="172.16.0.0/12")
    assert demo.job("deleteFirewallRule", id=rule["id"])["jobstatus"] == 1
    refused(431, demo, "createFirewallRule", ipaddressid=where["ipaddressid"], protocol="all")


def test_egress_rules_belong_to_the_network(demo, machine):
    given = {"networkid": machine["nic"][0]["networkid"], "protocol": "tcp", "startport": 443, "endport": 443}
    rule = demo.result("createEgressFirewallRule", **given, destcidrlist="203.0.113.0/24")
    assert (rule["destcidrlist"], rule["cidrlist"]) == ("203.0.113.0/24", "10.1.1.0/24")
    assert "ipaddress" not in rule
    assert len(demo.rows("listEgressFirewallRules")) == 1
    assert demo("listFirewallRules") == {}


def test_a_balancer_takes_members_of_its_network_once(demo, machine):
    lan = machine["nic"][0]["networkid"]
    given = {"name": "lb", "algorithm": "roundrobin", "publicport": 80, "privateport": 8080,
             "publicipid": address(demo, lan)["id"]}  # fmt: skip
    balancer = demo.result("createLoadBalancerRule", **given)
    assert (balancer["publicport"], balancer["state"]) == ("80", "Active")
    refused(537, demo, "createLoadBalancerRule", **given)
    member = {"id": balancer["id"], "virtualmachineids": machine["id"]}
    assert demo.job("assignToLoadBalancerRule", **member)["jobresult"] == {"success": True}
    assert demo.job("assignToLoadBalancerRule", **member)["jobresultcode"] == 431
    stranger = demo.machine(ZONE, networkids=network(demo)["id"])["id"]
    away = {"id": balancer["id"], "virtualmachineids": stranger}
    assert demo.job("assignToLoadBalancerRule", **away)["jobresultcode"] == 431
    assert [row["id"] for row in demo.rows("listLoadBalancerRuleInstances", id=balancer["id"])] == [machine["id"]]
    assert demo.result("updateLoadBalancerRule", id=balancer["id"], algorithm="source")["algorithm"] == "source"
    assert demo.job("removeFromLoadBalancerRule", **member)["jobstatus"] == 1
    assert demo("listLoadBalancerRuleInstances", id=balancer["id"]) == {}
    assert demo.job("deleteLoadBalancerRule", id=balancer["id"])["jobstatus"] == 1


def test_a_network_goes_with_its_addresses_once_its_machines_are_expunged(demo, admin, machine):
    lan = machine["nic"][0]["networkid"]
    address(demo, lan)
    demo.job("destroyVirtualMachine", id=machine["id"])
    assert demo.job("deleteNetwork", id=lan)["jobresultcode"] == 530
    admin.job("expungeVirtualMachine", id=machine["id"])
    assert demo.job("deleteNetwork", id=lan)["jobstatus"] == 1
    assert demo("listPublicIpAddresses") == {}


def test_the_public_range_runs_out(demo, machine):
    lan = machine["nic"][0]["networkid"]
    for _ in range(15):
        address(demo, lan)
    refused(533, demo, "associateIpAddress", networkid=lan)
    freed = demo.rows("listPublicIpAddresses")[-1]
    demo.job("disassociateIpAddress", id=freed["id"])
    assert address(demo, lan)["ipaddress"] == freed["ipaddress"]


def test_a_private_cloud_has_tiers_and_routes(demo):
    wanted = {"name": "vpc", "cidr": "10.5.0.0/16", "zoneid": demo.zone(ZONE),
              "vpcofferingid": demo.rows("listVPCOfferings")[0]["id"]}  # fmt: skip
    refused(431, demo, "createVPC", **(wanted | {"cidr": "8.8.0.0/16"}))
    refused(431, demo, "createVPC", **(wanted | {"zoneid": demo.zone()}))
    vpc = demo.result("createVPC", **wanted)
    tier = {"vpcid": vpc["id"], "networkofferingid": offering(demo, "ForVpc"), "netmask": "255.255.255.0"}
    made = network(demo, "tier", **tier, gateway="10.5.1.1")
    assert (made["cidr"], made["vpcid"]) == ("10.5.1.0/24", vpc["id"])
    for gateway in ("10.5.1.129", "10.6.1.1"):
        with pytest.raises(Refusal):
            network(demo, "tier-2", **tier, gateway=gateway)
    route = demo.result("createStaticRoute", vpcid=vpc["id"], cidr="192.168.7.0/24", nexthop="10.5.1.9")
    assert demo.rows("listStaticRoutes")[0]["id"] == route["id"]
    assert demo.job("deleteVPC", id=vpc["id"])["jobresultcode"] == 431
    demo.job("deleteNetwork", id=made["id"])
    assert demo.job("deleteVPC", id=vpc["id"])["jobstatus"] == 1
    assert demo("listStaticRoutes") == {}
