"""Machines on the simulated cloud: every verb, names that linger, custom sizes, projects."""

from __future__ import annotations

import base64
import json

import pytest
from simulated import cloud_at, done, ended, key, machine, named, recipe

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.machines import node_of
from gcelib.errors import Exceeded, Exists, Refused, Unsupported
from gcelib.models import JobState, NodeState
from gcelib.simulator import Simulator

BASIC, ISOLATED, GROUPED = "CH-GV2", "DE-ADV1", "FR-SG1"


def test_zones_say_what_they_offer(cloud):
    zones = {zone.name: (zone.security_groups, zone.own_networks, zone.picks_network) for zone in cloud.zones.list()}
    assert zones == {BASIC: (True, False, False), ISOLATED: (False, True, True), GROUPED: (True, False, True)}


def test_sizes_hold_fixed_and_custom_ones_but_no_system_offerings(cloud):
    sizes = {size.name: size for size in cloud.sizes.list()}
    assert (sizes["Large"].cpus, sizes["Large"].ram_mb) == (4, 8182)
    custom = sizes["Custom"].custom
    assert (custom.min_cpus, custom.max_cpus, custom.min_ram_mb, custom.max_ram_mb) == (1, 16, 512, 32768)
    assert sizes["Micro"].custom is None


def test_images_come_once_with_all_their_zones_and_the_own_unready_one(cloud):
    images = cloud.images.list()
    assert len({image.id for image in images}) == len(images) == 28
    debian = named(images, "Debian 12")
    assert len(debian.zone_ids) == 2
    assert (debian.public, debian.own, debian.size_gb) == (True, False, 4)
    coming = named(images, "Debian 13")
    assert (coming.state, coming.own, coming.status_text) == ("pending", True, "37% Downloaded")


@pytest.mark.parametrize("zone", [BASIC, ISOLATED, GROUPED])
def test_a_machine_is_made_and_seen_in_every_kind_of_zone(cloud, zone):
    networks = [net.id for net in cloud.networks.list() if net.zone_id == named(cloud.zones.list(), zone).id]
    args = recipe(cloud, zone, "web-1", network_ids=networks, user_data=base64.b64encode(b"#!/bin/sh").decode())
    job = cloud.submit("nodes", "create", args, key())
    assert job.target
    end = done(cloud, job)
    assert end.result["id"] == end.target == job.target
    node = named(cloud.nodes.list(), "web-1")
    assert (node.id, node.state, node.size_name) == (job.target, NodeState.RUNNING, "Micro")
    assert node.image_id == args["image_id"]
    assert [nic.network_id for nic in node.nics] == networks
    assert node.nics[0].ip
    assert node.nics[0].direct is (zone == BASIC)
    assert bool(node.group_ids) is (zone != ISOLATED)
    assert [found.id for found in cloud.nodes.find("WEB-1")] == [node.id]
    assert not cloud.nodes.find("web")


def test_a_machine_just_deployed_is_seen_at_once_and_not_as_stopped():
    with Simulator(job_delay=30) as slow:
        cloud = cloud_at(slow)
        job = cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key())
        assert job.state is JobState.RUNNING
        node = named(cloud.nodes.list(), "web-1")
        assert (node.id, node.busy) == (job.target, True)
        assert node.state in (NodeState.PROVISIONING, NodeState.STAGING)
        assert cloud.poll(job).state is JobState.RUNNING
        cloud.close()


@pytest.mark.parametrize(("size", "cpus", "ram"), [("Custom", 3, 1536), ("Custom-constrained", 4, 2048)])
def test_a_custom_size_gets_the_cpus_and_memory_asked_for(cloud, size, cpus, ram):
    machine(cloud, BASIC, "big", size=size, cpus=cpus, ram_mb=ram)
    node = named(cloud.nodes.list(), "big")
    assert (node.cpus, node.ram_mb) == (cpus, ram)


def test_a_boot_disk_may_be_larger_than_its_image(cloud):
    machine(cloud, BASIC, "web-1", root_gb=77)
    boot = [disk for disk in cloud.volumes.list() if disk.boot]
    assert [(disk.size_gb, disk.node_name) for disk in boot] == [(77, "web-1")]


