"""Marks in a Redis that several processes share: what is at a place has another mark once it has changed."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from gcelib.errors import Invalid, Unavailable
from gcelib.store.generations import EVERYTHING, Changes

log = logging.getLogger(__name__)

PATIENCE = 0.5
"""Seconds that a connection, and an answer, may take."""
REST = 1.0
"""Seconds for which a Redis that failed is asked nothing."""
LIFE = 86_400
"""Seconds for which marks stay that nobody sets."""
_FIELD = "server.generations"

Found = Mapping[str, Mapping[str, bytes]]
"""Marks by place and kind. Each place has one of EVERYTHING; another one means that all marks there were lost."""


class Marks:
    """The marks in the Redis at a URL, which is reached when it is first asked. Raises Invalid for a URL of no use."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.where = shown(url)
        self._clock = clock
        self._lock = threading.Lock()
        self._made = 0
        self._failed = ""
        self._again = 0.0
        self._redis, self._errors = self._client(url)

    def __repr__(self) -> str:
        return f"Marks({self.where!r})"

    @property
    def connections(self) -> int:
        """How many were made so far. After a new one Redis may be another, which knows less than the one before."""
        return self._made

    def read(self, places: Collection[str]) -> Found:
        """All marks of these places; one that has none is given some. Raises Unavailable."""
        with self._asking():
            found = self._read(places)
            bare = [place for place, marks in found.items() if EVERYTHING not in marks]
            if bare:
                pipeline = self._redis.pipeline(transaction=False)
                for place in bare:
                    # Only where there is still none: of several processes one decides.
                    pipeline.hsetnx(_key(place), EVERYTHING, secrets.token_hex(8))
                    pipeline.expire(_key(place), LIFE)
                pipeline.execute()
                found |= self._read(bare)
        if not all(EVERYTHING in marks for marks in found.values()):
            raise Unavailable(f"Redis at {self.where} does not keep what it is given.")
        return found

    def put(self, changes: Changes) -> None:
        """Other marks for what has changed; a Redis that rests is asked, too. Raises Unavailable: they may be set."""
        self._again = 0.0
        with self._asking():
            pipeline = self._redis.pipeline(transaction=False)
            for place, kind in sorted(changes):
                pipeline.hset(_key(place), kind, secrets.token_hex(8))
                pipeline.expire(_key(place), LIFE)
            pipeline.execute()

    def ping(self) -> None:
        """Nothing, when Redis answers; else Unavailable."""
        with self._asking():
            self._redis.ping()

    def close(self) -> None:
        """Let go of every connection."""
        self._redis.connection_pool.disconnect()

    def _read(self, places: Collection[str]) -> dict[str, Mapping[str, bytes]]:
        pipeline = self._redis.pipeline(transaction=False)
        for place in places:
            pipeline.hgetall(_key(place))
        rows = pipeline.execute()
        return {
            place: {kind.decode("utf-8", "replace"): mark for kind, mark in row.items()}
            for place, row in zip(places, rows, strict=True)
        }

    @contextmanager
    def _asking(self) -> Iterator[None]:
        now = self._clock()
        with self._lock:
            if self._failed and now < self._again:
                raise Unavailable(self._failed)
            # Of several that come when its rest is over, one tries.
            self._again = now + REST
        try:
            yield
        except self._errors as error:
            words = f"Redis at {self.where} does not answer as it should: {str(error).strip().partition(chr(10))[0]}"
            with self._lock:
                first, self._failed, self._again = not self._failed, words, self._clock() + REST
            if first:
                log.warning("%s; the database is asked instead", words)
            raise Unavailable(words) from error
        with self._lock:
            back, self._failed = self._failed, ""
        if back:
            log.info("Redis at %s answers again", self.where)

    def _client(self, url: str) -> tuple[Any, tuple[type[Exception], ...]]:
        try:
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        except ImportError:
            raise Invalid(
                "Redis cannot be used: its Python package is not installed. Run: pip install 'gcelib[redis]'",
                field=_FIELD,
            ) from None
        # What the URL says after a `?` stands above these.
        options: dict[str, Any] = {
            "socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "max_connections": 1024, "protocol": 2,
            "retry": Retry(NoBackoff(), 0), "redis_connect_func": self._connected,
        }
        if url.startswith("rediss:"):
            options["ssl_check_hostname"] = True
        try:
            pool = redis.ConnectionPool.from_url(url, **options)
            pool.connection_kwargs["decode_responses"] = False
            # It connects when it is used; here it shows whether its options are known.
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError, redis.RedisError):
            # Neither the URL nor what is said of it is repeated: it may hold a password.
            raise Invalid(
                "The URL of Redis, or a parameter in it, is not one that its Python package takes.", field=_FIELD
            ) from None
        return redis.Redis(connection_pool=pool), (redis.RedisError, OSError)

    def _connected(self, connection: Any) -> None:
        with self._lock:
            self._made += 1
        connection.on_connect()


def shown(url: str) -> str:
    """The URL without user, password and parameters."""
    try:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        return "its URL"


def _key(place: str) -> str:
    return f"gcelib:generations:{place}"
