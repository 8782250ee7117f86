"""Whatever a firewall says that its kind of network can carry out is read afterwards, in all three kinds."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cs import CloudStack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine
from tests.wire.test_firewalls_in_private_clouds import custom
from tests.wire.test_firewalls_on_addresses import ADVANCED, DISKS
from tests.wire.test_subnetworks import SUBNETS

HERE = "global/firewalls"
GROUPS, ADDRESSES, LISTS = "default", "demo-network", "custom"
DEFAULTS: dict[str, Any] = {"description": "", "priority": 1000, "direction": "INGRESS", "disabled": False}

ports = st.tuples(st.integers(1, 65535), st.integers(0, 50)).map(
    lambda span: str(span[0]) if not span[1] else f"{span[0]}-{min(span[0] + span[1], 65535)}").filter(
    lambda text: len(set(text.split("-"))) == len(text.split("-")))
ranges = st.tuples(st.integers(0, 2**32 - 1), st.integers(8, 32)).map(
    lambda at: str(ipaddress.IPv4Network(at, strict=False)))
labels = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)


def some(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=1, max_size=most, unique=True)


def entries(*others: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Protocols, each once, with ports where there are any."""
    ported = st.fixed_dictionaries({"IPProtocol": st.sampled_from(["tcp", "udp"])}, optional={"ports": some(ports)})
    plain = st.fixed_dictionaries({"IPProtocol": st.sampled_from(others)})
    return st.lists(ported | plain, min_size=1, max_size=3, unique_by=lambda each: str(each["IPProtocol"]))


