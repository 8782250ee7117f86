"""libcloud's GCE driver where accounts have networks of their own: networks, addresses, balancing and its balancers."""

# mypy: allow-untyped-calls

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from libcloud.common.google import InvalidRequestError, ResourceNotFoundError
from libcloud.loadbalancer.base import Algorithm
from libcloud.loadbalancer.drivers.gce import GCELBDriver

from tests.contract.libcloud_driver import led
from tests.live import Live

ZONE, REGION = "de-adv1", "de"


@pytest.fixture(scope="module")
def driver(secure: Live) -> Iterator[Any]:
    """The driver, at home in a zone with isolated networks."""
    with led(secure, datacenter=ZONE) as made:
        yield made


@pytest.fixture(scope="module")
def nodes(driver: Any) -> Iterator[list[Any]]:
    """Two machines in one network, made at once; gone at the end."""
    size, image = driver.ex_get_size("micro"), driver.ex_get_image("debian-12")
    made = driver.ex_create_multiple_nodes("lc", size, image, 2, ex_network="demo-network", ex_tags=["web"],
                                           poll_interval=0.1)
    assert [node.name for node in made] == ["lc-000", "lc-001"]
    yield made
    assert driver.ex_destroy_multiple_nodes(made, destroy_boot_disk=False, poll_interval=0.1) == [True, True]


def names(found: list[Any]) -> list[str]:
    """What things are called."""
    return [each.name for each in found]


def deprecation(driver: Any, name: str) -> str:
    """The state of an image's end, once it has one: the driver does not wait for it."""
    deadline = time.monotonic() + 30
    while "deprecated" not in (found := driver.ex_get_image(name).extra):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return str(found["deprecated"]["state"])


def test_networks_of_each_mode(driver: Any) -> None:
    legacy = driver.ex_create_network("lc-legacy", "10.4.0.0/24", description="Old", mode="legacy")
    auto = driver.ex_create_network("lc-auto", None, mode="auto")
    custom = driver.ex_create_network("lc-custom", None, mode="custom", description="By libcloud")
    assert (legacy.mode, legacy.cidr, legacy.extra["gatewayIPv4"]) == ("legacy", "10.4.0.0/24", "10.4.0.1")
    assert (auto.mode, len(auto.subnetworks), custom.mode) == ("auto", 1, "custom")
    assert custom.extra["description"] == "By libcloud"
    tier = driver.ex_create_subnetwork("lc-tier", cidr="10.5.1.0/24", network="lc-custom", region=REGION,
                                       description="A tier")
    assert (tier.cidr, tier.network.name, tier.region.name) == ("10.5.1.0/24", "lc-custom", REGION)
    assert {"lc-auto", "lc-tier"} <= set(names(driver.ex_list_subnetworks(REGION)))
    route = driver.ex_create_route("lc-route", "192.168.5.0/24", priority=900, network="lc-custom", next_hop="10.5.1.9")
    assert (route.dest_range, route.priority, route.extra["nextHopIp"]) == ("192.168.5.0/24", 900, "10.5.1.9")
    assert "lc-route" in names(driver.ex_list_routes())
    assert driver.ex_destroy_route(route)
    assert driver.ex_destroy_subnetwork(tier)
    assert all(driver.ex_destroy_network(each) for each in (legacy, auto, custom))
    with pytest.raises(ResourceNotFoundError):
        driver.ex_get_network("lc-custom")


def test_a_machine_at_an_address_that_was_reserved(driver: Any) -> None:
    address = driver.ex_create_address("lc-front", region=REGION, description="In front")
    assert (address.region.name, address.extra["status"]) == (REGION, "RESERVED")
    node = driver.create_node("lc-at", "micro", "debian-12", location=ZONE, ex_network="demo-network",
                              external_ip=address, ex_labels={"env": "test"}, ex_disk_auto_delete=True)
    assert (node.public_ips, node.extra["labels"]) == ([address.address], {"env": "test"})
    assert driver.ex_get_address("lc-front", REGION).extra["status"] == "IN_USE"
    assert driver.ex_delete_access_config(node, "External NAT", "nic0")
    assert driver.ex_get_node("lc-at").public_ips == []
    assert driver.ex_add_access_config(node, "External NAT", "nic0")
    assert driver.destroy_node(node)
    assert driver.ex_destroy_address(address)
    assert "lc-front" not in names(driver.ex_list_addresses("all"))
    with pytest.raises(InvalidRequestError, match=r"globalAddresses\.insert"):
        driver.ex_create_address("lc-anywhere", region="global")


