"""Unmanaged instance groups over the wire: members are machines that are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api import Api
from tests.wire.machines import machine

ZONE = "ch-gv2"
HERE = f"zones/{ZONE}/instanceGroups"
MACHINES = f"zones/{ZONE}/instances"
NAMES = ("first", "second", "third")


@pytest.fixture(scope="module", autouse=True)
def machines(api: Api) -> Iterator[None]:
    """Machines to put into groups."""
    for name in NAMES:
        api.change("POST", MACHINES, machine(name))
    yield
    for name in NAMES:
        if api.call("GET", f"{MACHINES}/{name}").status == 200:
            api.change("DELETE", f"{MACHINES}/{name}")


def of(*names: str) -> dict[str, Any]:
    """The body of a request about these machines."""
    return {"instances": [{"instance": f"{MACHINES}/{name}"} for name in names]}


def members(api: Api, group: str, **query: Any) -> list[str]:
    """The names of a group's members."""
    answer = api.call("POST", f"{HERE}/{group}/listInstances", {}, **query)
    assert answer.status == 200, answer.data
    return [item["instance"].rpartition("/")[2] for item in answer.data.get("items", [])]


def test_a_group_reads_back_as_it_was_sent(api: Api) -> None:
    sent = {"name": "kept", "description": "Front ends: é", "namedPorts": [{"name": "http", "port": 80}],
            "network": "global/networks/default"}
    done = api.change("POST", HERE, sent)
    found = api.get(f"{HERE}/kept")
    assert (done["operationType"], done["targetId"], done["targetLink"]) == ("insert", found["id"], found["selfLink"])
    for name in ("name", "description", "namedPorts"):
        assert found[name] == sent[name]
    assert (found["size"], found["network"].rpartition("/")[2], found["zone"].rpartition("/")[2]) == (
        0, "default", ZONE)
    assert [item["name"] for item in api.get(HERE)["items"]] == ["kept"]
    everywhere = api.get("aggregated/instanceGroups")["items"]
    assert [item["name"] for item in everywhere[f"zones/{ZONE}"]["instanceGroups"]] == ["kept"]
    assert api.call("POST", HERE, sent).status == 409
    asked = {"permissions": ["compute.instanceGroups.get"]}
    assert api.call("POST", f"{HERE}/kept/testIamPermissions", asked).data == asked
    api.change("DELETE", f"{HERE}/kept")
    assert api.call("GET", f"{HERE}/kept").status == 404


def test_machines_come_and_go(api: Api) -> None:
    api.change("POST", HERE, {"name": "moving"})
    assert api.change("POST", f"{HERE}/moving/addInstances", of("second", "first"))["operationType"] == "addInstances"
    found = api.get(f"{HERE}/moving")
    assert (found["size"], found["network"].rpartition("/")[2]) == (2, "default")
    assert members(api, "moving") == ["first", "second"]
    assert members(api, "moving", filter="instance eq '.*/second'") == ["second"]
    assert members(api, "moving", filter="instance eq sec.*") == ["second"], "gcloud's --regexp is for names"
    assert members(api, "moving", filter="instance ne second") == ["first"]
    page = api.call("POST", f"{HERE}/moving/listInstances", {}, maxResults=1).data
    assert [row["status"] for row in page["items"]] == ["RUNNING"]
    assert members(api, "moving", maxResults=1, pageToken=page["nextPageToken"]) == ["second"]
    referrers = api.get(f"{MACHINES}/first/referrers")["items"]
    assert [(row["referrer"], row["referenceType"]) for row in referrers] == [(found["selfLink"], "MEMBER_OF")]
    assert len(api.get(f"{MACHINES}/-/referrers")["items"]) == 2
    all_of_them = api.get(f"{MACHINES}/-/referrers", maxResults=1)["nextPageToken"]
    api.change("POST", HERE, {"name": "other"})
    for verb, path, token in (("POST", f"{HERE}/other/listInstances", page["nextPageToken"]),
                              ("GET", f"{MACHINES}/second/referrers", all_of_them)):
        refused = api.call(verb, path, pageToken=token)
        assert (refused.status, "issued for another list" in refused.data["error"]["message"]) == (400, True)
    api.change("DELETE", f"{HERE}/other")

    again = api.call("POST", f"{HERE}/moving/addInstances", of("third", "first"))
    assert (again.status, "already a member" in again.message) == (400, True)
    assert members(api, "moving") == ["first", "second"]
    api.change("POST", f"{HERE}/moving/removeInstances", of("first"))
    assert members(api, "moving") == ["second"]
    none = api.call("POST", f"{HERE}/moving/removeInstances", of("first"))
    assert (none.status, "not a member" in none.message) == (400, True)
    api.change("DELETE", f"{HERE}/moving")
    api.change("POST", HERE, {"name": "moving"})
    assert members(api, "moving") == []
    api.change("DELETE", f"{HERE}/moving")


