"""Disks and their snapshots over the wire: made, copied, enlarged, labelled, deleted; refused where they must be."""

from __future__ import annotations

from typing import Any

import pytest
from cs import CloudStack

from gcelib.simulator.hardware import DiskOffering
from gcelib.simulator.places import Zone
from tests.api import Api
from tests.conftest import Launch
from tests.wire.machines import machine

ZONE = "de-adv1"
HERE = f"zones/{ZONE}/disks"
COPIES = "global/snapshots"


def volume(cloudstack: CloudStack, name: str) -> Any:
    """A disk as the cloud's own portal shows it; None when it shows none."""
    return next(iter(cloudstack.listVolumes(name=name).get("volume", [])), None)


def booted(api: Api, name: str, **fields: Any) -> Any:
    """A machine whose boot disk has its name."""
    disks = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
    api.change("POST", f"zones/{ZONE}/instances", machine(name, ZONE, **{"disks": disks, **fields}))
    return api.get(f"zones/{ZONE}/instances/{name}")


@pytest.fixture(scope="module")
def origin(api: Api) -> Any:
    """A boot disk to copy."""
    booted(api, "origin")
    return api.get(f"{HERE}/origin")


def test_a_blank_disk_reads_back_as_it_was_sent(api: Api, cloudstack: CloudStack) -> None:
    sent = {
        "name": "blank", "sizeGb": "12", "type": f"zones/{ZONE}/diskTypes/pd-standard", "description": "Nothing yet: é",
        "labels": {"env": "test", "empty": ""},
    }
    done = api.change("POST", HERE, sent)
    found = api.get(f"{HERE}/blank")
    assert (done["operationType"], done["targetId"]) == ("insert", found["id"])
    assert {key: found[key] for key in ("name", "sizeGb", "description", "labels")} == {
        key: value for key, value in sent.items() if key != "type"}
    assert found["type"].endswith(f"/zones/{ZONE}/diskTypes/pd-standard")
    assert found["status"] == "READY"
    row = volume(cloudstack, "blank")
    assert (row["size"], row["state"]) == (12 * 2**30, "Allocated")
    assert api.call("POST", HERE, sent).status == 409
    api.change("DELETE", f"{HERE}/blank")
    assert api.call("GET", f"{HERE}/blank").status == 404
    assert volume(cloudstack, "blank") is None


def test_a_type_with_a_size_of_its_own_gives_that_size(api: Api) -> None:
    api.change("POST", HERE, {"name": "fixed", "type": f"zones/{ZONE}/diskTypes/small"})
    found = api.get(f"{HERE}/fixed")
    assert (found["sizeGb"], found["type"].rpartition("/")[2]) == ("5", "small")
    api.change("POST", f"{HERE}/fixed/resize", {"sizeGb": 20})
    found = api.get(f"{HERE}/fixed")
    assert (found["sizeGb"], found["type"].rpartition("/")[2]) == ("20", "medium")
    refused = api.call("POST", f"{HERE}/fixed/resize", {"sizeGb": 21})
    assert (refused.status, refused.reason) == (400, "invalid")
    assert "5, 20, 100" in refused.message


def test_a_disk_only_grows(api: Api, cloudstack: CloudStack) -> None:
    api.change("POST", HERE, {"name": "growing", "sizeGb": 3})
    assert api.change("POST", f"{HERE}/growing/resize", {"sizeGb": "7"})["operationType"] == "resizeDisk"
    assert api.get(f"{HERE}/growing")["sizeGb"] == "7"
    assert volume(cloudstack, "growing")["size"] == 7 * 2**30
    assert api.change("POST", f"{HERE}/growing/resize", {"sizeGb": "7"})["status"] == "DONE"
    for body, words in (({"sizeGb": "6"}, "only grow"), ({"sizeGb": "9999"}, "at most"), ({}, "sizeGb")):
        refused = api.call("POST", f"{HERE}/growing/resize", body)
        assert refused.status == 400
        assert words in refused.message


