"""Disks, networks, security groups, key pairs and tags on the simulated cloud."""

from __future__ import annotations

import base64

import pytest
from simulated import cloud_at, done, ended, key, machine, named

from gcelib.drivers.cloudstack.client import SMALLER_PAGES
from gcelib.drivers.cloudstack.keypairs import fingerprint
from gcelib.errors import Exists, InUse, Invalid, Refused, Uncertain
from gcelib.models import JobState, VolumeState

BASIC, ISOLATED, GROUPED = "CH-GV2", "DE-ADV1", "FR-SG1"
ANY = "0.0.0.0/0"


def submit(cloud, facet, verb, **args):
    return done(cloud, cloud.submit(facet, verb, args, key()))


def zone(cloud, name=ISOLATED):
    return named(cloud.zones.list(), name).id


# Disks ------------------------------------------------------------------------------------------------------


def test_a_disk_is_made_attached_detached_and_destroyed(cloud):
    node = machine(cloud, ISOLATED, "web-1")
    kind = named(cloud.volumes.types(), "Custom")
    made = submit(cloud, "volumes", "create", name="data", zone_id=zone(cloud), type_id=kind.id, size_gb=3)
    disk = named(cloud.volumes.list(), "data")
    assert (disk.id, disk.size_gb, disk.state, disk.boot) == (made.result["id"], 3, VolumeState.READY, False)
    submit(cloud, "volumes", "attach", id=disk.id, node_id=node)
    disk = named(cloud.volumes.list(), "data")
    assert (disk.node_id, disk.node_name, disk.type_name) == (node, "web-1", "Custom")
    assert disk.device > 0
    submit(cloud, "volumes", "attach", id=disk.id, node_id=node)
    with pytest.raises(Refused):
        cloud.submit("volumes", "destroy", {"id": disk.id}, key())
    submit(cloud, "volumes", "detach", id=disk.id)
    submit(cloud, "volumes", "detach", id=disk.id)
    assert not named(cloud.volumes.list(), "data").node_id
    submit(cloud, "volumes", "destroy", id=disk.id)
    submit(cloud, "volumes", "destroy", id=disk.id)
    assert "data" not in [disk.name for disk in cloud.volumes.list()]


@pytest.mark.parametrize(("size", "kind"), [(20, "Medium"), (7, "Custom")])
def test_a_disk_without_a_type_gets_the_one_that_fits(cloud, size, kind):
    submit(cloud, "volumes", "create", name="data", zone_id=zone(cloud), size_gb=size)
    assert [(disk.size_gb, disk.type_name) for disk in cloud.volumes.list()] == [(size, kind)]


def test_a_disk_of_a_size_its_type_has_not_is_refused_before_it_is_sent(cloud):
    fixed = named(cloud.volumes.types(), "Medium")
    args = {"name": "data", "zone_id": zone(cloud), "type_id": fixed.id, "size_gb": 21}
    with pytest.raises(Refused, match="20 GB, not 21"):
        cloud.submit("volumes", "create", args, key())
    with pytest.raises(Refused, match="no kind of disk of 99999 GB"):
        cloud.submit("volumes", "create", args | {"type_id": "", "size_gb": 99999}, key())
    assert not cloud.volumes.list()


# Networks ---------------------------------------------------------------------------------------------------


def test_the_shared_network_of_a_grouped_zone_is_its_default(cloud):
    found = {net.name: (net.default, net.grouped, net.own) for net in cloud.networks.list()}
    assert found["defaultGuestNetwork"] == (True, True, False)
    assert found["sharedGroupNetwork"] == (True, True, False)
    assert found["demo-network"] == (False, False, True)


def test_a_network_is_made_and_destroyed(cloud):
    args = {"name": "inner", "zone_id": zone(cloud), "description": "ours", "cidr": "10.7.0.0/24"}
    made = submit(cloud, "networks", "create", **args)
    net = named(cloud.networks.list(), "inner")
    assert (net.id, net.own, net.cidr, net.gateway) == (made.result["id"], True, "10.7.0.0/24", "10.7.0.1")
    assert net.description == "ours"
    with pytest.raises(Exists):
        cloud.submit("networks", "create", args, key())
    submit(cloud, "networks", "destroy", id=net.id)
    submit(cloud, "networks", "destroy", id=net.id)
    assert "inner" not in [net.name for net in cloud.networks.list()]