def test_a_machine_without_an_address_and_one_from_a_list_of_disks(driver: Any) -> None:
    image = driver.ex_get_image_from_family("debian-12")
    disk = {"boot": True, "autoDelete": True, "type": "PERSISTENT", "mode": "READ_WRITE", "deviceName": "lc-listed",
            "initializeParams": {"diskName": "lc-listed", "sourceImage": image.extra["selfLink"]}}
    hidden = driver.create_node("lc-hidden", "micro", image, ex_network="demo-network", external_ip=None)
    listed = driver.create_node("lc-listed", "micro", None, ex_network="demo-network", ex_disks_gce_struct=[disk])
    assert (hidden.public_ips, listed.extra["disks"][0]["deviceName"]) == ([], "lc-listed")
    found = {node.name: node.extra["boot_disk"] for node in driver.list_nodes(ex_use_disk_cache=True)}
    assert found["lc-listed"].name == "lc-listed"
    assert driver.destroy_node(hidden)
    assert driver.destroy_node(listed)


def test_what_is_set_of_a_machine(driver: Any, nodes: list[Any]) -> None:
    node = nodes[0]
    assert driver.ex_stop_node(node)
    assert driver.ex_set_machine_type(node, "small")
    assert driver.ex_start_node(node)
    assert driver.ex_set_node_tags(node, ["new"])
    assert driver.ex_set_node_metadata(node, {"role": "front"})
    assert driver.ex_set_node_labels(driver.ex_get_node(node.name), {"team": "lc"})
    assert driver.ex_set_node_scheduling(node, automatic_restart=False)
    found = driver.ex_get_node(node.name)
    assert (found.size, found.extra["tags"], found.extra["labels"]) == ("small", ["new"], {"team": "lc"})
    assert found.extra["metadata"]["items"] == [{"key": "role", "value": "front"}]
    assert found.extra["scheduling"]["automaticRestart"] is False
    with pytest.raises(InvalidRequestError, match="getSerialPortOutput"):
        driver.ex_get_serial_output(found)


def test_volumes_and_copies_by_their_labels_and_replacements(driver: Any, nodes: list[Any]) -> None:
    volume = driver.create_volume(5, "lc-volume", ex_disk_type="pd-standard")
    assert driver.attach_volume(nodes[1], volume)
    snapshot = driver.create_volume_snapshot(volume, "lc-snapshot")
    assert names(driver.list_volume_snapshots(volume)) == ["lc-snapshot"]
    assert driver.detach_volume(volume, ex_node=nodes[1])
    assert driver.ex_set_volume_labels(driver.ex_get_volume("lc-volume"), {"a": "b"})
    assert driver.ex_get_volume("lc-volume").extra["labels"] == {"a": "b"}
    image = driver.ex_create_image("lc-made", driver.create_volume(None, "lc-again", snapshot=snapshot))
    assert driver.ex_set_image_labels(image, {"c": "d"})
    assert driver.ex_get_image("lc-made").extra["labels"] == {"c": "d"}
    assert driver.ex_deprecate_image(image, "debian-12", state="DEPRECATED")
    assert deprecation(driver, "lc-made") == "DEPRECATED"
    copied = driver.ex_copy_image("lc-copied", "http://storage.googleapis.com/bucket/disk.qcow2", family="lc-family")
    assert driver.ex_get_image_from_family("lc-family").name == copied.name
    assert all(driver.ex_delete_image(each) for each in (image, copied))
    assert driver.destroy_volume_snapshot(snapshot)
    assert all(driver.destroy_volume(driver.ex_get_volume(name)) for name in ("lc-volume", "lc-again"))