def test_labels_and_description_change_and_an_old_fingerprint_is_412(api: Api) -> None:
    api.change("POST", HERE, {"name": "labelled", "sizeGb": 1, "labels": {"a": "1", "b": "2"}})
    mark = api.get(f"{HERE}/labelled")["labelFingerprint"]
    sent = {"labels": {"b": "3", "c": ""}, "labelFingerprint": mark}
    assert api.change("POST", f"{HERE}/labelled/setLabels", sent)["operationType"] == "setLabels"
    assert api.get(f"{HERE}/labelled")["labels"] == {"b": "3", "c": ""}
    assert api.call("POST", f"{HERE}/labelled/setLabels", sent).status == 412
    api.change("PATCH", f"{HERE}/labelled", {"sizeGb": "2", "labels": {"d": "4"}, "description": "New"})
    found = api.get(f"{HERE}/labelled")
    assert (found["sizeGb"], found["labels"], found["description"]) == ("2", {"d": "4"}, "New")
    api.change("PATCH", f"{HERE}/labelled", {"sizeGb": "4", "description": "No"}, updateMask="sizeGb")
    found = api.get(f"{HERE}/labelled")
    assert (found["sizeGb"], found["description"]) == ("4", "New")
    unknown = api.call("PATCH", f"{HERE}/labelled", {"sizeGb": "8"}, updateMask="size_gb")
    assert (unknown.status, "updateMask" in unknown.message, "size_gb" in unknown.message) == (400, True, True)
    refused = api.call("PATCH", f"{HERE}/labelled", {"provisionedIops": "100"})
    assert refused.reason == "unsupportedOperation"
    assert "provisionedIops" in refused.message


def test_a_type_that_is_of_other_zones_is_none_of_this_one(launch: Launch) -> None:
    live, cloud = launch(job_delay=0)
    elsewhere = next(zone for zone in cloud.world.all(Zone) if zone.name == "CH-GV2")
    for offering in cloud.world.all(DiskOffering):
        if offering.name in ("Custom", "Medium"):
            offering.zones = [elsewhere]
    api = live.api()
    assert {each["name"] for each in api.get(f"zones/{ZONE}/diskTypes")["items"]} == {"pd-standard", "small", "large"}
    none = api.call("POST", HERE, {"name": "none", "sizeGb": "7"})
    assert (none.status, "no kind of data disk" in none.message) == (400, True)
    assert {each["name"] for each in api.get("zones/ch-gv2/diskTypes")["items"]} >= {"pd-standard", "custom", "medium"}
    api.change("POST", HERE, {"name": "small", "type": f"zones/{ZONE}/diskTypes/small"})
    refused = api.call("POST", f"{HERE}/small/resize", {"sizeGb": "20"})
    assert (refused.status, "5, 100" in refused.message) == (400, True)
    api.change("POST", "zones/ch-gv2/disks", {"name": "there", "sizeGb": "7"})


@pytest.mark.parametrize(("body", "query", "status", "words"), [
    ({"sourceImage": "global/images/debian-12"}, {}, 400, "'resource.sourceImage' is not offered on cloud 'sim'"),
    ({}, {"sourceImage": "projects/debian-cloud/global/images/debian-12"}, 400, "'sourceImage' is not offered"),
    ({"sourceSnapshot": "global/snapshots/none"}, {}, 404, "global/snapshots/none"),
    ({"sourceDisk": f"zones/{ZONE}/disks/none"}, {}, 404, f"zones/{ZONE}/disks/none"),
    ({"sourceDisk": "zones/ch-gv2/disks/none"}, {}, 400, "resource.sourceDisk"),
    ({"type": f"zones/{ZONE}/diskTypes/pd-ssd"}, {}, 404, "diskTypes/pd-ssd"),
    ({"sizeGb": "99999"}, {}, 400, "1 to 1024 GB"),
    ({"sizeGb": "6", "type": f"zones/{ZONE}/diskTypes/small"}, {}, 400, "have 5 GB"),
    ({"diskEncryptionKey": {"rawKey": "c2VjcmV0"}}, {}, 400, "diskEncryptionKey"),
    ({"labels": {"Bad": "x"}}, {}, 400, "Bad"),
])
def test_what_cannot_be_made_is_refused_by_field(
    api: Api, body: dict[str, Any], query: dict[str, str], status: int, words: str
) -> None:
    answer = api.call("POST", HERE, {"name": "never", **body}, **query)
    assert answer.status == status, answer.data
    assert words in answer.message
    assert api.call("GET", f"{HERE}/never").status == 404


