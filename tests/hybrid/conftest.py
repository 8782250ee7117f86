"""Two simulated clouds that share the names of zones, images and networks, and gcelibs over both and a third."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hybrid.clouds import Cloud, Hybrid, PartialApi, hybrid


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, Cloud]]:
    """`one` and `two`: both have zones CH-GV2 and DE-ADV1, and machines; `two` has FR-SG1 as well."""
    home = tmp_path_factory.mktemp("clouds")
    one = Cloud("one", home, 1, ["CH-GV2", "DE-ADV1"])
    two = Cloud("two", home, 2, ["CH-GV2", "DE-ADV1", "FR-SG1"])
    started = [cloud.start() for cloud in (one, two)]
    yield one, two
    for cloud in started:
        cloud.kill()


@pytest.fixture(scope="module")
def live(clouds: tuple[Cloud, Cloud], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hybrid]:
    """One gcelib over all of them, that remembers neither machines nor anything else that changes."""
    server = hybrid(tmp_path_factory.mktemp("hybrid"), clouds)
    yield server
    assert server.stop() == 0
    assert " ERROR " not in server.said(), server.said()


@pytest.fixture(scope="module")
def api(live: Hybrid) -> PartialApi:
    """A checked client of it."""
    return live.api()
