"""What is set on a machine that is there: read back, on the cloud, or refused in words."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cs import CloudStack

from tests.api import Api
from tests.wire.machines import UBUNTU, machine

HERE = "zones/ch-gv2/instances"
ADVANCED = "zones/de-adv1/instances"
KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQD9 settings@example"
STALE = "AAAAAAAAAAA="


@pytest.fixture(scope="module")
def running(api: Api) -> Iterator[str]:
    """A machine that runs."""
    api.change("POST", HERE, machine("settled", labels={"env": "prod", "empty": ""}))
    yield f"{HERE}/settled"
    api.change("DELETE", f"{HERE}/settled")


@pytest.fixture(scope="module")
def stopped(api: Api) -> Iterator[str]:
    """A machine that does not."""
    api.change("POST", HERE, machine("resting"))
    api.change("POST", f"{HERE}/resting/stop")
    yield f"{HERE}/resting"
    api.change("DELETE", f"{HERE}/resting")


def row(cloudstack: CloudStack, name: str) -> Any:
    """A machine as the cloud's own portal shows it."""
    return cloudstack.listVirtualMachines(name=name)["virtualmachine"][0]


def user_data(cloudstack: CloudStack, name: str) -> str:
    """What the machine's next boot reads."""
    id = row(cloudstack, name)["id"]
    said = cloudstack.getVirtualMachineUserData(virtualmachineid=id)["virtualmachineuserdata"]
    return base64.b64decode(said["userdata"]).decode()


def refused(api: Api, verb: str, path: str, body: Any, reason: str, *words: str, **query: Any) -> None:
    """The request is refused for this reason, with these words."""
    answer = api.call(verb, path, body, **query)
    assert answer.reason == reason, answer.data
    assert answer.status == (412 if reason == "conditionNotMet" else 404 if reason == "notFound" else 400)
    for word in words:
        assert word in answer.message


def test_metadata_is_replaced_and_the_next_boot_reads_its_script(
    api: Api, cloudstack: CloudStack, running: str
) -> None:
    before = api.get(running)["metadata"]
    items = [{"key": "startup-script", "value": "#!/bin/sh\necho one"}, {"key": "role", "value": "front"}]
    done = api.change("POST", f"{running}/setMetadata", {"fingerprint": before["fingerprint"], "items": items})
    assert done["operationType"] == "setMetadata"
    found = api.get(running)["metadata"]
    assert found["items"] == items
    assert found["fingerprint"] != before["fingerprint"]
    assert user_data(cloudstack, "settled") == "#!/bin/sh\necho one"
    refused(api, "POST", f"{running}/setMetadata", {"fingerprint": before["fingerprint"]}, "conditionNotMet")
    api.change("POST", f"{running}/setMetadata", {"items": []})
    assert "items" not in api.get(running)["metadata"]
    assert user_data(cloudstack, "settled") == "#cloud-config\n{}\n"