def test_a_key_pair_and_groups_are_given_at_creation(cloud):
    group = done(cloud, cloud.submit("firewalls", "create_group", {"name": "web"}, key())).result["id"]
    public = "ssh-ed25519 " + base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + b"k" * 32).decode()
    done(cloud, cloud.submit("keypairs", "register", {"name": "ian", "public_key": public}, key()))
    machine(cloud, BASIC, "web-1", group_ids=[group], keypair_names=["ian"])
    node = named(cloud.nodes.list(), "web-1")
    assert (node.group_ids, node.keypair_names) == ((group,), ("ian",))


def test_a_name_that_is_taken_is_known_by_looking_not_by_text(cloud):
    machine(cloud, BASIC, "web-1")
    with pytest.raises(Exists, match="web-1"):
        cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key())


def test_a_name_taken_by_a_machine_nobody_can_see_keeps_the_clouds_words(sim, cloud):
    other = cloud_at(sim, "other")
    machine(other, BASIC, "web-1")
    other.close()
    with pytest.raises(Refused, match="431"):
        cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key())


def test_a_bad_parameter_keeps_the_clouds_words(cloud):
    with pytest.raises(Refused, match=r"Cloud 'sim'.*431"):
        cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1") | {"keypair_names": ["nobody"]}, key())
    assert not cloud.nodes.list()


def test_stop_start_reset_and_protect(cloud):
    id = machine(cloud, BASIC, "web-1")
    done(cloud, cloud.submit("nodes", "stop", {"id": id}, key()))
    assert cloud.nodes.list()[0].state is NodeState.STOPPED
    done(cloud, cloud.submit("nodes", "stop", {"id": id}, key()))
    done(cloud, cloud.submit("nodes", "start", {"id": id}, key()))
    assert cloud.nodes.list()[0].state is NodeState.RUNNING
    done(cloud, cloud.submit("nodes", "reset", {"id": id}, key()))
    assert cloud.submit("nodes", "protect", {"id": id, "on": True}, key()).state is JobState.DONE
    assert cloud.nodes.list()[0].delete_protected
    assert cloud.submit("nodes", "protect", {"id": id, "on": False}, key()).state is JobState.DONE
    assert not cloud.nodes.list()[0].delete_protected


def test_starting_a_running_machine_is_done_and_resetting_a_stopped_one_fails(cloud):
    id = machine(cloud, BASIC, "web-1")
    done(cloud, cloud.submit("nodes", "start", {"id": id}, key()))
    done(cloud, cloud.submit("nodes", "stop", {"id": id}, key()))
    failed = ended(cloud, cloud.submit("nodes", "reset", {"id": id}, key()))
    assert failed.state is JobState.FAILED
    assert failed.error["kind"] == "Refused"
    assert "Cloud 'sim'" in failed.error["message"]


def test_a_destroyed_machine_holds_its_name_unless_it_was_renamed_first(cloud):
    assert cloud.traits.lingering()
    id = machine(cloud, BASIC, "web-1")
    done(cloud, cloud.submit("nodes", "stop", {"id": id}, key()))
    done(cloud, cloud.submit("nodes", "rename", {"id": id, "name": "gone-1"}, key()))
    assert [node.name for node in cloud.nodes.list()] == ["gone-1"]
    done(cloud, cloud.submit("nodes", "destroy", {"id": id}, key()))
    assert not cloud.nodes.list()
    again = machine(cloud, BASIC, "web-1")
    done(cloud, cloud.submit("nodes", "destroy", {"id": again}, key()))
    with pytest.raises(Refused):
        cloud.submit("nodes", "create", recipe(cloud, BASIC, "web-1"), key())


def test_where_users_may_expunge_the_name_is_free_at_once():
    with Simulator(job_delay=0, expunge=True) as generous:
        cloud = cloud_at(generous)
        assert not cloud.traits.lingering()
        id = machine(cloud, BASIC, "web-1")
        done(cloud, cloud.submit("nodes", "destroy", {"id": id}, key()))
        machine(cloud, BASIC, "web-1")
        cloud.close()


def test_a_rename_to_a_taken_name_is_exists_and_to_its_own_is_done(cloud):
    machine(cloud, BASIC, "web-1")
    id = machine(cloud, BASIC, "web-2")
    with pytest.raises(Exists):
        cloud.submit("nodes", "rename", {"id": id, "name": "web-1"}, key())
    done(cloud, cloud.submit("nodes", "rename", {"id": id, "name": "web-2"}, key()))


