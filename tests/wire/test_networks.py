"""Networks over the wire: the shared one that every zone has, and an account's own."""

from __future__ import annotations

from tests.api import Api
from tests.conftest import Launch
from tests.wire.machines import machine

DISKS = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
ADVANCED = "zones/de-adv1/instances"


def test_networks_come_and_go_where_accounts_have_their_own(launch: Launch) -> None:
    live, _ = launch()
    api = live.api()
    api.change("POST", "global/networks", {"name": "mine", "description": "My own", "IPv4Range": "10.9.0.0/24"})
    found = api.get("global/networks/mine")
    assert (found["description"], found["IPv4Range"]) == ("My own", "10.9.0.0/24")
    assert api.call("POST", "global/networks", {"name": "mine"}).status == 409
    networks = [{"network": "global/networks/mine"}]
    api.change("POST", ADVANCED, machine("inside", "de-adv1", disks=DISKS, networkInterfaces=networks))
    shown = api.get(f"{ADVANCED}/inside")["networkInterfaces"][0]
    assert shown["network"].endswith("/global/networks/mine")
    busy = api.call("DELETE", "global/networks/mine")
    assert (busy.status, busy.reason) == (400, "resourceInUseByAnotherResource")
    shared = api.call("DELETE", "global/networks/default")
    assert shared.status == 400
    assert "operator" in shared.message


def test_default_is_the_only_network_of_a_zone_that_has_none_of_that_name(launch: Launch) -> None:
    live, _ = launch()
    api = live.api()
    api.change("POST", ADVANCED, machine("first", "de-adv1", disks=DISKS))
    nic = api.get(f"{ADVANCED}/first")["networkInterfaces"][0]
    assert nic["network"].endswith("/global/networks/demo-network")
    api.change("POST", "global/networks", {"name": "another"})
    refused = api.call("POST", ADVANCED, machine("second", "de-adv1", disks=DISKS))
    assert refused.status == 400
    assert "another, demo-network" in refused.message
    api.change("POST", "global/networks", {"name": "default-two"})
    api.change("POST", ADVANCED, machine("third", "de-adv1", disks=DISKS, networkInterfaces=[
        {"subnetwork": "regions/de/subnetworks/default-two", "networkIP": "10.1.1.77"}]))
    nic = api.get(f"{ADVANCED}/third")["networkInterfaces"][0]
    assert (nic["network"].rpartition("/")[2], nic["networkIP"]) == ("default-two", "10.1.1.77")


def test_the_shared_network_is_one_network_over_all_its_zones(api: Api) -> None:
    found = api.get("global/networks/default")
    assert "ch-gv2: defaultGuestNetwork" in found["description"]
    assert "fr-sg1: sharedGroupNetwork" in found["description"]
    assert api.get("global/networks/defaultGuestNetwork")["id"] == found["id"]
