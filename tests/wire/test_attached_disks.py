"""Disks of instances over the wire: attached, detached, kept or deleted with their machine."""

from __future__ import annotations

from typing import Any

import pytest
from cs import CloudStack

from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine

ZONE = "de-adv1"
DISKS, INSTANCES = f"zones/{ZONE}/disks", f"zones/{ZONE}/instances"
BOOT: dict[str, Any] = {
    "boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"},
}


def made(api: Api, name: str, *further: Any) -> Any:
    """A machine with these disks beside its boot disk."""
    api.change("POST", INSTANCES, machine(name, ZONE, disks=[BOOT, *further]))
    return api.get(f"{INSTANCES}/{name}")


@pytest.fixture(scope="module")
def host(api: Api) -> str:
    """A running machine to attach disks to."""
    made(api, "host")
    return f"{INSTANCES}/host"


def attached(api: Api, host: str, name: str) -> Any:
    """The entry of a disk among the machine's; None when it has no such one."""
    disks = api.get(host)["disks"]
    return next((disk for disk in disks if disk["source"].endswith(f"/disks/{name}")), None)


def test_a_disk_is_attached_and_detached_while_the_machine_runs(api: Api, host: str, cloudstack: CloudStack) -> None:
    api.change("POST", DISKS, {"name": "data", "sizeGb": "4"})
    sent = {"source": f"{DISKS}/data", "deviceName": "logs", "mode": "READ_WRITE", "type": "PERSISTENT"}
    done = api.change("POST", f"{host}/attachDisk", sent)
    assert done["operationType"] == "attachDisk"
    entry = attached(api, host, "data")
    assert {"deviceName": "logs", "boot": False, "autoDelete": False, "diskSizeGb": "4"}.items() <= entry.items()
    disk = api.get(f"{DISKS}/data")
    assert disk["users"] == [api.get(host)["selfLink"]]
    assert disk["lastAttachTimestamp"]
    assert cloudstack.listVolumes(name="data")["volume"][0]["vmname"] == "host"
    again = api.call("POST", f"{host}/attachDisk", sent)
    assert (again.status, again.reason) == (400, "resourceInUseByAnotherResource")
    assert api.call("DELETE", f"{DISKS}/data").reason == "resourceInUseByAnotherResource"
    assert api.change("POST", f"{host}/detachDisk", deviceName="logs")["operationType"] == "detachDisk"
    assert attached(api, host, "data") is None
    assert "users" not in api.get(f"{DISKS}/data")
    api.change("POST", f"{host}/attachDisk", {"source": f"{DISKS}/data"})
    assert attached(api, host, "data")["deviceName"] == "persistent-disk-1"
    api.change("POST", f"{host}/detachDisk", deviceName="persistent-disk-1")


def test_a_disk_that_was_once_attached_can_be_copied(api: Api, host: str) -> None:
    api.change("POST", DISKS, {"name": "written", "sizeGb": "2", "type": f"zones/{ZONE}/diskTypes/pd-standard"})
    api.change("POST", f"{host}/attachDisk", {"source": f"{DISKS}/written", "deviceName": "written"})
    api.change("POST", f"{DISKS}/written/createSnapshot", {"name": "of-data"})
    api.change("POST", f"{host}/detachDisk", deviceName="written")
    kept = {"sourceSnapshot": "global/snapshots/of-data", "type": f"zones/{ZONE}/diskTypes/custom"}
    api.change("POST", DISKS, {"name": "from-data", **kept})
    assert api.get(f"{DISKS}/from-data")["sizeGb"] == "2"
    other = api.call("POST", DISKS, {"name": "no", **kept, "type": f"zones/{ZONE}/diskTypes/small"})
    assert other.reason == "unsupportedOperation"
    assert "resource.type" in other.message


def test_disks_are_kept_or_deleted_with_their_machine_as_was_said(api: Api) -> None:
    made(api, "mortal", {"autoDelete": True, "deviceName": "a", "initializeParams": {"diskSizeGb": "1"}},
         {"deviceName": "b", "initializeParams": {"diskSizeGb": "1", "diskName": "mortal-b", "labels": {"x": "y"}}})
    path = f"{INSTANCES}/mortal"
    assert [disk["autoDelete"] for disk in api.get(path)["disks"]] == [True, True, False]
    assert api.get(f"{DISKS}/mortal-b")["labels"] == {"x": "y"}
    api.change("POST", f"{path}/setDiskAutoDelete", deviceName="a", autoDelete=False)
    api.change("POST", f"{path}/setDiskAutoDelete", deviceName="b", autoDelete=True)
    api.change("POST", f"{path}/setDiskAutoDelete", deviceName="b", autoDelete=True)
    assert [disk["autoDelete"] for disk in api.get(path)["disks"]] == [True, False, True]
    refused = api.call("POST", f"{path}/setDiskAutoDelete", deviceName="persistent-disk-0", autoDelete=False)
    assert refused.reason == "unsupportedOperation"
    api.change("DELETE", path)
    assert api.get(f"{DISKS}/mortal-1")["status"] == "READY"
    assert api.call("GET", f"{DISKS}/mortal-b").status == 404
    assert api.call("GET", f"{DISKS}/mortal").status == 404
    api.change("DELETE", f"{DISKS}/mortal-1")


