"""How many calls to the cloud a request costs, and that what is asked for alone is as the list would have it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from gcelib import naming
from gcelib.simulator import Simulator
from gcelib.simulator.faults import BEFORE
from tests.api import Api
from tests.conftest import launched, portal
from tests.wire.machines import UBUNTU, machine

HERE, THERE = "zones/ch-gv2/instances", "zones/de-adv1/instances"
LISTED = {"listVirtualMachines": 1, "listVolumes": 1, "listNetworks": 1}
MOVED = {"listVirtualMachines": 1, "listVolumes": 1}
OFFERS = {"listZones": 1, "listServiceOfferings": 1}


@dataclass
class Site:
    """A cloud that counts the commands it is sent, and a gcelib over it that remembers for a minute."""

    cloud: Simulator
    api: Api
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    session: requests.Session = field(default_factory=requests.Session)
    together: threading.Barrier | None = None
    """Commands wait here for each other before they are answered."""

    def __post_init__(self) -> None:
        take = self.cloud.faults.take

        def counted(command: str, account: str, kinds: tuple[str, ...]) -> Any:
            with self.lock:
                self.counts[command] += kinds is BEFORE
            if self.together is not None and kinds is BEFORE:
                self.together.wait(10)
            return take(command, account, kinds)

        self.cloud.faults.take = counted  # type: ignore[method-assign]

    def taken(self) -> dict[str, int]:
        """The commands since this was last asked."""
        with self.lock:
            taken, self.counts = {name: count for name, count in self.counts.items() if count}, Counter()
        return taken

    def ask(self, path: str, *, anew: bool = False) -> requests.Response:
        """One read below the project; `anew` remembers nothing from before."""
        headers = {"Authorization": f"Bearer {self.api.token}", **({"Cache-Control": "No-Cache"} if anew else {})}
        return self.session.get(f"{self.api.url}/compute/v1/projects/demo/{path}", headers=headers, timeout=30)

    def calls(self, path: str, *, anew: bool = False, status: int = 200) -> dict[str, int]:
        """The commands that one read costs."""
        self.taken()
        assert self.ask(path, anew=anew).status_code == status
        return self.taken()


    def cost(self, path: str, body: Any = None) -> dict[str, int]:
        """The commands that one change costs, polls of its job aside: there is one at least."""
        self.taken()
        self.api.change("POST", path, body)
        taken = self.taken()
        assert taken.pop("queryAsyncJobResult") >= 1
        return taken


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Simulator(job_delay=0, preload=3) as cloud:
        live = launched(tmp_path_factory.mktemp("counted"), cloud, extra="[cache]\nnodes = 60\nother = 60\n")
        yield Site(cloud, live.api())
        assert live.stop() == 0


def test_a_list_of_which_nothing_is_known_asks_for_each_thing_once(site: Site) -> None:
    assert site.calls(HERE) == LISTED | OFFERS
    assert site.calls(HERE) == {}
    assert site.calls(HERE, anew=True) == LISTED | OFFERS
    assert site.calls("aggregated/instances") == {}
    assert site.calls(f"{HERE}/preloaded-1") == {}


@pytest.mark.parametrize("after", ["nothing", "a note"])
def test_the_lists_of_an_answer_are_asked_for_side_by_side(site: Site, after: str) -> None:
    assert site.calls(HERE, anew=True) == LISTED | OFFERS
    if after == "a note":
        site.api.change("POST", "global/httpHealthChecks", {"name": "side-by-side"})
        site.taken()
    site.together = threading.Barrier(5)
    try:
        assert site.calls(HERE, anew=True) == LISTED | OFFERS
    finally:
        site.together = None


@pytest.mark.parametrize(("path", "calls"), [
    ("aggregated/addresses", {"listZones": 1, "listPublicIpAddresses": 1}),
    ("aggregated/forwardingRules", {"listZones": 1, "listLoadBalancerRules": 1}),
    ("aggregated/targetPools", {"listZones": 1, "listLoadBalancerRules": 1}),
    ("zones/ch-gv2/machineTypes", OFFERS),
    ("global/snapshots", {"listSnapshots": 1}),
    ("global/networks", {"listZones": 1, "listNetworks": 1, "listVPCs": 1}),
    ("regions/de/subnetworks", {"listZones": 1, "listNetworks": 1, "listVPCs": 1}),
])
def test_no_list_is_asked_for_that_an_answer_does_not_need(site: Site, path: str, calls: dict[str, int]) -> None:
    assert site.calls(path, anew=True) == calls
    assert site.calls(path, anew=True) == calls


def test_a_hundred_lists_at_once_ask_the_cloud_once(site: Site) -> None:
    tag_a_machine(site)
    site.taken()
    with ThreadPoolExecutor(20) as pool:
        answers = {answer.content for answer in pool.map(lambda _: site.ask(HERE), range(100))}
    assert len(answers) == 1
    assert site.taken() == MOVED


def test_a_machine_is_asked_for_by_its_name_and_its_disks_by_its_id(site: Site) -> None:
    for _ in range(2):
        assert site.calls(f"{HERE}/preloaded-1", anew=True) == LISTED | OFFERS
    tag_a_machine(site)
    assert site.calls(f"{HERE}/preloaded-2") == MOVED
    assert site.calls(f"{HERE}/preloaded-2") == {}
    assert site.calls(f"{HERE}/preloaded-3") == MOVED
    assert site.calls(f"{HERE}/nobody", status=404) == {"listVirtualMachines": 1}
    assert site.calls(HERE) == MOVED


def test_what_one_machine_is_when_asked_anew_is_no_other_in_the_next_answers(site: Site) -> None:
    cloud = portal(site.cloud)
    id = next(row["id"] for row in cloud.listVirtualMachines()["virtualmachine"] if row["name"] == "preloaded-3")
    assert site.ask(HERE, anew=True).status_code == 200
    for verb, state in ((cloud.stopVirtualMachine, "TERMINATED"), (cloud.startVirtualMachine, "RUNNING")):
        verb(id=id, fetch_result=True)
        assert [shown(site, f"{HERE}/preloaded-3", anew=anew)[1]["status"] for anew in (True, False)] == [state] * 2
        assert {row["status"] for row in site.ask(HERE).json()["items"] if row["name"] == "preloaded-3"} == {state}
    assert site.calls(f"{HERE}/preloaded-3", anew=True) == LISTED | OFFERS
    assert site.calls(HERE) == {}


def test_disks_that_are_remembered_longer_than_machines_are_not_asked_for_again(tmp_path: Path) -> None:
    with Simulator(job_delay=0, preload=3) as cloud:
        live = launched(tmp_path, cloud, extra="[cache]\nnodes = 0\nother = 60\n")
        site = Site(cloud, live.api())
        site.api.change("POST", HERE, machine("two", disks=[
            {"boot": True, "initializeParams": {"sourceImage": UBUNTU}}, {"initializeParams": {"diskSizeGb": "20"}}]))
        assert site.calls(HERE)["listVolumes"] == 1
        listed = {name: shown(site, f"{HERE}/{name}") for name in ("preloaded-2", "two")}
        assert site.calls(f"{HERE}/preloaded-2") == {"listVirtualMachines": 1}
        assert {name: shown(site, f"{HERE}/{name}", anew=True) for name in listed} == listed
        assert live.stop() == 0


def test_a_machine_that_is_changed_is_asked_for_alone(site: Site) -> None:
    tag_a_machine(site)
    for verb, command in (("stop", "stopVirtualMachine"), ("start", "startVirtualMachine")):
        assert site.cost(f"{HERE}/preloaded-2/{verb}") == {"listVirtualMachines": 1, command: 1}


def test_a_machine_is_made_in_four_calls_when_its_zone_is_known(site: Site) -> None:
    site.api.change("POST", HERE, machine("first"))
    for number in range(2):
        assert site.cost(HERE, machine(f"further-{number}")) == {
            "listVirtualMachines": 1, "listVolumes": 1, "createSecurityGroup": 1, "deployVirtualMachine": 1}


def test_a_machine_of_an_isolated_network_is_made_in_one_call_when_lists_are_remembered(site: Site) -> None:
    nic, disks = {"network": "global/networks/demo-network"}, [{"boot": True, "initializeParams": {
        "sourceImage": "global/images/debian-12"}}]
    for name in ("early", "late"):
        site.ask(THERE), site.ask("zones/de-adv1/disks")
        cost = site.cost(THERE, machine(name, "de-adv1", disks=disks, networkInterfaces=[nic]))
    assert cost == {"deployVirtualMachine": 1}


def test_a_name_is_looked_up_alone_where_lists_are_long(many: Site) -> None:
    for number in range(2):
        assert many.cost(HERE, machine(f"new-{number}")) == {
            "listVirtualMachines": 2, "listVolumes": 1, "createSecurityGroup": 1, "deployVirtualMachine": 1}
    bulk = {"count": "2", "namePattern": "bulk-#", "instanceProperties": machine("any")}
    bulk["instanceProperties"].pop("name")
    many.api.change("POST", f"{HERE}/bulkInsert", bulk)
    assert {name: count for name, count in many.taken().items() if name.startswith("listV")} == {
        "listVirtualMachines": 2, "listVolumes": 2}
    assert many.api.call("POST", HERE, machine("new-1")).status == 409


def test_a_name_is_not_looked_up_alone_where_the_list_is_needed_all_the_same(tmp_path: Path) -> None:
    with Simulator(job_delay=0, preload=510) as cloud:
        live = launched(tmp_path, cloud, extra="[cache]\nnodes = 60\nother = 0\n")
        site = Site(cloud, live.api())
        site.ask(HERE)
        site.taken()
        refused = site.api.call("POST", "zones/ch-gv2/disks", {"name": "free", "sizeGb": "999999"})
        assert refused.status == 400
        taken = site.taken()
        assert (taken.get("listVirtualMachines", 0), taken["listVolumes"]) == (0, 2)
        assert live.stop() == 0


def test_the_names_of_disks_that_are_looked_up_alone_are_those_of_the_list(many: Site) -> None:
    cloud = portal(many.cloud)
    zones = {row["name"]: row["id"] for row in cloud.listZones()["zone"]}
    offering = next(row["id"] for row in cloud.listDiskOfferings()["diskoffering"] if row.get("disksize"))
    odd = ["My Disk", "my_other.disk", "two  spaces", "-edge-", "UPPER", "9lives", "twin", "Twin", "disk",
           "Gr\u00f6\u00dfe 5", "n" * 70, "ready", "root", "x"]
    for name in odd:
        cloud.createVolume(name=name, zoneid=zones["CH-GV2"], diskofferingid=offering, fetch_result=True)
    cloud.createVolume(name="elsewhere", zoneid=zones["DE-ADV1"], diskofferingid=offering, fetch_result=True)
    boot = {"boot": True, "initializeParams": {"sourceImage": UBUNTU, "diskName": "root-of-it"}}
    many.api.change("POST", HERE, machine("it", disks=[boot]))
    there: set[str] = set()
    page: dict[str, Any] = {"nextPageToken": ""}
    while "nextPageToken" in page:
        page = many.api.get("zones/ch-gv2/disks", **{"pageToken": token} if (token := page["nextPageToken"]) else {})
        there |= {row["name"] for row in page["items"]}
    asked = {*there, *map(naming.slug, odd), "elsewhere", "it", "root-of-it", "free", "twin", "preloaded-1"} - {
        name for name in there if name.startswith("preloaded-") and name != "preloaded-1"}
    many.taken()
    refused = {name for name in asked if many.api.call(
        "POST", "zones/ch-gv2/disks", {"name": name, "sizeGb": "999999"}).status == 409}
    assert many.taken()["listVolumes"] < 3 * len(asked)
    assert refused == asked & there
    assert {"my-disk", "two-spaces", "root-of-it", "preloaded-1"} <= refused
    assert not {"free", "elsewhere", "it", "twin"} & refused


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cloud whose lists have more than one page, and a gcelib that has seen that but remembers no machines."""
    with Simulator(job_delay=0, preload=510) as cloud:
        live = launched(tmp_path_factory.mktemp("many"), cloud, extra="[cache]\nnodes = 0\nother = 60\n")
        site = Site(cloud, live.api())
        site.api.change("POST", HERE, machine("first"))
        yield site
        assert live.stop() == 0