def test_a_network_with_a_machine_in_it_stays(cloud):
    net = named(cloud.networks.list(), "demo-network")
    machine(cloud, ISOLATED, "web-1", network_ids=[net.id])
    end = ended(cloud, cloud.submit("networks", "destroy", {"id": net.id}, key()))
    assert end.state is JobState.FAILED
    assert named(cloud.networks.list(), "demo-network").id == net.id


@pytest.mark.parametrize("cidr", ["10.7.0.0", "10.7.0.1/24", "nonsense", "10.7.0.0/33"])
def test_a_range_that_is_none_is_refused_before_it_is_sent(cloud, cidr):
    with pytest.raises(Invalid):
        cloud.submit("networks", "create", {"name": "n", "zone_id": zone(cloud), "cidr": cidr or "x"}, key())


def test_the_configured_offering_is_used_and_a_wrong_one_named(sim):
    chosen = cloud_at(sim, options={"network_offering": "IsolatedNetworkOfferingWithEgressAllowed"})
    submit(chosen, "networks", "create", name="inner", zone_id=zone(chosen))
    assert named(chosen.networks.list(), "inner").own
    chosen.close()
    wrong = cloud_at(sim, options={"network_offering": "no-such"})
    with pytest.raises(Refused, match=r"no-such.*\[clouds.sim.options\]"):
        wrong.submit("networks", "create", {"name": "n", "zone_id": zone(wrong)}, key())
    wrong.close()


# Security groups --------------------------------------------------------------------------------------------


def group(cloud, name="web"):
    return str(submit(cloud, "firewalls", "create_group", name=name, description="made by a test").result["id"])


def rules(cloud, id):
    return {
        rule.id: (rule.direction, rule.protocol, rule.first_port, rule.last_port, rule.icmp_type, rule.cidr
                  or rule.group_name)
        for each in cloud.firewalls.list() if each.id == id for rule in each.rules
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"protocol": "tcp", "first_port": 22}, ("tcp", 22, 22, -1)),
        ({"protocol": "TCP", "first_port": 8000, "last_port": 8100}, ("tcp", 8000, 8100, -1)),
        ({"protocol": "udp"}, ("udp", None, None, -1)),
        ({"protocol": "6", "first_port": 80, "last_port": 80}, ("tcp", 80, 80, -1)),
        ({"protocol": "icmp"}, ("icmp", None, None, -1)),
        ({"protocol": "icmp", "icmp_type": 8, "icmp_code": 0}, ("icmp", None, None, 8)),
        ({"protocol": "1"}, ("icmp", None, None, -1)),
        ({"protocol": "esp"}, ("50", None, None, -1)),
        ({"protocol": "132"}, ("132", None, None, -1)),
        ({"protocol": "all"}, ("all", None, None, -1)),
    ],
)
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_every_protocol_and_port_form_becomes_rules(cloud, asked, kept, direction):
    id = group(cloud)
    args = {"group_id": id, "direction": direction, "cidrs": [ANY, "10.0.0.0/8"], **asked}
    end = submit(cloud, "firewalls", "allow", **args)
    found = rules(cloud, id)
    assert sorted(found) == sorted(end.result["rule_ids"])
    assert [found[rule_id] for rule_id in end.result["rule_ids"]] == [
        (direction, *kept, ANY), (direction, *kept, "10.0.0.0/8"),
    ]
    again = submit(cloud, "firewalls", "allow", **args)
    assert again.result["rule_ids"] == end.result["rule_ids"]
    for rule_id in end.result["rule_ids"]:
        submit(cloud, "firewalls", "revoke", rule_id=rule_id, direction=direction)
        submit(cloud, "firewalls", "revoke", rule_id=rule_id, direction=direction)
    assert rules(cloud, id) == {}