def test_a_machine_is_made_with_a_disk_that_is_there_and_one_from_a_snapshot(api: Api, host: str) -> None:
    api.change("POST", f"{DISKS}/host/createSnapshot", {"name": "of-host"})
    api.change("POST", DISKS, {"name": "there", "sizeGb": "3"})
    found = made(api, "equipped", {"source": f"{DISKS}/there", "deviceName": "old"},
                 {"deviceName": "new", "initializeParams": {"sourceSnapshot": "global/snapshots/of-host"}})
    assert [disk["deviceName"] for disk in found["disks"]] == ["persistent-disk-0", "old", "new"]
    assert api.get(f"{DISKS}/equipped-2")["sourceSnapshot"].endswith("/global/snapshots/of-host")


@pytest.mark.parametrize("further", [{"source": f"{DISKS}/waiting"}, {"initializeParams": {"diskSizeGb": "1"}}])
def test_a_disk_is_attached_when_its_new_machine_is_there_and_not_before(api: Api, further: dict[str, Any]) -> None:
    if api.call("GET", f"{DISKS}/waiting").status == 404:
        api.change("POST", DISKS, {"name": "waiting", "sizeGb": "1"})
    # Nothing else is kept of this machine: no tag stands in the line of its jobs before the disk.
    found = made(api, "waited-for", further)
    assert len(found["disks"]) == 2
    api.change("DELETE", f"{INSTANCES}/waited-for")


def test_a_new_disk_is_made_and_attached_at_once(api: Api, host: str) -> None:
    params = {"diskSizeGb": "2", "diskName": "quick-disk"}
    sent = {"deviceName": "quick", "autoDelete": True, "initializeParams": params}
    api.change("POST", f"{host}/attachDisk", sent)
    assert attached(api, host, "quick-disk")["autoDelete"] is True


@pytest.mark.parametrize(("body", "query", "status", "words"), [
    ({}, {}, 400, "resource.source"),
    ({"source": f"{DISKS}/none"}, {}, 404, f"{DISKS}/none"),
    ({"source": "zones/ch-gv2/disks/none"}, {}, 400, f"zone '{ZONE}'"),
    ({"source": f"{DISKS}/idle", "boot": True}, {}, 400, "resource.boot"),
    ({"source": f"{DISKS}/idle", "mode": "READ_ONLY"}, {}, 400, "READ_ONLY"),
    ({"source": f"{DISKS}/idle"}, {"forceAttach": True}, 400, "forceAttach"),
    ({"source": f"{DISKS}/idle", "deviceName": "persistent-disk-0"}, {}, 400, "deviceName"),
    ({"initializeParams": {"sourceImage": "global/images/debian-12"}}, {}, 400, "initializeParams.sourceImage"),
])
def test_what_cannot_be_attached_is_refused_by_field(
    api: Api, host: str, body: dict[str, Any], query: dict[str, Any], status: int, words: str
) -> None:
    if api.call("GET", f"{DISKS}/idle").status == 404:
        api.change("POST", DISKS, {"name": "idle", "sizeGb": "1"})
    answer = api.call("POST", f"{host}/attachDisk", body, **query)
    assert answer.status == status, answer.data
    assert words in answer.message
    assert "users" not in api.get(f"{DISKS}/idle")


def test_the_boot_disk_stays_with_its_machine(api: Api, host: str) -> None:
    refused = api.call("POST", f"{host}/detachDisk", deviceName="persistent-disk-0")
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    unknown = api.call("POST", f"{host}/detachDisk", deviceName="none")
    assert "persistent-disk-0" in unknown.message


def test_a_machine_whose_boot_disk_would_have_a_taken_name_is_409(api: Api) -> None:
    api.change("POST", DISKS, {"name": "squatter", "sizeGb": "1"})
    answer = api.call("POST", INSTANCES, machine("squatter", ZONE, disks=[BOOT]))
    assert (answer.status, answer.reason) == (409, "alreadyExists")
    assert answer.message == f"The resource 'projects/demo/{DISKS}/squatter' already exists"


