"""Upgrades of replicas one after the other: an older gcelib serves on while a newer one migrates, for real."""

from __future__ import annotations

import queue
import subprocess
import sys
import tarfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path

import psycopg
import pytest

from gcelib.simulator import Simulator
from gcelib.store.schema import revisions
from tests.postgres import Postgres
from tests.replicas.site import Site, ended
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"

OLD, SCHEMA = "5f02e2dd798bd57672a0db860df5836e1c1a64fa", "0003"
"""A commit with replicas, and its schema."""


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What makes Python run the package as it was then."""
    there = subprocess.run(
        ["git", "archive", OLD, "gcelib"], capture_output=True, check=False, cwd=Path(__file__).parents[2])
    if there.returncode:
        pytest.skip("this is no checkout with the history of gcelib")
    place = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=BytesIO(there.stdout)) as archive:
        archive.extractall(place, filter="data")
    return {"PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"}


def schema(site: Site) -> str:
    """The schema that the database has."""
    with psycopg.connect(site.url.replace("+psycopg", "")) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])  # type: ignore[index]


def test_an_older_replica_serves_on_beside_a_newer_one_and_refuses_to_start_again(
    postgres: Postgres, older: Mapping[str, str], tmp_path: Path
) -> None:
    with Simulator(job_delay=0.5) as cloud, ExitStack() as end:
        site = Site(tmp_path, postgres, cloud)
        old, new = site.replicas
        old.environ = older
        end.push(site)
        old.start()
        assert schema(site) == SCHEMA
        new.token = old.sign_in()
        new.key_file.write_text(old.key_file.read_text().replace(old.url, new.url))
        changed, done, over = list[str](), queue.SimpleQueue[str](), threading.Event()

        def change() -> None:
            api = old.api()
            while not over.is_set():
                changed.append(f"old-{len(changed)}")
                api.change("POST", HERE, machine(changed[-1]))
                done.put(changed[-1])

        client = threading.Thread(target=change)
        client.start()
        try:
            assert done.get(timeout=60) == "old-0"
            new.start()
            begun_beside = f"old-{len(changed)}"
            made = new.api().change("POST", HERE, machine("new-0"))
            while done.get(timeout=60) != begun_beside:
                continue
            begun = old.api().start("POST", HERE, machine("last"))
        finally:
            over.set()
            client.join()
        assert schema(site) == revisions()[0] != SCHEMA
        assert old.api().get(made["selfLink"].partition("/demo/")[2])["status"] == "DONE"
        assert "error" not in ended(new.api(), begun)
        assert site.names() == sorted([*changed, "new-0", "last"])
        assert {item["name"] for item in new.api().get(HERE)["items"]} == set(site.names())
        old.stop()
        old.launch()
        assert old.process is not None
        assert old.process.wait(30) == 1
        assert "was written by a newer gcelib" in old.said().splitlines()[-1]
        old.process = None


def test_two_that_start_at_once_migrate_once(postgres: Postgres, older: Mapping[str, str], tmp_path: Path) -> None:
    with Simulator() as cloud, ExitStack() as end:
        site = Site(tmp_path, postgres, cloud)
        program = "import sys; from gcelib.store import Store; Store.open(sys.argv[1]).close()"
        subprocess.run([sys.executable, "-c", program, site.url], check=True, env={**older}, timeout=60)
        assert schema(site) == SCHEMA
        end.push(site)
        for live in site.replicas:
            live.launch()
        for live in site.replicas:
            live.until_ready()
        assert schema(site) == revisions()[0]
