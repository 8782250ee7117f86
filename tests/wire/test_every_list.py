"""Every list that is served: filters of both languages, pages, order, and what of a query makes no sense."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gcelib.server.resources import offered, table
from gcelib.server.routes import Method
from tests.api import Answer, Api
from tests.wire.machines import machine

ZONE = "de-adv1"
LISTS = [method for id, method in sorted(table().methods.items()) if id in offered() and "filter" in method.params]
BOOT = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}]
PLACES = {"project": "demo", "zone": ZONE, "region": "de", "instance": "in-every-list",
          "instanceGroup": "in-every-list"}
EMPTY = {"compute.globalAddresses.list", "compute.instanceGroupManagers.aggregatedList",
         "compute.instanceGroupManagers.list", "compute.regionInstanceGroupManagers.list",
         "compute.regionInstanceGroups.list", "compute.regionInstanceTemplates.list"}
"""Lists of what no cloud here has."""


@pytest.fixture(scope="module", autouse=True)
def things(api: Api) -> Iterator[None]:
    """Something of everything that can be listed."""
    name = {"name": "in-every-list"}
    link = f"zones/{ZONE}/instances/in-every-list"
    nics = [{"network": "global/networks/demo-network"}]
    made: list[tuple[str, dict[str, Any]]] = [
        ("global/networks", {**name, "autoCreateSubnetworks": False}),
        ("regions/de/subnetworks", {**name, "network": "global/networks/in-every-list", "ipCidrRange": "10.9.1.0/24"}),
        (f"zones/{ZONE}/instances", machine("in-every-list", ZONE, disks=BOOT, networkInterfaces=nics)),
        ("global/snapshots", {**name, "sourceDisk": f"zones/{ZONE}/disks/in-every-list"}),
        ("global/firewalls", {**name, "network": "global/networks/default", "allowed": [{"IPProtocol": "icmp"}]}),
        ("global/httpHealthChecks", name), ("regions/de/addresses", name),
        ("regions/de/targetPools", {**name, "instances": [link]}),
        (f"zones/{ZONE}/targetInstances", {**name, "instance": link}),
        ("regions/de/forwardingRules", {**name, "portRange": "80", "target": "regions/de/targetPools/in-every-list"}),
        (f"zones/{ZONE}/instanceGroups", name),
        ("global/instanceTemplates", {**name, "properties": {"machineType": "micro", "disks": BOOT,
                                                             "networkInterfaces": nics}}),
    ]
    for path, body in made:
        api.change("POST", path, body)
    group = f"zones/{ZONE}/instanceGroups/in-every-list"
    api.change("POST", f"{group}/addInstances", {"instances": [{"instance": link}]})
    yield
    for path, _ in reversed(made):
        api.change("DELETE", f"{path}/in-every-list")


def ask(api: Api, method: Method, **query: Any) -> Answer:
    """One call of a list."""
    path = re.sub(r"\{(\w+)\}", lambda found: PLACES[found[1]], method.path)
    return api.call(method.verb, f"/compute/v1/{path}", {} if method.request else None, **query)


def rows(answer: Answer) -> list[dict[str, Any]]:
    """What it holds, of every scope."""
    assert answer.status == 200, answer.data
    items = answer.data.get("items", [])
    if isinstance(items, dict):
        return [row for entry in items.values() for name, found in entry.items() if name != "warning" for row in found]
    return list(items)


def whole(api: Api, method: Method, **query: Any) -> list[dict[str, Any]]:
    """Every page of it."""
    found, token = [], ""
    while True:
        answer = ask(api, method, **query, **({"pageToken": token} if token else {}))
        found += rows(answer)
        token = answer.data.get("nextPageToken", "")
        if not token:
            return found


def told(row: dict[str, Any]) -> tuple[str, str]:
    """A field that tells the row from others, and its value."""
    field = next(name for name in ("selfLink", "instance", "referrer", "subnetwork") if name in row)
    return field, str(row[field])


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.id)
def test_both_filter_languages(api: Api, method: Method) -> None:
    everything = rows(ask(api, method))
    if method.id in EMPTY:
        assert not everything
        return
    field, value = told(everything[-1])
    quoted = re.escape(value)
    for text in (f'{field} = "{value}"', f"{field} eq '{quoted}'", f'{field}:"{value}"', f'{field}=~"{quoted}"',
                 f"({field} eq {quoted})({field} ne nothing)", f'NOT ({field} != "{value}") AND {field}:*',
                 f'{field} = nothing OR {field} = "{value}"'):
        assert value in [row[field] for row in rows(ask(api, method, filter=text))], text
    for text in (f"{field} = nothing", f"{field} eq 'http'", f'{field}!~".*"', "nosuch.deeper:*"):
        assert rows(ask(api, method, filter=text)) == [], text
    others = rows(ask(api, method, filter=f"{field} ne '{quoted}'"))
    assert [row for row in everything if row[field] != value] == others


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.id)
def test_pages_are_the_whole_in_its_order(api: Api, method: Method) -> None:
    everything = rows(ask(api, method))
    listed = [told(row) for row in everything]
    assert sorted(listed) == sorted(set(listed))
    if not method.id.endswith("Operations.list"):
        assert sorted(map(told, whole(api, method, maxResults=max(1, len(listed) // 3)))) == sorted(listed)
    none = ask(api, method, maxResults=0)
    assert (none.status, rows(none)) == (200, [])
    if everything:
        again = ask(api, method, maxResults=500, pageToken=none.data["nextPageToken"])
        assert rows(again)[0] == everything[0]
    newest = rows(ask(api, method, orderBy="creationTimestamp desc"))
    assert len(newest) == len(everything)


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.id)
def test_what_is_listed_is_reached_by_its_name_and_by_its_number(api: Api, method: Method) -> None:
    for row in rows(ask(api, method))[-2:]:
        if "selfLink" in row:
            path = row["selfLink"].removeprefix(api.url)
            for ref in (row["name"], row["id"]):
                assert api.get(f"{path.rpartition('/')[0]}/{ref}")["selfLink"] == row["selfLink"]


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.id)
def test_what_makes_no_sense_is_400_and_named(api: Api, method: Method) -> None:
    for name, value in (
        ("filter", "name eq ["), ("filter", "name="), ("maxResults", 501), ("maxResults", -1), ("maxResults", "1e1"),
        ("pageToken", "x"), ("orderBy", "size"), ("fields", "items(name"), ("alt", "media"),
        ("returnPartialSuccess", "x"), ("prettyPrint", "x"), ("$.xgafv", "3"), ("callback", "f"),
    ):
        answer = ask(api, method, **{name: value})
        assert (answer.status, answer.reason, name in answer.message) == (400, "invalid", True), (name, answer.data)
        assert name != "filter" or re.search(r"\(At character \d+\.\)", answer.message)


def test_what_google_lets_everybody_send_is_taken(api: Api) -> None:
    plain = api.get("zones")
    common = {"key": "k", "quotaUser": "q", "userIp": "192.0.2.1", "$.xgafv": "2", "upload_protocol": "raw",
              "uploadType": "media", "alt": "json", "prettyPrint": "false", "trace": "email:me"}
    assert api.get("zones", **common) == plain
