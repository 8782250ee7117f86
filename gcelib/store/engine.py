"""Opens the database, keeps it safe, and turns its failures into faults."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url, text
from sqlalchemy.engine import URL, ExceptionContext

from gcelib.errors import Invalid, Unavailable, Uncertain
from gcelib.store.line import Line

log = logging.getLogger(__name__)

_BUSY_SECONDS = 10.0

_SOON = 0.1
"""Seconds that count as no wait."""

_LATELY = 60.0
"""Seconds for which a write that failed is told of."""

_SETTLED = 10.0
"""The same once another has been taken: on a full disk some find room while others do not."""

_NO_RIGHT = "42501"
"""PostgreSQL's code for what its user may not do."""

_SPOILED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB}
"""Errors after which a connection to a SQLite file is made anew: one from a bad time could stay read-only."""


class Store:
    """The database behind everything that must outlive the process.

    `read()` and `write()` give a connection in a transaction; `refusals` counts changes that the database refused, as
    nearly as matters. A broken constraint leaves them as SQLAlchemy's IntegrityError, a database that is locked, full,
    silent or gone as `Unavailable`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.clock = time.monotonic
        self._refused: tuple[float, Unavailable] | None = None
        self._taken = False
        self.refusals = 0
        self._line = Line()
        self.url = shown(engine.url)

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at a SQLAlchemy URL, made if it is not there and brought to the newest schema.

        Raises Invalid for a URL that names no database we can use, Unavailable when it does not answer.
        """
        from gcelib.store.schema import upgrade

        store = cls(_engine(_parsed(url)))
        try:
            upgrade(store)
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def unchanged(cls, url: str) -> Store:
        """The store at a SQLAlchemy URL as it is, whatever its schema and its files' modes. Raises Invalid."""
        return cls(_engine(_parsed(url), secure=False))

    @property
    def shared(self) -> bool:
        """Whether other processes may serve from the same database; a SQLite file belongs to one."""
        return self.engine.dialect.name != "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for looking; whatever is changed through it is undone."""
        with _faults(self.url), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection for changing: all of it is kept when the block ends, none when it raises.

        Raises Uncertain when the database went away while it was being kept: then all of it is there, or will be, or
        nothing.
        """
        keeping = changed = False
        try:
            with self._turn() as patience, _faults(self.url), self.engine.connect() as connection:
                connection.execution_options(gcelib_write=patience)
                with connection.begin():
                    refused = self._refused if self.writes() != "ok" else None
                    before = self._changes(connection) if refused else None
                    yield connection
                    changed = refused is not None and self._changes(connection) != before
                    keeping = True
            if changed and self._refused is refused:
                self._taken = True
        except Unavailable as fault:
            self._refused, self._taken = (self.clock(), fault), False
            self.refusals += 1
            cause = fault.__cause__
            if keeping and isinstance(cause, exc.DBAPIError) and cause.connection_invalidated:
                raise Uncertain(
                    "gcelib's own database went away while it was storing this; whether it did is not known. Look"
                    " whether it is there, or ask again with the same request id."
                ) from cause
            raise

    def _turn(self) -> AbstractContextManager[float]:
        """What a writer waits for first: SQLite has one at a time. It gives the seconds to wait for other processes."""
        return nullcontext(0.0) if self.shared else self._line.turn(_busy_seconds(self.engine.url))

    def writes(self) -> str:
        """How changing it went lately: "ok", or in words why not; what cannot be written can still be read."""
        refused, lately = self._refused, _SETTLED if self._taken else _LATELY
        if refused is None or self.clock() - refused[0] > lately:
            return "ok"
        return f"refused {self.clock() - refused[0]:.0f} s ago: {refused[1].message}"

    def refuses(self) -> bool:
        """Whether a change was refused lately by a database that was there, not by one that was away."""
        return self.writes() != "ok" and self._refused is not None and not _was_away(self._refused[1])

    def _changes(self, connection: Connection) -> Any:
        """A value that is another one once this transaction has changed anything."""
        return connection.execute(text("SELECT txid_current_if_assigned()" if self.shared else
                                       "SELECT total_changes()")).scalar()

    def ping(self) -> None:
        """Nothing, when the database answers; else Unavailable."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def shown(url: URL) -> str:
    """A database's URL for people: without its password, which may be a part of the query, too."""
    hidden = {name: "***" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(hidden).render_as_string().replace("%2A%2A%2A", "***")


def one_at_a_time(connection: Connection, subject: str) -> None:
    """Until the transaction ends, nobody else may be in one about this subject; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))"), {"subject": subject})


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        # The text is not repeated: it may hold a password.
        raise Invalid("The database is not given as a SQLAlchemy URL.", field="server.database") from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise Invalid("The SQLite database must be a file, as in sqlite:////PATH.", field="server.database")
    return parsed


def _engine(url: URL, *, secure: bool = True) -> Engine:
    options: dict[str, Any] = {"pool_size": 16, "max_overflow": 48, "pool_timeout": 10}
    # Parameters hold hashes of secrets: kept out of every log and error.
    options["hide_parameters"] = True
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        busy = _busy_seconds(url)
        options["connect_args"] = {"timeout": busy, "check_same_thread": False}
        if secure:
            _secure(Path(str(url.database)))
    else:
        options["pool_pre_ping"] = True
    ours = url.get_backend_name() == "postgresql" and url.get_driver_name() == "psycopg"
    try:
        if ours:
            from gcelib.store import sessions

            options["connect_args"] = sessions.options(url)
        engine = create_engine(url, **options)
    except (exc.ArgumentError, ImportError) as error:
        raise Invalid(f"The database {shown(url)} cannot be used: {error}.", field="server.database") from error
    if sqlite:
        event.listen(engine, "connect", partial(_prepare, busy))
        event.listen(engine, "begin", partial(_begin, busy))
        event.listen(engine, "handle_error", _spoiled)
    elif ours:
        sessions.watch(engine)
    return engine


def _secure(path: Path) -> None:
    """Make the file and its directory, for this user only; SQLite's side files take the file's mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise Unavailable(f"The database file {path} cannot be used: {error.strerror}.") from error


def _busy_seconds(url: URL) -> float:
    """How long to wait for others who are writing: `timeout` of the URL, as the driver calls it."""
    try:
        return float(str(url.query.get("timeout", _BUSY_SECONDS)))
    except ValueError:
        raise Invalid("The database's 'timeout' must be a number of seconds.", field="server.database") from None


def _prepare(busy: float, connection: Any, _record: object) -> None:
    # The driver's own transactions begin late and never IMMEDIATE: `_begin` does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(busy * 1000)}")
    _journal(cursor, busy)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _journal(cursor: Any, busy: float) -> None:
    """Switch to write-ahead logging; SQLite does not wait by itself when two processes do it at once."""
    deadline = time.monotonic() + busy
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin(busy: float, connection: Connection) -> None:
    # A reader that turned writer would fail at once instead of waiting; writers say so at the start.
    patience = connection.get_execution_options().get("gcelib_write")
    if patience is None:
        connection.exec_driver_sql("BEGIN")
    elif busy - patience < _SOON:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # Who waited for others of this process waits the less for other processes.
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(busy * 1000)}")


