"""Public addresses over the wire: reserved ones, and those that stand for machines."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine

HERE = "zones/de-adv1/instances"
ADDRESSES = "regions/de/addresses"
DISKS = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
NAT = {"type": "ONE_TO_ONE_NAT", "name": "External NAT"}


class Place:
    """A cloud with isolated networks, seen from both sides."""

    def __init__(self, api: Api, cloud: Simulator) -> None:
        self.api, self.cloud, self.portal = api, cloud, portal(cloud)

    def rows(self) -> dict[str, Any]:
        """The cloud's own list of addresses, by what they are; source NAT ones left out."""
        found = self.portal.listPublicIpAddresses().get("publicipaddress", [])
        return {row["ipaddress"]: row for row in found if not row["issourcenat"]}

    def machine(self, name: str, *configs: Any, **fields: Any) -> Any:
        """A machine in the isolated network."""
        nic = {"network": "global/networks/demo-network", "accessConfigs": list(configs)}
        self.api.change("POST", HERE, machine(name, "de-adv1", disks=DISKS, networkInterfaces=[nic], **fields))
        return self.api.get(f"{HERE}/{name}")

    def nat_of(self, name: str) -> Any:
        """Its access config, or None."""
        return (self.api.get(f"{HERE}/{name}")["networkInterfaces"][0].get("accessConfigs") or [None])[0]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One such cloud for the tests that do not use it up."""
    from tests.conftest import launched

    cloud = Simulator(job_delay=0.05)
    cloud.start()
    server = launched(tmp_path_factory.mktemp("addresses"), cloud)
    yield Place(server.api(), cloud)
    server.stop()
    cloud.stop()


def test_addresses_taken_at_once_for_a_network_without_machines_are_no_more_than_asked_for(shared: Place) -> None:
    shared.api.change("POST", "global/networks", {"name": "fresh", "IPv4Range": "10.11.0.0/24"})
    network = shared.portal.listNetworks(name="fresh", keyword="fresh")["network"][0]["id"]
    bodies = [{"name": f"fresh-{number}", "network": "global/networks/fresh"} for number in range(3)]
    with ThreadPoolExecutor(3) as pool:
        begun = [*pool.map(lambda body: shared.api.start("POST", ADDRESSES, body), bodies)]
    assert not any("error" in shared.api.until_done(each) for each in begun)
    rows = shared.portal.listPublicIpAddresses(associatednetworkid=network)["publicipaddress"]
    assert sorted(row["issourcenat"] for row in rows) == [False, False, False, True]
    for body in bodies:
        shared.api.change("DELETE", f"{ADDRESSES}/{body['name']}")
    shared.api.change("DELETE", "global/networks/fresh")


def test_a_network_stays_while_a_reserved_address_or_a_forwarding_rule_would_go_with_it(shared: Place) -> None:
    api = shared.api
    api.change("POST", "global/networks", {"name": "short-lived", "IPv4Range": "10.9.0.0/24"})
    api.change("POST", ADDRESSES, {"name": "long-lived", "network": "global/networks/short-lived"})
    pool = api.change("POST", "regions/de/targetPools", {"name": "long-lived"})["targetLink"]
    rule = {"name": "long-lived", "target": pool, "portRange": "80", "IPAddress": f"{ADDRESSES}/long-lived"}
    api.change("POST", "regions/de/forwardingRules", rule)
    for held in ("regions/de/forwardingRules/long-lived", f"{ADDRESSES}/long-lived"):
        refused = api.call("DELETE", "global/networks/short-lived")
        assert (refused.status, refused.reason) == (400, "resourceInUseByAnotherResource")
        assert f"projects/demo/{held}'" in refused.message
        api.change("DELETE", held)
    api.change("DELETE", "regions/de/targetPools/long-lived")
    api.change("DELETE", "global/networks/short-lived")
    assert api.call("GET", "global/networks/short-lived").status == 404


def test_an_address_is_reserved_under_a_name_and_given_back(shared: Place) -> None:
    sent = {"name": "front", "description": "For the façade", "labels": {"env": "prod"}}
    done = shared.api.change("POST", ADDRESSES, sent)
    found = shared.api.get(f"{ADDRESSES}/front")
    assert {key: found[key] for key in sent} == sent
    assert (found["status"], found["addressType"], found["id"]) == ("RESERVED", "EXTERNAL", done["targetId"])
    row = shared.rows()[found["address"]]
    assert {"key": "gcelib-name", "value": "front"}.items() <= row["tags"][0].items() or len(row["tags"]) > 1
    assert found["selfLink"] in [each["selfLink"] for each in shared.api.get(ADDRESSES)["items"]]
    everywhere = shared.api.get("aggregated/addresses")["items"]
    assert "front" in [each["name"] for each in everywhere["regions/de"]["addresses"]]
    assert everywhere["global"]["warning"]["code"] == "NO_RESULTS_ON_PAGE"
    again = shared.api.call("POST", ADDRESSES, sent)
    assert (again.status, again.reason) == (409, "alreadyExists")
    labels = {"labels": {"env": "test", "tier": "1"}, "labelFingerprint": found["labelFingerprint"]}
    shared.api.change("POST", f"{ADDRESSES}/front/setLabels", labels)
    assert shared.api.get(f"{ADDRESSES}/front")["labels"] == labels["labels"]
    assert shared.api.call("POST", f"{ADDRESSES}/front/setLabels", labels).status == 412
    shared.api.change("DELETE", f"{ADDRESSES}/front")
    assert shared.api.call("GET", f"{ADDRESSES}/front").status == 404
    assert found["address"] not in shared.rows()


def test_the_address_asked_for_is_the_one_that_is_taken(shared: Place) -> None:
    shared.api.change("POST", ADDRESSES, {"name": "exact", "address": "203.0.113.17"})
    assert shared.api.get(f"{ADDRESSES}/exact")["address"] == "203.0.113.17"
    taken = shared.api.call("POST", ADDRESSES, {"name": "second", "address": "203.0.113.17"})
    assert taken.status == 400
    assert "already reserved: it is 'exact'" in taken.message
    wrong = shared.api.call("POST", ADDRESSES, {"name": "second", "address": "twelve"})
    assert (wrong.status, "resource.address" in wrong.message) == (400, True)
    shared.api.change("DELETE", f"{ADDRESSES}/exact")


def test_an_address_made_elsewhere_is_shown_by_its_digits_until_it_is_named(shared: Place) -> None:
    network = shared.portal.listNetworks(name="demo-network")["network"][0]["id"]
    shared.machine("brings-the-network-up")
    row = shared.portal.associateIpAddress(networkid=network, fetch_result=True)["ipaddress"]
    ip = row["ipaddress"]
    digits = "ip-" + ip.replace(".", "-")
    found = shared.api.until(lambda: shared.api.call("GET", f"{ADDRESSES}/{digits}"), 200, 20).data
    assert found["address"] == ip
    shared.api.change("POST", ADDRESSES, {"name": "adopted", "address": ip})
    assert shared.api.get(f"{ADDRESSES}/adopted")["id"] == found["id"]
    shared.api.change("DELETE", f"{ADDRESSES}/adopted")
    shared.api.change("DELETE", f"{HERE}/brings-the-network-up")


def test_an_access_config_comes_and_goes_with_an_ephemeral_address(shared: Place) -> None:
    shared.machine("lonely")
    assert shared.nat_of("lonely") is None
    before = set(shared.rows())
    shared.api.change("POST", f"{HERE}/lonely/addAccessConfig", NAT, networkInterface="nic0")
    config = shared.nat_of("lonely")
    row = shared.rows()[config["natIP"]]
    assert (row["isstaticnat"], row["virtualmachinename"], config["name"]) == (True, "lonely", "External NAT")
    assert config["natIP"] not in [each["address"] for each in shared.api.get(ADDRESSES).get("items", [])]
    twice = shared.api.call("POST", f"{HERE}/lonely/addAccessConfig", NAT, networkInterface="nic0")
    assert (twice.status, "At most one" in twice.message) == (400, True)
    path = f"{HERE}/lonely/updateAccessConfig"
    shared.api.change("POST", path, {"name": "outside"}, networkInterface="nic0")
    assert shared.nat_of("lonely")["name"] == "outside"
    pointer = shared.api.call("POST", path, {"publicPtrDomainName": "a.example."}, networkInterface="nic0")
    assert (pointer.reason, "publicPtrDomainName" in pointer.message) == ("unsupportedOperation", True)
    drop = f"{HERE}/lonely/deleteAccessConfig"
    other = shared.api.call("POST", drop, networkInterface="nic0", accessConfig="External NAT")
    assert (other.status, "'outside'" in other.message) == (400, True)
    shared.api.change("POST", drop, networkInterface="nic0", accessConfig="outside")
    assert shared.nat_of("lonely") is None
    assert set(shared.rows()) == before
    assert shared.api.call("POST", drop, networkInterface="nic7", accessConfig="x").status == 400
    shared.api.change("DELETE", f"{HERE}/lonely")


def test_a_reserved_address_stands_for_a_machine_and_outlives_it(shared: Place) -> None:
    shared.api.change("POST", ADDRESSES, {"name": "kept"})
    ip = shared.api.get(f"{ADDRESSES}/kept")["address"]
    found = shared.machine("holder", {**NAT, "natIP": ip})
    assert found["networkInterfaces"][0]["accessConfigs"][0]["natIP"] == ip
    shown = shared.api.get(f"{ADDRESSES}/kept")
    assert (shown["status"], shown["users"]) == ("IN_USE", [found["selfLink"]])
    busy = shared.api.call("DELETE", f"{ADDRESSES}/kept")
    assert (busy.status, busy.reason) == (400, "resourceInUseByAnotherResource")
    assert "instances/holder" in busy.message
    shared.machine("wants-it")
    second = shared.api.call("POST", f"{HERE}/wants-it/addAccessConfig", {"natIP": ip}, networkInterface="nic0")
    assert (second.status, second.reason) == (400, "resourceInUseByAnotherResource")
    shared.api.change("DELETE", f"{HERE}/holder")
    assert shared.api.get(f"{ADDRESSES}/kept")["status"] == "RESERVED"
    shared.api.change("POST", f"{HERE}/wants-it/addAccessConfig", {"natIP": ip}, networkInterface="nic0")
    shared.api.change("POST", f"{HERE}/wants-it/deleteAccessConfig", networkInterface="nic0", accessConfig="External "
                                                                                                           "NAT")
    assert shared.api.get(f"{ADDRESSES}/kept")["status"] == "RESERVED"
    shared.api.change("DELETE", f"{ADDRESSES}/kept")
    shared.api.change("DELETE", f"{HERE}/wants-it")


def test_a_machine_made_with_an_access_config_has_a_public_address_and_takes_it_along(shared: Place) -> None:
    before = set(shared.rows())
    found = shared.machine("public", {"type": "ONE_TO_ONE_NAT", "name": "external-nat"})
    config = found["networkInterfaces"][0]["accessConfigs"][0]
    assert config["name"] == "external-nat"
    assert set(shared.rows()) == before | {config["natIP"]}
    shared.api.change("DELETE", f"{HERE}/public")
    assert set(shared.rows()) == before


def test_a_protected_machine_that_gets_no_address_is_taken_back(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.faults.add("associateIpAddress", status=535, errorcode=535, text="No address is left for you")
    nic = {"network": "global/networks/demo-network", "accessConfigs": [NAT]}
    body = machine("guarded", "de-adv1", disks=DISKS, networkInterfaces=[nic], deletionProtection=True)
    errors = api.until_done(api.start("POST", HERE, body))["error"]["errors"]
    assert ["No address is left for you" in each["message"] for each in errors] == [True]
    assert "items" not in api.get(HERE)


def test_an_ephemeral_address_is_promoted_to_a_reserved_one(shared: Place) -> None:
    config = shared.machine("risen", NAT)["networkInterfaces"][0]["accessConfigs"][0]
    shared.api.change("POST", ADDRESSES, {"name": "promoted", "address": config["natIP"]})
    assert shared.api.get(f"{ADDRESSES}/promoted")["users"][0].endswith("/instances/risen")
    shared.api.change("DELETE", f"{HERE}/risen")
    assert shared.api.get(f"{ADDRESSES}/promoted")["status"] == "RESERVED"
    shared.api.change("DELETE", f"{ADDRESSES}/promoted")


def test_the_first_address_of_a_network_without_machines_is_one_that_can_be_used(launch: Launch) -> None:
    live, cloud = launch()
    place = Place(live.api(), cloud)
    place.api.change("POST", ADDRESSES, {"name": "early"})
    found = place.api.get(f"{ADDRESSES}/early")
    assert "purpose" not in found
    place.machine("late", {**NAT, "natIP": found["address"]})
    assert place.nat_of("late")["natIP"] == found["address"]
    router = next(each for each in place.api.get(ADDRESSES)["items"] if each.get("purpose") == "NAT_AUTO")
    assert router["users"][0].endswith("/global/networks/demo-network")
    refused = place.api.call("DELETE", f"{ADDRESSES}/{router['name']}")
    assert (refused.status, "goes with that network" in refused.message) == (400, True)


def test_where_several_networks_are_the_choice_is_told(launch: Launch) -> None:
    live, cloud = launch()
    place = Place(live.api(), cloud)
    place.api.change("POST", "global/networks", {"name": "newer"})
    done = place.api.change("POST", ADDRESSES, {"name": "somewhere"})
    assert "'demo-network'" in done["warnings"][0]["message"]
    assert "newer" in done["warnings"][0]["message"]
    done = place.api.change("POST", ADDRESSES, {"name": "there", "network": "global/networks/newer"})
    assert "warnings" not in done
    ip = place.api.get(f"{ADDRESSES}/there")["address"]
    place.machine("elsewhere")
    body = {"natIP": ip}
    refused = place.api.call("POST", f"{HERE}/elsewhere/addAccessConfig", body, networkInterface="nic0")
    assert (refused.status, "this one is for 'newer'" in refused.message) == (400, True)


def test_what_a_cloud_has_no_address_for_is_refused_by_name(shared: Place) -> None:
    for region in ("ch", "fr"):
        refused = shared.api.call("POST", f"regions/{region}/addresses", {"name": "none"})
        assert (refused.status, refused.reason) == (400, "unsupportedOperation")
        assert "compute.addresses.insert is not offered on cloud 'sim'" in refused.message
    for body in ({"ipVersion": "IPV6"}, {"addressType": "INTERNAL"}, {"networkTier": "STANDARD"}):
        refused = shared.api.call("POST", ADDRESSES, {"name": "none", **body})
        assert refused.reason == "unsupportedOperation"
        assert f"resource.{next(iter(body))}" in refused.message
    refused = shared.api.call("POST", "global/addresses", {"name": "none"})
    assert (refused.reason, "'sim'" in refused.message) == ("unsupportedOperation", True)
    assert shared.api.get("global/addresses")["kind"] == "compute#addressList"
    assert shared.api.call("GET", "global/addresses/none").status == 404


def test_an_interface_whose_own_address_is_public_keeps_it(api: Api, cloudstack: CloudStack) -> None:
    del cloudstack
    api.change("POST", "zones/ch-gv2/instances", machine("straight"))
    config = api.get("zones/ch-gv2/instances/straight")["networkInterfaces"][0]["accessConfigs"][0]
    for verb, body, query in (
        ("addAccessConfig", NAT, {}), ("deleteAccessConfig", None, {"accessConfig": "External NAT"}),
    ):
        refused = api.call("POST", f"zones/ch-gv2/instances/straight/{verb}", body, networkInterface="nic0", **query)
        assert (refused.status, refused.reason) == (400, "unsupportedOperation")
        assert config["natIP"] in refused.message
        assert "not offered on cloud 'sim'" in refused.message
    nic = {"network": "global/networks/default", "accessConfigs": [{**NAT, "natIP": "203.0.113.99"}]}
    refused = api.call("POST", "zones/ch-gv2/instances", machine("other", networkInterfaces=[nic]))
    assert (refused.reason, "natIP" in refused.message) == ("unsupportedOperation", True)
    api.change("DELETE", "zones/ch-gv2/instances/straight")


def test_a_machine_whose_address_cannot_be_had_is_taken_back(launch: Launch) -> None:
    live, cloud = launch()
    place = Place(live.api(), cloud)
    place.machine("first")
    for number in range(20):
        if place.api.call("POST", ADDRESSES, {"name": f"a{number}"}).status != 200:
            break
    nic = {"network": "global/networks/demo-network", "accessConfigs": [NAT]}
    body = machine("greedy", "de-adv1", disks=DISKS, networkInterfaces=[nic])
    done = place.api.until_done(place.api.start("POST", HERE, body))
    assert done["error"]["errors"], done
    assert place.api.call("GET", f"{HERE}/greedy").status == 404