def test_metadata_has_gces_limits_and_the_clouds(api: Api, running: str) -> None:
    for items, words in (
        ([{"key": "a b", "value": ""}], "resource.items[0].key"),
        ([{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], "given twice"),
        ([{"key": "a", "value": "x" * 262145}], "262144 bytes"),
        ([{"key": f"k{n}", "value": "x" * 200000} for n in range(3)], "524288 bytes in all"),
        ([{"key": "startup-script", "value": "x" * 30000}], "too long for this cloud"),
    ):
        refused(api, "POST", f"{running}/setMetadata", {"items": items}, "invalid", words)
    assert "items" not in api.get(running)["metadata"]


def test_ssh_keys_for_a_machine_that_is_there_come_with_a_warning(api: Api, running: str) -> None:
    done = api.change("POST", f"{running}/setMetadata", {"items": [{"key": "ssh-keys", "value": f"ann:{KEY}"}]})
    assert "gives a machine its SSH keys when it is made" in done["warnings"][0]["message"]
    api.change("POST", f"{running}/setMetadata", {})


def test_the_projects_ssh_keys_reach_new_machines(api: Api, cloudstack: CloudStack) -> None:
    project = api.get("")["commonInstanceMetadata"]
    items = [item for item in project.get("items", []) if item["key"] != "ssh-keys"]
    shared = [*items, {"key": "ssh-keys", "value": f"ann:{KEY}"}]
    api.change("POST", "setCommonInstanceMetadata", {"fingerprint": project["fingerprint"], "items": shared})
    refused(api, "POST", "setCommonInstanceMetadata", {"fingerprint": project["fingerprint"]}, "conditionNotMet")
    try:
        api.change("POST", HERE, machine("with-projects-key"))
        blocking = {"items": [{"key": "block-project-ssh-keys", "value": "true"}]}
        api.change("POST", HERE, machine("without-projects-key", metadata=blocking))
    finally:
        api.change("POST", "setCommonInstanceMetadata", {"items": items})
    assert row(cloudstack, "with-projects-key")["keypairs"]
    assert not row(cloudstack, "without-projects-key").get("keypairs")


def test_labels_are_replaced_and_foreign_tags_stay(api: Api, cloudstack: CloudStack, running: str) -> None:
    id = row(cloudstack, "settled")["id"]
    cloudstack.createTags(resourcetype="UserVm", resourceids=id, fetch_result=True,
                          **{"tags[0].key": "Cost Centre", "tags[0].value": "42"})
    before = api.get(running)
    assert before["labels"] == {"env": "prod", "empty": ""}
    refused(api, "POST", f"{running}/setLabels", {"labels": {"env": "x"}}, "conditionNotMet", "none was sent")
    refused(api, "POST", f"{running}/setLabels", {"labels": {}, "labelFingerprint": STALE}, "conditionNotMet")
    wish = {"env": "test", "team": "", "tier": "one"}
    api.change("POST", f"{running}/setLabels", {"labels": wish, "labelFingerprint": before["labelFingerprint"]})
    found = api.get(running)
    assert found["labels"] == wish
    assert found["labelFingerprint"] != before["labelFingerprint"]
    tags = {tag["key"]: tag["value"] for tag in row(cloudstack, "settled")["tags"]}
    assert tags == {"env": "test", "tier": "one", "Cost Centre": "42"}
    api.change("POST", f"{running}/setLabels", {"labels": {}, "labelFingerprint": found["labelFingerprint"]})
    assert "labels" not in api.get(running)


def test_labels_may_be_in_any_script(api: Api, cloudstack: CloudStack, running: str) -> None:
    wish = {"größe": "klein", "色": "青"}
    mark = api.get(running)["labelFingerprint"]
    done = api.change("POST", f"{running}/setLabels", {"labels": wish, "labelFingerprint": mark})
    assert done["operationType"] == "setLabels"
    found = api.get(running)
    assert found["labels"] == wish
    assert {tag["key"]: tag["value"] for tag in row(cloudstack, "settled")["tags"]}.items() >= wish.items()
    api.change("POST", f"{running}/setLabels", {"labels": {}, "labelFingerprint": found["labelFingerprint"]})


def test_labels_have_gces_limits(api: Api, running: str) -> None:
    mark = api.get(running)["labelFingerprint"]
    for labels, words in (
        ({f"l{n}": "" for n in range(65)}, "At most 64"), ({"Big": ""}, "lower-case"), ({"a": "x" * 64}, "at most 63"),
        ({"gcelib-tags": "web"}, "gcelib-"),
    ):
        body = {"labels": labels, "labelFingerprint": mark}
        refused(api, "POST", f"{running}/setLabels", body, "invalid", words)


def test_a_stopped_machine_takes_another_machine_type(api: Api, cloudstack: CloudStack, stopped: str) -> None:
    api.change("POST", f"{stopped}/setMachineType", {"machineType": "zones/ch-gv2/machineTypes/small"})
    assert api.get(stopped)["machineType"].endswith("/zones/ch-gv2/machineTypes/small")
    assert row(cloudstack, "resting")["serviceofferingname"] == "Small"
    api.change("POST", f"{stopped}/setMachineType", {"machineType": "zones/ch-gv2/machineTypes/custom-2-4096"})
    assert api.get(stopped)["machineType"].endswith("/custom-2-4096")
    assert (row(cloudstack, "resting")["cpunumber"], row(cloudstack, "resting")["memory"]) == (2, 4096)
    api.change("POST", f"{stopped}/setMachineType", {"machineType": "zones/ch-gv2/machineTypes/micro"})
    refused(api, "POST", f"{stopped}/setMachineType", {"machineType": "zones/ch-gv2/machineTypes/none"}, "notFound")
    refused(api, "POST", f"{stopped}/setMachineType", {}, "required", "resource.machineType")


def test_what_needs_a_stopped_machine_is_refused_for_a_running_one(api: Api, running: str) -> None:
    for method, body in (
        ("setMachineType", {"machineType": "zones/ch-gv2/machineTypes/small"}), ("setName", {"name": "other"}),
        ("setServiceAccount", {"email": "default"}), ("setMachineResources", {}),
    ):
        refused(api, "POST", f"{running}/{method}", body, "resourceNotReady", "TERMINATED", "Stop it first")


def test_a_stopped_machine_takes_another_name(api: Api, cloudstack: CloudStack, stopped: str) -> None:
    disk = api.get(stopped)["disks"][0]["source"]
    api.change("POST", f"{stopped}/setName", {"currentName": "resting", "name": "renamed"})
    assert api.call("GET", stopped).status == 404
    found = api.get(f"{HERE}/renamed")
    assert found["disks"][0]["source"] == disk
    assert row(cloudstack, "renamed")["displayname"] == "renamed"
    refused(api, "POST", f"{HERE}/renamed/setName", {"currentName": "resting", "name": "x"}, "invalid", "currentName")
    refused(api, "POST", f"{HERE}/renamed/setName", {"name": "No_Name"}, "invalid", "resource.name")
    api.change("POST", f"{HERE}/renamed/setName", {"name": "resting"})


def test_a_taken_name_is_not_given_twice(api: Api, running: str, stopped: str) -> None:
    answer = api.call("POST", f"{stopped}/setName", {"name": "settled"})
    assert (answer.status, answer.reason) == (409, "alreadyExists")


def test_scheduling_is_kept_and_what_no_machine_can_be_is_refused(api: Api, running: str) -> None:
    done = api.change("POST", f"{running}/setScheduling", {"onHostMaintenance": "terminate", "automaticRestart": False})
    assert len(done["warnings"]) == 2
    assert "its operator decides" in done["warnings"][0]["message"]
    found = api.get(running)["scheduling"]
    assert (found["onHostMaintenance"], found["automaticRestart"], found["preemptible"]) == ("TERMINATE", False, False)
    api.change("POST", f"{running}/setScheduling", {"onHostMaintenance": "MIGRATE", "automaticRestart": True})
    assert api.get(running)["scheduling"]["automaticRestart"] is True
    for body, field in (({"preemptible": True}, "preemptible"), ({"provisioningModel": "SPOT"}, "provisioningModel"),
                        ({"nodeAffinities": [{"key": "a"}]}, "nodeAffinities"), ({"minNodeCpus": 2}, "minNodeCpus")):
        refused(api, "POST", f"{running}/setScheduling", body, "unsupportedOperation", f"resource.{field}", "'sim'")


def test_scheduling_sent_with_an_insert_reads_back(api: Api) -> None:
    sent = {"onHostMaintenance": "TERMINATE", "automaticRestart": False, "provisioningModel": "STANDARD"}
    done = api.change("POST", HERE, machine("scheduled", scheduling=sent))
    assert len(done["warnings"]) == 2
    assert api.get(f"{HERE}/scheduled")["scheduling"] == {**sent, "preemptible": False}
    api.change("DELETE", f"{HERE}/scheduled")


def test_a_service_account_and_accelerators_are_refused_and_none_is_taken(api: Api, stopped: str) -> None:
    api.change("POST", f"{stopped}/setServiceAccount", {"email": ""})
    refused(api, "POST", f"{stopped}/setServiceAccount", {"email": "a@b.c"}, "unsupportedOperation", "'sim'")
    api.change("POST", f"{stopped}/setMachineResources", {"guestAccelerators": []})
    wish = {"guestAccelerators": [{"acceleratorCount": 1}]}
    refused(api, "POST", f"{stopped}/setMachineResources", wish, "unsupportedOperation", "no accelerators")


def test_an_update_changes_what_differs(api: Api, cloudstack: CloudStack, stopped: str) -> None:
    found = api.get(stopped)
    assert api.change("PUT", stopped, found)["operationType"] == "update"
    assert api.get(stopped)["fingerprint"] == found["fingerprint"]
    wish = {
        **found, "description": "Told by an update", "labels": {"a": "1"}, "deletionProtection": True,
        "tags": {**found["tags"], "items": ["web"]},
        "metadata": {**found["metadata"], "items": [{"key": "k", "value": "v"}]},
        "machineType": "zones/ch-gv2/machineTypes/tiny",
        "scheduling": {**found["scheduling"], "automaticRestart": False},
    }
    api.change("PUT", stopped, wish)
    after = api.get(stopped)
    for field in ("description", "labels", "deletionProtection", "scheduling"):
        assert after[field] == wish[field], field
    assert (after["tags"]["items"], after["metadata"]["items"]) == (["web"], [{"key": "k", "value": "v"}])
    assert after["machineType"].endswith("/machineTypes/tiny")
    assert "gcelib:default:tag:web" in {group["name"] for group in row(cloudstack, "resting")["securitygroup"]}
    refused(api, "PUT", stopped, {**after, "fingerprint": found["fingerprint"]}, "conditionNotMet")
    refused(api, "PUT", stopped, {"name": "other"}, "unsupportedOperation", "'resource.name'", "'sim'")
    refused(api, "PUT", stopped, {"disks": []}, "unsupportedOperation", "'resource.disks'")
    api.change("PUT", stopped, {"labels": {}, "tags": {}, "metadata": {}, "deletionProtection": False,
                                "description": "", "machineType": "zones/ch-gv2/machineTypes/micro"})
    last = api.get(stopped)
    assert ("labels" in last, "items" in last["tags"], "items" in last["metadata"]) == (False, False, False)
    assert last["description"] == ""


@pytest.mark.parametrize("method", ["setMetadata", "setLabels", "setTags", "setCommonInstanceMetadata"])
def test_of_changes_made_at_once_of_what_they_all_saw_one_is_made(api: Api, running: str, method: str) -> None:
    def shown() -> Any:
        if method == "setCommonInstanceMetadata":
            return api.get("")["commonInstanceMetadata"]
        return api.get(running) if method == "setLabels" else api.get(running)[method[3].lower() + method[4:]]

    def body(number: int) -> dict[str, Any]:
        if method == "setLabels":
            return {"labelFingerprint": before["labelFingerprint"], "labels": {"at-once": f"{number}"}}
        item = f"at-once-{number}" if method == "setTags" else {"key": "at-once", "value": f"{number}"}
        return {"fingerprint": before["fingerprint"], "items": [item]}

    path = method if method.startswith("setCommon") else f"{running}/{method}"
    before = shown()
    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(lambda number: api.call("POST", path, body(number)), range(4))]
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412]
    assert {answer.reason for answer in answers if answer.status == 412} == {"conditionNotMet"}
    made = next(number for number, answer in enumerate(answers) if answer.status == 200)
    assert "error" not in api.until_done(answers[made].data)
    after = shown()
    wanted = body(made)
    assert after.get("labels" if method == "setLabels" else "items") == wanted.get("labels", wanted.get("items"))
    name = "labelFingerprint" if method == "setLabels" else "fingerprint"
    api.change("POST", path, {name: after[name]})