def bodies(network: str, needed: Mapping[str, Any], **optional: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies of firewalls on a network: what must be there, and what may."""
    shared = {"description": st.text("abc ÄÖ-'\"<", max_size=30), "priority": st.integers(0, 65535)}
    said = {"network": st.just(f"global/networks/{network}"), **needed}
    return st.fixed_dictionaries(said, optional={**shared, **optional})


def either(network: str, common: Mapping[str, Any], *shapes: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """One of several shapes: allowing or denying, coming in or going out."""
    return st.one_of([
        bodies(network, {k: v for k, v in shape.items() if k in ("allowed", "denied", "direction")},
               **common, **{k: v for k, v in shape.items() if k not in ("allowed", "denied", "direction")})
        for shape in shapes
    ])


OUT = {"direction": st.just("EGRESS"), "destinationRanges": some(ranges)}
SWITCH = {"disabled": st.booleans()}
NUMBERED, NAMED = entries("icmp", "all", "47", "50"), entries("icmp", "all")
IN_GROUPS = bodies(GROUPS, {"allowed": entries("icmp", "50", "132")}, sourceRanges=some(ranges),
                   sourceTags=some(labels), targetTags=some(labels))
ON_ADDRESSES = either(ADDRESSES, SWITCH, {"allowed": NAMED, "sourceRanges": some(ranges), "targetTags": some(labels)},
                      {"allowed": NAMED, **OUT})
IN_LISTS = either(LISTS, SWITCH, *({field: NUMBERED, **way} for field in ("allowed", "denied")
                                   for way in ({"sourceRanges": some(ranges)}, OUT)))


def expected(body: Mapping[str, Any]) -> dict[str, Any]:
    """What GCE shows of a body: its defaults filled in, without what is empty."""
    egress = body.get("direction") == "EGRESS"
    filled = {**DEFAULTS, **body}
    if not egress and not body.get("sourceTags"):
        filled.setdefault("sourceRanges", ["0.0.0.0/0"])
    if egress:
        filled.setdefault("destinationRanges", ["0.0.0.0/0"])
    return {field: value for field, value in filled.items() if field != "network" and value != []}


def shown(api: Api, name: str) -> dict[str, Any]:
    found = api.get(f"{HERE}/{name}")
    told = {"kind", "id", "selfLink", "creationTimestamp", "network", "name", "logConfig"}
    assert found["logConfig"] == {"enable": False}
    return {field: value for field, value in found.items() if field not in told}


@pytest.fixture(scope="module")
def everywhere(api: Api) -> Iterator[Api]:
    """The shared server, with a network of each kind and a public address in the isolated one."""
    custom(api, "front-of-all")
    nic = {"network": f"global/networks/{ADDRESSES}", "accessConfigs": [{"type": "ONE_TO_ONE_NAT"}]}
    api.change("POST", ADVANCED, machine("reads-back", "de-adv1", disks=DISKS, networkInterfaces=[nic]))
    yield api
    api.change("DELETE", f"{ADVANCED}/reads-back")
    api.change("DELETE", f"{SUBNETS}/front-of-all")
    api.change("DELETE", f"global/networks/{LISTS}")


@pytest.mark.parametrize("bodies_of", [IN_GROUPS, ON_ADDRESSES, IN_LISTS], ids=["groups", "addresses", "lists"])
def test_what_is_sent_is_read_and_patched_and_replaced(
    everywhere: Api, bodies_of: st.SearchStrategy[dict[str, Any]]
) -> None:
    api = everywhere

    @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(body=bodies_of, other=bodies_of, priority=st.integers(0, 65535))
    def read_back(body: dict[str, Any], other: dict[str, Any], priority: int) -> None:
        api.change("POST", HERE, {**body, "name": "read-back"})
        try:
            assert shown(api, "read-back") == expected(body)
            api.change("PATCH", f"{HERE}/read-back", {"priority": priority})
            assert shown(api, "read-back") == expected({**body, "priority": priority})
            api.change("PUT", f"{HERE}/read-back", {**other, "name": "read-back"})
            assert shown(api, "read-back") == expected(other)
            names = [each["name"] for each in api.get(HERE)["items"]]
            assert names.count("read-back") == 1
        finally:
            api.change("DELETE", f"{HERE}/read-back")

    read_back()


def test_the_effective_firewalls_are_those_of_the_network_and_of_the_machines_tags(launch: Launch) -> None:
    live, simulator = launch()
    api, cloudstack = live.api(), portal(simulator)
    custom(api, "front")
    places = {"ch-gv2": GROUPS, "de-adv1": ADDRESSES}
    for zone, network in places.items():
        disks = {"disks": DISKS} if zone == "de-adv1" else {}
        api.change("POST", f"zones/{zone}/instances", machine(
            "tagged", zone, networkInterfaces=[{"network": f"global/networks/{network}"}], tags={"items": ["web"]},
            **disks))
    api.change("POST", ADVANCED, machine("listed", "de-adv1", disks=DISKS, tags={"items": ["web"]},
                                         networkInterfaces=[{"network": f"global/networks/{LISTS}"}]))
    port = [{"IPProtocol": "tcp", "ports": ["22"]}]
    for network in (GROUPS, ADDRESSES, LISTS):
        where = {"network": f"global/networks/{network}", "allowed": port}
        api.change("POST", HERE, {"name": f"all-{network}", **where})
        if network != LISTS:
            for tag in ("web", "db"):
                api.change("POST", HERE, {"name": f"{tag}-{network}", **where, "targetTags": [tag]})
    for zone, name, network in (("ch-gv2", "tagged", GROUPS), ("de-adv1", "tagged", ADDRESSES),
                                ("de-adv1", "listed", LISTS)):
        found = api.get(f"zones/{zone}/instances/{name}/getEffectiveFirewalls", networkInterface="nic0")
        tagged = {f"web-{network}"} if network != LISTS else set()
        assert {each["name"] for each in found["firewalls"]} == {f"all-{network}", *tagged}
        whole = {each["name"] for each in api.get(f"global/networks/{network}/getEffectiveFirewalls")["firewalls"]}
        assert whole == {f"all-{network}", *({f"web-{network}", f"db-{network}"} if network != LISTS else set())}
    assert_guarded(cloudstack)


def assert_guarded(cloudstack: CloudStack) -> None:
    """What is shown stands on the cloud as well, where a rule has a place to stand."""
    (group,) = cloudstack.listSecurityGroups(securitygroupname="default")["securitygroup"]
    assert [(rule["protocol"], rule["startport"]) for rule in group["ingressrule"]] == [("tcp", 22)]
    acl = cloudstack.listNetworks(name="front")["network"][0]["aclid"]
    assert {row.get("startport") for row in cloudstack.listNetworkACLs(aclid=acl)["networkacl"]} == {"22", None}
