"""Sessions with PostgreSQL in which no answer is waited for without end, and how they are made."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import URL

PING_SECONDS = 3.0
"""How long a session that is new, or was at rest, may take for its first answer."""

MARGIN = 2.0
"""Seconds after the server's own limit at which a statement's answer is waited for no longer."""

_SETTINGS = {
    "lock_timeout": "8s",
    "statement_timeout": "10s",
    # What the server still holds for a process that is gone, or stands still, is let go.
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "5s",
    "tcp_keepalives_interval": "2s",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
"""The server's settings in our sessions."""

_PATIENCE = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
             "tcp_user_timeout": 10_000}
"""libpq's: a database that is cut off is noticed within seconds, not after the system's quarter of an hour."""


class Session(psycopg.Connection[Any]):
    """A connection whose answers come within `limit` seconds each, or it is closed and OperationalError raised.

    The server's own limits end what takes long; this one is for a server that has fallen silent. What was asked last
    may still be done. `statement` is the limit while the session is in use.
    """

    limit = PING_SECONDS
    statement = PING_SECONDS

    def wait(self, gen: Generator[Any, Any, Any], *args: Any, **options: Any) -> Any:
        """psycopg's one place where it waits for the server."""
        return super().wait(self._limited(gen), *args, **options)

    def _limited(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        until = time.monotonic() + self.limit
        try:
            wanted = next(gen)
            while True:
                # Nothing is ready, ten times a second, as long as nothing comes.
                ready = yield wanted
                if not ready and time.monotonic() > until:
                    self.close()
                    raise psycopg.OperationalError(f"no answer came within {self.limit:g} seconds")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value


class Entrance:
    """Makes the sessions of one engine. While the database is away one thread at a time tries to reach it.

    The others are told at once what the last one was told: an attempt may take as long as `connect_timeout`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trying = 0
        self._away = ""

    def connect(self, _dialect: object, _record: object, words: list[Any], options: dict[str, Any]) -> Session:
        """A session. Raises psycopg's Error."""
        with self._attempt():
            session = Session.connect(*words, **options)
            try:
                session.statement = _limit(session)
            except BaseException:
                session.close()
                raise
        return session

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        with self._lock:
            if self._away and self._trying:
                raise psycopg.OperationalError(self._away)
            self._trying += 1
        away = "the attempt to reach it was given up"
        try:
            yield
            away = ""
        except psycopg.Error as error:
            away = str(error)
            raise
        finally:
            with self._lock:
                self._trying -= 1
                self._away = away


def options(url: URL) -> dict[str, Any]:
    """What sessions are made with; what the URL says stands above it."""
    ours = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
    theirs = url.query.get("options", "")
    given = theirs if isinstance(theirs, str) else " ".join(theirs)
    return {name: value for name, value in _PATIENCE.items() if name not in url.query} | {
        "options": f"{ours} {given}".strip()}


def watch(engine: Engine) -> None:
    """Have the engine's connections be Sessions."""
    event.listen(engine, "do_connect", Entrance().connect)
    event.listen(engine, "checkout", _used)
    event.listen(engine, "checkin", _rested)


def _limit(session: Session) -> float:
    """How long an answer of this server may take: as its own limit says; without one nobody can know."""
    row = session.execute("SELECT setting FROM pg_settings WHERE name = 'statement_timeout'").fetchone()
    session.rollback()
    milliseconds = float(row[0]) if row else 0.0
    return milliseconds / 1000 + MARGIN if milliseconds else math.inf


def _used(session: Session, *_: object) -> None:
    session.limit = session.statement


def _rested(session: Session | None, *_: object) -> None:
    if session is not None:
        session.limit = PING_SECONDS