def test_a_pool_its_check_and_the_rules_that_lead_to_it(driver: Any, nodes: list[Any]) -> None:
    first, second = nodes
    check = driver.ex_create_healthcheck("lc-check", host="www.example", path="/up", port=8080, interval=10, timeout=10)
    check.port = 8081
    assert driver.ex_update_healthcheck(check).port == 8081
    pool = driver.ex_create_targetpool("lc-pool", region=REGION, healthchecks=[check], nodes=[first])
    assert (names(pool.healthchecks), names(pool.nodes)) == (["lc-check"], [first.name])
    assert driver.ex_targetpool_add_node(pool, second)
    assert names(driver.ex_get_targetpool("lc-pool").nodes) == [first.name, second.name]
    assert [each["health"] for each in driver.ex_targetpool_get_health(pool)] == ["HEALTHY", "HEALTHY"]
    assert driver.ex_targetpool_remove_node(pool, second)
    assert driver.ex_targetpool_remove_healthcheck(pool, check)
    assert driver.ex_targetpool_add_healthcheck(pool, check)
    with pytest.raises(InvalidRequestError, match="backup pool"):
        driver.ex_targetpool_set_backup_targetpool(pool, pool, 0.1)
    rule = driver.ex_create_forwarding_rule("lc-rule", target=pool, region=REGION, port_range="80-81")
    assert (rule.protocol, rule.targetpool.name, rule.extra["portRange"]) == ("TCP", "lc-pool", "80-81")
    target = driver.ex_create_targetinstance("lc-target", zone=ZONE, node=first)
    assert driver.ex_get_targetinstance("lc-target", ZONE).node.name == first.name
    direct = driver.ex_create_forwarding_rule("lc-direct", target=target, region=REGION, port_range="22")
    assert names(driver.ex_list_forwarding_rules(REGION)) == ["lc-direct", "lc-rule"]
    assert all(driver.ex_destroy_forwarding_rule(each) for each in (direct, rule))
    assert driver.ex_destroy_targetinstance(target)
    assert driver.ex_destroy_targetpool(pool)
    assert driver.ex_destroy_healthcheck(check)


def test_libclouds_load_balancers(driver: Any, nodes: list[Any]) -> None:
    balancers = GCELBDriver(gce_driver=driver)
    check = driver.ex_create_healthcheck("lc-balanced")
    made = balancers.create_balancer("lc-balancer", 80, "tcp", Algorithm.RANDOM, nodes, ex_region=REGION,
                                     ex_healthchecks=[check])
    assert (made.name, made.port) == ("lc-balancer", "80-80")
    assert names(balancers.list_balancers(REGION)) == ["lc-balancer"]
    members = balancers.balancer_list_members(balancers.get_balancer("lc-balancer"))
    assert [member.id for member in members] == [node.name for node in nodes]
    assert balancers.balancer_detach_member(made, members[0])
    assert [member.id for member in balancers.balancer_list_members(made)] == [nodes[1].name]
    assert balancers.balancer_attach_compute_node(made, nodes[0]).id == nodes[0].name
    assert names(balancers.ex_balancer_list_healthchecks(made)) == ["lc-balanced"]
    assert balancers.destroy_balancer(made)
    assert driver.ex_destroy_healthcheck(check)


def test_a_firewall_is_updated(driver: Any) -> None:
    made = driver.ex_create_firewall("lc-wall", [{"IPProtocol": "tcp", "ports": ["22"]}], network="default",
                                     source_ranges=["10.0.0.0/8"], source_tags=["inside"], target_tags=["web"])
    made.allowed, made.source_ranges = [{"IPProtocol": "udp", "ports": ["53"]}], ["10.1.0.0/16"]
    assert driver.ex_update_firewall(made)
    found = driver.ex_get_firewall("lc-wall")
    assert (found.allowed, found.source_ranges) == ([{"IPProtocol": "udp", "ports": ["53"]}], ["10.1.0.0/16"])
    assert (found.source_tags, found.target_tags, found.direction) == (["inside"], ["web"], "INGRESS")
    assert driver.ex_destroy_firewall(found)


def test_quotas_and_types_of_disks(driver: Any) -> None:
    assert {"INSTANCES", "NETWORKS"} <= {quota["metric"] for quota in driver.ex_get_project().quotas}
    assert {"CPUS", "STATIC_ADDRESSES"} <= {quota["metric"] for quota in driver.ex_get_region(REGION).quotas}
    assert "pd-standard" in names(driver.ex_list_disktypes(ZONE))
    assert driver.ex_get_zone(ZONE).status == "UP"
