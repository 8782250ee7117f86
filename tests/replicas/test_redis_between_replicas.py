"""Replicas that tell each other of changes by Redis: nobody serves an old list, whatever becomes of Redis."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from gcelib import cli
from gcelib.cli.symptoms import database
from gcelib.config import load
from gcelib.server.findings import CAUSES
from gcelib.simulator import Simulator
from tests.live import Live
from tests.postgres import Postgres
from tests.redis_server import RedisServer, program
from tests.replicas.fresh import HERE, measure, trouble
from tests.replicas.site import Site, ended
from tests.wire.machines import machine


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """One that the tests of this file share; whoever treats it badly brings it back."""
    if program() is None:
        pytest.skip("Redis is not installed: redis-server was not found")
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def site(postgres: Postgres, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two replicas, started before Redis was."""
    extra = f'generations = "{redis.url}"\n'
    with (
        Simulator(job_delay=0.05) as cloud,
        Site(tmp_path_factory.mktemp("site"), postgres, cloud, extra=extra) as made,
    ):
        redis.start()
        yield made


def told(live: Live) -> str:
    """What /readyz says of Redis; the replica is ready whatever that is."""
    answer = requests.get(f"http://127.0.0.1:{live.admin}/readyz", timeout=10)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["generations"])


def test_what_one_made_or_deleted_the_other_shows_at_once(site: Site, redis: RedisServer) -> None:
    found = measure(site, 12)
    assert not found.missed
    assert not found.lingering
    assert redis.client().hkeys("gcelib:generations:sim")
    # Where a busy machine kept one of them from setting a mark in time, that passes.
    until = time.monotonic() + 30
    while [told(live) for live in site.replicas] != ["ok", "ok"]:
        assert time.monotonic() < until
        time.sleep(0.2)


def test_it_is_shown_while_redis_is_flushed_killed_and_stopped(site: Site, redis: RedisServer) -> None:
    said: list[str] = []
    with trouble(redis, 5, said):
        found = measure(site, 12, "troubled")
    assert not found.missed
    assert not found.lingering
    assert said


def test_requests_at_once_all_find_what_was_made(site: Site) -> None:
    one, other = (live.api() for live in site.replicas)
    other.get(HERE)
    made = one.call("POST", HERE, machine("once"))
    shown: list[bool] = []

    def look() -> None:
        shown.append("once" in {item["name"] for item in other.get(HERE)["items"]})

    threads = [threading.Thread(target=look) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert shown == [True] * 16
    ended(one, made.data)


@pytest.mark.parametrize("how", ["gone", "stopped"])
def test_without_redis_everything_goes_on(site: Site, redis: RedisServer, how: str) -> None:
    one, other = (live.api() for live in site.replicas)
    for api in (one, other):
        api.get(HERE)
    redis.hang() if how == "stopped" else redis.stop()
    try:
        began = time.monotonic()
        made = one.call("POST", HERE, machine(f"without-{how}"))
        assert made.status == 200, made.data
        assert time.monotonic() - began < 10.0
        assert f"without-{how}" in {item["name"] for item in other.get(HERE)["items"]}
        assert "error" not in ended(other, made.data)
        for live in site.replicas:
            said = told(live)
            assert "does not answer as it should" in said
            assert redis.password not in said + live.said()
    finally:
        redis.go_on() if how == "stopped" else redis.start()


def test_the_commands_tell_how_redis_is_and_nothing_secret(
    site: Site, redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    path = site.replicas[0].config
    assert cli.main(["check", "--config", str(path)]) == 0
    config = load(path, {})
    well, = database.generations(config)
    assert (well.level, well.about) == ("well", "generations")
    redis.stop()
    try:
        wrong, = database.generations(config)
    finally:
        redis.start()
    assert (wrong.level, wrong.cause, wrong.cure) == ("wrong", "redis-away", CAUSES["redis-away"].cure)
    assert redis.password not in well.said + wrong.said + wrong.cure + repr(config) + capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "serve"])
def test_without_its_package_gcelib_says_what_to_install(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = 'database = "postgresql+psycopg:///nowhere"\ngenerations = "redis://:hidden-word@h"\n'
    live = Live(tmp_path, "https://cloud.example/client/api", "key", "secret", server_extra=extra)
    live.write()
    monkeypatch.setitem(sys.modules, "redis", None)
    assert cli.main([command, "--config", str(live.config)]) == 1
    said: Any = capsys.readouterr()
    assert "pip install 'gcelib[redis]'" in said.err
    assert "hidden-word" not in said.out + said.err
