"""The soak for a few seconds, over plain HTTP and SQLite; and that its judgement finds what is wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.soak import books
from tests.soak.__main__ import judged, place
from tests.soak.clients import TRADES
from tests.soak.memory import Life, Memory, Sample
from tests.soak.nuisances import Kills, Weather, garbage
from tests.soak.run import Soak

LONGEST = 120.0
CHANGES = 12


def enough(soak: Soak, dice: random.Random) -> None:
    """A busy machine takes longer for the same."""
    soak.rest(0.1)
    if soak.counts["changes done"] >= CHANGES and soak.counts["kills"]:
        soak.over.set()


def test_a_few_seconds_of_clients_faults_and_kills_leave_books_that_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place(tmp_path, 3, shared=False, job_delay=0.1) as site:
        soak, weather, memory = Soak(site, 3, LONGEST), Weather(2.0), Memory(every=0.5)
        soak.run([*TRADES, garbage, weather, memory, Kills(1.5, pause=0.3, most=1), enough])
        found, rows = judged(soak)
        assert not found
        assert {row["status"] for row in rows} == {"DONE"}
        assert soak.counts["changes done"] >= CHANGES
        assert soak.counts["kills"]
        assert weather.hits
        assert memory.longest(0).samples
        # Books that differ are told: a machine taken away behind everybody's back, an operation left open.
        monkeypatch.setattr(books, "FRESH_SECONDS", 0.0)
        made = next(row["name"] for row in site.cloud.world.machines() if row["state"] == "Running")
        site.cloud.vanish(made)
        found = books.differences(site, [{**rows[0], "status": "RUNNING"}, *rows[1:]])
        assert [line for line in found if line.startswith(f"instances {made}: ") and line.endswith("is not there")]
        assert [line for line in found if line.endswith("is RUNNING")]


def life(*megabytes: float, files: int = 20) -> Life:
    """A process that was looked at every ten seconds, and opened its files half way."""
    half = len(megabytes) / 2
    return Life([Sample(at * 10.0, mb, 46, files if at > half else 20) for at, mb in enumerate(megabytes)])


def test_growth_is_told_from_warming_up_and_from_a_peak() -> None:
    assert not life(*range(100, 120), *[120.0] * 40).breaches("it")
    assert not life(*[120.0] * 40, 170.0, *[120.0] * 20).breaches("it")
    (line,) = life(*(100 + at / 4 for at in range(60))).breaches("it")
    assert line == "it grows by 1.50 MB a minute"
    (line,) = life(*[120.0] * 60, files=200).breaches("it")
    assert line == "it had 20 open files and has 200"


def test_each_replica_is_spared_in_turn_once_all_were_killed() -> None:
    assert Kills.victims(2, 0.1) == [0, 1]
    assert (Kills.victims(2, 0.4), Kills.victims(2, 0.9), Kills.victims(2, 1.0)) == ([1], [0], [0])
    assert (Kills.victims(1, 0.2), Kills.victims(1, 0.5)) == ([0], [])
