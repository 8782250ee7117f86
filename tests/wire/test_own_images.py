"""Images of one's own over the wire: made of disks, snapshots and files, described, deprecated, deleted."""

from __future__ import annotations

from typing import Any

import pytest
from cs import CloudStack

from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine

ZONE = "de-adv1"
DISKS, INSTANCES, IMAGES = f"zones/{ZONE}/disks", f"zones/{ZONE}/instances", "global/images"
FILE = "http://images.example/debian-13.qcow2"


def boot(image: str) -> Any:
    """A boot disk of this image."""
    return {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": image}}


def refuses(api: Api, verb: str, path: str, body: Any, status: int, *words: str, **query: Any) -> None:
    """The call is refused with this status, and all these words."""
    answer = api.call(verb, path, body, **query)
    assert answer.status == status, answer.data
    for each in words:
        assert each in answer.message


@pytest.fixture(scope="module")
def golden(api: Api) -> Any:
    """A stopped machine, whose disk can be made an image of."""
    api.change("POST", INSTANCES, machine("golden", ZONE, disks=[boot("global/images/debian-12")]))
    api.change("POST", f"{INSTANCES}/golden/stop")
    return api.get(f"{DISKS}/golden")


def test_an_image_is_made_of_a_stopped_machines_disk_and_machines_of_the_image(
    api: Api, golden: Any, cloudstack: CloudStack
) -> None:
    sent = {
        "name": "web-1", "sourceDisk": golden["selfLink"], "family": "web", "description": "With nginx:\nready",
        "labels": {"team": "web", "empty": ""},
    }
    done = api.change("POST", IMAGES, sent)
    found = api.get(f"{IMAGES}/web-1")
    assert {key: found[key] for key in sent} == sent
    assert (done["targetId"], done["targetLink"], found["status"]) == (found["id"], found["selfLink"], "READY")
    assert found["sourceDiskId"] == golden["id"]
    row = cloudstack.listTemplates(templatefilter="self", name="web-1")["template"][0]
    assert row["ostypename"] == "Debian GNU/Linux 12 (64-bit)"
    assert api.get(f"{IMAGES}/family/web")["name"] == "web-1"
    refuses(api, "POST", IMAGES, sent, 409, "already exists")
    api.change("POST", INSTANCES, machine("of-web", ZONE, disks=[boot("global/images/family/web")]))
    assert api.get(f"{DISKS}/of-web")["sourceImage"] == found["selfLink"]
    api.change("DELETE", f"{IMAGES}/web-1")
    assert api.call("GET", f"{IMAGES}/web-1").status == 404
    assert api.get(f"{INSTANCES}/of-web")["status"] == "RUNNING"


def test_an_image_is_made_of_a_snapshot(api: Api, golden: Any) -> None:
    api.change("POST", f"{DISKS}/golden/createSnapshot", {"name": "golden-copy"})
    api.change("POST", IMAGES, {"name": "of-copy", "sourceSnapshot": "global/snapshots/golden-copy"})
    found = api.get(f"{IMAGES}/of-copy")
    assert found["sourceSnapshot"].endswith("/global/snapshots/golden-copy")
    assert found["description"] == ""
    assert "family" not in found


@pytest.mark.parametrize(("name", "source", "url"), [
    ("by-http", FILE, FILE),
    ("by-gs", "gs://bucket/deep/disk.raw.gz", "https://storage.googleapis.com/bucket/deep/disk.raw.gz"),
    ("by-api", "https://storage.googleapis.com/storage/v1/b/bucket/o/deep%2Fdisk.vhd.zip", ""),
    ("by-key", "https://ann:pw@images.example/d.img?signature=s3cret", "https://images.example/d.img"),
])
def test_an_image_is_made_of_a_file(api: Api, cloudstack: CloudStack, name: str, source: str, url: str) -> None:
    if name == "by-api":
        refuses(api, "POST", IMAGES, {"name": name, "rawDisk": {"source": source}}, 400, "VHD", "KVM")
        return
    raw = {"source": source, "containerType": "TAR"}
    api.change("POST", IMAGES, {"name": name, "rawDisk": raw, "sourceType": "RAW"})
    found = api.get(f"{IMAGES}/{name}")
    assert (found["status"], found["rawDisk"]["source"]) == ("READY", url)
    rows = cloudstack.listTemplates(templatefilter="self", name=name)["template"]
    assert len(rows) == 3
    assert rows[0]["url"] == (source if "@" in source else url)


def test_an_image_is_done_only_when_its_file_has_arrived(launch: Launch) -> None:
    live, _ = launch(job_delay=3)
    api = live.api()
    operation = api.start("POST", IMAGES, {"name": "slow", "rawDisk": {"source": FILE}, "family": "slow"})
    assert operation["status"] == "RUNNING"
    assert api.get(f"{IMAGES}/slow")["status"] == "PENDING"
    assert api.call("GET", f"{IMAGES}/family/slow").status == 404
    assert "error" not in api.until_done(operation)
    assert api.get(f"{IMAGES}/slow")["status"] == "READY"
    assert api.get(f"{IMAGES}/family/slow")["name"] == "slow"


@pytest.mark.parametrize(("body", "words"), [
    ({}, ["sourceDisk", "rawDisk.source"]),
    ({"rawDisk": {"source": "https://x.example/disk.tar.gz"}}, ["resource.rawDisk.source", ".qcow2"]),
    ({"rawDisk": {"source": "ftp://x.example/disk.raw"}}, ["resource.rawDisk.source", "http"]),
    ({"sourceImage": "global/images/debian-12"}, ["'resource.sourceImage' is not offered on cloud 'sim'"]),
    ({"sourceDisk": "x", "sourceSnapshot": "y"}, ["one source"]),
    ({"rawDisk": {"source": FILE}, "storageLocations": ["eu"]}, ["storageLocations"]),
    ({"rawDisk": {"source": FILE}, "family": "Not a family"}, ["resource.family"]),
])
def test_what_cannot_be_made_is_refused_by_field(api: Api, body: dict[str, Any], words: list[str]) -> None:
    refuses(api, "POST", IMAGES, {"name": "never", **body}, 400, *words)
    assert api.call("GET", f"{IMAGES}/never").status == 404


def test_a_running_machines_disk_is_in_use(api: Api) -> None:
    api.change("POST", INSTANCES, machine("busy", ZONE, disks=[boot("global/images/debian-12")]))
    for force in (False, True):
        answer = api.call("POST", IMAGES, {"name": "no", "sourceDisk": f"{DISKS}/busy"}, forceCreate=force)
        assert (answer.status, answer.reason) == (400, "resourceInUseByAnotherResource")
        assert "Stop the instance" in answer.message


def test_a_deprecated_image_is_left_out_of_its_family_and_an_obsolete_one_boots_nothing(api: Api) -> None:
    for number in ("1", "2"):
        api.change("POST", IMAGES, {"name": f"app-{number}", "rawDisk": {"source": FILE}, "family": "app"})
    path = f"{IMAGES}/app-2"
    replacement = "projects/demo/global/images/app-1"
    sent = {"state": "DEPRECATED", "replacement": replacement, "obsolete": "2030-01-01T00:00:00Z", "deleted": None}
    assert api.change("POST", f"{path}/deprecate", sent)["operationType"] == "deprecate"
    shown = api.get(path)["deprecated"]
    assert (shown["state"], shown["obsolete"]) == ("DEPRECATED", "2030-01-01T00:00:00Z")
    assert shown["replacement"] == api.get(f"{IMAGES}/app-1")["selfLink"]
    assert api.get(f"{IMAGES}/family/app")["name"] == "app-1"
    done = api.change("POST", INSTANCES, machine("of-app", ZONE, disks=[boot(path)]))
    assert done["warnings"][0]["code"] == "DEPRECATED_RESOURCE_USED"
    api.change("POST", f"{path}/deprecate", {"state": "OBSOLETE", "replacement": replacement})
    refuses(api, "POST", INSTANCES, machine("no-app", ZONE, disks=[boot(path)]), 400, "obsolete", replacement)
    api.change("POST", f"{path}/deprecate", {"state": "ACTIVE"})
    assert "deprecated" not in api.get(path)
    refuses(api, "POST", f"{path}/deprecate", {"state": "DELETED", "deleted": "tomorrow"}, 400, "resource.deleted")
    api.change("PATCH", path, {"deprecated": {"state": "DEPRECATED"}})
    assert api.get(path)["deprecated"] == {"state": "DEPRECATED"}
    api.change("PATCH", path, {"deprecated": {"state": "ACTIVE"}})
    assert "deprecated" not in api.get(path)


def test_an_image_is_described_anew(api: Api) -> None:
    api.change("POST", IMAGES, {"name": "plain", "rawDisk": {"source": FILE}, "labels": {"a": "1"}})
    path = f"{IMAGES}/plain"
    mark = api.get(path)["labelFingerprint"]
    api.change("PATCH", path, {"description": "Fancy", "family": "fancy", "name": "plain"})
    api.change("POST", f"{path}/setLabels", {"labels": {"b": "2"}, "labelFingerprint": mark})
    found = api.get(path)
    assert (found["description"], found["family"], found["labels"]) == ("Fancy", "fancy", {"b": "2"})
    refuses(api, "POST", f"{path}/setLabels", {"labels": {}, "labelFingerprint": mark}, 412)
    refuses(api, "PATCH", path, {"diskSizeGb": "99"}, 400, "resource.diskSizeGb")
    api.change("PATCH", path, {"description": "", "labels": {}})
    found = api.get(path)
    assert (found["description"], "labels" in found) == ("", False)


@pytest.mark.parametrize(("verb", "suffix", "body"), [
    ("DELETE", "", None), ("POST", "/deprecate", {"state": "DELETED"}), ("PATCH", "", {"family": "mine"}),
    ("POST", "/setLabels", {"labels": {"a": "b"}}),
])
def test_a_public_image_is_nobodys_to_change(api: Api, verb: str, suffix: str, body: Any) -> None:
    refuses(api, verb, f"{IMAGES}/debian-12{suffix}", body, 403, "not the project's own")
    assert api.get(f"{IMAGES}/debian-12")["status"] == "READY"


def test_an_image_the_cloud_gives_up_leaves_nothing(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    api.change("POST", INSTANCES, machine("golden", ZONE, disks=[boot("global/images/debian-12")]))
    api.change("POST", f"{INSTANCES}/golden/stop")
    cloud.faults.add(command="createTemplate", kind="job_fail", errorcode=530, text="Copy failed")
    done = api.until_done(api.start("POST", IMAGES, {"name": "broken", "sourceDisk": f"{DISKS}/golden"}))
    assert "Copy failed" in done["error"]["errors"][0]["message"]
    assert api.call("GET", f"{IMAGES}/broken").status == 404
    for command, body in (("createTemplate", {"sourceDisk": f"{DISKS}/golden"}),
                          ("registerTemplate", {"rawDisk": {"source": FILE}})):
        cloud.faults.add(command=command, kind="reset_after")
        assert "error" not in api.until_done(api.start("POST", IMAGES, {"name": command.lower(), **body}))
        rows = [image for image in api.get(IMAGES)["items"] if image["name"].startswith(command.lower())]
        assert len(rows) == 1


def test_an_image_that_another_account_lends_is_booted_until_it_is_taken_back_and_what_it_booted_goes_on(
    launch: Launch
) -> None:
    live, simulator = launch(job_delay=0, extra="[cache]\nimages = 0\n")
    api, account = live.api(), simulator.accounts["other"]
    theirs = CloudStack(endpoint=simulator.url, key=account.api_key, secret=account.secret_key)
    zone = next(row["id"] for row in theirs.listZones()["zone"] if row["name"] == "DE-ADV1")
    system = theirs.listOsTypes(description="Debian GNU/Linux 12 (64-bit)")["ostype"][0]["id"]
    lent = theirs.registerTemplate(name="lent", displaytext="lent", url=FILE, format="QCOW2", hypervisor="KVM",
                                   ostypeid=system, zoneid=zone)["template"][0]
    assert api.call("GET", f"{IMAGES}/lent").status == 404
    theirs.updateTemplatePermissions(id=lent["id"], op="add", accounts="demo")
    api.change("POST", INSTANCES, machine("of-lent", ZONE, disks=[boot("global/images/lent")]))
    assert api.get(f"{DISKS}/of-lent")["sourceImage"].endswith("/global/images/lent")
    refuses(api, "DELETE", f"{IMAGES}/lent", None, 403, "not the project's own")
    theirs.updateTemplatePermissions(id=lent["id"], op="reset")
    assert api.call("GET", f"{IMAGES}/lent").status == 404
    api.change("POST", f"{INSTANCES}/of-lent/stop")
    api.change("POST", IMAGES, {"name": "kept", "sourceDisk": f"{DISKS}/of-lent"})
    row = portal(simulator).listTemplates(templatefilter="self", name="kept")["template"][0]
    assert row["ostypename"] == lent["ostypename"]
