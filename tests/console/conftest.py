"""One busy server for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.console.scene import Scene, scene


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A server where some operations ended and few are under way."""
    with scene(tmp_path_factory.mktemp("console")) as made:
        made.ended()
        made.busy(3)
        yield made
