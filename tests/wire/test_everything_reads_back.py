"""Whatever supported fields a thing is made with read back as they were sent, links in any form and numbers as text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import launched
from tests.wire.machines import machine

ZONE, REGION = "zones/de-adv1", "regions/de"
NUMBERS = itertools.count()
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
BOOT = {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}
NIC = {"network": "global/networks/demo-network"}

texts = st.sampled_from(["\x1f", "two\nlines", "  spaces  ", "ß" * 2048]) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=300)
words = st.from_regex(r"[a-f][a-z0-9_-]{0,20}", fullmatch=True)
names = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
labels = st.dictionaries(words, st.from_regex(r"[a-z0-9_-]{0,20}", fullmatch=True), max_size=4)
tags = st.builds(lambda items: {"items": items}, st.lists(names, max_size=3, unique=True))
metadata = st.builds(
    lambda items: {"items": [{"key": key, "value": value} for key, value in items.items()]},
    st.dictionaries(st.from_regex(r"x[a-zA-Z0-9_-]{0,20}", fullmatch=True), texts, max_size=3),
)
ports = st.builds(lambda first, more: f"{first}-{first + more}", st.integers(1, 60_000), st.integers(0, 2))
spelt = st.sampled_from(["{}", "projects/demo/{}", "https://www.googleapis.com/compute/v1/projects/demo/{}",
                         "https://compute.googleapis.com/compute/beta/projects/demo/{}",
                         "//compute.googleapis.com/projects/demo/{}", "/compute/v1/projects/demo/{}"])


def numbers(low: int, high: int) -> st.SearchStrategy[int | str]:
    """A number, as one or as text."""
    return st.integers(low, high) | st.integers(low, high).map(str)


def link(path: str) -> st.SearchStrategy[str]:
    """A link to a thing of the project, in any of GCE's forms."""
    return spelt.map(lambda form: form.format(path))


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A body with any of these fields."""
    return st.fixed_dictionaries({}, optional={"description": texts, **fields})


CHECK = some(host=names, requestPath=names.map("/{}".format), port=numbers(1, 65_535), timeoutSec=numbers(1, 5),
             checkIntervalSec=numbers(5, 300), healthyThreshold=numbers(1, 10), unhealthyThreshold=numbers(1, 10))
MACHINE = some(labels=labels, tags=tags, metadata=metadata, deletionProtection=st.just(False),
               scheduling=st.fixed_dictionaries({}, optional={"automaticRestart": st.booleans()}))
NAMED = st.lists(st.builds(lambda name, port: {"name": name, "port": port}, names, st.integers(1, 65_535)), max_size=3,
                 unique_by=lambda each: (each["name"], each["port"]))
RANGES = st.lists(st.sampled_from(["10.0.0.0/8", "192.0.2.0/24", "198.51.100.7/32", "0.0.0.0/0"]), min_size=1,
                  max_size=3, unique=True)
ALLOWED = st.lists(st.one_of(
    st.builds(lambda name, which: {"IPProtocol": name, "ports": [which]}, st.sampled_from(["tcp", "udp"]), ports),
    st.just({"IPProtocol": "icmp"})), min_size=1, max_size=2, unique_by=lambda each: each["IPProtocol"])

CASES: dict[str, tuple[str, dict[str, Any], st.SearchStrategy[dict[str, Any]]]] = {
    "a machine": (f"{ZONE}/instances", {}, MACHINE.map(lambda more: {
        **machine("x", "de-adv1", disks=[BOOT], networkInterfaces=[NIC]), **more})),
    "an address": (f"{REGION}/addresses", {}, some(labels=labels)),
    "a health check": ("global/httpHealthChecks", {}, CHECK),
    "a pool": (f"{REGION}/targetPools", {}, some(
        instances=link(f"{ZONE}/instances/member").map(lambda each: [each]),
        healthChecks=link("global/httpHealthChecks/check").map(lambda each: [each]),
        sessionAffinity=st.sampled_from(["NONE", "CLIENT_IP"]))),
    "a target instance": (f"{ZONE}/targetInstances", {"natPolicy": "NO_NAT"}, st.builds(
        lambda instance, more: {"instance": instance, **more}, link(f"{ZONE}/instances/member"), some())),
    "a forwarding rule": (f"{REGION}/forwardingRules", {}, st.builds(
        lambda target, which, protocol, more: {"target": target, "portRange": which, "IPProtocol": protocol, **more},
        link(f"{REGION}/targetPools/pool"), ports, st.just("TCP"), some(labels=labels))),
    "a template": ("global/instanceTemplates", {}, st.builds(
        lambda more, own: {**more, "properties": {"machineType": "micro", "disks": [BOOT], "networkInterfaces": [NIC],
                                                  **own}}, some(), MACHINE.map(
            lambda own: {key: value for key, value in own.items() if key != "deletionProtection"}))),
    "a group": (f"{ZONE}/instanceGroups", {}, some(namedPorts=NAMED, network=link("global/networks/demo-network"))),
    "a legacy network": ("global/networks", {}, st.builds(
        lambda third, more: {"IPv4Range": f"10.77.{third}.0/24", **more}, st.integers(0, 255), some())),
    "a custom network": ("global/networks", {"autoCreateSubnetworks": False}, some(
        routingConfig=st.just({"routingMode": "REGIONAL"}))),
    "a subnetwork": (f"{REGION}/subnetworks", {}, st.builds(
        lambda third, network, more: {"ipCidrRange": f"10.66.{third}.0/24", "network": network, **more},
        st.integers(1, 255), link("global/networks/own"), some())),
    "a route": ("global/routes", {}, st.builds(
        lambda third, network, priority, more: {
            "destRange": f"192.168.{third}.0/24", "network": network, "nextHopIp": "10.66.0.9", "priority": priority,
            **more},
        st.integers(0, 255), link("global/networks/own"), numbers(0, 65_535), some())),
    "a firewall": ("global/firewalls", {}, st.builds(
        lambda network, ranges, allowed, more: {"network": network, "sourceRanges": ranges, "allowed": allowed, **more},
        link("global/networks/default"), RANGES, ALLOWED, some(targetTags=st.lists(names, min_size=1, max_size=2,
                                                                                   unique=True)))),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A cloud with a machine, a pool and a private cloud to refer to."""
    with Simulator(job_delay=0.01) as cloud:
        server = launched(tmp_path_factory.mktemp("reads-back"), cloud)
        api = server.api()
        for path, body in (
            (f"{ZONE}/instances", machine("member", "de-adv1", disks=[BOOT], networkInterfaces=[NIC])),
            ("global/httpHealthChecks", {"name": "check"}),
            (f"{REGION}/targetPools", {"name": "pool", "instances": [f"{ZONE}/instances/member"]}),
            ("global/networks", {"name": "own", "autoCreateSubnetworks": False}),
            (f"{REGION}/subnetworks", {"name": "own", "network": "global/networks/own",
                                       "ipCidrRange": "10.66.0.0/24"}),
        ):
            api.change("POST", path, body)
        yield api
        assert server.stop() == 0


