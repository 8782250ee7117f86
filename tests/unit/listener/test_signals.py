"""Signals are heard whenever they come, and whichever thread the system gives them to."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gcelib.config import CacheConfig, Config, ServerConfig
from gcelib.server import daemon


@pytest.fixture
def restored() -> Iterator[None]:
    """The handler that was there before."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_reload_that_fails_in_whatever_way_leaves_the_server_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def reread() -> Config:
        raise ValueError("nobody thought of this")

    made = Config(ServerConfig(state_dir=tmp_path, tls="off"), CacheConfig(), {}, {})
    waiting = daemon.Daemon(made, reread)
    there: Any = object()
    waiting._server = there
    waiting._note(signal.SIGHUP, None)
    assert not waiting._ended()
    assert "nobody thought of this" in caplog.text


def test_a_signal_that_another_thread_got_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restored: None
) -> None:
    monkeypatch.setattr(daemon, "RENEWAL_EVERY", 10.0)
    waiting = daemon.Daemon(Config(ServerConfig(state_dir=tmp_path, tls="off"), CacheConfig(), {}, {}))
    signal.signal(signal.SIGTERM, waiting._note)

    def strike() -> None:
        time.sleep(0.2)  # The main thread is in its wait by then.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    thread = threading.Thread(target=strike)
    thread.start()
    begun = time.monotonic()
    assert waiting._ended()
    assert time.monotonic() - begun < 5
    thread.join()