def test_a_rule_that_is_partly_there_names_all_its_parts(cloud):
    id = group(cloud)
    args = {"group_id": id, "direction": "INGRESS", "protocol": "tcp", "first_port": 22}
    first = submit(cloud, "firewalls", "allow", **args, cidrs=["10.1.0.0/16"])
    both = submit(cloud, "firewalls", "allow", **args, cidrs=["10.1.0.0/16", "10.2.0.0/16"])
    assert both.result["rule_ids"][0] == first.result["rule_ids"][0]
    assert both.result["made_ids"] == both.result["rule_ids"][1:]
    again = submit(cloud, "firewalls", "allow", **args, cidrs=["10.1.0.0/16", "10.2.0.0/16"])
    assert (again.result["made_ids"], again.result["rule_ids"]) == ([], both.result["rule_ids"])


def test_several_rules_are_revoked_together_those_already_gone_left_out(sim, cloud):
    id = group(cloud)
    cidrs = [f"10.{number}.0.0/16" for number in range(4)]
    args = {"group_id": id, "direction": "ingress", "protocol": "tcp", "first_port": 22, "cidrs": cidrs}
    ids = submit(cloud, "firewalls", "allow", **args).result["made_ids"]
    assert len(ids) == 4
    submit(cloud, "firewalls", "revoke", rule_id=ids[1], direction="ingress")
    job = cloud.submit("firewalls", "revoke", {"rule_ids": ids[:3], "direction": "ingress"}, key())
    done(cloud, job)
    assert list(rules(cloud, id)) == [ids[3]]
    submit(cloud, "firewalls", "revoke", rule_ids=ids, direction="ingress")
    submit(cloud, "firewalls", "revoke", rule_ids=[], direction="ingress")
    assert rules(cloud, id) == {}


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_revoking_several_rules_goes_on_after_an_answer_was_lost(sim, cloud, lost):
    id = group(cloud)
    args = {"group_id": id, "direction": "ingress", "protocol": "udp", "cidrs": ["10.1.0.0/16", ANY, "10.2.0.0/16"]}
    ids = submit(cloud, "firewalls", "allow", **args).result["rule_ids"]
    sim.faults.add("revokeSecurityGroupIngress", "reset_after", skip=lost - 1)
    todo, mine = {"rule_ids": ids, "direction": "ingress"}, key()
    job = None
    for _ in range(4):
        try:
            job = ended(cloud, job or cloud.seek("firewalls", "revoke", todo, mine)
                        or cloud.submit("firewalls", "revoke", todo, mine))
            break
        except Uncertain:
            continue
    assert job.state is JobState.DONE
    assert rules(cloud, id) == {}


def test_a_group_may_be_the_source(cloud):
    id, source = group(cloud), group(cloud, "clients")
    args = {"group_id": id, "direction": "ingress", "protocol": "tcp", "first_port": 5432}
    end = submit(cloud, "firewalls", "allow", **args, group_names=["clients"], cidrs=["10.0.0.0/8"])
    assert sorted(rule[5] for rule in rules(cloud, id).values()) == ["10.0.0.0/8", "clients"]
    assert len(end.result["rule_ids"]) == 2
    with pytest.raises(InUse):
        cloud.submit("firewalls", "destroy_group", {"id": source}, key())


@pytest.mark.parametrize("protocol", ["256", "-1", "tcpp", ""])
def test_a_protocol_that_is_none_is_invalid(cloud, protocol):
    args = {"group_id": "x", "direction": "ingress", "protocol": protocol, "cidrs": [ANY]}
    with pytest.raises(Invalid, match="protocol"):
        cloud.submit("firewalls", "allow", args, key())


def test_groups_taken_used_and_gone(cloud):
    id = group(cloud)
    assert group(cloud) == id
    machine(cloud, BASIC, "web-1", group_ids=[id])
    assert named(cloud.firewalls.list(), "web").node_ids == (cloud.nodes.list()[0].id,)
    with pytest.raises(InUse):
        cloud.submit("firewalls", "destroy_group", {"id": id}, key())
    other = group(cloud, "empty")
    submit(cloud, "firewalls", "destroy_group", id=other)
    submit(cloud, "firewalls", "destroy_group", id=other)


# Keys and tags ----------------------------------------------------------------------------------------------


def public_key(letter=b"k"):
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0 " + letter * 32
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} ian@example.com"