def differs(sent: Any, shown: Any) -> bool:
    """Whether what is shown is not what was sent: links by where they lead, numbers by value, empty as absent."""
    if isinstance(sent, Mapping):
        return not isinstance(shown or {}, Mapping) or any(
            differs(value, (shown or {}).get(key)) for key, value in sent.items() if key != "initializeParams")
    if isinstance(sent, list):
        return len(sent) != len(shown or []) or any(map(differs, sent, shown or []))
    if isinstance(sent, str) and isinstance(shown, str) and "/" in sent and ("zones/" in sent or "global/" in sent
                                                                             or "regions/" in sent):
        return sent.rpartition("/")[2] != shown.rpartition("/")[2]
    if isinstance(sent, bool) or sent in ("", None):
        return (shown or False) != (sent or False)
    return str(sent) != str(shown)


@pytest.mark.parametrize("case", CASES)
@FEW
@given(data=st.data())
def test_a_thing(place: Api, case: str, data: st.DataObject) -> None:
    path, fixed, bodies = CASES[case]
    name = f"thing-{next(NUMBERS)}"
    sent = {**fixed, **data.draw(bodies), "name": name}
    place.change("POST", path, sent)
    shown = place.get(f"{path}/{name}")
    place.change("DELETE", f"{path}/{name}")
    found = {key: (value, shown.get(key)) for key, value in sent.items() if differs(value, shown.get(key))}
    assert not found