def _spoiled(context: ExceptionContext) -> None:
    code = getattr(context.original_exception, "sqlite_errorcode", 0)
    if code & 0xFF in _SPOILED:
        context.is_disconnect = True


@contextmanager
def _faults(url: str) -> Iterator[None]:
    try:
        yield
    except (exc.IntegrityError, exc.DataError, exc.NotSupportedError):
        raise
    except exc.DBAPIError as error:
        if isinstance(error, exc.ProgrammingError) and getattr(error.orig, "sqlstate", "") != _NO_RIGHT:
            raise
        words = str(error.orig).strip().split("\n")[0]
        # Where it is, is the operator's business: in the log, not in an answer.
        log.error("the database %s does not answer as it should: %s", url, words)
        raise Unavailable(f"gcelib's own database does not answer as it should: {_plain(words)}.") from error
    except exc.TimeoutError as error:
        log.error("the database %s has no free connection", url)
        raise Unavailable("gcelib's own database has no free connection; too many requests at once.") from error


def _was_away(fault: Unavailable) -> bool:
    """Whether PostgreSQL was not reached, or ended the session: it says so by no code, or by one of these classes."""
    cause = fault.__cause__
    code = getattr(cause.orig, "sqlstate", "") if isinstance(cause, exc.DBAPIError) else ""
    return code is None or code.startswith(("08", "57P"))


def _plain(words: str) -> str:
    """What a driver says, without what it says of hosts and files."""
    return words if re.fullmatch(r"[\w ,.'-]{1,120}", words) else "its log says why"
