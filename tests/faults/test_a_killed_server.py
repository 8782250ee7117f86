"""The process is killed with changes under way: the next one ends every operation truthfully, nothing twice."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections import Counter
from typing import Any

import pytest
import requests

from gcelib.simulator import Simulator
from tests.conftest import Launch
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
COUNT = 50


def ask_for(live: Live, names: list[str]) -> None:
    """Ask for machines, all at once; a connection that breaks is what this is about."""
    api = live.api()

    def ask(name: str) -> None:
        with contextlib.suppress(requests.ConnectionError):
            api.session.post(
                f"{live.url}/compute/v1/projects/demo/{HERE}", json=machine(name), timeout=30,
                headers={"Authorization": f"Bearer {api.token}"},
            )

    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def operations(live: Live) -> list[dict[str, Any]]:
    """Every operation of the zone, each DONE."""
    api = live.api()
    return [api.until_done(row) for row in api.get("zones/ch-gv2/operations").get("items", [])]


def names_of(cloud: Simulator) -> Counter[str]:
    """How often each machine is there."""
    return Counter(row["name"] for row in cloud.world.machines() if row["state"] not in ("Destroyed", "Expunging"))


def test_fifty_inserts_survive_a_kill(launch: Launch) -> None:
    live, cloud = launch(job_delay=2.0)
    names = [f"survivor-{number:02}" for number in range(COUNT)]
    ask_for(live, names)
    live.stop(signal.SIGKILL)
    live.start()
    ended = operations(live)
    assert len(ended) == COUNT
    assert not [operation for operation in ended if "error" in operation]
    assert names_of(cloud) == Counter(names)
    listed = {item["name"] for item in live.api().get(HERE)["items"]}
    assert listed == set(names)


@pytest.mark.parametrize("after", [0.02, 0.1, 0.3])
def test_a_kill_in_the_middle_of_asking_leaves_no_half_and_no_double(launch: Launch, after: float) -> None:
    live, cloud = launch(job_delay=1.0)
    names = [f"hasty-{number:02}" for number in range(COUNT)]
    live.sign_in()
    asking = threading.Thread(target=ask_for, args=(live, names))
    asking.start()
    asking.join(after)
    live.stop(signal.SIGKILL)
    asking.join()
    live.start()
    ended = operations(live)
    made = {operation["targetLink"].rpartition("/")[2] for operation in ended if "error" not in operation}
    assert names_of(cloud) == Counter(made)


def test_deletes_survive_a_kill_and_free_their_names(launch: Launch) -> None:
    live, cloud = launch(job_delay=1.0)
    names = [f"doomed-{number}" for number in range(10)]
    ask_for(live, names)
    operations(live)
    api = live.api()
    for name in names:
        api.start("DELETE", f"{HERE}/{name}")
    live.stop(signal.SIGKILL)
    live.start()
    assert not [operation for operation in operations(live) if "error" in operation]
    assert not names_of(cloud)
    ask_for(live, names)
    operations(live)
    assert names_of(cloud) == Counter(names)
