"""A key revoked, a clock off, a certificate expired, a disk full: readiness, figures and doctor say so, with a cure."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from gcelib.config import ServerConfig
from gcelib.errors import Unavailable
from gcelib.server.findings import CAUSES
from gcelib.server.looks import Look
from gcelib.server.signs import EVERY, GOOD, SILENT, Signs
from gcelib.server.wellbeing import Wellbeing, hung, trouble
from gcelib.simulator import Simulator
from gcelib.store.marked import Marked
from tests.conftest import Launch
from tests.faults.disks import fill, small
from tests.live import Live
from tests.observability.certificates import DAY, made

LATE = 300.0
"""Seconds that a clock is behind: not so many that signatures are refused."""
QUICK = 1.5
"""Seconds within which a probe is answered, with the machine's other work."""


class LateClock:
    """The time as a cloud has it that is behind."""

    def now(self) -> float:
        return time.time() - LATE


def clouds(**simulators: Simulator) -> str:
    """The configuration of these clouds, all of project demo."""
    parts = [f"""
[clouds.{name}]
provider = "cloudstack"
endpoint = "{cloud.url}"
key = "{cloud.accounts["demo"].api_key}"
secret = "{cloud.accounts["demo"].secret_key}"
""" for name, cloud in simulators.items()]
    return "".join(parts) + f'[projects.demo]\nclouds = {json.dumps(list(simulators))}\n'


def readiness(live: Live) -> requests.Response:
    """What /readyz says, which it must say soon."""
    begun = time.monotonic()
    answer = requests.get(f"http://127.0.0.1:{live.admin}/readyz", timeout=30)
    assert time.monotonic() - begun < QUICK
    return answer


def figures(live: Live) -> dict[str, float]:
    """Every series of /metrics with its value."""
    begun = time.monotonic()
    text = requests.get(f"http://127.0.0.1:{live.admin}/metrics", timeout=30).text
    assert time.monotonic() - begun < QUICK
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


@dataclass
class Sick:
    """A server with which much is wrong, and where its database is."""

    live: Live
    place: Path

    def expected(self) -> dict[str, str]:
        """By cause, the cloud or disk it is about."""
        return {"cloud-refuses-keys": "revoked", "clock-off": "late", "certificate-ended": "",
                "disk-full": str(self.place)}


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sick]:
    """Three clouds: one took back the keys, the clock of one is behind; an old certificate; a disk without room."""
    home = tmp_path_factory.mktemp("sick")
    shown, key = made(home / "old", -1 * DAY)
    with small(home, 4) as place, Simulator() as fine, Simulator() as revoked, Simulator(clock=LateClock()) as late:
        if place is None:
            pytest.skip("no small file system can be mounted here")
        live = Live(
            home, "", "", "", tls="auto", clouds=clouds(fine=fine, revoked=revoked, late=late),
            server_extra=f'cert = "{shown}"\nkey = "{key}"\ndatabase = "sqlite:///{place}/gcelib.sqlite"',
        ).start()
        revoked.accounts["demo"].secret_key = "of another"
        ballast = fill(place)
        yield Sick(live, place)
        ballast.unlink()
        assert live.stop() == 0


def test_readiness_says_all_of_it_each_with_its_cure_and_is_ready_for_what_still_goes(sick: Sick) -> None:
    answer = readiness(sick.live)
    told = answer.json()
    assert (answer.status_code, told["status"]) == (200, "ready")
    assert told["clouds"]["fine"] == "ok"
    assert "does not accept these keys" in told["clouds"]["revoked"]
    by_cause = {row["cause"]: row for row in told["findings"]}
    assert {cause: row["subject"] for cause, row in by_cause.items()} == sick.expected()
    for cause, row in by_cause.items():
        assert row["cure"] == CAUSES[cause].cure.format(subject=row["subject"])
        assert row["level"] == "wrong"
        assert row["said"]
    assert "5 minutes behind" in by_cause["clock-off"]["said"]