def test_a_snapshot_is_made_of_a_disk_and_a_disk_of_a_snapshot(api: Api, origin: Any, cloudstack: CloudStack) -> None:
    sent = {"name": "copy", "description": "Before the change", "labels": {"why": "change"}}
    done = api.change("POST", f"{HERE}/origin/createSnapshot", sent, guestFlush=False)
    assert (done["operationType"], done["targetLink"]) == ("createSnapshot", origin["selfLink"])
    found = api.get(f"{COPIES}/copy")
    assert {key: found[key] for key in sent} == sent
    assert (found["status"], found["storageBytesStatus"]) == ("READY", "UP_TO_DATE")
    assert (found["sourceDisk"], found["sourceDiskId"]) == (origin["selfLink"], origin["id"])
    assert found["diskSizeGb"] == origin["sizeGb"]
    assert cloudstack.listSnapshots(name="copy")["snapshot"][0]["state"] == "BackedUp"
    api.change("POST", HERE, {"name": "restored", "sourceSnapshot": f"projects/demo/{COPIES}/copy", "sizeGb": "30"})
    restored = api.get(f"{HERE}/restored")
    assert (restored["sizeGb"], restored["sourceSnapshot"]) == ("30", found["selfLink"])
    assert restored["sourceSnapshotId"] == found["id"]
    small = api.call("POST", HERE, {"name": "small", "sourceSnapshot": f"{COPIES}/copy", "sizeGb": "1"})
    assert (small.status, small.data["error"]["errors"][0]["location"]) == (400, "resource.sizeGb")
    elsewhere = api.call("POST", "zones/ch-gv2/disks", {"name": "far", "sourceSnapshot": f"{COPIES}/copy"})
    assert elsewhere.status == 400
    mark = found["labelFingerprint"]
    api.change("POST", f"{COPIES}/copy/setLabels", {"labels": {"kept": "yes"}, "labelFingerprint": mark})
    assert api.get(f"{COPIES}/copy")["labels"] == {"kept": "yes"}
    api.change("DELETE", f"{COPIES}/copy")
    assert api.call("GET", f"{COPIES}/copy").status == 404
    assert api.get(f"{HERE}/restored")["sourceSnapshot"] == found["selfLink"]


@pytest.mark.parametrize(("size", "made"), [({}, 4), ({"sizeGb": "9"}, 9)])
def test_a_copy_of_a_boot_disk_may_be_of_a_type_whose_size_is_free(
    api: Api, origin: Any, cloudstack: CloudStack, size: dict[str, str], made: int
) -> None:
    api.change("POST", HERE, {"name": f"typed-{made}", "sourceDisk": origin["selfLink"],
                              "type": f"zones/{ZONE}/diskTypes/custom", **size})
    row = volume(cloudstack, f"typed-{made}")
    assert (row["size"] >> 30, row["diskofferingname"]) == (made, "Custom")
    api.change("DELETE", f"{HERE}/typed-{made}")


def test_a_snapshot_is_inserted_by_its_own_collection(api: Api, origin: Any) -> None:
    body = {"name": "own", "sourceDisk": origin["selfLink"]}
    done = api.change("POST", COPIES, body)
    found = api.get(f"{COPIES}/own")
    assert (done["targetLink"], done["targetId"]) == (found["selfLink"], found["id"])
    assert "/global/operations/" in done["selfLink"]
    taken = api.call("POST", COPIES, body)
    assert (taken.status, taken.reason) == (409, "alreadyExists")
    assert [item["name"] for item in api.get(COPIES, filter="name = own")["items"]] == ["own"]
    for body, words in (({"name": "x"}, "sourceDisk"), ({"name": "x", "sourceDisk": "no-disk"}, "no-disk"),
                        ({"name": "x", "sourceDisk": "origin", "storageLocations": ["eu"]}, "storageLocations")):
        assert words in api.call("POST", COPIES, body).message
    nameless = api.call("POST", f"{HERE}/origin/createSnapshot", {})
    assert (nameless.status, nameless.reason) == (400, "required")