def tag_a_machine(site: Site) -> None:
    """A change, after which nothing that moves is remembered."""
    shown = site.api.get(f"{HERE}/preloaded-1")
    labels = {"n": str(int(shown.get("labels", {}).get("n", "0")) + 1)}
    site.api.change("POST", f"{HERE}/preloaded-1/setLabels",
                    {"labels": labels, "labelFingerprint": shown["labelFingerprint"]})


@pytest.fixture(scope="module")
def odd(site: Site) -> list[str]:
    """Machines called oddly, made through the cloud's own portal; whatever might mean one of them."""
    cloud = portal(site.cloud)
    zones = {row["name"]: row["id"] for row in cloud.listZones()["zone"]}
    size = next(row["id"] for row in cloud.listServiceOfferings()["serviceoffering"] if row["name"] == "Micro")
    images = {row["zoneid"]: row["id"] for row in cloud.listTemplates(templatefilter="executable")["template"]}
    offering = next(row for row in cloud.listNetworkOfferings(guestiptype="Isolated", state="Enabled")[
        "networkoffering"] if not row.get("forvpc"))
    made: dict[str, str] = {}

    def make(name: str, network: str = "") -> None:
        zone = zones["DE-ADV1"] if network else zones["CH-GV2"]
        more = {"networkids": network} if network else {}
        job = cloud.deployVirtualMachine(name=name, displayname=f"shown as {name}", serviceofferingid=size,
                                         templateid=images[zone], zoneid=zone, fetch_result=True, **more)
        made[f"{name}{network}"] = job["virtualmachine"]["id"]

    nets = [cloud.createNetwork(name=name, displaytext=name, zoneid=zones["DE-ADV1"],
                                networkofferingid=offering["id"])["network"]["id"] for name in ("left", "right")]
    for name in ("Web-1", "A--B", "a-b", "a--b2", "x", "UPPER", "db-0123abcd", "tail-deadbeef"):
        make(name)
    for net in nets:
        make("twin", net)
        make(f"Only-{nets.index(net)}", net)
    twins = [made[f"twin{net}"] for net in nets]
    make(f"twin-{twins[0][:8]}", nets[0])
    names = ["Web-1", "web-1", "WEB-1", "A--B", "a--b", "a-b", "A-B", "a--b2", "x", "UPPER", "upper", "Upper",
             "db-0123abcd", "tail-deadbeef", "db", "twin", "Twin", *(f"twin-{id[:8]}" for id in twins), "only-0",
             "Only-1", "nobody", "no body", "shown as x", "1", "-x", "x-", "preloaded-1", "Preloaded-1",
             "a" * 63, "a" * 64, "ünïcode", "x.y", *made.values()]
    for where in (HERE, THERE):
        rows = site.ask(where, anew=True).json()["items"]
        names += [row["name"] for row in rows] + [row["id"] for row in rows]
    return [*dict.fromkeys(names)]


