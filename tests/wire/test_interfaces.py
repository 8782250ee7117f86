"""Interfaces of machines: added and taken away where a machine may have several."""

from __future__ import annotations

from typing import Any

from tests.api import Api
from tests.conftest import Launch
from tests.wire.machines import machine

DISKS = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
ADVANCED = "zones/de-adv1/instances"


def interfaces(api: Api) -> list[Any]:
    """The networks of the machine, in the order of its interfaces."""
    found = api.get(f"{ADVANCED}/two-homed")["networkInterfaces"]
    return [(each["name"], each["network"].rpartition("/")[2]) for each in found]


def test_a_machine_joins_and_leaves_a_second_network(launch: Launch) -> None:
    api = launch()[0].api()
    api.change("POST", ADVANCED, machine("two-homed", "de-adv1", disks=DISKS))
    api.change("POST", "global/networks", {"name": "second", "IPv4Range": "10.8.0.0/24"})
    join = {"network": "global/networks/second", "networkIP": "10.8.0.99"}
    api.change("POST", f"{ADVANCED}/two-homed/addNetworkInterface", join)
    assert interfaces(api) == [("nic0", "demo-network"), ("nic1", "second")]
    assert api.get(f"{ADVANCED}/two-homed")["networkInterfaces"][1]["networkIP"] == "10.8.0.99"
    again = api.call("POST", f"{ADVANCED}/two-homed/addNetworkInterface", join)
    assert (again.status, "resource.network" in again.message) == (400, True)
    path = f"{ADVANCED}/two-homed/deleteNetworkInterface"
    for name, words in (("nic0", "first interface"), ("nic7", "nic0, nic1")):
        refused = api.call("POST", path, networkInterfaceName=name)
        assert (refused.status, words in refused.message) == (400, True), name
    api.change("POST", path, networkInterfaceName="nic1")
    assert interfaces(api) == [("nic0", "demo-network")]
    api.change("DELETE", "global/networks/second")


def test_where_machines_have_one_interface_another_is_refused(api: Api) -> None:
    api.change("POST", "zones/ch-gv2/instances", machine("one-homed"))
    answer = api.call("POST", "zones/ch-gv2/instances/one-homed/addNetworkInterface",
                      {"network": "global/networks/default"})
    assert (answer.status, answer.reason) == (400, "unsupportedOperation")
    assert "'sim'" in answer.message
    refused = api.call("POST", "zones/ch-gv2/instances/one-homed/addNetworkInterface",
                       {"network": "global/networks/default", "accessConfigs": [{}]})
    assert refused.status == 400


def test_a_machine_is_made_with_several_interfaces(launch: Launch) -> None:
    api = launch()[0].api()
    api.change("POST", "global/networks", {"name": "second", "IPv4Range": "10.8.0.0/24"})
    first = {"network": "global/networks/demo-network", "networkIP": "10.1.1.77"}
    second = {"network": "global/networks/second"}

    def made(*nics: dict[str, Any]) -> dict[str, Any]:
        return machine("two-homed", "de-adv1", disks=DISKS, networkInterfaces=list(nics))

    path = "resource.networkInterfaces[1]"
    for further, words in (
        (first, f"{path}.network"),
        ({**second, "networkIP": "10.8.0.9"}, f"{path}.networkIP' is not offered on cloud 'sim'"),
        ({**second, "accessConfigs": [{"type": "ONE_TO_ONE_NAT"}]}, f"{path}.accessConfigs' is not offered"),
        ({**second, "aliasIpRanges": [{"ipCidrRange": "/24"}]}, f"{path}.aliasIpRanges' is not offered"),
        ({"network": "global/networks/none"}, "Network 'none' is not in zone 'de-adv1'"),
    ):
        refused = api.call("POST", ADVANCED, made(first, further))
        assert (refused.status in (400, 404), words in refused.message) == (True, True), refused.message
    api.change("POST", ADVANCED, made(first, second))
    assert interfaces(api) == [("nic0", "demo-network"), ("nic1", "second")]
    found = api.get(f"{ADVANCED}/two-homed")["networkInterfaces"]
    assert found[0]["networkIP"] == "10.1.1.77"
    assert found[1]["networkIP"].startswith("10.8.0.")
    alone = api.call("POST", "zones/fr-sg1/instances", machine(
        "two-homed", "fr-sg1", disks=DISKS, networkInterfaces=[{"network": "global/networks/default"}, second]))
    assert (alone.status, alone.reason) == (400, "unsupportedOperation")
    assert "resource.networkInterfaces[1]' is not offered on cloud 'sim' in zone 'fr-sg1'" in alone.message


def test_each_interface_has_its_own_public_address(launch: Launch) -> None:
    api = launch(job_delay=0)[0].api()
    api.change("POST", "global/networks", {"name": "second", "IPv4Range": "10.8.0.0/24"})
    nics = [{"network": f"global/networks/{name}"} for name in ("demo-network", "second")]
    api.change("POST", ADVANCED, machine("two-homed", "de-adv1", disks=DISKS, networkInterfaces=nics))
    path, config = f"{ADVANCED}/two-homed", {"type": "ONE_TO_ONE_NAT", "name": "External NAT"}

    def public() -> list[str]:
        return [nic["accessConfigs"][0]["natIP"] if "accessConfigs" in nic else ""
                for nic in api.get(path)["networkInterfaces"]]

    api.change("POST", f"{path}/addAccessConfig", config, networkInterface="nic1")
    first, second = public()
    assert (first, bool(second)) == ("", True)
    api.change("POST", f"{path}/addAccessConfig", config, networkInterface="nic0")
    first, again = public()
    assert (again, first not in ("", second)) == (second, True)
    api.change("POST", f"{path}/deleteAccessConfig", networkInterface="nic1", accessConfig="External NAT")
    assert public() == [first, ""]
