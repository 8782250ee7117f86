"""libcloud's own GCE driver, over TLS because it follows https links only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from libcloud.common.google import ResourceExistsError, ResourceNotFoundError
from libcloud.compute.types import NodeState

from tests.contract.libcloud_driver import led
from tests.live import Live

IMAGE = "linux-centos-6-4-64-bit-10gb"


@pytest.fixture(scope="module")
def driver(secure: Live) -> Iterator[Any]:
    """The driver."""
    with led(secure) as made:
        yield made


@pytest.fixture(scope="module")
def node(driver: Any) -> Iterator[Any]:
    """A machine, made from the driver's own objects; gone at the end."""
    size = next(size for size in driver.list_sizes("ch-gv2") if size.name == "micro")
    made = driver.create_node(
        "by-libcloud", size, driver.ex_get_image(IMAGE), location="ch-gv2", ex_network="default", ex_tags=["web"],
        ex_metadata={"role": "front"}, description="By libcloud",
    )
    yield made
    assert driver.destroy_node(made)
    assert [each for each in driver.list_nodes() if each.name == "by-libcloud"] == []


def test_zones_sizes_and_images(driver: Any) -> None:
    assert [zone.name for zone in driver.ex_list_zones()] == ["ch-gv2", "de-adv1", "fr-sg1"]
    assert [place.name for place in driver.list_locations()] == ["ch-gv2", "de-adv1", "fr-sg1"]
    assert {region.name: [zone.name for zone in region.zones] for region in driver.ex_list_regions()} == {
        "ch": ["ch-gv2"], "de": ["de-adv1"], "fr": ["fr-sg1"]
    }
    sizes = {size.name: (size.ram, size.extra["guestCpus"]) for size in driver.list_sizes("ch-gv2")}
    assert sizes["large"] == (8182, 4)
    images = driver.list_images()
    assert len(images) == 28
    assert IMAGE in {image.name for image in images}


def test_a_machine_as_libcloud_sees_it(driver: Any, node: Any) -> None:
    assert node.state == NodeState.RUNNING
    assert node.public_ips[0].startswith("185.19.28.")
    assert node.extra["tags"] == ["web"]
    assert node.extra["description"] == "By libcloud"
    (found,) = [each for each in driver.list_nodes("ch-gv2") if each.name == "by-libcloud"]
    assert found.id == node.id
    assert found.extra["zone"].name == "ch-gv2"
    assert {item["key"]: item["value"] for item in found.extra["metadata"]["items"]} == {"role": "front"}
    (volume,) = [each for each in driver.list_volumes() if each.name == "by-libcloud"]
    assert int(volume.size) == 10


def test_it_stops_starts_and_reboots(driver: Any, node: Any) -> None:
    assert driver.ex_stop_node(node)
    assert driver.ex_get_node("by-libcloud").state == NodeState.STOPPED
    assert driver.ex_start_node(node)
    assert driver.reboot_node(node)
    assert driver.ex_get_node("by-libcloud").state == NodeState.RUNNING


def test_a_firewall_from_making_to_deleting(driver: Any) -> None:
    rules = [{"IPProtocol": "tcp", "ports": ["22", "80-90"]}, {"IPProtocol": "icmp"}]
    made = driver.ex_create_firewall("by-libcloud", rules, network="default", source_ranges=["10.0.0.0/8"],
                                     target_tags=["web"])
    assert (made.allowed, made.source_ranges, made.target_tags) == (rules, ["10.0.0.0/8"], ["web"])
    assert "by-libcloud" in [each.name for each in driver.ex_list_firewalls()]
    assert driver.ex_destroy_firewall(made)
    with pytest.raises(ResourceNotFoundError):
        driver.ex_get_firewall("by-libcloud")


def test_networks(driver: Any) -> None:
    found = {network.name: network.cidr for network in driver.ex_list_networks()}
    assert (found["default"], found["demo-network"]) == ("185.19.0.0/16", "10.1.1.0/24")


