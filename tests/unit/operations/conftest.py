"""What the tests of operations stand on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pretend import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Books in a new SQLite file, a pretended cloud, and a runner without threads."""
    made = World(tmp_path / "gcelib.db")
    yield made
    made.store.close()
