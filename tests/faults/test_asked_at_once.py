"""The same asked for by several clients in one moment, of what is made at once: one is told that it did it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.api import Answer, Api
from tests.live import Live

TIMES, CLIENTS = 6, 4
POOLS = "regions/ch/targetPools"


def together(live: Live, *calls: Any) -> list[Answer]:
    """The answers to calls that are made side by side, each by a client of its own."""
    apis: list[Api] = [live.api() for _ in calls]
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(api.call, *call) for api, call in zip(apis, calls, strict=True)]]


@pytest.mark.parametrize("path", [POOLS, "global/httpHealthChecks", "zones/ch-gv2/instanceGroups"])
def test_of_several_inserts_of_a_name_one_is_done_and_the_others_are_told_so(live: Live, path: str) -> None:
    api, kind = live.api(), path.rpartition("/")[2].lower()
    for number in range(TIMES):
        bodies = [{"name": f"{kind}-{number}", "description": f"by {client}"} for client in range(CLIENTS)]
        answers = together(live, *(("POST", path, body) for body in bodies))
        assert sorted(answer.status for answer in answers) == [200, 409, 409, 409], [each.data for each in answers]
        mine = bodies[[answer.status for answer in answers].index(200)]
        assert api.get(f"{path}/{mine['name']}")["description"] == mine["description"]
        api.change("DELETE", f"{path}/{mine['name']}")
        api.change("POST", path, mine)
        api.change("DELETE", f"{path}/{mine['name']}")


def test_no_change_of_a_group_is_lost_that_was_answered_as_done(live: Live) -> None:
    api, groups = live.api(), "zones/ch-gv2/instanceGroups"
    change = partial(api.change, "POST")
    change(groups, {"name": "at-once"})
    path = f"{groups}/at-once/setNamedPorts"
    for number in range(TIMES):
        mark = api.get(f"{groups}/at-once")["fingerprint"]
        bodies = [{"fingerprint": mark, "namedPorts": [{"name": f"p{client}", "port": 80 + number}]}
                  for client in range(CLIENTS)]
        answers = together(live, *(("POST", path, body) for body in bodies))
        assert [answer.status for answer in answers].count(200) == 1, [each.data for each in answers]
        done = bodies[[answer.status for answer in answers].index(200)]
        assert api.get(f"{groups}/at-once")["namedPorts"] == done["namedPorts"]
    api.change("DELETE", f"{groups}/at-once")
