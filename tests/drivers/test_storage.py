"""Disks, their copies and templates on the simulated cloud: what the wire does not show."""

from __future__ import annotations

import pytest
from simulated import cloud_at, done, ended, key, machine, named

from gcelib.drivers.cloudstack.systems import format_of
from gcelib.errors import Refused
from gcelib.models import ImageState, JobState, VolumeState
from gcelib.simulator import Simulator
from gcelib.simulator.hardware import Template

ISOLATED = "DE-ADV1"
URL = "http://images.example/a.qcow2"


@pytest.mark.parametrize(("url", "format"), [
    ("http://x/a.qcow2", "QCOW2"), ("https://x/a.RAW.gz?sig=.ova", "RAW"), ("http://x/a.img", "RAW"),
    ("http://x/a.vhd.bz2", "VHD"), ("http://x/a.b.ova", "OVA"),
])
def test_the_name_of_a_file_tells_its_format(url, format):
    assert format_of(url) == format


@pytest.mark.parametrize("url", ["http://x/a", "http://x/a.tar.gz", "http://x/qcow2", "http://x/?a.qcow2"])
def test_a_name_that_tells_no_format_is_refused_with_those_that_do(url):
    with pytest.raises(Refused, match=r"\.qcow2"):
        format_of(url)


def test_a_disk_of_the_wanted_size_is_left_alone(sim, cloud):
    zone = named(cloud.zones.list(), ISOLATED).id
    made = done(cloud, cloud.submit("volumes", "create", {"name": "d", "zone_id": zone, "size_gb": 7}, key()))
    for _ in range(2):
        assert done(cloud, cloud.submit("volumes", "resize", {"id": made.target, "size_gb": 9}, key())).target
    disk = named(cloud.volumes.list(), "d")
    assert (disk.size_gb, disk.blank, disk.state) == (9, True, VolumeState.READY)


def test_a_copy_that_is_gone_is_deleted(cloud):
    machine(cloud, ISOLATED, "web-1")
    disk = next(disk for disk in cloud.volumes.list() if disk.node_name == "web-1")
    made = done(cloud, cloud.submit("snapshots", "create", {"name": "s", "volume_id": disk.id}, key()))
    copy = named(cloud.snapshots.list(), "s")
    assert (copy.id, copy.volume_id, copy.zone_id, copy.boot) == (made.target, disk.id, disk.zone_id, True)
    for _ in range(2):
        done(cloud, cloud.submit("snapshots", "destroy", {"id": copy.id}, key()))
    assert cloud.snapshots.list() == ()


def test_a_file_that_cannot_be_fetched_fails_the_change_with_the_clouds_words():
    slow = Simulator(job_delay=60)
    slow.start()
    try:
        cloud = cloud_at(slow)
        zones = [zone.id for zone in cloud.zones.list()]
        job = cloud.submit("images", "register", {"name": "bad", "url": URL, "zone_ids": zones}, key())
        assert cloud.poll(job).state is JobState.RUNNING
        with slow.world.lock:
            (template,) = [each for each in slow.world.all(Template) if each.name == "bad"]
            template.status = "Failed to download: HTTP 404"
        failed = ended(cloud, job)
        assert failed.state is JobState.FAILED
        assert "HTTP 404" in str(failed.error["message"])
        assert named(cloud.images.list(), "bad").state is ImageState.FAILED
    finally:
        slow.stop()
