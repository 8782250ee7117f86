"""Instances over the wire: what is sent reads back, names come free, refusals are the cloud's own."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import Launch, portal
from tests.live import Live
from tests.wire.machines import UBUNTU, machine

HERE = "zones/ch-gv2/instances"
BOOT: dict[str, Any] = {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": UBUNTU}}
DATA: dict[str, Any] = {"autoDelete": True, "initializeParams": {"diskSizeGb": "1"}}


def vm(cloudstack: CloudStack, name: str) -> Any:
    """A machine as the cloud's own portal shows it."""
    return cloudstack.listVirtualMachines(name=name)["virtualmachine"][0]


TOKEN = "sk-ssh-ed25519@openssh.com"
KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQC7 tester@example"


def test_what_is_sent_reads_back(api: Api, live: Live) -> None:
    disk = {
        "boot": True, "autoDelete": True, "deviceName": "system", "type": "PERSISTENT", "mode": "READ_WRITE",
        "initializeParams": {"sourceImage": UBUNTU, "diskSizeGb": "20", "diskName": "system-disk"},
    }
    sent = machine(
        "reads-back",
        description="A machine, with a comma: and ünicode",
        labels={"env": "prod", "empty": ""},
        tags={"items": ["web", "db"]},
        metadata={"items": [
            {"key": "startup-script", "value": "#!/bin/sh\necho " + "x" * 3000}, {"key": "a", "value": ""}]},
        disks=[disk],
        networkInterfaces=[{"network": "global/networks/default", "accessConfigs": [
            {"type": "ONE_TO_ONE_NAT", "name": "external-nat"}]}],
        deletionProtection=True,
    )
    api.change("POST", HERE, sent)
    found = api.get(f"{HERE}/reads-back")
    assert found["description"] == sent["description"]
    assert found["labels"] == {"env": "prod", "empty": ""}
    assert found["tags"]["items"] == ["web", "db"]
    assert found["metadata"]["items"] == sent["metadata"]["items"]
    assert found["deletionProtection"] is True
    assert found["networkInterfaces"][0]["accessConfigs"][0]["name"] == "external-nat"
    assert found["status"] == "RUNNING"
    boot = found["disks"][0]
    assert (boot["deviceName"], boot["diskSizeGb"], boot["boot"]) == ("system", "20", True)
    assert boot["source"] == f"{live.url}/compute/v1/projects/demo/zones/ch-gv2/disks/system-disk"
    assert api.get("zones/ch-gv2/disks/system-disk")["users"] == [found["selfLink"]]
    refused = api.call("DELETE", f"{HERE}/reads-back")
    assert refused.status == 400
    assert "deletionProtection" in refused.message


def test_a_startup_script_reaches_the_machine_as_user_data(api: Api, cloudstack: CloudStack) -> None:
    script = "#!/bin/sh\necho '" + "long " * 2000 + "'"
    api.change("POST", HERE, machine("scripted", metadata={"items": [{"key": "startup-script", "value": script}]}))
    row = vm(cloudstack, "scripted")
    said = cloudstack.getVirtualMachineUserData(virtualmachineid=row["id"])["virtualmachineuserdata"]
    assert base64.b64decode(said["userdata"]).decode() == script


def test_an_ssh_key_becomes_a_registered_key_pair(api: Api, cloudstack: CloudStack) -> None:
    items = [{"key": "ssh-keys", "value": f"ian:{KEY}"}]
    api.change("POST", HERE, machine("keyed", metadata={"items": items}))
    row = vm(cloudstack, "keyed")
    assert row["keypairs"]
    api.change("POST", HERE, machine("keyed-too", metadata={"items": [{"key": "sshKeys", "value": f"x:{KEY}"}]}))
    assert vm(cloudstack, "keyed-too")["keypairs"] == row["keypairs"]


@pytest.mark.parametrize("plain", ["", f"ian:{KEY}"])
def test_a_key_of_a_hardware_token_reaches_the_machine_though_no_cloud_registers_it(
    api: Api, cloudstack: CloudStack, plain: str
) -> None:
    blob = len(TOKEN).to_bytes(4, "big") + TOKEN.encode() + bytes(40)
    key, name = f"{TOKEN} {base64.b64encode(blob).decode()} token@example", "tokens" if plain else "token"
    metadata = {"items": [{"key": "ssh-keys", "value": f"ian:{key}\n{plain}"}]}
    api.change("POST", HERE, machine(name, metadata=metadata))
    row = vm(cloudstack, name)
    assert bool(row.get("keypairs")) is bool(plain)
    said = cloudstack.getVirtualMachineUserData(virtualmachineid=row["id"])["virtualmachineuserdata"]["userdata"]
    assert base64.b64decode(said).decode() == f"#cloud-config\nssh_authorized_keys:\n  - {key}\n"


