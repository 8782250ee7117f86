"""GCE's numeric ids, which every answer shows, name a thing wherever its name does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


@pytest.mark.parametrize("path", ["zones", "zones/ch-gv2/machineTypes", "global/images"])
def test_each_thing_of_a_list_is_reached_by_its_numeric_id(api: Api, path: str) -> None:
    for item in api.get(path)["items"][:5]:
        assert api.get(f"{path}/{item['id']}")["selfLink"] == item["selfLink"]


def test_a_machine_is_made_of_things_named_by_number_and_reached_by_its_own(api: Api) -> None:
    size = api.get("zones/CH-GV2/machineTypes/Micro")["id"]
    body = machine("numbered")
    image = api.get(body["disks"][0]["initializeParams"]["sourceImage"])["id"]
    body["machineType"] = f"zones/ch-gv2/machineTypes/{size}"
    body["disks"][0]["initializeParams"]["sourceImage"] = f"global/images/{image}"
    made = api.change("POST", HERE, body)
    assert api.get(f"{HERE}/{made['targetId']}")["name"] == "numbered"
    disk = api.get("zones/ch-gv2/disks/numbered")["id"]
    assert api.get(f"zones/ch-gv2/disks/{disk}")["name"] == "numbered"
    api.change("DELETE", f"{HERE}/{made['targetId']}")
    assert api.call("GET", f"{HERE}/{made['targetId']}").status == 404


@pytest.mark.parametrize(("path", "body"), [
    ("global/firewalls", {"allowed": [{"IPProtocol": "tcp", "ports": ["4711"]}]}),
    ("global/httpHealthChecks", {}), ("regions/de/targetPools", {}), ("regions/de/addresses", {}),
    ("zones/ch-gv2/instanceGroups", {}),
])
def test_what_is_made_is_looked_at_and_deleted_by_its_number(api: Api, path: str, body: dict[str, Any]) -> None:
    made = api.change("POST", path, {"name": "numbered", **body})
    found = api.get(f"{path}/{made['targetId']}")
    assert (found["name"], found["id"], found["selfLink"]) == ("numbered", made["targetId"], made["targetLink"])
    gone = api.change("DELETE", f"{path}/{made['targetId']}")
    assert (gone["targetLink"], gone["targetId"]) == (made["targetLink"], made["targetId"])
    for ref in (made["targetId"], "numbered"):
        assert api.call("GET", f"{path}/{ref}").status == 404


def test_an_operation_is_looked_at_waited_for_and_forgotten_by_its_number(api: Api) -> None:
    done = api.change("POST", "global/httpHealthChecks", {"name": "counted"})
    api.change("DELETE", "global/httpHealthChecks/counted")
    path = f"global/operations/{done['id']}"
    assert api.get(path) == api.call("POST", f"{path}/wait").data == done
    assert api.call("DELETE", path).status == 204
    assert [api.call("GET", each).status for each in (path, f"global/operations/{done['name']}")] == [404, 404]
    assert api.call("POST", "global/operations/17/wait").message.endswith("/global/operations/17' was not found")


def test_a_size_that_leaves_all_open_says_how_to_ask_for_it(api: Api) -> None:
    answer = api.call("POST", HERE, machine("open", machineType="zones/ch-gv2/machineTypes/Custom"))
    assert (answer.status, answer.reason) == (404, "notFound")
    assert "'custom-2-4096'" in answer.message
