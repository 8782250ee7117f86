"""The schema that a start finds in place costs it nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gcelib.store import Store
from gcelib.store.schema import NEWEST, revisions

OPEN = "import sys; from gcelib.store import Store; Store.open(sys.argv[1]).close(); print('alembic' in sys.modules)"


def test_the_newest_schema_is_the_last_migrations() -> None:
    assert revisions()[0] == NEWEST


def test_a_database_that_is_up_to_date_is_opened_without_alembic(store: Store) -> None:
    url = store.engine.url.render_as_string()
    ran = subprocess.run([sys.executable, "-c", OPEN, url], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False\n"


def test_a_database_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    for _ in range(2):
        ran = subprocess.run([sys.executable, "-c", OPEN, url], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False\n"
