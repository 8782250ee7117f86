"""What a firewall costs on a network with a thousand machines, and what tags of running machines cost there."""

from __future__ import annotations

from collections import Counter

import pytest
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine
from tests.wire.test_firewalls import firewall
from tests.wire.test_instance_tags import own, rules, set_tags

MACHINES = 1000
HERE = "zones/ch-gv2/instances"
RANGES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
PORTS = ["22", "80", "443", "8000-8080"]
CHANGES = ("SecurityGroup", "VirtualMachine", "Tags")


class Spent:
    """The jobs the cloud runs from one look to the next, those about groups, tags and machines, by command."""

    def __init__(self, cloud: CloudStack) -> None:
        self.cloud = cloud
        self.seen: set[str] = set()
        self.since()

    def since(self) -> Counter[str]:
        """The jobs begun after the look before this one."""
        rows = [row for row in self.cloud.listAsyncJobs()["asyncjobs"] if row["jobid"] not in self.seen]
        self.seen.update(row["jobid"] for row in rows)
        return Counter(row["cmd"].rpartition(".")[2].removesuffix("Cmd") for row in rows
                       if any(word in row["cmd"] for word in CHANGES))


@pytest.fixture
def large(launch: Launch) -> tuple[Api, Simulator]:
    """A server over a cloud with a thousand running machines."""
    live, cloud = launch(preload=MACHINES, job_delay=0.02)
    return live.api(), cloud


def test_a_firewall_costs_as_many_jobs_as_it_has_rules_however_many_the_machines(
    large: tuple[Api, Simulator]
) -> None:
    api, cloud = large
    cloudstack = portal(cloud)
    for name in ("tagged-1", "tagged-2"):
        api.change("POST", HERE, machine(name, tags={"items": ["web"]}))
    api.change("POST", HERE, machine("late"))
    assert len(api.get(HERE, maxResults=500)["items"]) == 500
    spent = Spent(cloudstack)
    allowed = [{"IPProtocol": "tcp", "ports": PORTS}]
    most = len(PORTS) * len(RANGES)

    api.change("POST", "global/firewalls", firewall("everyone", allowed=allowed, sourceRanges=RANGES))
    assert 0 < spent.since().total() <= most
    api.change("POST", "global/firewalls", firewall("webs", allowed=allowed, sourceRanges=RANGES, targetTags=["web"]))
    assert 0 < spent.since().total() <= most
    assert len(rules(cloudstack, "gcelib:default:tag:web")) == most

    set_tags(api, "late", "web")
    used = spent.since()
    assert used["UpdateVirtualMachine"] == used["StopVirtualMachine"] == 0
    assert 0 < used.total() <= most
    assert len(rules(cloudstack, own(cloudstack, "late"))) == most

    set_tags(api, "late")
    assert 0 < spent.since().total() <= most + 2
    assert rules(cloudstack, own(cloudstack, "late")) == set()

    refused = api.call("POST", f"{HERE}/tagged-1/setTags", {})
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert "Stop 'tagged-1'" in refused.message
    assert spent.since().total() == 0

    for name in ("everyone", "webs"):
        api.change("DELETE", f"global/firewalls/{name}")
        assert 0 < spent.since().total() <= most
    assert rules(cloudstack, "gcelib:default:tag:web") == set()