def test_the_figures_say_all_of_it(sick: Sick) -> None:
    readiness(sick.live)
    told = figures(sick.live)
    wrong = dict(re.findall(r'cause="([\w-]+)",subject="([^"]*)"', name)[0]
                 for name, value in told.items() if name.startswith("gcelib_findings") and value)
    assert wrong == sick.expected()
    names = ("fine", "revoked", "late")
    up = {name: told[f'gcelib_cloud_up{{cloud="{name}",provider="cloudstack"}}'] for name in names}
    assert up == {"fine": 1, "revoked": 0, "late": 1}
    assert told['gcelib_cloud_keys_refused{cloud="revoked",provider="cloudstack"}'] == 1
    assert abs(told['gcelib_cloud_clock_ahead_seconds{cloud="late",provider="cloudstack"}'] + LATE) < 5
    assert abs(told["gcelib_certificate_expiry_timestamp_seconds"] - (time.time() - DAY.total_seconds())) < 600
    assert told[f'gcelib_disk_free_bytes{{place="{sick.place}"}}'] == 0
    assert told["gcelib_store_up"] == 1


def test_doctor_says_all_of_it_with_the_same_cures(sick: Sick) -> None:
    said = sick.live.run("doctor", "--json", check=False)
    assert said.returncode == 1
    rows = {row["cause"]: row for row in json.loads(said.stdout)["findings"] if row["cause"]}
    assert {cause: row["subject"] for cause, row in rows.items()} == sick.expected()
    for cause, row in rows.items():
        assert (row["level"], row["cure"]) == ("wrong", CAUSES[cause].cure.format(subject=row["subject"]))


def test_a_cloud_that_hangs_keeps_no_probe_waiting_and_is_said_to_be_away(launch: Launch) -> None:
    live, cloud = launch()
    cloud.faults.add("*", "delay", 0, seconds=60)
    never_heard = readiness(live)
    assert never_heard.status_code == 503
    assert "has not answered for" in never_heard.json()["clouds"]["sim"]
    begun = time.monotonic()
    assert readiness(live).status_code == 503
    assert time.monotonic() - begun < 0.6, "who hangs is waited for at each probe"
    assert requests.get(f"http://127.0.0.1:{live.admin}/healthz", timeout=QUICK).status_code == 200
    (away,) = never_heard.json()["findings"]
    assert (away["cause"], away["cure"]) == ("cloud-away", CAUSES["cloud-away"].cure.format(subject="sim"))
    told = figures(live)
    assert told['gcelib_cloud_up{cloud="sim",provider="cloudstack"}'] == 0
    assert told['gcelib_findings{cause="cloud-away",subject="sim"}'] == 1