def test_the_project(driver: Any) -> None:
    project = driver.ex_get_project()
    assert project.name == "demo"
    assert driver.ex_set_common_instance_metadata({"items": [{"key": "who", "value": "libcloud"}]})
    items = driver.ex_get_project().extra["commonInstanceMetadata"]["items"]
    assert {"key": "who", "value": "libcloud"} in items


def test_refusals_are_libclouds_own_exceptions(driver: Any, node: Any) -> None:
    with pytest.raises(ResourceExistsError, match="already exists"):
        driver.create_node(node.name, "micro", IMAGE, location="ch-gv2")
    with pytest.raises(ResourceNotFoundError, match="instances/nobody' was not found"):
        driver.ex_get_node("nobody", zone="ch-gv2")


def test_disks_snapshots_and_images(driver: Any, node: Any) -> None:
    volume = driver.create_volume(3, "libcloud-data", location="ch-gv2", ex_disk_type="pd-standard")
    assert (volume.size, volume.extra["status"], volume.extra["type"]) == ("3", "READY", "pd-standard")
    assert driver.attach_volume(node, volume, ex_auto_delete=False)
    assert driver.ex_set_volume_auto_delete(volume, node)
    volume = driver.ex_get_volume("libcloud-data", zone="ch-gv2")
    snapshot = driver.create_volume_snapshot(volume, "libcloud-copy")
    assert (snapshot.size, snapshot.status) == ("3", "READY")
    assert [each.name for each in driver.ex_list_snapshots()] == ["libcloud-copy"]
    assert driver.detach_volume(volume, ex_node=node)
    assert driver.ex_resize_volume(driver.ex_get_volume("libcloud-data", zone="ch-gv2"), 5)
    assert driver.ex_get_volume("libcloud-data", zone="ch-gv2").size == "5"
    copy = driver.create_volume(None, "libcloud-restored", location="ch-gv2", snapshot=snapshot)
    assert copy.size == "3"
    image = driver.ex_create_image("libcloud-image", copy, family="libcloud", description="By libcloud")
    assert (image.name, image.extra["status"], image.extra["family"]) == ("libcloud-image", "READY", "libcloud")
    assert driver.ex_get_image_from_family("libcloud").name == "libcloud-image"
    assert driver.ex_delete_image(image)
    assert driver.destroy_volume_snapshot(snapshot)
    for made in (volume, copy):
        assert driver.destroy_volume(made)
    assert [each.name for each in driver.list_volumes()] == ["by-libcloud"]


def test_a_template(driver: Any) -> None:
    size = next(size for size in driver.list_sizes("ch-gv2") if size.name == "micro")
    made = driver.ex_create_instancetemplate(
        "lc-front", size, image=driver.ex_get_image(IMAGE), network="default", tags=["web"],
        metadata={"items": [{"key": "role", "value": "front"}]}, description="A front end",
    )
    assert made.name == "lc-front"
    found = driver.ex_get_instancetemplate("lc-front")
    assert found.extra["properties"]["machineType"] == "micro"
    assert found.extra["properties"]["tags"]["items"] == ["web"]
    assert [each.name for each in driver.ex_list_instancetemplates()] == ["lc-front"]
    assert found.destroy()
    with pytest.raises(ResourceNotFoundError):
        driver.ex_get_instancetemplate("lc-front")


def test_a_group(driver: Any, node: Any) -> None:
    network = driver.ex_get_network("default")
    group = driver.ex_create_instancegroup("lc-group", "ch-gv2", description="Front ends", network=network)
    assert (group.name, group.network.name) == ("lc-group", "default")
    assert group.add_instances([node])
    assert [each.name for each in group.list_instances()] == ["by-libcloud"]
    assert group.set_named_ports([{"name": "http", "port": 80}])
    found = driver.ex_get_instancegroup("lc-group", "ch-gv2")
    assert found.named_ports == [{"name": "http", "port": 80}]
    assert [each.name for each in driver.ex_list_instancegroups("ch-gv2")] == ["lc-group"]
    assert found.remove_instances([node])
    assert found.list_instances() == []
    assert found.destroy()