def test_several_machines_are_made_by_one_request(api: Api, cloudstack: CloudStack) -> None:
    properties = {
        "machineType": "micro", "tags": {"items": ["bulky"]}, "labels": {"made": "in-bulk"},
        "metadata": {"items": [{"key": "a", "value": "b"}]},
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": UBUNTU}}],
        "networkInterfaces": [{"network": "global/networks/default"}],
    }
    done = api.change("POST", f"{HERE}/bulkInsert",
                      {"count": "3", "namePattern": "bulk-##", "instanceProperties": properties})
    assert done["operationType"] == "bulkInsert"
    assert done["targetLink"].endswith("/projects/demo/zones/ch-gv2")
    names = ["bulk-01", "bulk-02", "bulk-03"]
    group = api.get("zones/ch-gv2/operations", filter=f'operationGroupId="{done["operationGroupId"]}"')["items"]
    inserts = [each for each in group if each["operationType"] == "insert"]
    assert sorted(each["targetLink"].rpartition("/")[2] for each in inserts) == names
    assert {each["targetId"] for each in inserts} == {api.get(f"{HERE}/{name}")["id"] for name in names}
    shown = inserts[0]
    for ref in (shown["name"], shown["id"]):
        assert api.get(f"zones/ch-gv2/operations/{ref}") == shown
        assert api.call("POST", f"zones/ch-gv2/operations/{ref}/wait").data == shown
        forgotten = api.call("DELETE", f"zones/ch-gv2/operations/{ref}")
        assert (forgotten.status, forgotten.reason) == (400, "unsupportedOperation")
        assert f"part of operation '{done['name']}'" in forgotten.message
    for name in names:
        found = api.get(f"{HERE}/{name}")
        assert (found["status"], found["labels"], found["tags"]["items"]) == ("RUNNING", {"made": "in-bulk"}, ["bulky"])
    api.change("POST", f"{HERE}/bulkInsert", {"perInstanceProperties": {"bulk-named": {}}, "count": 1,
                                               "instanceProperties": properties})
    api.change("POST", f"{HERE}/bulkInsert", {"count": 1, "namePattern": "bulk-##", "instanceProperties": properties})
    assert api.get(f"{HERE}/bulk-04")["metadata"]["items"] == [{"key": "a", "value": "b"}]
    for name in (*names, "bulk-named", "bulk-04"):
        api.change("DELETE", f"{HERE}/{name}")