def test_what_does_not_reach_a_machine_beside_its_user_data_is_said(api: Api) -> None:
    data = {"key": "user-data", "value": "#cloud-config\n"}
    script = {"key": "startup-script", "value": "echo"}
    keys = {"key": "ssh-keys", "value": f"ian:{KEY}\nann:{KEY}2"}
    told = api.until_done(api.start("POST", HERE, machine("deaf", metadata={"items": [data, script, keys]})))
    said = [each["message"] for each in told["warnings"]]
    assert ["'startup-script'" in said[0], "'ssh-keys'" in said[1], "for 1 of" in said[1]] == [True] * 3
    set_to = api.until_done(api.start("POST", f"{HERE}/deaf/setMetadata", {"items": [data, script, keys]}))
    assert [each["message"] for each in set_to["warnings"]] == said[:1]
    heard = api.until_done(api.start("POST", f"{HERE}/deaf/setMetadata", {"items": [data, keys]}))
    assert "warnings" not in heard


def test_a_deleted_name_is_free_at_once(api: Api) -> None:
    ids = set()
    for _ in range(3):
        api.change("POST", HERE, machine("phoenix"))
        ids.add(api.get(f"{HERE}/phoenix")["id"])
        api.change("DELETE", f"{HERE}/phoenix")
        assert api.call("GET", f"{HERE}/phoenix").status == 404
    assert len(ids) == 3


def test_a_taken_name_is_409(api: Api) -> None:
    api.change("POST", HERE, machine("taken"))
    answer = api.call("POST", HERE, machine("taken"))
    assert (answer.status, answer.reason) == (409, "alreadyExists")
    assert answer.message == "The resource 'projects/demo/zones/ch-gv2/instances/taken' already exists"


@pytest.mark.parametrize("spelling", ["Micro", "micro", "MICRO"])
def test_a_machine_type_is_found_by_any_spelling_of_its_name(api: Api, spelling: str) -> None:
    assert api.get(f"zones/ch-gv2/machineTypes/{spelling}")["name"] == "micro"


def test_a_machine_type_is_found_by_the_clouds_own_id(api: Api, cloudstack: CloudStack) -> None:
    offering = next(row for row in cloudstack.listServiceOfferings()["serviceoffering"] if row["name"] == "Micro")
    name = f"by-id-{offering['id'][:4]}"
    api.change("POST", HERE, machine(name, machineType=f"zones/CH-GV2/machineTypes/{offering['id']}"))
    assert api.get(f"{HERE}/{name}")["machineType"].endswith("/zones/ch-gv2/machineTypes/micro")


def test_an_ambiguous_image_is_refused_with_the_candidates_named(api: Api) -> None:
    disk = {"boot": True, "initializeParams": {"sourceImage": "global/images/Linux Ubuntu 12.04 LTS 64-bit"}}
    answer = api.call("POST", HERE, machine("which", disks=[disk]))
    assert answer.status == 400
    for size in ("10gb", "50gb", "100gb", "200gb", "400gb"):
        assert f"linux-ubuntu-12-04-lts-64-bit-{size}" in answer.message


