"""google-api-python-client calls what is served of machines, their disks, images, templates and groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.caller import Caller
from tests.live import Live

ZONE = {"zone": "de-adv1"}
IMAGE = "global/images/debian-12"
BOOT = {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": IMAGE}}
PLAIN = {"disks": [BOOT], "networkInterfaces": [{"network": "global/networks/demo-network"}]}
MICRO = {"machineType": "zones/de-adv1/machineTypes/micro"}


@pytest.fixture(scope="module")
def google(plain: Live) -> Iterator[Caller]:
    """The client."""
    made = Caller(plain)
    yield made
    made.close()


@pytest.fixture(scope="module")
def here(google: Caller) -> Any:
    """The path parameters of a machine."""
    google.change("instances", "insert", **ZONE, body={"name": "one", **MICRO, **PLAIN})
    return {**ZONE, "instance": "one"}


def permitted(google: Caller, collection: str, resource: str, **where: Any) -> bool:
    """Whether the caller may read the thing, as the thing itself says."""
    wish = {"permissions": [f"compute.{collection}.get"]}
    return bool(google.ask(collection, "testIamPermissions", **where, resource=resource, body=wish) == wish)


def labelled(google: Caller, collection: str, argument: str, name: str, **where: Any) -> None:
    """The thing takes labels."""
    mark = google.ask(collection, "get", **where, **{argument: name})["labelFingerprint"]
    key = "instance" if collection == "instances" else "resource"
    body = {"labels": {"a": "b"}, "labelFingerprint": mark}
    google.change(collection, "setLabels", **where, **{key: name}, body=body)
    assert google.ask(collection, "get", **where, **{argument: name})["labels"] == {"a": "b"}


def test_what_is_set_on_a_machine(google: Caller, here: Any) -> None:
    labelled(google, "instances", "instance", "one", **ZONE)
    before = google.ask("instances", "get", **here)
    google.change("instances", "setTags", **here, body={"items": ["web"], "fingerprint": before["tags"]["fingerprint"]})
    items = [{"key": "role", "value": "front"}]
    google.change("instances", "setMetadata", **here, body={
        "items": items, "fingerprint": before["metadata"]["fingerprint"]})
    google.change("instances", "setScheduling", **here, body={"automaticRestart": False})
    google.change("instances", "setDeletionProtection", resource="one", **ZONE, deletionProtection=True)
    after = google.ask("instances", "get", **here)
    assert (after["tags"]["items"], after["metadata"]["items"], after["deletionProtection"]) == (["web"], items, True)
    assert after["scheduling"]["automaticRestart"] is False
    google.change("instances", "setDeletionProtection", resource="one", **ZONE, deletionProtection=False)
    body = {**google.ask("instances", "get", **here), "labels": {"a": "c"}}
    google.change("instances", "update", **here, body=body)
    assert google.ask("instances", "get", **here)["labels"] == {"a": "c"}


def test_power_size_and_name_of_a_machine(google: Caller, here: Any) -> None:
    google.change("instances", "reset", **here)
    google.change("instances", "stop", **here)
    google.change("instances", "setMachineResources", **here, body={"guestAccelerators": []})
    google.change("instances", "setServiceAccount", **here, body={})
    google.change("instances", "setMachineType", **here, body={"machineType": "zones/de-adv1/machineTypes/small"})
    google.change("instances", "setName", **here, body={"name": "two", "currentName": "one"})
    google.change("instances", "setName", **ZONE, instance="two", body={"name": "one", "currentName": "two"})
    google.change("instances", "start", **here)
    found = google.ask("instances", "get", **here)
    assert (found["status"], found["machineType"].rpartition("/")[2]) == ("RUNNING", "small")


def test_disks_of_a_machine(google: Caller, here: Any) -> None:
    google.change("disks", "insert", **ZONE, body={"name": "data", "sizeGb": "4"})
    google.change("disks", "resize", **ZONE, disk="data", body={"sizeGb": "6"})
    google.change("disks", "update", **ZONE, disk="data", body={"labels": {"x": "y"}}, paths="labels",
                  updateMask="labels")
    labelled(google, "disks", "disk", "data", **ZONE)
    assert google.ask("disks", "get", **ZONE, disk="data")["sizeGb"] == "6"
    for names in (google.names("disks", **ZONE), google.names("disks", "aggregatedList")):
        assert "data" in names
    assert permitted(google, "disks", "data", **ZONE)
    google.change("instances", "attachDisk", **here, body={"source": "zones/de-adv1/disks/data", "deviceName": "logs"})
    google.change("instances", "setDiskAutoDelete", **here, deviceName="logs", autoDelete=True)
    disks = google.ask("instances", "get", **here)["disks"]
    assert [(disk["deviceName"], disk["autoDelete"]) for disk in disks if not disk["boot"]] == [("logs", True)]
    google.change("instances", "detachDisk", **here, deviceName="logs")


def test_snapshots_and_images(google: Caller, here: Any) -> None:
    google.change("disks", "createSnapshot", **ZONE, disk="one", body={"name": "by-disk"})
    google.change("snapshots", "insert", body={"name": "by-name", "sourceDisk": "zones/de-adv1/disks/one"})
    labelled(google, "snapshots", "snapshot", "by-name")
    assert {"by-disk", "by-name"} <= set(google.names("snapshots"))
    assert permitted(google, "snapshots", "by-name")
    image = {"name": "mine", "family": "own", "sourceSnapshot": "global/snapshots/by-name"}
    google.change("images", "insert", body=image)
    labelled(google, "images", "image", "mine")
    google.change("images", "patch", image="mine", body={"description": "Mine"})
    assert google.ask("images", "getFromFamily", family="own")["description"] == "Mine"
    assert google.ask("imageFamilyViews", "get", **ZONE, family="own")["image"]["name"] == "mine"
    google.change("images", "deprecate", image="mine", body={"state": "DEPRECATED"})
    assert google.ask("images", "get", image="mine")["deprecated"]["state"] == "DEPRECATED"
    assert "mine" in google.names("images")
    assert permitted(google, "images", "mine")
    google.change("images", "delete", image="mine")
    for name in ("by-disk", "by-name"):
        google.change("snapshots", "delete", snapshot=name)


def test_interfaces_and_access_configs(google: Caller, here: Any) -> None:
    nat = {"name": "External NAT", "type": "ONE_TO_ONE_NAT"}
    nic = {**here, "networkInterface": "nic0"}
    google.change("instances", "addAccessConfig", **nic, body=nat)
    google.change("instances", "updateAccessConfig", **nic, body={"name": "outside"})
    found = google.ask("instances", "get", **here)["networkInterfaces"][0]["accessConfigs"]
    assert [config["name"] for config in found] == ["outside"]
    google.change("instances", "deleteAccessConfig", **nic, accessConfig="outside")
    google.change("networks", "insert", body={"name": "second", "IPv4Range": "10.8.0.0/24"})
    google.change("instances", "addNetworkInterface", **here, body={"network": "global/networks/second"})
    google.change("instances", "deleteNetworkInterface", **here, networkInterfaceName="nic1")
    google.change("networks", "delete", network="second")
    google.ask("instances", "getEffectiveFirewalls", **nic)


def test_machines_by_template_and_their_groups(google: Caller, here: Any) -> None:
    body = {"name": "origin", "properties": {"machineType": "micro", **PLAIN}}
    google.change("instanceTemplates", "insert", body=body)
    link = google.ask("instanceTemplates", "get", instanceTemplate="origin")["selfLink"]
    for method in ("list", "aggregatedList"):
        assert google.names("instanceTemplates", method) == ["origin"]
    assert permitted(google, "instanceTemplates", "origin")
    bulk = {"namePattern": "many-#", "count": "2", "sourceInstanceTemplate": link}
    google.change("instances", "bulkInsert", **ZONE, body=bulk)
    for names in (google.names("instances", **ZONE), google.names("instances", "aggregatedList")):
        assert {"many-1", "many-2", "one"} <= set(names)
    assert permitted(google, "instances", "one", **ZONE)

    group = {**ZONE, "instanceGroup": "front"}
    members = {"instances": [{"instance": f"zones/de-adv1/instances/{name}"} for name in ("many-1", "one")]}
    google.change("instanceGroups", "insert", **ZONE, body={"name": "front"})
    google.change("instanceGroups", "addInstances", **group, body=members)
    google.change("instanceGroups", "setNamedPorts", **group, body={"namedPorts": [{"name": "http", "port": 80}]})
    found = google.ask("instanceGroups", "get", **group)
    assert (found["size"], found["namedPorts"]) == (2, [{"name": "http", "port": 80}])
    listed = google.ask("instanceGroups", "listInstances", **group, body={})["items"]
    assert [row["instance"].rpartition("/")[2] for row in listed] == ["many-1", "one"]
    assert google.ask("instances", "listReferrers", **here)["items"][0]["referrer"] == found["selfLink"]
    for names in (google.names("instanceGroups", **ZONE), google.names("instanceGroups", "aggregatedList")):
        assert names == ["front"]
    assert permitted(google, "instanceGroups", "front", **ZONE)
    google.change("instanceGroups", "removeInstances", **group, body=members)
    google.change("instanceGroups", "delete", **group)
    google.change("instanceTemplates", "delete", instanceTemplate="origin")
    for name in ("many-1", "many-2"):
        google.change("instances", "delete", **ZONE, instance=name)
    google.change("disks", "delete", **ZONE, disk="data")


def test_what_no_cloud_has_is_an_empty_list_and_404(google: Caller, here: Any) -> None:
    region = {"region": "de"}
    for collection, where, argument in (
        ("globalAddresses", {}, "address"), ("instanceGroupManagers", ZONE, "instanceGroupManager"),
        ("regionInstanceGroupManagers", region, "instanceGroupManager"),
        ("regionInstanceGroups", region, "instanceGroup"), ("regionInstanceTemplates", region, "instanceTemplate"),
    ):
        assert google.names(collection, **where) == []
        google.refused(404, collection, "get", **where, **{argument: "none"})
        if collection != "regionInstanceGroups":
            google.refused(404, collection, "delete", **where, **{argument: "none"})
    assert google.names("instanceGroupManagers", "aggregatedList") == []
    nothing = {"resource": "none", "body": {"permissions": ["compute.globalAddresses.get"]}}
    google.refused(404, "globalAddresses", "testIamPermissions", **nothing)
    google.refused(404, "regionInstanceGroups", "testIamPermissions", **region, **nothing)
    google.refused(404, "globalAddresses", "setLabels", resource="none", body={"labels": {}})
    assert "gives its machines no place" in google.refused(404, "instances", "getGuestAttributes", **here)