def test_machines_whose_new_disks_have_one_device_name_keep_disks_of_their_own(api: Api) -> None:
    disk = {"deviceName": "data", "autoDelete": True, "initializeParams": {"diskSizeGb": "1"}}
    sources = []
    for name in ("twin-a", "twin-b"):
        found = made(api, name, disk, {**disk, "deviceName": "logs"})
        assert [each["deviceName"] for each in found["disks"]] == ["persistent-disk-0", "data", "logs"]
        sources += [each["source"].rpartition("/")[2] for each in found["disks"][1:]]
    assert sources == ["twin-a-1", "twin-a-2", "twin-b-1", "twin-b-2"]


def test_a_new_disk_that_is_given_no_name_gets_one_that_is_free(api: Api, host: str) -> None:
    api.change("POST", DISKS, {"name": "heir-1", "sizeGb": "1"})
    unnamed = {"autoDelete": True, "initializeParams": {"diskSizeGb": "1"}}
    found = made(api, "heir", unnamed, unnamed)
    assert [disk["source"].rpartition("/")[2] for disk in found["disks"]] == ["heir", "heir-2", "heir-3"]
    api.change("POST", f"{INSTANCES}/heir/detachDisk", deviceName="persistent-disk-1")
    api.change("POST", f"{INSTANCES}/heir/attachDisk", unnamed)
    assert attached(api, f"{INSTANCES}/heir", "heir-4") is not None
    long = "long" * 15 + "ish"
    assert made(api, long, unnamed)["disks"][1]["source"].endswith(f"/{'long' * 14}lon-1")


@pytest.mark.parametrize(("names", "words"), [
    (("boot", "same", "same"), "initializeParams.diskName': 'same'. Two disks"),
    (("", "namesakes"), "initializeParams.diskName': 'namesakes'. Two disks"),
    (("boot", "Bad_Name"), "disks[1].initializeParams.diskName': 'Bad_Name'"),
    (("Bad_Name",), "disks[0].initializeParams.diskName': 'Bad_Name'"),
])
def test_a_disks_name_that_cannot_be_is_refused_and_nothing_is_made(
    api: Api, names: tuple[str, ...], words: str
) -> None:
    first, *others = names
    boot = {**BOOT, "initializeParams": {**BOOT["initializeParams"], "diskName": first}}
    further = [{"initializeParams": {"diskSizeGb": "1", "diskName": name}} for name in others]
    answer = api.call("POST", INSTANCES, machine("namesakes", ZONE, disks=[boot, *further]))
    assert (answer.status, answer.reason) == (400, "invalid"), answer.data
    assert words in answer.message
    assert api.call("GET", f"{INSTANCES}/namesakes").status == 404


def test_a_disk_that_cannot_be_attached_takes_the_new_machine_and_its_disks_back(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.faults.add(command="attachVolume", kind="job_fail", errorcode=530, text="No more devices")
    disks = [BOOT, {"initializeParams": {"diskSizeGb": "1"}}]
    done = api.until_done(api.start("POST", INSTANCES, machine("unlucky", ZONE, disks=disks)))
    assert "No more devices" in done["error"]["errors"][0]["message"]
    assert "items" not in api.get(INSTANCES)
    assert "items" not in api.get(DISKS)


def test_a_disk_that_another_machine_got_meanwhile_stays_there(launch: Launch) -> None:
    # As it is where two attach it at once, or somebody does in the cloud's own portal.
    live, cloud = launch(extra="[cache]\nnodes = 600.0\nother = 600.0\n")
    api, outside = live.api(), portal(cloud)
    made(api, "quick")
    made(api, "late")
    api.change("POST", DISKS, {"name": "wanted", "sizeGb": "1"})
    assert "users" not in api.get(f"{DISKS}/wanted")
    disk = outside.listVolumes(name="wanted")["volume"][0]["id"]
    quick = outside.listVirtualMachines(name="quick")["virtualmachine"][0]["id"]
    outside.attachVolume(id=disk, virtualmachineid=quick, fetch_result=True)
    done = api.until_done(api.start("POST", f"{INSTANCES}/late/attachDisk", {"source": f"{DISKS}/wanted"}))
    assert "is attached to a vm already" in done["error"]["errors"][0]["message"]
    assert outside.listVolumes(id=disk)["volume"][0]["virtualmachineid"] == quick
