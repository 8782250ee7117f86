"""`gcelib backup` and `gcelib restore`: beside a running server, and only without one."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcelib.simulator import Simulator
from tests.conftest import Launch, launched
from tests.live import Live
from tests.postgres import Postgres, programs
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"


def names_of(cloud: Simulator) -> Counter[str]:
    """How often each machine is there."""
    return Counter(row["name"] for row in cloud.world.machines() if row["state"] not in ("Destroyed", "Expunging"))


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    if programs() is None:
        pytest.skip("PostgreSQL's programs are not installed")
    server = Postgres()
    try:
        yield server.start()
    finally:
        server.remove()


def test_a_backup_beside_a_running_server_says_what_is_in_it_and_what_is_not(launch: Launch, tmp_path: Path) -> None:
    live, _ = launch()
    live.api().change("POST", HERE, machine("one"))
    file = tmp_path / "backup"
    said = live.run("backup", str(file))
    assert "1 accounts" in said.stdout
    assert "1 operations" in said.stdout
    for each in (live.config, live.home / "state" / "seal.key", live.home / "state" / "audit.log"):
        assert str(each) in said.stdout
    assert said.stderr == ""
    assert file.stat().st_mode & 0o777 == 0o600
    checked = live.run("restore", "--check", str(file))
    assert "is whole" in checked.stdout
    assert "1 accounts" in checked.stdout
    again = live.run("backup", str(file), check=False)
    assert (again.returncode, "--force" in again.stderr) == (1, True)
    quiet = live.run("backup", "--quiet", "--force", str(file))
    assert (quiet.stdout, quiet.stderr) == ("", "")
    lines = [json.loads(line) for line in (live.home / "state" / "audit.log").read_text().splitlines()]
    told = [(line["what"], line["outcome"], line["file"]) for line in lines if line["event"] == "store"]
    assert told == [("backup", "done", str(file)), ("backup", "refused", str(file)), ("backup", "done", str(file))]


def test_a_restore_is_refused_while_a_server_runs_and_for_a_store_that_holds_anything(
    launch: Launch, tmp_path: Path
) -> None:
    live, _ = launch()
    token = live.sign_in()
    file = tmp_path / "backup"
    live.run("backup", str(file))
    running = live.run("restore", "--force", str(file), check=False)
    assert running.returncode == 1
    assert "serves from" in running.stderr
    live.stop()
    filled = live.run("restore", str(file), check=False)
    assert filled.returncode == 1
    assert "--force" in filled.stderr
    done = live.run("restore", "--force", str(file))
    kept, = (live.home / "state").glob("replaced-*.backup")
    assert str(kept) in done.stdout
    live.start()
    assert live.token == token
    assert live.api().get("zones")["items"]


def test_a_damaged_file_is_refused_and_a_missing_one(launch: Launch, tmp_path: Path) -> None:
    live, _ = launch()
    file = tmp_path / "backup"
    live.run("backup", str(file))
    live.stop()
    file.write_bytes(file.read_bytes()[:-9])
    for words in (["--check"], ["--force"], []):
        refused = live.run("restore", *words, str(file), check=False)
        assert (refused.returncode, "is damaged" in refused.stderr) == (1, True)
    missing = live.run("restore", str(tmp_path / "none"), check=False)
    assert (missing.returncode, "No such file" in missing.stderr) == (1, True)
    assert live.start().api().get("zones")["items"]


def test_what_was_under_way_in_a_backup_is_looked_for_and_not_done_twice(launch: Launch, tmp_path: Path) -> None:
    live, cloud = launch(job_delay=1.0)
    api, names = live.api(), [f"half-{number}" for number in range(12)]
    threads = [threading.Thread(target=api.start, args=("POST", HERE, machine(name))) for name in names]
    for thread in threads:
        thread.start()
    # Each of these is of another moment: operations of that backup are anywhere between asked for and done.
    files = [tmp_path / str(number) for number in range(4)]
    for file in files:
        live.run("backup", str(file))
    for thread in threads:
        thread.join()
    for row in api.get("zones/ch-gv2/operations")["items"]:
        assert "error" not in api.until_done(row)
    assert names_of(cloud) == Counter(names)
    for file in files:
        live.stop()
        live.run("restore", "--force", str(file))
        # The newest copy has a name of its second.
        for kept in (live.home / "state").glob("replaced-*.backup"):
            kept.unlink()
        again = live.start().api()
        for row in again.get("zones/ch-gv2/operations").get("items", []):
            assert "error" not in again.until_done(row)
        assert names_of(cloud) == Counter(names)
        assert {item["name"] for item in again.get(HERE)["items"]} == set(names)


def test_a_server_moves_from_sqlite_to_postgresql(
    simulator: Simulator, tmp_path: Path, postgres: Postgres
) -> None:
    old = launched(tmp_path / "old", simulator)
    old.api().change("POST", "global/httpHealthChecks", {"name": "moved"})
    old.run("backup", str(tmp_path / "backup"))
    assert old.stop() == 0
    account = simulator.accounts["demo"]
    new = Live(tmp_path / "new", simulator.url, account.api_key, account.secret_key, token=old.token,
               server_extra=f'database = "{postgres.database("moved")}"')
    new.home.mkdir()
    new.write()
    (tmp_path / "old" / "tester.json").rename(new.key_file)
    new.run("restore", str(tmp_path / "backup"))
    api = new.start().api()
    assert [item["name"] for item in api.get("global/httpHealthChecks")["items"]] == ["moved"]
    refused = new.run("restore", "--force", str(tmp_path / "backup"), check=False)
    assert (refused.returncode, "stop every gcelib" in refused.stderr) == (1, True)
    api.change("DELETE", "global/httpHealthChecks/moved")
    assert new.stop(signal.SIGTERM) == 0
