"""Clients written by others work against the simulator: `cs`, and libcloud's own CloudStack driver."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from cs import CloudStack, CloudStackApiException
from libcloud.common.types import InvalidCredsError
from libcloud.compute.drivers.cloudstack import CloudStackNodeDriver
from libcloud.loadbalancer.drivers.cloudstack import CloudStackLBDriver


@pytest.fixture
def driver(simulator):
    account = simulator.accounts["demo"]
    return CloudStackNodeDriver(account.api_key, account.secret_key, secure=False, url=simulator.url)


def place(driver, zone, image=None):
    location = next(one for one in driver.list_locations() if one.name == zone)
    images = driver.list_images(location)
    return {
        "location": location,
        "image": next(one for one in images if image in (None, one.name)),
        "size": next(one for one in driver.list_sizes_that_are_fixed() if one.name == "Small"),
    }


@pytest.fixture
def fixed(driver):
    """libcloud's list_sizes does not stand custom offerings, so a test asks for one size by name."""
    from libcloud.compute.base import NodeSize

    def sizes():
        rows = driver._sync_request("listServiceOfferings")["serviceoffering"]
        return [NodeSize(row["id"], row["name"], row["memory"], 0, 0, 0, driver) for row in rows if "memory" in row]

    driver.list_sizes_that_are_fixed = sizes
    return driver


def test_cs_lives_a_machines_life(cs):
    zone = cs.listZones(name="CH-GV2", fetch_list=True)[0]
    template = cs.listTemplates(templatefilter="featured", zoneid=zone["id"], fetch_list=True)[0]
    offering = cs.listServiceOfferings(name="Tiny", fetch_list=True)[0]
    machine = cs.deployVirtualMachine(
        zoneid=zone["id"], templateid=template["id"], serviceofferingid=offering["id"], name="web",
        userdata="aGVsbG8=", fetch_result=True,
    )["virtualmachine"]  # fmt: skip
    assert machine["state"] == "Running"
    cs.createTags(resourceids=[machine["id"]], resourcetype="UserVm", tags={"role": "web"}, fetch_result=True)
    assert cs.listVirtualMachines(tags={"role": "web"}, fetch_list=True)[0]["tags"][0]["key"] == "role"
    cs.destroyVirtualMachine(id=machine["id"], fetch_result=True)
    assert cs.listVirtualMachines(fetch_list=True) == []


def test_cs_signs_by_version_3_and_by_post(simulator):
    account = simulator.accounts["demo"]
    client = CloudStack(endpoint=simulator.url, key=account.api_key, secret=account.secret_key, method="post",
                        expiration=60)  # fmt: skip
    assert client.listZones()["count"] == 3
    late = CloudStack(endpoint=simulator.url, key=account.api_key, secret=account.secret_key, expiration=-60)
    assert late.listZones()["count"] == 3, "cs sends no expiry when it is negative"


def test_cs_pages_through_a_long_list(simulate):
    simulator = simulate(preload=1100)
    account = simulator.accounts["demo"]
    client = CloudStack(endpoint=simulator.url, key=account.api_key, secret=account.secret_key)
    rows = client.listVirtualMachines(fetch_list=True)
    assert len({row["id"] for row in rows}) == 1100


def test_cs_reads_errors(cs):
    with pytest.raises(CloudStackApiException) as refused:
        cs.listVirtualMachines(id="nobody")
    assert refused.value.error["errorcode"] == 431


def test_libcloud_lists_the_cloud(fixed):
    assert {zone.name for zone in fixed.list_locations()} == {"CH-GV2", "DE-ADV1", "FR-SG1"}
    assert len(fixed.list_images(fixed.list_locations()[0])) == 24
    assert fixed.list_nodes() == []
    assert [group["name"] for group in fixed.ex_list_security_groups()] == ["default"]
    assert {network.name for network in fixed.ex_list_networks()} >= {"demo-network", "defaultGuestNetwork"}
    assert fixed.ex_limits()["max_instances"] == -1
    assert fixed.ex_list_projects()[0].name == "shared-project"


def test_libcloud_lives_a_machines_life(fixed):
    node = fixed.create_node(name="web", ex_start_vm=True, **place(fixed, "CH-GV2"))
    assert (node.name, node.state) == ("web", "running")
    assert node.public_ips[0].startswith("185.19.28.")
    assert fixed.ex_stop(node) == "Stopped"
    assert fixed.ex_start(node) == "Running"
    assert fixed.reboot_node(node) is True
    assert fixed.ex_create_tags([node.id], "UserVm", {"a": "b"}) is True
    assert fixed.list_nodes()[0].extra["tags"] == {"a": "b"}
    assert fixed.destroy_node(node) is True
    assert fixed.list_nodes() == []


def test_libcloud_manages_groups_keys_and_disks(fixed):
    assert fixed.ex_create_security_group("web")["name"] == "web"
    (rule,) = fixed.ex_authorize_security_group_ingress("web", "tcp", "0.0.0.0/0", 22, 22)["ingressrule"]
    assert fixed.ex_revoke_security_group_ingress(rule["ruleid"]) is True
    assert fixed.ex_delete_security_group("web") is True
    assert fixed.create_key_pair("mine").private_key
    assert [pair.name for pair in fixed.list_key_pairs()] == ["mine"]
    where = place(fixed, "DE-ADV1", "Debian 12")
    node = fixed.create_node(name="db", ex_start_vm=True, **where)
    volume = fixed.create_volume(20, "data", location=where["location"])
    assert fixed.attach_volume(node, volume) is True
    snapshot = fixed.create_volume_snapshot(volume)
    assert fixed.list_snapshots()[0].id == snapshot.id
    assert fixed.destroy_volume_snapshot(snapshot) is True
    assert fixed.detach_volume(volume) is True
    assert fixed.destroy_volume(volume) is True


def test_libcloud_manages_addresses_forwarding_and_balancers(simulator, fixed):
    where = place(fixed, "DE-ADV1", "Debian 12")
    node = fixed.create_node(name="web", ex_start_vm=True, **where)
    network = next(one for one in fixed.ex_list_networks() if one.name == "demo-network")
    address = fixed.ex_allocate_public_ip(location=where["location"], network_id=network.id)
    rule = fixed.ex_create_port_forwarding_rule(node, address, 80, 8080, "tcp")
    assert [row.public_port for row in fixed.ex_list_port_forwarding_rules()] == ["8080"]
    assert len(fixed.ex_list_firewall_rules()) == 1
    assert fixed.ex_delete_port_forwarding_rule(node, rule) is True
    assert fixed.ex_release_public_ip(address) is True
    account = simulator.accounts["demo"]
    where_to = {"host": "127.0.0.1", "port": urlsplit(simulator.url).port, "path": "/client/api"}
    balancing = CloudStackLBDriver(account.api_key, account.secret_key, secure=False, **where_to)
    assert balancing.list_balancers() == []


def test_libcloud_is_told_of_wrong_keys(simulator):
    account = simulator.accounts["demo"]
    stranger = CloudStackNodeDriver(account.api_key, "wrong", secure=False, url=simulator.url)
    with pytest.raises(InvalidCredsError):
        stranger.list_locations()