def test_a_stopped_machine_stays_and_a_deleted_one_goes(api: Api) -> None:
    api.change("POST", HERE, {"name": "living", "namedPorts": [{"name": "http", "port": 80}]})
    api.change("POST", f"{HERE}/living/addInstances", of("second", "third"))
    api.change("POST", f"{MACHINES}/second/stop")
    rows = api.call("POST", f"{HERE}/living/listInstances", {"instanceState": "ALL"}).data["items"]
    assert [row["status"] for row in rows] == ["TERMINATED", "RUNNING"]
    assert rows[0]["namedPorts"] == [{"name": "http", "port": 80}]
    rows = api.call("POST", f"{HERE}/living/listInstances", {"instanceState": "RUNNING"}).data["items"]
    assert [row["instance"].rpartition("/")[2] for row in rows] == ["third"]
    api.change("DELETE", f"{MACHINES}/third")
    assert members(api, "living") == ["second"]
    assert api.get(f"{HERE}/living")["size"] == 1
    api.change("POST", MACHINES, machine("third"))
    assert members(api, "living") == ["second"]
    api.change("DELETE", f"{HERE}/living")
    assert api.get(f"{MACHINES}/second")["status"] == "TERMINATED"


def test_named_ports_are_replaced_by_who_knows_them(api: Api) -> None:
    api.change("POST", HERE, {"name": "ports"})
    before = api.get(f"{HERE}/ports")["fingerprint"]
    ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
    api.change("POST", f"{HERE}/ports/setNamedPorts", {"namedPorts": ports, "fingerprint": before})
    found = api.get(f"{HERE}/ports")
    assert found["namedPorts"] == ports
    assert found["fingerprint"] != before
    stale = api.call("POST", f"{HERE}/ports/setNamedPorts", {"namedPorts": [], "fingerprint": before})
    assert (stale.status, stale.reason) == (412, "conditionNotMet")
    for port in ({"name": "Http", "port": 80}, {"name": "http", "port": 0}, {"name": "http", "port": 70000}):
        refused = api.call("POST", f"{HERE}/ports/setNamedPorts", {"namedPorts": [port]})
        assert (refused.status, "namedPorts[0]" in refused.message) == (400, True)
    api.change("POST", f"{HERE}/ports/setNamedPorts", {"fingerprint": found["fingerprint"]})
    assert "namedPorts" not in api.get(f"{HERE}/ports")
    api.change("DELETE", f"{HERE}/ports")


def test_only_machines_of_the_zone_can_be_added(api: Api) -> None:
    api.change("POST", HERE, {"name": "strict"})
    api.change("POST", "zones/de-adv1/instanceGroups", {"name": "strict"})
    for path, link, words in (
        (f"{HERE}/strict", f"{MACHINES}/nobody", "cannot be found"),
        ("zones/de-adv1/instanceGroups/strict", f"{MACHINES}/first", "of zone 'ch-gv2'"),
        (f"{HERE}/strict", "global/images/x", "instances are meant here"),
    ):
        refused = api.call("POST", f"{path}/addInstances", {"instances": [{"instance": link}]})
        assert (refused.status, words in refused.message) == (400, True), refused.message
        assert "instances[0].instance" in refused.message
    assert api.call("POST", f"{HERE}/strict/addInstances", {}).status == 400
    assert api.call("POST", HERE, {"name": "lost", "network": "global/networks/nowhere"}).status == 400
    api.change("DELETE", f"{HERE}/strict")
    api.change("DELETE", "zones/de-adv1/instanceGroups/strict")


def test_managed_groups_are_none_and_refused(api: Api) -> None:
    managed = (f"zones/{ZONE}/instanceGroupManagers", "regions/ch/instanceGroupManagers")
    for path in (*managed, "regions/ch/instanceGroups"):
        assert "items" not in api.get(path)
        assert api.call("GET", f"{path}/nothing").status == 404
    api.get("aggregated/instanceGroupManagers")
    for path in managed:
        refused = api.call("POST", path, {"name": "managed", "targetSize": 2})
        assert (refused.status, refused.reason) == (400, "unsupportedOperation")
        for words in ("nstanceGroupManagers.insert", "not offered on cloud 'sim'", "compute.instances.bulkInsert"):
            assert words in refused.message