def test_a_copy_of_a_disk_leaves_no_snapshot_behind(api: Api, origin: Any, cloudstack: CloudStack) -> None:
    api.change("POST", HERE, {"name": "clone", "sourceDisk": origin["selfLink"]})
    found = api.get(f"{HERE}/clone")
    assert (found["sourceDisk"], found["sizeGb"]) == (origin["selfLink"], origin["sizeGb"])
    assert not cloudstack.listSnapshots(name="clone-copy").get("snapshot")


def test_a_disk_that_was_never_attached_cannot_be_copied(api: Api) -> None:
    api.change("POST", HERE, {"name": "untouched", "sizeGb": 1})
    for verb, path, body in (("POST", f"{HERE}/untouched/createSnapshot", {"name": "of-nothing"}),
                             ("POST", COPIES, {"name": "of-nothing", "sourceDisk": f"zones/{ZONE}/disks/untouched"}),
                             ("POST", HERE, {"name": "c", "sourceDisk": f"zones/{ZONE}/disks/untouched"})):
        refused = api.call(verb, path, body)
        assert (refused.status, refused.reason) == (400, "resourceNotReady")
        assert "never attached" in refused.message


def test_an_attached_disk_is_not_deleted(api: Api, origin: Any) -> None:
    refused = api.call("DELETE", f"{HERE}/origin")
    assert (refused.status, refused.reason) == (400, "resourceInUseByAnotherResource")
    assert refused.message.endswith(f"already being used by 'projects/demo/zones/{ZONE}/instances/origin'")


def test_a_snapshot_the_cloud_gives_up_leaves_nothing(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    booted(api, "origin")
    cloud.faults.add(command="createSnapshot", kind="job_fail", errorcode=530, text="Storage is full")
    done = api.until_done(api.start("POST", f"{HERE}/origin/createSnapshot", {"name": "broken"}))
    assert "Storage is full" in done["error"]["errors"][0]["message"]
    assert "items" not in api.get(COPIES)
    cloud.faults.add(command="createVolume", kind="job_fail", errorcode=530, text="No pool")
    done = api.until_done(api.start("POST", HERE, {"name": "copy", "sourceDisk": f"zones/{ZONE}/disks/origin"}))
    assert "No pool" in done["error"]["errors"][0]["message"]
    assert "items" not in api.get(COPIES)
    assert [item["name"] for item in api.get(HERE)["items"]] == ["origin"]


def test_an_answer_that_is_lost_makes_no_second_disk_or_snapshot(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    booted(api, "origin")
    for command, path, name in (("createSnapshot", f"{HERE}/origin/createSnapshot", "once"),
                                ("createVolume", HERE, "single")):
        cloud.faults.add(command=command, kind="reset_after")
        body = {"name": name} | ({"sizeGb": "2"} if path == HERE else {})
        assert "error" not in api.until_done(api.start("POST", path, body))
    assert [item["name"] for item in api.get(COPIES)["items"]] == ["once"]
    assert [item["name"] for item in api.get(HERE)["items"]] == ["origin", "single"]


@pytest.mark.parametrize(("path", "words"), [
    ("moveDisk", ["compute.projects.moveDisk", "'sim'", "stays in its zone"]),
    (f"{HERE}/origin/addResourcePolicies", ["compute.disks.addResourcePolicies", "compute.disks.createSnapshot"]),
    (f"{COPIES}/copy/updateKmsKey", ["compute.snapshots.updateKmsKey", "no keys"]),
])
def test_what_no_cloud_can_do_with_disks_is_refused_by_name(api: Api, path: str, words: list[str]) -> None:
    refused = api.call("POST", path, {})
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert all(word in refused.message for word in words), refused.message
