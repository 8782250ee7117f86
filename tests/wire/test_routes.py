"""Routes: what networks have by themselves, and the static routes of private clouds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.conftest import Launch, portal

HERE = "global/routes"


def route(name: str, network: str = "custom", **fields: Any) -> dict[str, Any]:
    """A route as a client asks for one."""
    body: dict[str, Any] = {"name": name, "network": f"global/networks/{network}", "destRange": "192.168.7.0/24",
                            "nextHopIp": "10.5.1.9", "priority": 1000}
    return {**body, **fields}


def test_every_network_routes_its_range_and_the_way_out(api: Api) -> None:
    mine = [each for each in api.get(HERE)["items"] if each["network"].endswith("/demo-network")]
    by_range = {each["destRange"]: each for each in mine}
    assert set(by_range) == {"10.1.1.0/24", "0.0.0.0/0"}
    assert by_range["10.1.1.0/24"]["nextHopNetwork"].endswith("/global/networks/demo-network")
    assert by_range["0.0.0.0/0"]["nextHopGateway"].endswith("/global/gateways/default-internet-gateway")
    name = by_range["0.0.0.0/0"]["name"]
    assert api.get(f"{HERE}/{name}") == by_range["0.0.0.0/0"]
    refused = api.call("DELETE", f"{HERE}/{name}")
    assert (refused.status, "'sim'" in refused.message) == (400, True)


def test_a_private_cloud_takes_static_routes(launch: Launch) -> None:
    live, simulator = launch()
    api, cloudstack = live.api(), portal(simulator)
    api.change("POST", "global/networks", {"name": "custom", "autoCreateSubnetworks": False})
    early = api.call("POST", HERE, route("far"))
    assert (early.status, "subnetwork" in early.message) == (400, True)
    body = {"name": "front", "network": "global/networks/custom", "ipCidrRange": "10.5.1.0/24"}
    api.change("POST", "regions/de/subnetworks", body)
    sent = route("far", description="Far away", priority=900)
    api.change("POST", HERE, sent)
    shown = api.get(f"{HERE}/far")
    assert {field: shown[field] for field in sent if field != "network"} == {
        field: value for field, value in sent.items() if field != "network"}
    made = cloudstack.listStaticRoutes()["staticroute"]
    assert [(each["cidr"], each["nexthop"]) for each in made] == [("192.168.7.0/24", "10.5.1.9")]
    assert api.call("POST", HERE, route("far")).status == 409
    for field, value in (("nextHopInstance", "zones/de-adv1/instances/x"), ("tags", ["a"])):
        refused = api.call("POST", HERE, route("other", **{field: value}))
        assert (refused.status, refused.reason) == (400, "unsupportedOperation"), field
        assert f"resource.{field}" in refused.message
    inside = api.call("POST", HERE, route("inside", destRange="10.5.2.0/24"))
    assert inside.status == 400
    unsaid = route("usual", destRange="192.168.8.0/24")
    del unsaid["priority"]
    api.change("POST", HERE, unsaid)
    assert api.get(f"{HERE}/usual")["priority"] == 1000
    for name in ("far", "usual"):
        api.change("DELETE", f"{HERE}/{name}")
    assert not cloudstack.listStaticRoutes()
    assert api.call("GET", f"{HERE}/far").status == 404


@pytest.mark.parametrize(("body", "reason", "words"), [
    (route("x", "demo-network"), "unsupportedOperation", "custom mode"),
    (route("x", "nowhere"), "invalid", "resource.network"),
    (route("x", network="nowhere", nextHopIp="here"), "invalid", "resource.network"),
])
def test_other_networks_take_none(api: Api, body: Any, reason: str, words: str) -> None:
    answer = api.call("POST", HERE, body)
    assert (answer.status, answer.reason) == (400, reason), answer.data
    assert words in answer.message
