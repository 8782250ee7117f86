"""Disks, snapshots, and the templates made of them."""

from __future__ import annotations

import pytest

from gcelib.simulator.hardware import DiskOffering, ServiceOffering
from gcelib.simulator.places import Zone
from tests.simulator.client import Caller, Refusal


def refused(code, call, command, **given):
    with pytest.raises(Refusal) as caught:
        call(command, **given)
    assert caught.value.code == code


def disk(call, zone="DE-ADV1", offering="Custom", **given):
    wanted = call.rows("listDiskOfferings", name=offering)[0]["id"]
    return call.result("createVolume", zoneid=call.zone(zone), diskofferingid=wanted, **({"name": "data"} | given))


def os_type(call):
    return call.rows("listOsTypes")[0]["id"]


def test_a_blank_disk_is_on_no_storage_until_it_is_attached(demo):
    made = disk(demo, size=7)
    assert (made["state"], made["size"], made["type"]) == ("Allocated", 7 << 30, "DATADISK")
    refused(431, demo, "createSnapshot", volumeid=made["id"])
    attached = demo.result("attachVolume", id=made["id"], virtualmachineid=demo.machine("DE-ADV1")["id"])
    assert (attached["state"], attached["deviceid"]) == ("Ready", 1)


def test_devices_are_given_from_one_and_never_three(demo):
    machine = demo.machine("DE-ADV1")["id"]
    disks = [disk(demo, size=1, name=f"d{number}")["id"] for number in range(4)]
    devices = [demo.result("attachVolume", id=one, virtualmachineid=machine)["deviceid"] for one in disks[:3]]
    assert devices == [1, 2, 4]
    for device in (0, 2, 3, 99):
        assert demo.job("attachVolume", id=disks[3], virtualmachineid=machine, deviceid=device)["jobresultcode"] == 530
    assert demo.result("attachVolume", id=disks[3], virtualmachineid=machine, deviceid=7)["deviceid"] == 7
    assert demo.job("attachVolume", id=disks[3], virtualmachineid=machine)["jobresultcode"] == 431


def test_a_disk_of_another_zone_is_not_attached(demo):
    job = demo.job("attachVolume", id=disk(demo, size=1)["id"], virtualmachineid=demo.machine()["id"])
    assert job["jobresultcode"] == 431


def test_an_attached_disk_is_not_deleted_and_survives_its_machine(demo):
    machine = demo.machine("DE-ADV1")["id"]
    kept, dropped = (disk(demo, size=1, name=name)["id"] for name in ("kept", "dropped"))
    for one in (kept, dropped):
        demo.result("attachVolume", id=one, virtualmachineid=machine)
    refused(431, demo, "deleteVolume", id=kept)
    demo.result("destroyVirtualMachine", id=machine, volumeids=dropped)
    assert [row["name"] for row in demo.rows("listVolumes", type="DATADISK")] == ["kept"]
    assert demo("deleteVolume", id=kept) == {"success": True}


def test_a_disk_is_detached_by_its_place(demo):
    machine = demo.machine("DE-ADV1")["id"]
    one = disk(demo, size=1)["id"]
    demo.result("attachVolume", id=one, virtualmachineid=machine)
    assert "virtualmachineid" not in demo.result("detachVolume", virtualmachineid=machine, deviceid=1)
    assert demo.job("detachVolume", id=one)["jobresultcode"] == 431


def test_sizes_go_with_custom_offerings_only_and_grow_only(demo):
    with pytest.raises(Refusal):
        disk(demo)
    with pytest.raises(Refusal):
        disk(demo, offering="Small", size=5)
    made = disk(demo, size=5)
    assert demo.result("resizeVolume", id=made["id"], size=9)["size"] == 9 << 30
    assert demo.job("resizeVolume", id=made["id"], size=8, shrinkok="true")["jobresultcode"] == 431


def test_a_snapshot_passes_through_its_states(simulate, session, clock):
    demo = Caller(simulate(job_delay=None, clock=clock), "demo", session)
    demo("deployVirtualMachine", **demo.deploying())
    clock.advance(5)
    root = demo.rows("listVolumes")[0]["id"]
    demo("createSnapshot", volumeid=root, name="nightly")
    seen = []
    for seconds in (0.3, 2.0, 3.0):
        clock.advance(seconds)
        seen.append(demo.rows("listSnapshots")[0]["state"])
    assert seen == ["Creating", "BackingUp", "BackedUp"]
    refused(431, demo, "createTemplate", name="t", ostypeid=os_type(demo), volumeid=root)