def test_a_new_certificate_that_cannot_be_used_is_told_until_one_can(launch: Launch, tmp_path: Path) -> None:
    shown, key = made(tmp_path / "mine", 10 * DAY)
    live, _ = launch(tls="auto", server_extra=f'cert = "{shown}"\nkey = "{key}"')

    def causes(wanted: set[str], said: str = "") -> Any:
        end = time.monotonic() + 10
        while True:
            rows = readiness(live).json()["findings"]
            if {row["cause"] for row in rows} == wanted and said in str(rows):
                return rows
            assert time.monotonic() < end, rows
            time.sleep(0.05)

    causes({"certificate-ends-soon"})
    # What was renewed on the disk, and not read again, is no news to clients.
    before = shown.read_bytes(), key.read_bytes()
    made(tmp_path / "mine", 300 * DAY)
    told = {row["cause"]: row for row in json.loads(live.run("doctor", "--json", check=False).stdout)["findings"]}
    assert "still shows" in told["certificate-ends-soon"]["said"]
    assert "SIGHUP" in told["certificate-ends-soon"]["cure"]
    good = before[0]
    key.write_bytes(before[1])
    shown.write_text("rubbish")
    assert live.process
    os.kill(live.process.pid, signal.SIGHUP)
    rows = causes({"certificate-ends-soon", "certificate-unused"})
    assert any(str(shown) in row["said"] for row in rows)
    assert figures(live)['gcelib_findings{cause="certificate-unused",subject=""}'] == 1
    # OpenSSL takes this one, and nobody can tell until when it is good.
    shown.write_bytes(good.replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE"))
    os.kill(live.process.pid, signal.SIGHUP)
    causes({"certificate-ends-soon", "certificate-unused"}, "openssl x509")
    shown.write_bytes(good)
    os.kill(live.process.pid, signal.SIGHUP)
    causes({"certificate-ends-soon"})


def test_when_everything_hangs_at_once_it_is_still_said_soon(tmp_path: Path) -> None:
    go = threading.Event()

    def hang() -> None:
        go.wait(30)
        raise Unavailable("It is over.")

    config: Any = SimpleNamespace(server=ServerConfig(state_dir=tmp_path))
    store: Any = SimpleNamespace(ping=hang, writes=lambda: "ok", refuses=lambda: False, refusals=0)
    away: Any = [SimpleNamespace(name=name, provider="cloudstack", ping=hang) for name in ("a", "b")]
    runner: Any = SimpleNamespace(alive=True, load=lambda: (0, 0, 0.0))
    beside: Any = object.__new__(Hanging)
    beside.sign = lambda: str(go.wait(30))
    wellbeing = Wellbeing(lambda: config, store, beside, runner, lambda: away, Signs())
    answers: Any = object.__new__(Hanging)
    answers._marks, answers._store, answers._word = SimpleNamespace(ping=lambda: None), None, None
    alone = Wellbeing(lambda: config, store, answers, runner, list, Signs())
    try:
        alone.ready()
        assert alone.ready()[1]["generations"] == "ok", "a Redis that answers is away because the database is"
        for _ in range(2):
            begun = time.monotonic()
            ready, parts = wellbeing.ready()
            assert time.monotonic() - begun < QUICK
            assert not ready
            assert "has not answered" in parts["store"] + parts["generations"] + parts["clouds"]["b"]
            begun = time.monotonic()
            told = {each.name: each.value for each in wellbeing.figures()}
            assert told["gcelib_store_up"] == 0
            assert "gcelib_operations" not in told
            assert time.monotonic() - begun < QUICK
    finally:
        go.set()


class Hanging(Marked):
    """Redis as gcelib sees it, asked nothing."""


def test_a_cloud_that_was_well_is_as_it_was_for_some_seconds_and_then_away() -> None:
    now, go = [100.0], threading.Event()
    asked: list[int] = []

    def ping() -> None:
        asked.append(1)
        if len(asked) > 1:
            go.wait(30)

    clouds: Any = [SimpleNamespace(name="slow", provider="cloudstack", ping=ping)]
    signs = Signs(clock=lambda: now[0])
    assert signs.of(clouds) == {"slow": GOOD}
    now[0] += EVERY + 1
    told = [signs.known(clouds, EVERY, 0.0)[0]]
    for seconds in (SILENT - 1, 2):
        now[0] += seconds
        told.append(signs.known(clouds, EVERY, 0.0)[0])
    go.set()
    assert [hung(pulse) for pulse in told] == [False, False, True]
    assert trouble(told[2]) == f"Cloud 'slow' has not answered for {SILENT + 1:.0f} seconds."


def test_an_audit_log_that_cannot_be_written_is_told_until_it_can(launch: Launch) -> None:
    live, _ = launch()
    api = live.api()
    path = live.home / "state" / "audit.log"
    path.unlink()
    path.mkdir()
    assert api.call("POST", "zones/ch-gv2/disks", {"name": "unseen", "sizeGb": "10"}).status == 200
    (row,) = readiness(live).json()["findings"]
    assert (row["cause"], str(path) in row["said"]) == ("audit-unwritten", True)
    path.rmdir()
    assert api.call("DELETE", "zones/ch-gv2/disks/unseen").status in (200, 400)
    assert readiness(live).json()["findings"] == []


def test_a_question_that_hangs_is_asked_once_and_what_was_known_is_told_meanwhile() -> None:
    go, asked = threading.Event(), []

    def ask() -> int:
        asked.append(1)
        if len(asked) > 1:
            go.wait(10)
        return len(asked)

    look = Look("test", ask)
    assert (look.take(5).told, look.take(0.0).told) == (1, 1)
    waiting = look.take(0.05)
    assert waiting.told == 1
    assert waiting.silent > 0.0
    assert len(asked) == 2
    go.set()
    assert look.take(5).told == 2
