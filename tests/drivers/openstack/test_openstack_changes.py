"""What is sent to OpenStack for a change, and how a change is waited for; nothing is sent twice."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from recorded_cloud import HERE, MADE, Recorded

from gcelib.drivers.openstack.cloud import OpenStack
from gcelib.errors import NoCapacity, Refused, TooMany, Uncertain, fault_from_data
from gcelib.models import JobState, NodeState

SERVER = json.loads(Path(HERE / "compute-servers-vm-image.json").read_text())["server"]
STATE, TASK, POWER = "OS-EXT-STS:vm_state", "OS-EXT-STS:task_state", "OS-EXT-STS:power_state"
NODE = f"compute /servers/{MADE['node']}"
BORN = {"name": "new", "zone_id": "zone-a", "size_id": "1", "network_ids": [MADE["network"]],
        "submitted": "2026-01-01T00:00:00+00:00"}


def server(**fields: Any) -> dict[str, Any]:
    """The recorded machine, changed."""
    return {"server": {**copy.deepcopy(SERVER), **fields}}


@pytest.fixture
def image(cloud: OpenStack) -> str:
    """A public image."""
    return next(each.id for each in cloud.images.list() if each.public)


def accepting(bodies: list[Any]) -> Callable[[str, str, Any], tuple[int, Any] | None]:
    """Takes every change, and keeps what was sent."""

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "GET":
            return None
        bodies.append(body)
        return 202, {"server": {"id": "made"}}

    return script


def test_a_machine_is_made_with_ids_the_key_and_the_flavors_disk(site: Recorded, cloud: OpenStack, image: str) -> None:
    bodies: list[Any] = []
    site.script = accepting(bodies)
    cloud.submit("nodes", "create", {**BORN, "image_id": image, "ip": "10.0.0.9", "group_ids": ["g1", "g2"],
                                     "keypair_names": ["k"], "user_data": "aGk="}, "the-key")
    assert bodies == [{"server": {
        "name": "new", "flavorRef": "1", "availability_zone": "zone-a", "imageRef": image, "key_name": "k",
        "metadata": {"gcelib-key": "the-key"}, "networks": [{"uuid": MADE["network"], "fixed_ip": "10.0.0.9"}],
        "security_groups": [{"name": "g1"}, {"name": "g2"}], "user_data": "aGk=",
    }}]


def test_a_group_that_several_want_at_once_is_made_once(site: Recorded, cloud: OpenStack) -> None:
    there: list[dict[str, str]] = []

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "GET" and path.startswith("network /v2.0/security-groups"):
            return 200, {"security_groups": [*there]}
        if method == "POST":
            time.sleep(0.05)
            there.append({"id": f"g{len(there)}", "name": body["security_group"]["name"]})
            return 201, {"security_group": there[-1]}
        return None

    site.script = script
    args = {"name": "gcelib:default:tag:web"}
    with ThreadPoolExecutor(4) as pool:
        made = [*pool.map(lambda key: cloud.submit("firewalls", "create_group", args, key), "abcd")]
    assert [(job.state, job.target) for job in made] == [(JobState.DONE, "g0")] * 4
    assert len(site.sent("POST")) == 1


def test_of_a_group_that_two_processes_make_at_once_both_take_the_older(site: Recorded, cloud: OpenStack) -> None:
    older = {"id": "theirs", "name": "gcelib:default:tag:web", "created_at": "2026-11-27T09:00:00Z"}
    there: list[dict[str, str]] = []

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST":
            # Theirs comes in just before, and stands behind in the list.
            there.extend([{**older, "id": "ours", "created_at": "2026-11-27T09:00:01Z"}, older])
            return 201, {"security_group": there[0]}
        if method == "DELETE":
            there.pop(0)
            return 204, None
        return (200, {"security_groups": [*there]}) if path.startswith("network /v2.0/security-groups") else None

    site.script = script
    assert cloud.submit("firewalls", "create_group", {"name": older["name"]}, "a").target == "theirs"
    assert site.sent("DELETE") == ["network /v2.0/security-groups/ours"]
    there.insert(0, {**older, "id": "left-behind", "created_at": "2026-11-27T09:00:01Z"})
    assert cloud.submit("firewalls", "create_group", {"name": older["name"]}, "b").target == "theirs"
    assert len(site.sent("POST")) == 1


@pytest.mark.parametrize(("root_gb", "options", "size"), [(7, {}, 7), (0, {"boot_from_volume": True}, 1)])
def test_a_boot_disk_of_another_size_is_a_volume_that_goes_with_its_machine(
    site: Recorded, image: str, root_gb: int, options: dict[str, Any], size: int
) -> None:
    bodies: list[Any] = []
    site.script = accepting(bodies)
    site.cloud(**options).submit("nodes", "create", {**BORN, "image_id": image, "root_gb": root_gb}, "the-key")
    assert "imageRef" not in bodies[0]["server"]
    assert bodies[0]["server"]["block_device_mapping_v2"] == [{
        "boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "volume", "volume_size": size,
        "delete_on_termination": True,
    }]


@pytest.mark.parametrize("cinder", [True, False])
def test_with_a_flavor_without_a_disk_a_machine_boots_from_a_volume_where_there_are_any(
    site: Recorded, cloud: OpenStack, cinder: bool
) -> None:
    site.leaves_out = () if cinder else ("volumev3",)
    bodies: list[Any] = []
    image = {"id": "raw", "name": "raw", "status": "active", "size": 3 * 2**30 + 1, "min_disk": 0}

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if path == "compute /flavors/detail":
            return 200, {"flavors": [{"id": "1", "name": "none", "disk": 0, "ram": 512, "vcpus": 1}]}
        return (200, image) if path == "image /v2/images/raw" else accepting(bodies)(method, path, body)

    site.script = script
    cloud.submit("nodes", "create", {**BORN, "image_id": "raw"}, "the-key")
    [disk] = bodies[0]["server"].get("block_device_mapping_v2", [{}])
    assert (disk.get("uuid"), disk.get("volume_size")) == (("raw", 4) if cinder else (None, None))
    assert ("imageRef" in bodies[0]["server"]) is not cinder


def test_a_making_whose_answer_was_lost_is_found_by_its_key(site: Recorded, cloud: OpenStack, image: str) -> None:
    site.script = lambda method, path, body: (502, "<h1>Bad Gateway</h1>") if method == "POST" else None
    args = {**BORN, "name": "vm-image", "image_id": image}
    with pytest.raises(Uncertain):
        cloud.submit("nodes", "create", args, "the-key")
    assert cloud.seek("nodes", "create", args, "the-key") is None
    found = cloud.seek("nodes", "create", args, SERVER["metadata"]["gcelib-key"])
    assert found is not None
    assert (found.target, found.state) == (MADE["node"], JobState.DONE)


def test_a_machine_that_found_no_host_is_no_capacity(site: Recorded, cloud: OpenStack, image: str) -> None:
    site.script = accepting([])
    job = cloud.submit("nodes", "create", {**BORN, "image_id": image}, "the-key")
    fault = {"code": 500, "message": "No valid host was found. There are not enough hosts available."}
    site.script = lambda method, path, body: (200, server(id="made", status="ERROR", fault=fault))
    job = cloud.poll(job)
    assert job.state is JobState.FAILED
    assert isinstance(fault_from_data(dict(job.error or {})), NoCapacity)


def test_a_resize_is_confirmed_when_it_is_done_and_over_when_that_is(site: Recorded, cloud: OpenStack) -> None:
    sent: list[Any] = []
    now = server(status="SHUTOFF")

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST":
            sent.append(body)
            return 202, None
        return (200, now) if path == NODE else None

    site.script = script
    job = cloud.submit("nodes", "resize", {"id": MADE["node"], "size_id": "2"}, "key")
    for state in ({"status": "RESIZE", TASK: "resize_migrating"},
                  {"status": "VERIFY_RESIZE", STATE: "resized", POWER: 4, "flavor": {"id": "2"}}):
        now = server(**state)
        job = cloud.poll(job)
        assert job.state is JobState.RUNNING
    now = server(status="SHUTOFF", flavor={"id": "2"}, **{POWER: 4})
    assert cloud.poll(job).state is JobState.DONE
    assert sent == [{"resize": {"flavorRef": "2"}}, {"confirmResize": None}]


def test_a_resize_that_the_cloud_took_and_gave_up_is_not_begun_again(site: Recorded, cloud: OpenStack) -> None:
    site.script = lambda method, path, body: (202, None) if method == "POST" else (
        (200, server(status="SHUTOFF")) if path == NODE else None)
    job = cloud.submit("nodes", "resize", {"id": MADE["node"], "size_id": "2"}, "key")
    job = cloud.poll(job)
    assert job.state is JobState.FAILED
    assert "gave it up" in str((job.error or {})["message"])
    assert len(site.sent("POST")) == 1


def test_what_cannot_be_taken_while_a_machine_is_made_is_sent_once_it_is(site: Recorded, cloud: OpenStack) -> None:
    made = False
    busy = {"error": {"message": "Cannot 'update metadata' instance 1 while it is in vm_state building"}}

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST":
            return (200, {"metadata": {}}) if made else (409, busy)
        if path == NODE:
            return 200, server() if made else server(status="BUILD", **{TASK: "spawning"})
        return (200, {"metadata": {}}) if path == f"{NODE}/metadata" else None

    site.script = script
    job = cloud.submit("tags", "set", {"kind": "node", "ids": [MADE["node"]], "tags": {"a": "b"}}, "key")
    assert job.state is cloud.poll(job).state is JobState.RUNNING
    assert len(site.sent("POST")) == 1
    made = True
    assert cloud.poll(job).state is JobState.RUNNING
    assert len(site.sent("POST")) == 2


def test_a_disk_that_another_machine_has_by_now_stays_with_that(site: Recorded, cloud: OpenStack) -> None:
    user = MADE["node"]

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if path == "volume /volumes/disk":
            return 200, {"volume": {"id": "disk", "status": "in-use", "attachments": [{"server_id": user}]}}
        if path == NODE:
            return (204, None) if method == "DELETE" else (404, {"itemNotFound": {"message": "gone"}})
        return None

    site.script = script
    job = cloud.submit("nodes", "destroy", {"id": MADE["node"], "volume_ids": ["disk"]}, "key")
    assert cloud.poll(job).state is JobState.RUNNING
    user = "another"
    assert cloud.poll(job).state is JobState.DONE
    assert site.sent("DELETE") == [NODE]


def test_what_is_sent_again_waits_for_a_cloud_that_is_asked_too_often(site: Recorded, cloud: OpenStack) -> None:
    busy = {"error": {"message": "Cannot 'update metadata' instance 1 while it is in vm_state building"}}
    now, told = server(status="BUILD", **{TASK: "spawning"}), (409, busy)

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST":
            return told
        if path == NODE:
            return 200, now
        return (200, {"metadata": {}}) if path == f"{NODE}/metadata" else None

    site.script = script
    job = cloud.submit("tags", "set", {"kind": "node", "ids": [MADE["node"]], "tags": {"a": "b"}}, "key")
    now, told = server(), (429, {"overLimit": {"message": "Too many requests"}})
    with pytest.raises(TooMany):
        cloud.poll(job)
    told = (200, {"metadata": {}})
    assert cloud.poll(job).state is JobState.RUNNING
    assert len(site.sent("POST")) == 3
    # That there is no room is an answer.
    told = (400, {"badRequest": {"message": "No valid host was found."}})
    assert isinstance(fault_from_data(dict(cloud.poll(job).error or {})), NoCapacity)


@pytest.mark.parametrize("refused", ["subnets", "routers"])
def test_a_network_that_is_refused_in_part_is_taken_back(site: Recorded, cloud: OpenStack, refused: str) -> None:
    words = {"NeutronError": {"type": "IpAddressGenerationFailure", "message": "No more IP addresses available."}}
    made = {"network": {"id": "new", "name": "new"}, "subnet": {"id": "range", "name": "new"}}

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "GET":
            return (200, {"ports": []}) if "network_id=new" in path else None
        if method == "POST" and path.endswith(refused):
            return 409, words
        return (201, {name: made[name] for name in body}) if body else (204, None)

    site.script = script
    with pytest.raises(NoCapacity, match="No more IP addresses"):
        cloud.submit("networks", "create", {"name": "new", "zone_id": "zone-a"}, "key")
    assert site.sent("DELETE") == ["network /v2.0/networks/new"]


def test_a_network_that_was_there_stays_when_it_cannot_be_finished(site: Recorded, cloud: OpenStack) -> None:
    project = cloud._api.me().project_id
    there = {"networks": [{"id": "old", "name": "old", "project_id": project}]}

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST":
            return 400, {"NeutronError": {"type": "InvalidInput", "message": "Invalid input for operation."}}
        return (200, there) if path.startswith("network /v2.0/networks") else None

    site.script = script
    with pytest.raises(Refused, match="Invalid input"):
        cloud.submit("networks", "create", {"name": "old", "zone_id": "zone-a"}, "key")
    assert site.sent("DELETE") == []


def test_only_the_pairs_that_change_are_written(site: Recorded, cloud: OpenStack) -> None:
    sent: list[tuple[str, str, Any]] = []

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if path == f"{NODE}/metadata" and method == "GET":
            return 200, {"metadata": {"theirs": "1", "a": "old", "same": "x"}}
        sent.append((method, path, body))
        return 200, {}

    site.script = script
    about = {"kind": "node", "ids": [MADE["node"]]}
    cloud.submit("tags", "set", {**about, "tags": {"a": "new", "same": "x"}}, "key")
    cloud.submit("tags", "remove", {**about, "keys": ["a", "never there"]}, "key")
    assert sent == [
        ("POST", f"{NODE}/metadata", {"metadata": {"a": "new"}}), ("DELETE", f"{NODE}/metadata/a", None)]


@pytest.mark.parametrize(("fields", "state", "text"), [
    ({"status": "ACTIVE"}, NodeState.RUNNING, ""),
    ({"status": "ACTIVE", TASK: "powering-off"}, NodeState.STOPPING, ""),
    ({"status": "SHUTOFF", TASK: "powering-on"}, NodeState.STAGING, ""),
    ({"status": "BUILD", TASK: "networking"}, NodeState.PROVISIONING, ""),
    ({"status": "BUILD", TASK: "spawning"}, NodeState.STAGING, ""),
    ({"status": "SUSPENDED"}, NodeState.STOPPED, "The cloud says: SUSPENDED."),
    ({"status": "PAUSED"}, NodeState.STOPPED, "The cloud says: PAUSED."),
    ({"status": "VERIFY_RESIZE", POWER: 4}, NodeState.STOPPED, "The cloud says: VERIFY_RESIZE."),
    ({"status": "VERIFY_RESIZE", POWER: 1}, NodeState.RUNNING, "The cloud says: VERIFY_RESIZE."),
    ({"status": "HARD_REBOOT", TASK: "rebooting_hard"}, NodeState.RUNNING, ""),
    ({"status": "ERROR", "fault": {"message": "Disk is full"}}, NodeState.ERROR, "Disk is full"),
    ({"status": "A_WORD_OF_TOMORROW"}, NodeState.RUNNING, "The cloud says: A_WORD_OF_TOMORROW."),
])
def test_every_state_has_one_of_gces(
    site: Recorded, cloud: OpenStack, fields: dict[str, Any], state: NodeState, text: str
) -> None:
    site.script = lambda method, path, body: (
        (200, {"servers": [server(**fields)["server"]]}) if path == "compute /servers/detail" else None)
    [node] = cloud.nodes.list()
    assert (node.state, node.state_text) == (state, text)


@pytest.mark.parametrize(("status", "action"), [
    ("SHUTOFF", "os-start"), ("PAUSED", "unpause"), ("SUSPENDED", "resume"), ("SHELVED_OFFLOADED", "unshelve")])
def test_a_machine_is_started_from_wherever_it_was_put(
    site: Recorded, cloud: OpenStack, status: str, action: str
) -> None:
    bodies: list[Any] = []

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method == "POST":
            bodies.append(body)
            return 202, None
        return (200, server(status=status)) if path == NODE else None

    site.script = script
    cloud.submit("nodes", "start", {"id": MADE["node"]}, "key")
    assert bodies == [{action: None}]


def test_an_image_that_is_a_copy_of_a_volume_is_booted_from_and_goes_with_it(site: Recorded, cloud: OpenStack) -> None:
    """What Nova makes of a machine whose boot disk is a volume; recorded, ids apart."""
    block = {"boot_index": 0, "source_type": "snapshot", "destination_type": "volume", "snapshot_id": "copy-1",
             "volume_size": 7, "delete_on_termination": True, "device_name": "/dev/vda"}
    image = {"id": "of-volume", "name": "of-volume", "status": "active", "size": 0, "min_disk": 0,
             "block_device_mapping": json.dumps([block]), "root_device_name": "/dev/vda", "bdm_v2": "True"}
    copies = {"snapshots": [{"id": id, "name": id, "size": 7, "status": "available"} for id in ("copy-1", "other")]}
    sent: list[tuple[str, str, Any]] = []

    def script(method: str, path: str, body: Any) -> tuple[int, Any] | None:
        if method != "GET":
            sent.append((method, path, body))
            return 202, {"server": {"id": "made"}}
        known = {"image /v2/images/of-volume": image, "image /v2/images?limit=1000": {"images": [image]},
                 "volume /snapshots/detail": copies}
        return (200, known[path]) if path in known else None

    site.script = script
    assert [each.size_gb for each in cloud.images.list()] == [7]
    assert [each.id for each in cloud.snapshots.list()] == ["other"]
    cloud.submit("nodes", "create", {**BORN, "image_id": "of-volume"}, "the-key")
    [disk] = sent[0][2]["server"]["block_device_mapping_v2"]
    assert (disk["source_type"], disk["uuid"], disk["volume_size"]) == ("snapshot", "copy-1", 7)
    cloud.submit("images", "destroy", {"id": "of-volume"}, "another-key")
    assert [call[:2] for call in sent[1:]] == [
        ("DELETE", "image /v2/images/of-volume"), ("DELETE", "volume /snapshots/copy-1")]