def test_what_is_asked_for_alone_is_as_the_list_has_it(site: Site, odd: list[str]) -> None:
    alone = {(where, name): shown(site, f"{where}/{name}", anew=True) for where in (HERE, THERE) for name in odd}
    for where in (HERE, THERE):
        assert site.ask(where, anew=True).status_code == 200
    site.taken()
    listed = {(where, name): shown(site, f"{where}/{name}") for where in (HERE, THERE) for name in odd}
    assert site.taken() == {}
    assert alone == listed
    assert {status for status, _ in alone.values()} == {200, 400, 404}


def test_disks_of_a_machine_asked_for_alone_are_as_the_list_has_them(site: Site) -> None:
    api = site.api
    api.change("POST", HERE, machine("plain"))
    boot = {"boot": True, "initializeParams": {"sourceImage": UBUNTU, "diskName": "other-name"}}
    api.change("POST", HERE, machine("renamed", disks=[boot]))
    api.change("POST", HERE, machine("two", disks=[
        {"boot": True, "initializeParams": {"sourceImage": UBUNTU}}, {"initializeParams": {"diskSizeGb": "20"}}]))
    cloud = portal(site.cloud)
    ids = {row["name"]: row["id"] for row in cloud.listVirtualMachines()["virtualmachine"]}
    # As gcelib itself never makes it: a boot disk that was to be called as another machine.
    cloud.createTags(resourceids=ids["x" if "x" in ids else "preloaded-2"], resourcetype="UserVm", fetch_result=True,
                     **{"tags[0].key": "gcelib-disk", "tags[0].value": "plain"})
    names = ["plain", "renamed", "two", "x" if "x" in ids else "preloaded-2"]
    alone = [shown(site, f"{HERE}/{name}", anew=True) for name in names]
    assert site.ask(HERE, anew=True).status_code == 200
    assert [shown(site, f"{HERE}/{name}") for name in names] == alone
    assert alone[0][1]["disks"][0]["source"].endswith("/disks/plain")


def shown(site: Site, path: str, *, anew: bool = False) -> tuple[int, Any]:
    """Status and body of a read."""
    answer = site.ask(path, anew=anew)
    return answer.status_code, answer.json()