def test_a_bulk_that_makes_no_sense_is_refused(api: Api, running: str) -> None:
    for body, reason, words in (
        ({"count": 2}, "required", "resource.namePattern"),
        ({"count": 0, "namePattern": "a-#"}, "invalid", "resource.count"),
        ({"count": 101, "namePattern": "a-###"}, "invalid", "resource.count"),
        ({"count": 2, "namePattern": "plain"}, "invalid", "resource.namePattern"),
        ({"count": 12, "namePattern": "a-#"}, "invalid", "resource.namePattern"),
        ({"count": 3, "minCount": 1, "namePattern": "a-#"}, "invalid", "resource.minCount"),
        ({"count": 2, "perInstanceProperties": {"a": {}}}, "invalid", "perInstanceProperties"),
    ):
        refused(api, "POST", f"{HERE}/bulkInsert", body, reason, words)
    body = {"perInstanceProperties": {"settled": {}}, "instanceProperties": {"machineType": "micro"}}
    assert api.call("POST", f"{HERE}/bulkInsert", body).status == 409


def test_a_bulk_of_which_one_fails_leaves_none(launch: Any) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.accounts["demo"].limits["user_vm"] = 2
    properties = {"machineType": "micro", "tags": {"items": ["bulky"]}, "disks": [
        {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": UBUNTU}}]}
    body = {"count": 3, "namePattern": "b-#", "instanceProperties": properties}
    done = api.until_done(api.start("POST", f"{HERE}/bulkInsert", body))
    assert done["error"]["errors"][0]["code"] == "QUOTA_EXCEEDED"
    assert "items" not in api.get(HERE)


def test_the_effective_firewalls_are_those_of_its_network_and_tags(api: Api) -> None:
    for name, tags in (("everyones", []), ("webs", ["web"]), ("dbs", ["db"])):
        api.change("POST", "global/firewalls", {"name": name, "allowed": [{"IPProtocol": "icmp"}], "targetTags": tags,
                                                "sourceRanges": ["192.0.2.0/24"]})
    api.change("POST", HERE, machine("guarded", tags={"items": ["web"]}))
    found = api.get(f"{HERE}/guarded/getEffectiveFirewalls", networkInterface="nic0")
    refused(api, "GET", f"{HERE}/guarded/getEffectiveFirewalls", None, "invalid", "nic0", networkInterface="nic7")
    names = {each["name"] for each in found["firewalls"]}
    assert names >= {"everyones", "webs"}
    assert "dbs" not in names
    shown = next(each for each in found["firewalls"] if each["name"] == "webs")
    assert shown == api.get("global/firewalls/webs")
    api.change("DELETE", f"{HERE}/guarded")
    for name in ("everyones", "webs", "dbs"):
        api.change("DELETE", f"global/firewalls/{name}")


def test_nothing_refers_to_a_machine_and_no_guest_wrote_anything(api: Api, running: str) -> None:
    found = api.get(f"{running}/referrers")
    assert found["kind"] == "compute#instanceListReferrers"
    assert "items" not in found
    assert api.get(f"{HERE}/-/referrers")["kind"] == "compute#instanceListReferrers"
    assert api.call("GET", f"{HERE}/nobody/referrers").status == 404
    refused(api, "GET", f"{running}/getGuestAttributes", None, "notFound", "hostkeys/", queryPath="hostkeys/")


@pytest.mark.parametrize(("verb", "method", "words"), [
    ("POST", "suspend", "compute.instances.stop"), ("POST", "resume", "compute.instances.start"),
    ("GET", "serialPort", "no console output"), ("GET", "screenshot", "no console output"),
    ("POST", "sendDiagnosticInterrupt", "compute.instances.reset"),
    ("POST", "simulateMaintenanceEvent", "its operator alone"),
    ("POST", "setMinCpuPlatform", "processor"),
])
def test_what_no_machine_of_the_cloud_can_do_is_refused_with_the_reason(
    api: Api, running: str, verb: str, method: str, words: str
) -> None:
    body = {} if verb == "POST" else None
    refused(api, verb, f"{running}/{method}", body, "unsupportedOperation", words, "'sim'", "not offered on cloud")


def test_moves_between_zones_and_usage_reports_are_refused(api: Api) -> None:
    refused(api, "POST", "moveInstance", {"targetInstance": f"{HERE}/x", "destinationZone": "zones/de-adv1"},
            "unsupportedOperation", "compute.projects.moveInstance", "compute.images.insert")
    refused(api, "POST", "setUsageExportBucket", {"bucketName": "gs://b"}, "unsupportedOperation", "buckets", "'sim'")
    assert api.change("POST", "setUsageExportBucket", {})["targetLink"].endswith("/projects/demo")
