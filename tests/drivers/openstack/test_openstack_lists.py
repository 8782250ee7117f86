"""What a recorded OpenStack holds, as models."""

from __future__ import annotations

import pytest
import recorded_cloud
from recorded_cloud import MADE, Recorded

from gcelib.drivers.openstack.cloud import OpenStack
from gcelib.errors import NotFound, Unavailable
from gcelib.models import NodeState, VolumeState


def test_zones_and_sizes(cloud: OpenStack) -> None:
    assert [(zone.name, zone.up, zone.region) for zone in cloud.zones.list()] == [
        ("zone-a", True, ""), ("zone-b", True, "")]
    assert [(size.name, size.cpus, size.ram_mb) for size in cloud.sizes.list()][:2] == [
        ("m1.tiny", 1, 512), ("m1.small", 1, 2048)]


def test_zones_that_would_be_in_several_regions_are_in_openstacks(site: Recorded, cloud: OpenStack) -> None:
    rows = [{"zoneName": name, "zoneState": {"available": True}} for name in ("az1", "az2")]
    site.script = lambda method, path, body: (
        (200, {"availabilityZoneInfo": rows}) if path == "compute /os-availability-zone" else None)
    assert [(zone.name, zone.region) for zone in cloud.zones.list()] == [("az1", "RegionOne"), ("az2", "RegionOne")]


def test_a_machine_of_an_image_with_all_its_wiring(cloud: OpenStack) -> None:
    node = next(each for each in cloud.nodes.list() if each.id == MADE["node"])
    assert (node.name, node.state, node.zone_id, node.size_id, node.busy) == (
        "vm-image", NodeState.RUNNING, "zone-a", "1", False)
    assert node.image_id
    assert MADE["group"] in node.group_ids
    [nic] = node.nics
    address = next(each for each in cloud.addresses.list() if each.id == MADE["address"])
    assert (nic.network_id, nic.network_name, nic.public_ip) == (MADE["network"], "private", address.ip)
    assert nic.ip.startswith("10.0.0.")
    assert node.tags["gcelib-description"] == "web server"
    assert node.created is not None
    assert node.created.utcoffset() is not None


def test_disks_of_both_kinds(cloud: OpenStack) -> None:
    disks = {disk.id: disk for disk in cloud.volumes.list()}
    own = disks[f"boot-of:{MADE['node']}"]
    assert (own.boot, own.size_gb, own.node_id, own.zone_id) == (True, 1, MADE["node"], "zone-a")
    root = next(disk for disk in disks.values() if disk.node_id == MADE["volume_node"])
    assert (root.boot, root.size_gb, root.zone_id) == (True, 7, "zone-b")
    data = disks[MADE["volume"]]
    assert (data.boot, data.size_gb, data.node_id, data.device, data.state) == (
        False, 3, MADE["node"], 1, VolumeState.READY)
    assert data.type_id == next(kind.id for kind in cloud.volumes.types() if kind.name == data.type_name)


def test_snapshots_of_both_kinds_and_no_image_among_them(cloud: OpenStack) -> None:
    copies = {copy.id: copy for copy in cloud.snapshots.list()}
    assert copies[MADE["snapshot"]].volume_id == MADE["volume"]
    boot = copies[MADE["boot_copy"]]
    assert (boot.name, boot.volume_id, boot.boot, boot.state) == (
        "boot-copy", f"boot-of:{MADE['node']}", True, VolumeState.READY)
    images = {image.id: image for image in cloud.images.list()}
    assert MADE["boot_copy"].removeprefix("image:") not in images
    assert (images[MADE["image"]].own, images[MADE["image"]].public) == (True, False)
    assert {image.name for image in images.values() if image.public} == {"debian-12", "ubuntu-22.04"}


def test_private_images_of_others_are_not_shown_to_an_administrator(site: Recorded, cloud: OpenStack) -> None:
    mine = cloud._api.me().project_id
    rows = [{"id": owner, "name": owner, "status": "active", "visibility": seen, "owner": owner}
            for owner, seen in (("a", "private"), ("b", "shared"), ("c", "public"), (mine, "private"))]
    site.script = lambda method, path, body: (200, {"images": rows}) if path.startswith("image /v2/images") else None
    found = [(image.name, image.own) for image in cloud.images.list()]
    assert found == [("b", False), ("c", False), (mine, True)]


def test_a_network_is_in_every_zone_and_the_outside_in_none(cloud: OpenStack) -> None:
    found = [(net.name, net.zone_id, net.default, net.nat, net.own) for net in cloud.networks.list()]
    assert found == [("private", "zone-a", True, True, True), ("private", "zone-b", True, True, True)]


def test_a_network_may_be_chosen_as_the_default(site: Recorded) -> None:
    assert not any(net.default for net in site.cloud(default_network="another").networks.list())
    assert all(net.default for net in site.cloud(default_network=MADE["network"]).networks.list())


