"""Changes of several steps that fail at any one of them: the cloud is as before, or what is left is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gcelib.config import load
from gcelib.server.operations.wishes import may_cancel
from gcelib.simulator import Simulator
from gcelib.store import Store
from gcelib.store.operations import Operations
from tests.api import Api
from tests.conftest import launched
from tests.faults.halfway import Books
from tests.wire.machines import machine

HERE, DISKS, RULES = "zones/de-adv1/instances", "zones/de-adv1/disks", "regions/de/forwardingRules"
POOLS, ADDRESSES, SUBNETS = "regions/de/targetPools", "regions/de/addresses", "regions/de/subnetworks"
BOOT = {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}
NAT = {"type": "ONE_TO_ONE_NAT", "name": "External NAT"}
KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQD9 half@way"
ORNAMENTS: dict[str, Any] = {
    "labels": {"a": "b"}, "tags": {"items": ["web"]}, "description": "ö",
    "metadata": {"items": [{"key": "ssh-keys", "value": f"u:{KEY}"}, {"key": "x", "value": "y"}]},
}
FURTHER = [
    {"initializeParams": {"diskSizeGb": "4", "diskName": "further"}, "autoDelete": True, "deviceName": "one"},
    {"source": f"{DISKS}/data", "deviceName": "two"},
]
SAID = {"labels": {"a": "b"}, "description": "x"}


def nic(*configs: Any) -> dict[str, Any]:
    """An interface in the isolated network."""
    return {"networkInterfaces": [{"network": "global/networks/demo-network", "accessConfigs": list(configs)}]}


def inside(name: str, *disks: Any, configs: Any = (), **fields: Any) -> dict[str, Any]:
    """A machine there."""
    return machine(name, "de-adv1", disks=[BOOT, *disks], **nic(*configs), **fields)


CASES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "a machine with everything": (HERE, inside("n", *FURTHER, configs=[NAT], **ORNAMENTS), [f"{HERE}/n"]),
    "a machine with security groups": (
        "zones/ch-gv2/instances", machine("n", **ORNAMENTS), ["zones/ch-gv2/instances/n"]),
    "several machines at once": (
        f"{HERE}/bulkInsert", {"count": "2", "namePattern": "n-#", "instanceProperties": {
            "machineType": "micro", "disks": [BOOT], "labels": {"a": "b"}, **nic()}}, [f"{HERE}/n-1", f"{HERE}/n-2"]),
    "a disk of a snapshot": (
        DISKS, {"name": "n", "sourceSnapshot": "global/snapshots/copy", **SAID}, [f"{DISKS}/n"]),
    "a snapshot": (
        "global/snapshots", {"name": "n", "sourceDisk": f"{DISKS}/data", **SAID}, ["global/snapshots/n"]),
    "an image": (
        "global/images", {"name": "n", "sourceDisk": f"{DISKS}/off", "family": "f", **SAID}, ["global/images/n"]),
    "a rule of several ports": (
        RULES, {"name": "n", "portRange": "80-81", "target": f"{POOLS}/pool", **SAID}, [f"{RULES}/n"]),
    "an address": (ADDRESSES, {"name": "n", **SAID}, [f"{ADDRESSES}/n"]),
    "a network": ("global/networks", {"name": "n", "autoCreateSubnetworks": True, "description": "x"},
                  ["global/networks/n"]),
    "a subnetwork": (
        SUBNETS, {"name": "n", "network": "global/networks/own", "ipCidrRange": "10.4.9.0/24", "description": "x"},
        [f"{SUBNETS}/n"]),
}


def furnish(api: Api) -> None:
    """Put on the cloud what the cases build on."""
    for path, body in (
        (HERE, inside("on")), (HERE, inside("off")),
        *((POOLS, {"name": name, "instances": [f"{HERE}/on"]}) for name in ("pool", "used")),
        (RULES, {"name": "two-ports", "portRange": "90-91", "target": f"{POOLS}/used"}),
        (DISKS, {"name": "data", "sizeGb": "3"}),
        (f"{HERE}/on/attachDisk", {"source": f"{DISKS}/data", "deviceName": "data"}),
        ("global/snapshots", {"name": "copy", "sourceDisk": f"{DISKS}/data"}),
        ("global/networks", {"name": "own", "autoCreateSubnetworks": False}),
        (SUBNETS, {"name": "first", "network": "global/networks/own", "ipCidrRange": "10.4.0.0/24"}),
    ):
        api.change("POST", path, body)
    api.change("POST", f"{HERE}/off/stop")
    api.change("POST", f"{HERE}/on/detachDisk", deviceName="data")


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """A cloud with something to build on."""
    with Simulator(job_delay=0.02) as cloud:
        server = launched(tmp_path_factory.mktemp("half-way"), cloud)
        furnish(server.api())
        yield Books(server, cloud)
        assert server.stop() == 0


def attempt(api: Api, path: str, body: Any, **query: Any) -> str:
    """What became of a change: "" when it was carried through, else everything that is said of its failure."""
    answer = api.call("POST", path, body, **query)
    if answer.status != 200:
        return answer.message
    errors = api.until_done(answer.data).get("error", {}).get("errors", [])
    return " ".join(error["message"] for error in errors)


def undone(api: Api, made: list[str]) -> None:
    """Delete what was made; a disk whose mark to go with its machine could not be set stays, as a warning said."""
    for each in made:
        api.change("DELETE", each)
    if api.call("GET", f"{DISKS}/further").status == 200:
        api.change("DELETE", f"{DISKS}/further")


@pytest.mark.parametrize(("case", "kind"), [
    *((case, "status") for case in CASES), ("a machine with everything", "job_fail"), ("an image", "job_fail"),
])
def test_nothing_is_left_of_a_change_that_fails(books: Books, case: str, kind: str) -> None:
    api, (path, body, made) = books.live.api(), CASES[case]
    with books.heard() as said:
        assert not attempt(api, path, body)
    undone(api, made)
    cloud, notes = books.cloud_rows(), books.notes()
    failed = 0
    for number, command in enumerate(said):
        planned = books.cloud.faults.add(command, kind, skip=said[:number].count(command), errorcode=530)
        words = attempt(api, path, body)
        books.cloud.faults.clear()
        if words:
            assert planned.hits
            failed += 1
            assert books.cloud_rows() == cloud, (command, words)
            assert books.notes() == notes, (command, words)
        else:
            undone(api, made)
            cloud, notes = books.cloud_rows(), books.notes()
    assert failed


def without_own_groups(rows: dict[str, Any]) -> dict[str, Any]:
    """The cloud's books without machines' own groups: one that is destroyed holds its for a while."""
    return {name: row for name, row in rows.items() if not name.startswith("Group gcelib:default:vm:")}


@pytest.mark.parametrize("case", ["a machine with everything", "a machine with security groups"])
def test_nothing_is_left_of_a_change_that_is_cancelled(books: Books, case: str) -> None:
    """At each of the commands that the cloud is given for it, by somebody who only writes it on the books."""
    api, (path, body, made) = books.live.api(), CASES[case]
    with books.heard() as said:
        assert not attempt(api, path, body)
    undone(api, made)
    cloud, notes = without_own_groups(books.cloud_rows()), books.notes()
    store = Store.open(load(books.live.config).server.database_url())
    operations = Operations(store)
    cancelled: list[str] = []

    def cancel() -> None:
        operation = operations.open()[-1]
        operations.cancel(operation.id, "olga@example.com", may_cancel)
        cancelled.append(operation.name)

    for number, command in enumerate(said):
        before = len(cancelled)
        with books.heard(lambda came, at=number: cancel() if came == at else None):
            words = attempt(api, path, body)
        if len(cancelled) == before:
            # The key pair is there since the first time.
            assert (number, words) == (len(said) - 1, "")
            undone(api, made)
            continue
        assert "olga@example.com cancelled this operation" in words, command
        assert "Left behind" not in words
        assert without_own_groups(books.cloud_rows()) == cloud, (command, words)
        assert books.notes() == notes, (command, words)
    assert len(cancelled) >= max(1, len(said) - 1)
    store.close()


def test_what_cannot_be_taken_back_is_named_with_what_to_do(books: Books) -> None:
    api = books.live.api()
    books.cloud.faults.add("createVolume", "status", status=431)
    books.cloud.faults.add("destroyVirtualMachine", "status", status=431)
    words = attempt(api, HERE, inside("stuck", *FURTHER[:1]))
    id = next(row["id"] for row in books.cloud.world.machines() if row["name"].startswith("stuck"))
    assert f"Left behind: machine 'stuck' ({id})" in words
    assert "by the id in parentheses, here or on the cloud" in words
    api.change("DELETE", f"{HERE}/{id}")
    api.change("POST", HERE, inside("stuck"))


@pytest.mark.parametrize(("verb", "back"), [("addInstance", "removeInstance"), ("removeInstance", "addInstance")])
def test_a_pool_is_changed_on_every_port_or_on_none(books: Books, verb: str, back: str) -> None:
    api, path = books.live.api(), f"{POOLS}/used"
    name = "off" if verb == "addInstance" else "on"
    body = {"instances": [{"instance": f"{HERE}/{name}"}]}
    before = books.cloud_rows()
    with books.heard() as said:
        assert not attempt(api, f"{path}/{verb}", body)
    assert len(said) == 2
    assert not attempt(api, f"{path}/{back}", body)
    assert books.cloud_rows() == before
    for skip in (0, 1):
        books.cloud.faults.add(said[0], "status", status=431, skip=skip)
        assert attempt(api, f"{path}/{verb}", body)
        assert books.cloud_rows() == before


def test_a_public_address_comes_whole_or_not(books: Books) -> None:
    api = books.live.api()
    before = books.cloud_rows()
    for command in ("associateIpAddress", "enableStaticNat"):
        books.cloud.faults.add(command, "status", status=431)
        assert attempt(api, f"{HERE}/on/addAccessConfig", NAT, networkInterface="nic0")
        assert books.cloud_rows() == before