def test_a_key_registered_twice_keeps_its_first_name(cloud):
    assert submit(cloud, "keypairs", "register", name="one", public_key=public_key()).result == {"name": "one"}
    assert submit(cloud, "keypairs", "register", name="one", public_key=public_key()).result["name"] == "one"
    assert submit(cloud, "keypairs", "register", name="two", public_key=public_key()).result["name"] == "one"
    with pytest.raises(Exists):
        cloud.submit("keypairs", "register", {"name": "one", "public_key": public_key(b"z")}, key())
    assert [(pair.name, pair.fingerprint) for pair in cloud.keypairs.list()] == [("one", fingerprint(public_key()))]


@pytest.mark.parametrize("text", ["", "ssh-rsa", "nonsense AAAA", "ssh-rsa !!!!"])
def test_a_text_that_is_no_key_has_no_fingerprint(text):
    assert fingerprint(text) == ""


@pytest.mark.parametrize("kind", ["node", "volume", "network", "group", "rule"])
def test_tags_are_set_replaced_and_removed_on_every_kind(cloud, kind):
    node = machine(cloud, ISOLATED, "web-1")
    id = group(cloud)
    rule = submit(cloud, "firewalls", "allow", group_id=id, direction="ingress", protocol="tcp", first_port=1,
                  cidrs=[ANY]).result["rule_ids"][0]  # fmt: skip
    target = {
        "node": node, "volume": cloud.volumes.list()[0].id, "group": id, "rule": rule,
        "network": named(cloud.networks.list(), "demo-network").id,
    }[kind]  # fmt: skip

    def tags():
        facet = {"node": "nodes", "volume": "volumes", "network": "networks"}.get(kind, "firewalls")
        rows = getattr(cloud, facet).list()
        if kind == "rule":
            rows = [rule for row in rows for rule in row.rules]
        return dict(next(row for row in rows if row.id == target).tags)

    submit(cloud, "tags", "set", kind=kind, ids=[target], tags={"a": "1", "b": "2"})
    assert tags() == {"a": "1", "b": "2"}
    submit(cloud, "tags", "set", kind=kind, ids=[target], tags={"b": "3", "c": "4"})
    assert tags() == {"a": "1", "b": "3", "c": "4"}
    submit(cloud, "tags", "set", kind=kind, ids=[target], tags={"b": "3", "c": "4"})
    submit(cloud, "tags", "remove", kind=kind, ids=[target], keys=["a", "c", "never-there"])
    assert tags() == {"b": "3"}
    submit(cloud, "tags", "remove", kind=kind, ids=[target], keys=["a"])


def test_tags_are_set_on_many_things_at_once_whatever_each_had(cloud):
    ids = [machine(cloud, BASIC, f"web-{number}") for number in range(7)]
    submit(cloud, "tags", "set", kind="node", ids=ids[:2], tags={"a": "old"})
    submit(cloud, "tags", "set", kind="node", ids=ids, tags={"a": "new", "b": "x"})
    assert {tuple(sorted(node.tags.items())) for node in cloud.nodes.list()} == {(("a", "new"), ("b", "x"))}


def test_a_kind_without_tags_is_invalid(cloud):
    with pytest.raises(Invalid):
        cloud.submit("tags", "set", {"kind": "zone", "ids": ["1"], "tags": {"a": "b"}}, key())


def test_a_balancer_that_goes_while_the_others_are_looked_at_is_left_out(sim):
    cloud = cloud_at(sim, concurrent=1)
    network = named(cloud.networks.list(), "demo-network")
    where = {"zone_id": network.zone_id, "network_id": network.id}
    address = done(cloud, cloud.submit("addresses", "acquire", where, key())).target
    about = {"name": "web", "address_id": address, "network_id": network.id, "protocol": "tcp"}
    for port in (80, 81):
        done(cloud, cloud.submit("balancers", "create", {**about, "port": port}, key()))
    # A list that is refused is asked for again in smaller pages: one of the two is refused in all of them.
    sim.faults.add(command="listLoadBalancerRuleInstances", errorcode=431, status=431, times=1 + len(SMALLER_PAGES))
    assert [len(cloud.balancers.list()), len(cloud.balancers.list())] == [1, 2]
    cloud.close()
