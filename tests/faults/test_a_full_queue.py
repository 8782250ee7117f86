"""A project with as many open operations as it may have: changes are answered 429, and all else goes on."""

from __future__ import annotations

import uuid

from tests.conftest import Launch
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
OPERATIONS = "zones/ch-gv2/operations"


def test_a_change_beyond_the_bound_is_answered_429_and_taken_when_there_is_room(launch: Launch) -> None:
    live, cloud = launch(job_delay=2.0, server_extra="open_operations = 3")
    api = live.api()
    asked = [(f"n-{number}", str(uuid.uuid4())) for number in range(3)]
    begun = [api.start("POST", HERE, machine(name), requestId=id) for name, id in asked]
    refused = api.call("POST", HERE, machine("one-more"))
    assert (refused.status, refused.reason) == (429, "rateLimitExceeded")
    assert int(refused.headers["Retry-After"]) > 0
    assert "Project 'demo' has 3 operations that are not done yet" in refused.message
    assert "Wait until some of them are DONE, then send this again." in refused.message
    assert {item["name"] for item in api.get(OPERATIONS)["items"]} == {each["name"] for each in begun}
    assert {row["name"] for row in cloud.world.machines()} == {name for name, _ in asked}
    assert api.start("POST", HERE, machine(asked[0][0]), requestId=asked[0][1])["name"] == begun[0]["name"]
    assert api.call("DELETE", f"{OPERATIONS}/{begun[0]['name']}").status == 400
    assert api.get(f"{HERE}/n-0")["name"] == "n-0"
    for operation in begun:
        assert "error" not in api.until_done(operation)
    assert api.call("DELETE", f"{OPERATIONS}/{begun[0]['name']}").status == 204
    api.change("POST", HERE, machine("one-more"))
