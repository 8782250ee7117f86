"""From a newer gcelib back to this one, as docs/upgrading.md has it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gcelib.simulator import Simulator
from tests.live import Live


@pytest.fixture
def upgraded(simulator: Simulator, tmp_path: Path) -> Live:
    """A server with an account, backed up; then a newer gcelib has been at its database."""
    account = simulator.accounts["demo"]
    server = Live(tmp_path, simulator.url, account.api_key, account.secret_key)
    server.write()
    server.run("account", "create-service", "before", "--project", "demo", "--role", "viewer", "--key-file",
               str(server.key_file))
    server.run("backup", str(tmp_path / "before.backup"))
    with closing(sqlite3.connect(tmp_path / "state" / "gcelib.sqlite")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = 'of-a-newer-gcelib'")
    return server


def test_the_old_version_opens_no_newer_database_but_restores_the_backup_when_that_is_put_aside(upgraded: Live) -> None:
    backup = str(upgraded.home / "before.backup")
    done = upgraded.run("restore", "--force", backup, check=False)
    assert (done.returncode, "was written by a newer gcelib" in done.stderr) == (1, True)
    assert "put it aside" in done.stderr
    aside = upgraded.home / "newer"
    aside.mkdir()
    for file in (upgraded.home / "state").glob("gcelib.sqlite*"):
        file.rename(aside / file.name)
    upgraded.run("restore", backup)
    assert "before@" in upgraded.run("account", "list").stdout
