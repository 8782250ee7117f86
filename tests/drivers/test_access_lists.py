"""Access lists of private clouds on the simulated cloud: made, numbered, put before tiers, found again."""

from __future__ import annotations

import pytest
from simulated import done, ended, key, named

from gcelib.errors import Refused, Uncertain
from gcelib.models import JobState

ISOLATED = "DE-ADV1"
ANY = ["0.0.0.0/0"]


def submit(cloud, facet, verb, **args):
    return done(cloud, cloud.submit(facet, verb, args, key()))


@pytest.fixture
def vpc(cloud):
    """The id of a private cloud."""
    where = {"zone_id": named(cloud.zones.list(), ISOLATED).id, "type_id": cloud.vpcs.types()[0].id}
    return submit(cloud, "vpcs", "create", name="vpc", cidr="10.5.0.0/16", **where).target


@pytest.fixture
def acl(cloud, vpc):
    """The id of its list."""
    return submit(cloud, "acls", "create", name="ours", vpc_id=vpc).target


def tier(cloud, vpc, name="tier", acl=""):
    args = {"name": name, "zone_id": named(cloud.zones.list(), ISOLATED).id, "vpc_id": vpc, "acl_id": acl}
    return submit(cloud, "networks", "create", cidr=f"10.5.{len(cloud.networks.list())}.0/24", **args).target


def entry(acl, **rest):
    tcp = {"numbers": [100, 102], "direction": "ingress", "allow": True, "protocol": "tcp", "cidrs": ANY}
    return {"acl_id": acl, **tcp, **rest}


def rules(cloud, acl):
    return next(each.rules for each in cloud.acls.list() if each.id == acl)


def test_a_list_is_made_once_and_destroyed_when_no_tier_has_it(cloud, vpc, acl):
    assert submit(cloud, "acls", "create", name="ours", vpc_id=vpc).target == acl
    found = {each.name: each.vpc_id for each in cloud.acls.list()}
    assert found == {"ours": vpc, "default_allow": "", "default_deny": ""}
    made = tier(cloud, vpc, acl=acl)
    assert next(net.acl_id for net in cloud.networks.list() if net.id == made) == acl
    job = ended(cloud, cloud.submit("acls", "destroy", {"id": acl}, key()))
    assert (job.state, "1 tier" in job.error["message"]) == (JobState.FAILED, True)
    submit(cloud, "networks", "destroy", id=made)
    submit(cloud, "acls", "destroy", id=acl)
    submit(cloud, "acls", "destroy", id=acl)
    assert "ours" not in {each.name for each in cloud.acls.list()}


def test_a_list_is_put_before_a_tier(cloud, vpc, acl):
    made = tier(cloud, vpc)
    assert next(net.acl_id for net in cloud.networks.list() if net.id == made) == ""
    args = {"acl_id": acl, "network_id": made}
    assert cloud.seek("acls", "put", args, key()) is None
    submit(cloud, "acls", "put", **args)
    assert next(net.acl_id for net in cloud.networks.list() if net.id == made) == acl
    assert cloud.seek("acls", "put", args, key()).state is JobState.DONE


def test_an_entry_takes_the_lowest_number_that_is_free_and_is_made_once(cloud, acl):
    first = submit(cloud, "acls", "add", **entry(acl, first_port=22, last_port=22)).target
    assert submit(cloud, "acls", "add", **entry(acl, first_port=22, last_port=22)).target == first
    submit(cloud, "acls", "add", **entry(acl, direction="egress", allow=False, protocol="icmp", cidrs=["10.0.0.9/8"]))
    submit(cloud, "acls", "add", **entry(acl, protocol="47"))
    found = [(rule.number, rule.direction, rule.allow, rule.protocol, rule.first_port, rule.cidrs)
             for rule in rules(cloud, acl)]
    assert found == [(100, "ingress", True, "tcp", 22, ("0.0.0.0/0",)),
                     (101, "egress", False, "icmp", None, ("10.0.0.0/8",)),
                     (102, "ingress", True, "47", None, ("0.0.0.0/0",))]
    with pytest.raises(Refused, match="100 to 102"):
        cloud.submit("acls", "add", entry(acl, protocol="all"), key())
    submit(cloud, "tags", "set", kind="entry", ids=[rule.id for rule in rules(cloud, acl)], tags={"a": "b"})
    assert all(rule.tags == {"a": "b"} for rule in rules(cloud, acl))
    ids = [rule.id for rule in rules(cloud, acl)][:2]
    submit(cloud, "acls", "remove", ids=ids)
    submit(cloud, "acls", "remove", ids=ids)
    assert [rule.number for rule in rules(cloud, acl)] == [102]


def test_an_entry_whose_answer_is_lost_is_found_again(sim, cloud, acl):
    sim.faults.add("createNetworkACL", "reset_after")
    change = key()
    with pytest.raises(Uncertain):
        cloud.submit("acls", "add", entry(acl), change)
    found = ended(cloud, cloud.seek("acls", "add", entry(acl), change))
    assert (found.state, [found.target]) == (JobState.DONE, [rule.id for rule in rules(cloud, acl)])


def test_entries_that_are_being_removed_are_found_gone_after_a_lost_answer(sim, cloud, acl):
    ids = [submit(cloud, "acls", "add", **entry(acl, protocol=name)).target for name in ("tcp", "udp")]
    sim.faults.add("deleteNetworkACL", "reset_after")
    change = key()
    with pytest.raises(Uncertain):
        cloud.submit("acls", "remove", {"ids": ids}, change)
    done(cloud, cloud.seek("acls", "remove", {"ids": ids[:1]}, change))
    submit(cloud, "acls", "remove", ids=ids)
    assert not rules(cloud, acl)


@pytest.mark.parametrize(("verb", "args"), [
    ("add", {"numbers": [1, 9], "direction": "ingress", "allow": True, "protocol": "256", "cidrs": ANY}),
    ("add", {"numbers": [1, 9], "direction": "ingress", "allow": True, "protocol": "tcp", "cidrs": ["nowhere"]}),
])
def test_what_the_cloud_does_not_take_is_refused(cloud, acl, verb, args):
    with pytest.raises(Refused):
        cloud.submit("acls", verb, {"acl_id": acl, **args}, key())
    assert not rules(cloud, acl)