def test_destroying_a_machine_that_is_gone_is_done(cloud):
    id = machine(cloud, BASIC, "web-1")
    done(cloud, cloud.submit("nodes", "destroy", {"id": id}, key()))
    done(cloud, cloud.submit("nodes", "destroy", {"id": id}, key()))
    assert not cloud.nodes.list()


def test_destroying_a_protected_machine_is_refused(cloud):
    id = machine(cloud, BASIC, "web-1")
    done(cloud, cloud.submit("nodes", "protect", {"id": id, "on": True}, key()))
    end = ended(cloud, cloud.submit("nodes", "destroy", {"id": id}, key()))
    assert (end.state, end.error["kind"]) == (JobState.FAILED, "Refused")
    assert cloud.nodes.list()


def test_the_boot_disk_goes_with_its_machine_and_the_named_data_disks_too(cloud):
    id = machine(cloud, ISOLATED, "web-1")
    zone = named(cloud.zones.list(), ISOLATED).id
    disks = []
    for name in ("kept", "dropped"):
        made = done(cloud, cloud.submit("volumes", "create", {"name": name, "zone_id": zone, "size_gb": 7}, key()))
        done(cloud, cloud.submit("volumes", "attach", {"id": made.target, "node_id": id}, key()))
        disks.append(made.target)
    done(cloud, cloud.submit("nodes", "destroy", {"id": id, "volume_ids": [disks[1]]}, key()))
    assert [disk.name for disk in cloud.volumes.list()] == ["kept"]


def test_machines_of_a_project_are_apart_and_its_quota_refuses(sim, cloud):
    inside = cloud_at(sim, tenant="shared-project")
    for number in (1, 2):
        machine(inside, BASIC, f"web-{number}")
    with pytest.raises(Exceeded, match=r"Cloud 'sim'.*quota"):
        inside.submit("nodes", "create", recipe(inside, BASIC, "web-3"), key())
    assert len(inside.nodes.list()) == 2
    assert not cloud.nodes.list()
    quotas = {quota.metric: (quota.limit, quota.usage) for quota in inside.quotas.list()}
    assert quotas["INSTANCES"] == (2, 2)
    assert {quota.metric: quota.limit for quota in cloud.quotas.list()}["INSTANCES"] == -1
    done(inside, inside.submit("nodes", "destroy", {"id": inside.nodes.list()[0].id}, key()))
    inside.close()


def test_1203_machines_are_listed(sim):
    with Simulator(job_delay=0, preload=1203) as crowded:
        cloud = cloud_at(crowded)
        assert len({node.id for node in cloud.nodes.list()}) == 1203
        assert len(cloud.volumes.list()) == 1203
        cloud.close()


def test_what_a_cloud_has_not_is_said_with_its_name(cloud):
    for facet, verb in (("balancers", "resize"), ("zones", "destroy"), ("nodes", "dance"), ("nodes", "seen")):
        with pytest.raises(Unsupported, match="Cloud 'sim'"):
            cloud.submit(facet, verb, {}, key())


@pytest.mark.parametrize(("said", "state"), [
    ("Failed to download", "failed"),
    ("HTTP Server returned 404 (expected 200 OK)", "failed"),
    ("Download error: No route to host", "failed"),
    ("12% Downloaded", "pending"),
    ("Installing Template", "pending"),
    ("", "pending"),
])
def test_an_image_that_failed_on_its_way_is_not_said_to_be_coming(stub, cloud_of, said, state):
    row = {"id": "t", "name": "new", "isready": False, "status": said}
    cloud = stub(lambda command, params: {"count": 1, "template": [row]})
    assert [image.state for image in cloud_of(cloud.url).images.list()] == [state]


@pytest.mark.parametrize("devices", [("", ""), ("1", "0"), ("0", "1")])
def test_the_default_interface_comes_first_whatever_order_the_cloud_lists_them_in(devices):
    nics = [{"id": id, "networkid": id, "ipaddress": f"10.0.0.{n}", "type": "Isolated", "isdefault": id == "main"} | (
        {"deviceid": devices[n]} if devices[n] else {}) for n, id in enumerate(("side", "main"))]
    row = {"id": "m", "name": "m", "state": "Running", "nic": nics, "publicip": "203.0.113.7"}
    shown = node_of(wire.one(json.dumps(row).encode(), records.VmRow)).nics
    assert [(nic.network_id, nic.public_ip) for nic in shown] == [("main", "203.0.113.7"), ("side", "")]
