"""An account whose role keeps some of CloudStack's commands from it: what needs none of them goes on working."""

from __future__ import annotations

import requests

from tests.conftest import Launch
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
WORDS = "The given command does not exist or it is not available for user"


def test_limits_that_may_not_be_seen_are_left_out(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.faults.add(command="listAccounts", times=0, status=432, errorcode=432, text=WORDS)
    assert api.get("")["quotas"] == []
    assert api.get("regions/ch")["quotas"] == []
    assert [region["name"] for region in api.get("regions")["items"]] == ["ch", "de", "fr"]


def test_capabilities_that_may_not_be_seen_are_taken_to_be_the_usual_ones(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    cloud.faults.add(command="listCapabilities", times=0, status=432, errorcode=432, text=WORDS)
    assert requests.get(f"http://127.0.0.1:{live.admin}/readyz", timeout=30).status_code == 200
    api.change("POST", HERE, machine("restricted"))
    api.change("DELETE", f"{HERE}/restricted")
    api.change("POST", HERE, machine("restricted"))
    assert api.get("aggregated/diskTypes")["items"]["zones/ch-gv2"]["diskTypes"]
