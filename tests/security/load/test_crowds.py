"""Two hundred clients that hold on to a real server: what an honest one waits beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from gcelib.simulator import Simulator
from tests.conftest import launched
from tests.live import Live
from tests.security.load import crowds

Gather = Callable[[Live, ExitStack], None]
REQUESTS, PAUSE = 100, 0.03


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, simulator: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """A gcelib process as it is shipped, its zones already in the cache."""
    live = launched(tmp_path_factory.mktemp("crowds"), simulator, tls=request.param)
    crowds.honest(live, 20)
    yield live
    assert live.stop() == 0
    assert "Traceback" not in live.said()


@pytest.mark.parametrize(("server", "gather", "limit"), [
    ("off", crowds.silent, 0.05), ("off", crowds.half_headers, 1.0), ("off", crowds.slow_bodies, 1.0),
    ("auto", crowds.silent, 0.05), ("auto", crowds.silent_in_tls, 0.05), ("auto", crowds.half_headers, 1.0),
    ("auto", crowds.slow_bodies, 1.0),
], indirect=["server"], ids=lambda value: getattr(value, "__name__", None))
def test_an_honest_client_hardly_notices_the_crowd(server: Live, gather: Gather, limit: float) -> None:
    with crowds.crowd(gather, server):
        waits = crowds.honest(server, REQUESTS, PAUSE)
    print(f"tls {server.tls}, {gather.__name__}: {waits}")
    assert waits.median <= limit, str(waits)
    assert max(waits.seconds) <= 1.0, str(waits)