@pytest.mark.parametrize("link", [
    UBUNTU,
    f"projects/demo/{UBUNTU}",
    f"https://www.googleapis.com/compute/v1/projects/demo/{UBUNTU}",
    f"https://compute.googleapis.com/compute/beta/projects/demo/{UBUNTU}",
    "global/images/family/centos-5-5-64-bit-no-gui-kvm",
    "projects/demo/zones/-/imageFamilyViews/centos-5-5-64-bit-no-gui-kvm",
])
def test_an_image_is_named_in_any_form(api: Api, link: str) -> None:
    name = f"image-{abs(hash(link)) % 10**8}"
    disk = {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": link}}
    api.change("POST", HERE, machine(name, disks=[disk]))
    assert api.get(f"{HERE}/{name}")["status"] == "RUNNING"
    api.change("DELETE", f"{HERE}/{name}")


def test_further_disks_are_made_and_attached(api: Api) -> None:
    disks = [
        {"boot": True, "autoDelete": True, "initializeParams": {
            "sourceImage": "global/images/debian-12"}},
        {"deviceName": "data", "autoDelete": True, "initializeParams": {"diskSizeGb": "7", "diskName": "extra-data"}},
    ]
    body = machine("with-data", "de-adv1", disks=disks)
    api.change("POST", "zones/de-adv1/instances", body)
    found = api.get("zones/de-adv1/instances/with-data")
    data = found["disks"][1]
    assert (data["deviceName"], data["diskSizeGb"], data["autoDelete"]) == ("data", "7", True)
    api.change("DELETE", "zones/de-adv1/instances/with-data")
    assert api.call("GET", "zones/de-adv1/disks/extra-data").status == 404


def test_a_custom_machine_type_is_made_to_measure(api: Api) -> None:
    shown = api.get("zones/de-adv1/machineTypes/custom-2-4096")
    assert (shown["guestCpus"], shown["memoryMb"]) == (2, 4096)
    disks = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
    api.change("POST", "zones/de-adv1/instances", machine(
        "measured", "de-adv1", machineType="zones/de-adv1/machineTypes/custom-2-4096", disks=disks))
    assert api.get("zones/de-adv1/instances/measured")["machineType"].endswith("/custom-2-4096")
    outside = api.call("GET", "zones/de-adv1/machineTypes/custom-999-1")
    assert outside.status == 400
    assert "CPUs" in outside.message


def test_power_goes_off_and_on(api: Api) -> None:
    api.change("POST", HERE, machine("power"))
    assert api.change("POST", f"{HERE}/power/reset")["operationType"] == "reset"
    api.change("POST", f"{HERE}/power/stop")
    assert api.get(f"{HERE}/power")["status"] == "TERMINATED"
    refused = api.call("POST", f"{HERE}/power/reset")
    assert (refused.status, refused.reason) == (400, "resourceNotReady")
    assert api.change("POST", f"{HERE}/power/stop")["status"] == "DONE"
    api.change("POST", f"{HERE}/power/start")
    assert api.get(f"{HERE}/power")["status"] == "RUNNING"
    assert api.change("POST", f"{HERE}/power/start")["status"] == "DONE"


@pytest.mark.parametrize(("change", "status", "reason", "words"), [
    ({"name": "Bad_Name"}, 400, "invalid", "Must be a match of regex"),
    ({"name": None}, 400, "required", "resource.name"),
    ({"machineType": "zones/ch-gv2/machineTypes/enormous"}, 404, "notFound", "machineTypes/enormous"),
    ({"machineType": "zones/fr-sg1/machineTypes/micro"}, 400, "invalid", "fr-sg1"),
    ({"disks": []}, 400, "required", "resource.disks"),
    ({"networkInterfaces": [{"network": "global/networks/nowhere"}]}, 404, "notFound", "nowhere"),
    ({"guestAccelerators": [{"acceleratorCount": 1}]}, 400, "unsupportedOperation", "guestAccelerators"),
    ({"scheduling": {"preemptible": True}}, 400, "unsupportedOperation", "preemptible"),
    ({"labels": {"gcelib-x": "1"}}, 400, "invalid", "gcelib-x"),
    ({"tags": {"items": ["Not A Tag"]}}, 400, "invalid", "Not A Tag"),
    ({"metadata": {"items": [{"key": "startup-script", "value": "x" * 40000}]}}, 400, "invalid", "too long"),
    ({"keyRevocationActionType": "STOP"}, 400, "unsupportedOperation", "keyRevocationActionType"),
    ({"workloadIdentityConfig": {"identity": "spiffe://a"}}, 400, "unsupportedOperation", "workloadIdentityConfig"),
    ({"params": {"resourceManagerTags": {"tagKeys/1": "tagValues/2"}}}, 400, "unsupportedOperation", "resource.params"),
    ({"reservationAffinity": {"consumeReservationType": "SPECIFIC_RESERVATION"}}, 400, "unsupportedOperation",
     "reservationAffinity"),
    ({"disks": [{**BOOT, "diskEncryptionKey": {"rawKey": "c2VjcmV0"}}]}, 400, "unsupportedOperation",
     "resource.disks[0].diskEncryptionKey"),
    ({"disks": [{**BOOT, "type": "SCRATCH"}]}, 400, "unsupportedOperation", "resource.disks[0].type"),
    ({"disks": [{**BOOT, "initializeParams": {**BOOT["initializeParams"], "provisionedIops": "900"}}]}, 400,
     "unsupportedOperation", "resource.disks[0].initializeParams.provisionedIops"),
    ({"networkInterfaces": [{"aliasIpRanges": [{"ipCidrRange": "/24"}]}]}, 400, "unsupportedOperation",
     "resource.networkInterfaces[0].aliasIpRanges"),
    ({"networkInterfaces": [{"stackType": "IPV4_IPV6"}]}, 400, "unsupportedOperation",
     "resource.networkInterfaces[0].stackType"),
    ({"disks": [BOOT, {**DATA, "deviceName": "data"}, {**DATA, "deviceName": "data"}]}, 400, "invalid",
     "resource.disks[2].deviceName': 'data'"),
    ({"disks": [BOOT, {**DATA, "deviceName": "persistent-disk-0"}]}, 400, "invalid", "resource.disks[1].deviceName"),
    ({"disks": [{**BOOT, "deviceName": "persistent-disk-1"}, DATA]}, 400, "invalid", "resource.disks[0].deviceName"),
])
def test_what_cannot_be_made_is_refused_and_leaves_nothing(
    api: Api, simulator: Simulator, change: dict[str, Any], status: int, reason: str, words: str
) -> None:
    before = len(simulator.world.machines())
    answer = api.call("POST", HERE, {**machine("refused"), **change})
    assert (answer.status, answer.reason) == (status, reason), answer.data
    assert words in answer.message
    assert len(simulator.world.machines()) == before


def test_one_disk_is_not_attached_twice(api: Api) -> None:
    api.change("POST", "zones/ch-gv2/disks", {"name": "attached-twice", "sizeGb": "1"})
    twice = [{"source": "zones/ch-gv2/disks/attached-twice", "deviceName": name} for name in ("a", "b")]
    answer = api.call("POST", HERE, machine("twice", disks=[BOOT, *twice]))
    assert (answer.status, answer.reason) == (400, "invalid"), answer.data
    assert "resource.disks[2].source" in answer.message
    assert api.call("GET", f"{HERE}/twice").status == 404


def test_what_a_boot_disk_is_told_in_vain_is_said(api: Api) -> None:
    params = {**BOOT["initializeParams"], "labels": {"a": "b"}, "description": "mine", "diskType": "diskTypes/pd-ssd"}
    done = api.until_done(api.start("POST", HERE, machine("told", disks=[{**BOOT, "initializeParams": params}])))
    assert [each["code"] for each in done["warnings"]] == ["FIELD_VALUE_OVERRIDEN"] * 3
    said = " ".join(each["message"] for each in done["warnings"])
    assert all(f"'disks[].initializeParams.{field}'" in said for field in ("labels", "description", "diskType"))
    usual = {**BOOT["initializeParams"], "diskType": "zones/ch-gv2/diskTypes/pd-standard", "labels": {}}
    plain = api.until_done(api.start("POST", HERE, machine("untold", disks=[{**BOOT, "initializeParams": usual}])))
    assert "warnings" not in plain


def test_an_unknown_image_is_404(api: Api) -> None:
    disk = {"boot": True, "initializeParams": {"sourceImage": "projects/debian-cloud/global/images/debian-99"}}
    answer = api.call("POST", HERE, machine("no-image", disks=[disk]))
    assert (answer.status, answer.reason) == (404, "notFound")
    assert "projects/debian-cloud/global/images/debian-99" in answer.message


def test_quota_is_403_in_the_clouds_words_and_leaves_nothing(launch: Launch) -> None:
    live, cloud = launch()
    cloud.faults.add(command="deployVirtualMachine", kind="status", status=535, errorcode=535,
                     text="Maximum number of resources of type 'user_vm' has been exceeded")
    answer = live.api().call("POST", HERE, machine("too-many"))
    assert (answer.status, answer.reason) == (403, "quotaExceeded")
    assert "Maximum number of resources of type 'user_vm'" in answer.message
    groups = portal(cloud).listSecurityGroups()["securitygroup"]
    assert [group["name"] for group in groups] == ["default"]
    recorded = live.api().get("zones/ch-gv2/operations")["items"]
    assert [operation["httpErrorStatusCode"] for operation in recorded] == [403]


@pytest.mark.parametrize("fields", [{}, {"deletionProtection": True}])
def test_no_capacity_is_an_error_of_the_operation_and_leaves_nothing(launch: Launch, fields: dict[str, Any]) -> None:
    live, cloud = launch()
    cloud.faults.add(command="deployVirtualMachine", kind="job_fail", errorcode=533, text="Insufficient capacity")
    api = live.api()
    done = api.until_done(api.start("POST", HERE, machine("no-room", **fields)))
    assert done["error"]["errors"][0]["code"] == "ZONE_RESOURCE_POOL_EXHAUSTED"
    assert "Insufficient capacity" in done["error"]["errors"][0]["message"]
    assert done["httpErrorStatusCode"] == 503
    assert "items" not in api.get(HERE)
    api.change("POST", HERE, machine("no-room"))
