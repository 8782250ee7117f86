"""One rule that several want: it stays as long as one of them does, however many leave it at once."""

from __future__ import annotations

import pytest
from simulated import done, key, named

CLAIMS = "want-"


@pytest.fixture
def shared(cloud):
    """The id of a rule that a, b and c want."""
    group = named(cloud.firewalls.list(), "default")
    allow = {"group_id": group.id, "direction": "ingress", "protocol": "tcp", "first_port": 22, "cidrs": ["0.0.0.0/0"]}
    rule = done(cloud, cloud.submit("firewalls", "allow", allow, key())).result["rule_ids"][0]
    tags = {CLAIMS + name: "1" for name in "abc"}
    done(cloud, cloud.submit("tags", "set", {"kind": "rule", "ids": [rule], "tags": tags}, key()))
    return rule


def leave(cloud, rule, name):
    args = {"rule_ids": [rule], "direction": "ingress", "claim": CLAIMS + name, "claims": CLAIMS}
    return cloud.submit("firewalls", "revoke", args, key())


def wanted_by(cloud, rule):
    """Who wants the rule still; None when it is gone."""
    return next((sorted(r.tags) for g in cloud.firewalls.list() for r in g.rules if r.id == rule), None)


def test_a_rule_stays_for_the_others(cloud, shared):
    done(cloud, leave(cloud, shared, "a"))
    assert wanted_by(cloud, shared) == ["want-b", "want-c"]
    done(cloud, leave(cloud, shared, "a"))
    assert wanted_by(cloud, shared) == ["want-b", "want-c"]


def test_it_goes_with_the_last_one_and_may_be_gone_already(cloud, shared):
    for name in "abc":
        done(cloud, leave(cloud, shared, name))
    assert wanted_by(cloud, shared) is None
    done(cloud, leave(cloud, shared, "c"))


def test_it_goes_when_all_leave_at_once(cloud, shared):
    jobs = [leave(cloud, shared, name) for name in "abc"]
    for job in jobs:
        done(cloud, job)
    assert wanted_by(cloud, shared) is None


def test_several_rules_are_left_together_each_by_its_own_claims(cloud, shared):
    group = named(cloud.firewalls.list(), "default")
    allow = {"group_id": group.id, "direction": "ingress", "protocol": "tcp", "first_port": 80, "cidrs": ["0.0.0.0/0"]}
    own = done(cloud, cloud.submit("firewalls", "allow", allow, key())).result["rule_ids"][0]
    args = {"rule_ids": [shared, own], "direction": "ingress", "claim": CLAIMS + "a", "claims": CLAIMS}
    done(cloud, cloud.submit("firewalls", "revoke", args, key()))
    assert (wanted_by(cloud, shared), wanted_by(cloud, own)) == (["want-b", "want-c"], None)
