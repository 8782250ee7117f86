"""Firewalls by tag on the addresses of forwarding rules: they follow who is behind one, and the tags of those."""

from __future__ import annotations

from typing import Any

import pytest
from cs import CloudStack

from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine
from tests.wire.test_firewalls_on_addresses import ADVANCED, DISKS, HERE, NETWORK, firewall, opened

POOLS, RULES = "regions/de/targetPools", "regions/de/forwardingRules"
WEB = {("tcp", 80, 80, "0.0.0.0/0")}
Front = tuple[Api, CloudStack, str]


def pool(api: Api, name: str, *machines: str) -> None:
    api.change("POST", POOLS, {"name": name, "instances": [f"{ADVANCED}/{each}" for each in machines]})


def members(api: Api, verb: str, *machines: str) -> None:
    body = {"instances": [{"instance": f"{ADVANCED}/{each}"} for each in machines]}
    api.change("POST", f"{POOLS}/first/{verb}", body)


def tag(api: Api, name: str, *tags: str) -> None:
    now = api.get(f"{ADVANCED}/{name}")["tags"]
    body: dict[str, Any] = {"fingerprint": now["fingerprint"], "items": [*tags]}
    api.change("POST", f"{ADVANCED}/{name}/setTags", body)


@pytest.fixture
def front(launch: Launch) -> Front:
    """Two machines, one tagged; a rule that leads to a pool with the other; a firewall for the tag; the address."""
    live, simulator = launch()
    api, cloudstack = live.api(), portal(simulator)
    for name, tags in (("plain", []), ("web", ["web"])):
        api.change("POST", ADVANCED, machine(name, "de-adv1", disks=DISKS, networkInterfaces=[{"network": NETWORK}],
                                             tags={"items": tags}))
    pool(api, "first", "plain")
    api.change("POST", RULES, {"name": "front", "portRange": "80", "target": f"{POOLS}/first"})
    ip = str(api.get(f"{RULES}/front")["IPAddress"])
    ports = [{"IPProtocol": "tcp", "ports": ["80"]}]
    api.change("POST", HERE, firewall("http", targetTags=["web"], allowed=ports))
    assert opened(cloudstack, ip) == set()
    return api, cloudstack, ip


def test_a_machine_put_into_a_pool_or_taken_out_of_it_opens_and_shuts_the_address(front: Front) -> None:
    api, cloudstack, ip = front
    members(api, "addInstance", "web")
    assert opened(cloudstack, ip) == WEB
    members(api, "removeInstance", "web")
    assert opened(cloudstack, ip) == set()


def test_another_target_opens_and_shuts_the_address(front: Front) -> None:
    api, cloudstack, ip = front
    pool(api, "second", "web")
    for name, expected in (("second", WEB), ("first", set())):
        api.change("POST", f"{RULES}/front/setTarget", {"target": f"{POOLS}/{name}"})
        assert opened(cloudstack, ip) == expected


def test_tags_of_a_machine_behind_it_open_and_shut_the_address(front: Front) -> None:
    api, cloudstack, ip = front
    tag(api, "plain", "web")
    assert opened(cloudstack, ip) == WEB
    tag(api, "plain", "other")
    assert opened(cloudstack, ip) == set()


def test_a_machine_that_is_deleted_is_one_less_behind_it(front: Front) -> None:
    api, cloudstack, ip = front
    members(api, "addInstance", "web")
    assert opened(cloudstack, ip) == WEB
    api.change("DELETE", f"{ADVANCED}/web")
    assert opened(cloudstack, ip) == set()


def test_a_reserved_address_is_shut_with_its_last_rule(front: Front) -> None:
    api, cloudstack, _ = front
    api.change("POST", "regions/de/addresses", {"name": "kept"})
    pool(api, "second", "web")
    body = {"name": "other", "portRange": "80", "target": f"{POOLS}/second", "IPAddress": "regions/de/addresses/kept"}
    ip = api.get("regions/de/addresses/kept")["address"]
    api.change("POST", RULES, body)
    assert opened(cloudstack, ip) == WEB
    api.change("DELETE", f"{RULES}/other")
    assert opened(cloudstack, ip) == set()
    assert api.get("regions/de/addresses/kept")["status"] == "RESERVED"


def test_a_balancer_in_a_private_cloud_says_that_firewalls_do_not_stand_before_it(launch: Launch) -> None:
    api = launch()[0].api()
    api.change("POST", "global/networks", {"name": "custom", "autoCreateSubnetworks": False})
    api.change("POST", "regions/de/subnetworks", {"name": "front", "network": "global/networks/custom",
                                                   "ipCidrRange": "10.5.1.0/24"})
    nics = [{"subnetwork": "regions/de/subnetworks/front"}]
    api.change("POST", ADVANCED, machine("inner", "de-adv1", disks=DISKS, networkInterfaces=nics))
    pool(api, "first", "inner")
    made = api.change("POST", RULES, {"name": "front", "portRange": "80", "target": f"{POOLS}/first"})
    assert "lets everybody in" in made["warnings"][0]["message"]
