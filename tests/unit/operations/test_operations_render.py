"""What a client reads of an operation."""

from __future__ import annotations

import re

import pytest
from pretend import World, machine

from gcelib.errors import Exceeded, Refused
from gcelib.server.operations.plan import Step, Work
from gcelib.server.operations.render import render


def at(path: str) -> str:
    return f"https://gce.example/compute/v1/projects/{path}"


def test_a_running_zonal_operation_has_every_field_clients_need(world: World) -> None:
    record = world.begin(machine(), client_operation_id="mine")
    shown = render(record, at)
    assert re.fullmatch(r"operation-1700000000000-[0-9a-f]{13}-[0-9a-f]{8}-[0-9a-f]{8}", shown["name"])
    assert len(shown["name"]) <= 63
    assert 0 < int(shown["id"]) < 2**63
    del shown["id"], shown["name"]
    assert shown == {
        "kind": "compute#operation",
        "operationType": "insert",
        "status": "RUNNING",
        "progress": 0,
        "targetLink": at("demo/zones/z/instances/n"),
        "targetId": "number of gva/node/id-of-n",
        "user": "ann@example.com",
        "insertTime": "2023-11-14T22:13:20.000+00:00",
        "startTime": "2023-11-14T22:13:20.000+00:00",
        "selfLink": at(f"demo/zones/z/operations/{record.name}"),
        "zone": at("demo/zones/z"),
        "clientOperationId": "mine",
    }


@pytest.mark.parametrize(("scope", "present"), [("zones/z", "zone"), ("regions/r", "region"), ("global", "")])
def test_the_scope_shows_as_a_link_and_is_absent_when_global(world: World, scope: str, present: str) -> None:
    record = world.begin(machine(), scope=scope)
    first = render(record, at)
    world.run()
    last = render(world.record(record), at)
    assert {"zone", "region"} & set(last) == ({present} if present else set())
    assert first["selfLink"] == last["selfLink"] == at(f"demo/{scope}/operations/{record.name}")


def test_a_failed_operation_says_why_with_status_and_phrase(world: World) -> None:
    world.cloud.script["nodes.create"] = [("fails", Exceeded("Maximum number of machines."))]
    record = world.begin(machine())
    world.run()
    shown = render(world.record(record), at)
    assert (shown["status"], shown["progress"]) == ("DONE", 100)
    assert shown["error"] == {"errors": [{"code": "QUOTA_EXCEEDED", "message": "Maximum number of machines."}]}
    assert (shown["httpErrorStatusCode"], shown["httpErrorMessage"]) == (403, "FORBIDDEN")
    assert shown["endTime"] >= shown["startTime"] >= shown["insertTime"]


def test_warnings_of_the_work_and_of_optional_steps_are_shown(world: World) -> None:
    world.cloud.script["tags.set"] = [Refused("No tags here.")]
    step = Step("tags", "gva", "tags", "set", {}, optional=True)
    work = Work("setLabels", "demo/zones/z/instances/n", [step], warnings=[("UNDECLARED_PROPERTIES", "colour?")])
    shown = render(world.begin(work), at)
    assert shown["warnings"] == [
        {"code": "UNDECLARED_PROPERTIES", "message": "colour?"},
        {"code": "NOT_CRITICAL_ERROR", "message": "No tags here."},
    ]
    assert "error" not in shown