def test_rules_with_the_tags_that_their_group_keeps(cloud: OpenStack) -> None:
    group = next(each for each in cloud.firewalls.list() if each.id == MADE["group"])
    rules = {(rule.protocol, rule.cidr): rule for rule in group.rules if rule.direction == "ingress"}
    assert set(rules) == {("tcp", "203.0.113.0/24"), ("tcp", "2001:db8::/32"), ("icmp", "0.0.0.0/0")}
    web = rules["tcp", "203.0.113.0/24"]
    assert (web.first_port, web.last_port, web.tags) == (80, 443, {"gcelib-fw-allow-web": "1"})
    assert rules["icmp", "0.0.0.0/0"].tags == {}
    assert group.node_ids == (MADE["node"],)
    default = next(each for each in cloud.firewalls.list() if each.name == "default")
    assert {rule.group_name for rule in default.rules if rule.direction == "ingress"} == {"default"}


def test_an_address_that_no_machine_has_may_be_in_use(site: Recorded, cloud: OpenStack) -> None:
    before = next(each for each in cloud.addresses.list() if each.id == MADE["address"])
    site.script = lambda method, path, body: (200, {"ports": []}) if path.startswith("network /v2.0/ports") else None
    after = next(each for each in cloud.addresses.list() if each.id == MADE["address"])
    assert (before.node_id, before.held) == (MADE["node"], "")
    assert (after.node_id, after.held) == ("", "09ad1e79-cbf1-4743-95e1-2b879dbe41a9")


def test_an_address_with_a_description_that_no_tag_holds(cloud: OpenStack) -> None:
    address = next(each for each in cloud.addresses.list() if each.id == MADE["address"])
    assert (address.node_id, address.zone_id, address.tags["gcelib-name"]) == (MADE["node"], "zone-a", "front")
    assert address.tags["gcelib-description"].endswith("odd “characters” that does not fit into one tag of sixty")


def test_quotas_of_a_nova_that_does_not_count(cloud: OpenStack) -> None:
    found = {quota.metric: (quota.limit, quota.usage) for quota in cloud.quotas.list()}
    assert found["INSTANCES"] == (-1, len(cloud.nodes.list()))
    assert found["NETWORKS"][1] == 1
    assert found["SNAPSHOTS"][1] == 1


def test_whose_keys_these_are(cloud: OpenStack) -> None:
    holder = cloud.holder()
    assert (holder.name, [name for _, name in holder.projects]) == ("demo", ["demo"])


def test_a_project_that_the_user_comes_into_later_is_found(site: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud, read, none = site.cloud(), recorded_cloud._read, {"projects": []}
    identity = cloud._identity
    monkeypatch.setattr(recorded_cloud, "_read", lambda name: none if name.endswith("auth-projects") else read(name))
    with pytest.raises(NotFound, match="in no project 'demo'; projects: none"):
        identity.tenant("demo")
    monkeypatch.undo()
    assert identity.tenant("demo").name == identity.tenant("").name == "demo"
    asked = len(site.calls)
    assert identity.tenant("demo").domain_id == "default"
    assert len(site.calls) == asked


def test_every_driver_of_a_cloud_shares_one_sign_in(site: Recorded, cloud: OpenStack) -> None:
    for facet in (cloud.nodes, cloud.volumes, cloud.images, cloud.networks):
        facet.list()
    assert site.given == 1


def test_long_lists_come_page_by_page(site: Recorded, cloud: OpenStack) -> None:
    def script(method: str, path: str, body: object) -> tuple[int, object] | None:
        if path == "compute /flavors/detail":
            link = {"rel": "next", "href": f"{site.url}/compute/v2.1/flavors/detail?limit=1&marker=a"}
            return 200, {"flavors": [{"id": "a", "name": "one"}], "flavors_links": [link]}
        if path == "compute /flavors/detail?limit=1&marker=a":
            return 200, {"flavors": [{"id": "b", "name": "two"}]}
        return None

    site.script = script
    assert [size.name for size in cloud.sizes.list()] == ["one", "two"]


def test_a_cloud_without_cinder_has_the_disks_of_its_machines(site: Recorded) -> None:
    site.leaves_out = ("volumev3",)
    cloud = site.cloud()
    assert {disk.id.partition(":")[0] for disk in cloud.volumes.list()} == {"boot-of"}
    assert cloud.volumes.types() == []
    assert [copy.id for copy in cloud.snapshots.list()] == [MADE["boot_copy"]]
    assert "SNAPSHOTS" not in {quota.metric for quota in cloud.quotas.list()}


@pytest.mark.parametrize("status", [403, 404])
def test_quotas_of_a_service_that_does_not_tell_are_left_out(site: Recorded, cloud: OpenStack, status: int) -> None:
    site.script = lambda method, path, body: (
        (status, {"NeutronError": {"message": "no"}}) if path.startswith("network /v2.0/quotas") else None)
    found = {quota.metric for quota in cloud.quotas.list()}
    assert "INSTANCES" in found
    assert "NETWORKS" not in found


def test_quotas_of_a_service_that_is_away_are_left_out(site: Recorded, cloud: OpenStack) -> None:
    site.script = lambda method, path, body: (503, {"message": "down"}) if path.startswith("volume") else None
    assert {"INSTANCES", "NETWORKS"} <= {quota.metric for quota in cloud.quotas.list()}
    site.script = lambda method, path, body: (503, {"message": "down"})
    with pytest.raises(Unavailable):
        cloud.quotas.list()
