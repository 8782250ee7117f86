"""A batch ends in the time that a request may take: what has not had its turn by then is told so, and not begun."""

from __future__ import annotations

import json
import re
import time

import requests

from gcelib.server.batch import SIDE
from tests.conftest import Launch
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
NOT_KEPT = "[cache]\nzones = 60\nsizes = 60\nimages = 60\nnodes = 0\nother = 60\n"


def test_parts_beyond_the_time_of_a_batch_are_answered_503_and_not_begun(launch: Launch) -> None:
    live, cloud = launch(extra=NOT_KEPT, server_extra="request_seconds = 1")
    api = live.api()
    api.get(HERE)
    cloud.faults.add(command="listVirtualMachines", kind="delay", times=0, seconds=0.4)
    calls = [("GET", HERE, None)] * (SIDE * 3) + [("POST", HERE, machine("too-late"))]
    head = ("--b\r\nContent-Type: application/http\r\nContent-ID: <{}>\r\n\r\n"
            "{} /compute/v1/projects/demo/{} HTTP/1.1\r\n")
    parts = [
        f"{head.format(number, verb, path)}Content-Type: application/json\r\n\r\n{json.dumps(body) if body else ''}\r\n"
        for number, (verb, path, body) in enumerate(calls)
    ]
    begun = time.monotonic()
    answer = requests.post(
        f"{live.url}/batch/compute/v1", "".join([*parts, "--b--"]), timeout=30,
        headers={"Content-Type": "multipart/mixed; boundary=b", "Authorization": f"Bearer {api.token}"},
    )
    took = time.monotonic() - begun
    assert answer.status_code == 200
    found = [int(status) for status in re.findall(r"HTTP/1.1 (\d+) ", answer.text)]
    assert len(found) == len(calls)
    assert found[0] == 200
    assert set(found[SIDE * 2:]) == {503}
    assert "This batch has taken all the time it may take; send this part again." in answer.text
    assert answer.text.count("Retry-After: ") == found.count(503)
    assert took < 3
    cloud.faults.clear()
    assert api.get(HERE).get("items", []) == []
