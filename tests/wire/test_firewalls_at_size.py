"""What a firewall costs on a network with a thousand machines, and what tags of running machines cost there."""

from __future__ import annotations

from collections import Counter

import pytest
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire import test_firewalls_in_private_clouds as private
from tests.wire.machines import machine
from tests.wire.test_firewalls import firewall
from tests.wire.test_firewalls_on_addresses import ADVANCED, DISKS, NETWORK, opened, reachable
from tests.wire.test_instance_tags import own, rules, set_tags

MACHINES = 1000
HERE = "zones/ch-gv2/instances"
RANGES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]
PORTS = ["22", "80", "443", "8000-8080"]
CHANGES = ("SecurityGroup", "VirtualMachine", "Tags", "Firewall", "NetworkACL")


class Spent:
    """The jobs the cloud runs from one look to the next, those about rules, tags and machines, by command."""

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
    api.change("POST", "global/firewalls", firewall("inside", allowed=allowed, sourceTags=["web"]))
    assert 0 < spent.since().total() <= most
    api.change("PATCH", "global/firewalls/inside", {"allowed": [*allowed, {"IPProtocol": "icmp"}]})
    assert 0 < spent.since().total() <= most

    set_tags(api, "late", "web")
    used = spent.since()
    assert used["UpdateVirtualMachine"] == used["StopVirtualMachine"] == 0
    assert 0 < used.total() <= most + len(PORTS) + 1
    assert len(rules(cloudstack, own(cloudstack, "late"))) == most
    assert {rule[3] for rule in rules(cloudstack, "default")} >= {own(cloudstack, "late"), "gcelib:default:tag:web"}

    set_tags(api, "late")
    assert 0 < spent.since().total() <= most + len(PORTS) + 1 + 2
    assert rules(cloudstack, own(cloudstack, "late")) == set()

    refused = api.call("POST", f"{HERE}/tagged-1/setTags", {})
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert "Stop 'tagged-1'" in refused.message
    assert spent.since().total() == 0

    for name in ("everyone", "webs", "inside"):
        api.change("DELETE", f"global/firewalls/{name}")
        assert 0 < spent.since().total() <= most
    assert rules(cloudstack, "gcelib:default:tag:web") == set()


BODY = {"allowed": [{"IPProtocol": "tcp", "ports": PORTS}], "sourceRanges": RANGES}
FEW = 8


def crowd(api: Api, network: str, prefix: str) -> None:
    """Some more machines in a network, none of which has a public address."""
    for number in range(FEW):
        nic = {"network": network}
        body = machine(f"{prefix}-{number}", "de-adv1", disks=DISKS, networkInterfaces=[nic])
        api.change("POST", ADVANCED, body)


def test_in_an_isolated_network_it_costs_as_many_as_there_are_public_addresses_that_change(launch: Launch) -> None:
    live, cloud = launch(job_delay=0.02)
    api, cloudstack = live.api(), portal(cloud)
    ips = [reachable(api, name, "web") for name in ("one", "two")]
    each = len(PORTS) + 1
    spent = Spent(cloudstack)
    for machines in (0, FEW):
        api.change("POST", "global/firewalls", {"name": "web", "network": NETWORK, "targetTags": ["web"], **BODY})
        assert spent.since().total() == len(ips) * each <= len(ips) * len(PORTS) * len(RANGES)
        tags = api.get(f"{ADVANCED}/two")["tags"]
        done = api.change("POST", f"{ADVANCED}/two/setTags", {"fingerprint": tags["fingerprint"]})
        assert "error" not in done
        assert opened(cloudstack, ips[1]) == set()
        tags = api.get(f"{ADVANCED}/two")["tags"]
        api.change("POST", f"{ADVANCED}/two/setTags", {"items": ["web"], "fingerprint": tags["fingerprint"]})
        assert len(opened(cloudstack, ips[1])) == len(PORTS)
        assert spent.since().total() <= 2 * each + 2
        api.change("DELETE", "global/firewalls/web")
        assert spent.since()["DeleteFirewallRule"] == len(ips) * len(PORTS)
        if not machines:
            crowd(api, NETWORK, "silent")
            spent.since()


def test_in_a_private_cloud_it_costs_as_many_as_it_has_ranges_of_ports(launch: Launch) -> None:
    live, cloud = launch(job_delay=0.02)
    api, cloudstack = live.api(), portal(cloud)
    private.custom(api, "front")
    crowd(api, private.NETWORK, "inner")
    spent = Spent(cloudstack)
    api.change("POST", "global/firewalls", {"name": "web", "network": private.NETWORK, **BODY})
    assert spent.since() == Counter({"CreateNetworkACL": len(PORTS)})
    api.change("PATCH", "global/firewalls/web", {"sourceRanges": RANGES[:2]})
    assert spent.since() == Counter({"CreateNetworkACL": len(PORTS), "DeleteNetworkACL": len(PORTS)})
    api.change("DELETE", "global/firewalls/web")
    assert spent.since() == Counter({"DeleteNetworkACL": len(PORTS)})


def test_a_change_of_more_rules_than_one_operation_is_good_for_is_refused(launch: Launch) -> None:
    live, cloud = launch(job_delay=0.02)
    api, cloudstack = live.api(), portal(cloud)
    ips = [reachable(api, name) for name in ("one", "two")]
    many = [{"IPProtocol": "tcp", "ports": [str(port) for port in range(1, 1203, 2)]}]
    refused = api.call("POST", "global/firewalls", {"name": "web", "network": NETWORK, "allowed": many})
    assert (refused.status, refused.reason) == (400, "invalid")
    assert "1202 rules" in refused.message
    assert not opened(cloudstack, ips[0]) | opened(cloudstack, ips[1])