def test_disks_and_templates_are_made_of_snapshots_that_may_then_go(demo):
    machine = demo.machine("DE-ADV1", rootdisksize=6)
    root = demo.rows("listVolumes")[0]["id"]
    snapshot = demo.result("createSnapshot", volumeid=root)
    assert (snapshot["state"], snapshot["virtualsize"], snapshot["volumetype"]) == ("BackedUp", 6 << 30, "ROOT")
    assert snapshot["name"].startswith(machine["name"])
    copy = demo.result("createVolume", name="copy", snapshotid=snapshot["id"])
    assert (copy["state"], copy["size"]) == ("Ready", 6 << 30)
    template = demo.result("createTemplate", name="mine", ostypeid=os_type(demo), snapshotid=snapshot["id"])
    assert (template["isready"], template["ispublic"], template["displaytext"]) == (True, False, "mine")
    assert demo.job("deleteSnapshot", id=snapshot["id"])["jobresult"] == {"success": True}
    assert demo("listSnapshots") == {}
    fresh = demo.machine("DE-ADV1", templateid=template["id"])
    assert fresh["templatename"] == "mine"
    assert demo.job("deleteTemplate", id=template["id"])["jobresultcode"] == 431
    assert demo.job("deleteTemplate", id=template["id"], forced="true")["jobstatus"] == 1


def test_a_registered_template_comes_by_and_by(simulate, session, clock):
    demo = Caller(simulate(job_delay=None, clock=clock), "demo", session)
    given = {"name": "own", "format": "QCOW2", "hypervisor": "KVM", "zoneid": demo.zone(),
             "url": "https://images.example/own.qcow2"}  # fmt: skip
    answer = demo("registerTemplate", **given)
    assert (answer["count"], answer["template"][0]["isready"]) == (1, False)
    clock.advance(6)
    assert demo.rows("listTemplates", templatefilter="self", name="own")[0]["isready"] is True
    refused(431, demo, "registerTemplate", **(given | {"url": "ftp://images.example/own.qcow2"}))
    refused(431, demo, "registerTemplate", **(given | {"format": "RAW"}))
    refused(531, demo, "deleteTemplate", id=demo.template(demo.zone()))


def test_key_pairs_are_unique_and_their_private_half_is_shown_once(demo):
    made = demo("createSSHKeyPair", name="mine")["keypair"]
    assert made["privatekey"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert len(made["fingerprint"].split(":")) == 16
    assert "privatekey" not in demo.rows("listSSHKeyPairs")[0]
    refused(431, demo, "createSSHKeyPair", name="mine")
    refused(431, demo, "registerSSHKeyPair", name="bad", publickey="ssh-rsa nothing")
    assert demo.machine(keypair="mine")["keypairs"] == "mine"
    refused(431, demo, "deployVirtualMachine", **demo.deploying(keypair="missing"))
    assert demo("deleteSSHKeyPair", name="mine") == {"success": True}


def test_a_boot_disk_whose_size_an_offering_fixes_is_not_resized(demo, simulator):
    root = demo.machine("DE-ADV1") and demo.rows("listVolumes", type="ROOT")[0]
    assert demo.result("resizeVolume", id=root["id"], size=30)["size"] == 30 << 30
    for offering in simulator.world.all(ServiceOffering):
        offering.root_gib = 30
    assert demo.job("resizeVolume", id=root["id"], size=40)["jobresultcode"] == 431


def test_an_offering_has_the_size_of_a_copy_said_and_is_of_its_zones(demo, simulator):
    root = demo.machine("DE-ADV1") and demo.rows("listVolumes", type="ROOT")[0]
    copy = demo.result("createSnapshot", volumeid=root["id"])["id"]
    custom = demo.rows("listDiskOfferings", name="Custom")[0]["id"]
    refused(431, demo, "createVolume", name="c", snapshotid=copy, diskofferingid=custom)
    assert demo.result("createVolume", name="c", snapshotid=copy, diskofferingid=custom, size=9)["size"] == 9 << 30
    assert demo.result("createVolume", name="d", snapshotid=copy, size=9)["size"] == root["size"]
    for offering in simulator.world.all(DiskOffering):
        offering.zones = [zone for zone in simulator.world.all(Zone) if zone.name == "CH-GV2"]
    refused(531, demo, "createVolume", name="e", zoneid=demo.zone("DE-ADV1"), diskofferingid=custom, size=1)
