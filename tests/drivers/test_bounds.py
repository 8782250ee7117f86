"""Calls to clouds of every family end in the time that they, and the request they are for, may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gcelib.config import CacheConfig, CloudConfig, Secret
from gcelib.drivers import bounded, deadline, registry
from gcelib.drivers.base import Cloud
from gcelib.errors import Unavailable

PROVIDERS = ("cloudstack", "openstack", "ec2", "eucalyptus")
"""One of each family; the last is any driver of libcloud's."""
NOTHING_KEPT = CacheConfig(zones=0, sizes=0, images=0, nodes=0, other=0)


class Slow:
    """Says nothing ("hang"), a byte now and then ("drip"), or far too much ("flood"). `calls` are its requests."""

    def __init__(self) -> None:
        self.mood = "hang"
        self.calls = 0
        self.released = threading.Event()
        slow = self

        class Handler(BaseHTTPRequestHandler):
            def serve(self) -> None:
                slow.calls += 1
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if slow.mood == "hang":
                    slow.released.wait(30)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                piece = b" " if slow.mood == "drip" else b" " * 65536
                try:
                    while not slow.released.wait(0.02 if slow.mood == "drip" else 0):
                        self.wfile.write(piece)
                except OSError:
                    # Given up, as is wanted.
                    return

            do_GET = do_POST = serve

            def log_message(self, *words: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """End it."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def slow() -> Iterator[Slow]:
    """A server that is slow."""
    made = Slow()
    yield made
    made.close()


def cloud_at(slow: Slow, provider: str, timeout: float) -> Cloud:
    """A cloud of this provider whose API is there; nothing is remembered."""
    return registry.build(CloudConfig(
        name="slow", provider=provider, endpoint=slow.url, key="a-key", secret=Secret("a-secret"), timeout=timeout,
    ), NOTHING_KEPT)


def given_up(cloud: Cloud, words: str = "time allowed") -> float:
    """Seconds after which a list is given up, which must be with these words."""
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=words):
        cloud.nodes.list()  # type: ignore[union-attr]
    return time.monotonic() - begun


@pytest.mark.parametrize("mood", ["hang", "drip"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_call_that_is_under_way_ends_with_its_request(slow: Slow, provider: str, mood: str) -> None:
    slow.mood = mood
    cloud = cloud_at(slow, provider, 30)
    with deadline.within(0.4):
        assert 0.3 < given_up(cloud) < 2
        before = slow.calls
        assert given_up(cloud, "used up the time") < 0.3
    assert before == slow.calls > 0
    cloud.close()


@pytest.mark.parametrize("mood", ["hang", "drip"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_call_without_a_deadline_ends_with_its_own_time_out(slow: Slow, provider: str, mood: str) -> None:
    slow.mood = mood
    cloud = cloud_at(slow, provider, 0.2)
    assert given_up(cloud) < 3
    cloud.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_without_end_is_given_up(slow: Slow, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LARGEST_ANSWER", 1_000_000)
    slow.mood = "flood"
    cloud = cloud_at(slow, provider, 20)
    assert given_up(cloud, "longer than any list can be") < 5
    cloud.close()


def test_an_earlier_deadline_stays_and_a_change_has_none() -> None:
    with deadline.within(5):
        with deadline.within(50):
            assert deadline.left() < 6
        with deadline.lifted():
            assert deadline.left() == float("inf")
        assert 0 < deadline.left() < 6
