"""Calls over HTTP within bounds: of the time that one, and the request it is for, may take, and of an answer's size.

A libcloud driver's connections are given sockets of this kind by `within`, whatever they are; nothing is changed for
others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests
from libcloud.common.base import Connection
from requests.adapters import BaseAdapter
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError

from gcelib.drivers import clock, deadline
from gcelib.drivers.faults import Garbled

CONNECT_SECONDS = 3.0
SHORTEST = 0.05
"""Seconds that a call has however late its request is."""
SLOWEST = 4
"""A whole answer may take so many times the time allowed between two pieces of it."""
LARGEST_ANSWER = 256 * 1024 * 1024
PIECE = 1 << 17
"""Less than what malloc asks the system for afresh each time (`server.memory`), at a fault for every 4 KiB of it."""


def bounds(timeout: float) -> tuple[tuple[float, float], float]:
    """What a call may take that begins now: seconds for the connection and between two pieces of the answer, and
    until when (monotonic) for all of it.
    """
    left = deadline.left()
    limit = max(SHORTEST, min(timeout, left))
    return (min(CONNECT_SECONDS, limit), limit), time.monotonic() + max(SHORTEST, min(SLOWEST * limit, left))


def pieces(raw: Any, until: float) -> Iterator[bytes]:
    """A body, piece by piece as it comes, so that a server that lets it drip is given up, too.

    `requests` would wait for whole chunks; its exceptions are raised in place of urllib3's. Raises Garbled for more
    than any list can be.
    """
    size = 0
    try:
        while part := raw.read1(PIECE, decode_content=True):
            size += len(part)
            if size > LARGEST_ANSWER:
                raise Garbled("longer than any list can be")
            yield part
            if time.monotonic() > until:
                raise requests.exceptions.ReadTimeout("the answer took too long")
    except ReadTimeoutError as exc:
        raise requests.exceptions.ReadTimeout(exc) from None
    except DecodeError as exc:
        raise requests.exceptions.ContentDecodingError(exc) from None
    except HTTPError as exc:
        raise requests.exceptions.ChunkedEncodingError(exc) from None


class Body:
    """urllib3's answer, read by `pieces`; else as it is."""

    def __init__(self, raw: Any, until: float) -> None:
        self._raw, self._until = raw, until

    def stream(self, amt: int = PIECE, decode_content: bool | None = None) -> Iterator[bytes]:
        """The body, as `requests` asks for it."""
        return pieces(self._raw, self._until)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)


class Adapter(BaseAdapter):
    """What a session of `requests` sends with; `inner` is what it had before."""

    def __init__(self, inner: BaseAdapter, timeout: float) -> None:
        super().__init__()
        self._inner, self._timeout = inner, timeout

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, verify: bool | str = True,
        cert: Any = None, proxies: Any = None,
    ) -> requests.Response:
        """Send, whatever time was asked for, within ours."""
        allowed, until = bounds(self._timeout)
        answer = self._inner.send(request, stream=stream, timeout=allowed, verify=verify, cert=cert, proxies=proxies)
        clock.heard(answer.headers.get("date"))
        answer.raw = Body(answer.raw, until)
        return answer

    def close(self) -> None:
        """Close what it sends with."""
        self._inner.close()


class Bounded:
    """Mixed into a libcloud connection's socket class by `sockets`: `timeout` in seconds, `ca_file` "" for none."""

    seconds: float
    ca_file: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        session = getattr(self, "session", None)
        if session is None:
            return
        for prefix, adapter in list(session.adapters.items()):
            session.mount(prefix, Adapter(adapter, self.seconds))
        # The environment must not add proxies or ~/.netrc passwords to signed calls.
        session.trust_env = False
        if self.ca_file:
            self.ca_cert = self.ca_file


def sockets(inner: type, timeout: float, ca_file: str = "") -> type:
    """A libcloud socket class within bounds."""
    return type("Http", (Bounded, inner), {"seconds": timeout, "ca_file": ca_file})


def within(driver: type, timeout: float, ca_file: str = "") -> type:
    """A libcloud driver's class all of whose classes of connections have sockets within bounds."""
    own: dict[str, Any] = {}
    for name in dir(driver):
        each = getattr(driver, name, None)
        if isinstance(each, type) and issubclass(each, Connection) and isinstance(each.conn_class, type):
            own[name] = type(each.__name__, (each,), {"conn_class": sockets(each.conn_class, timeout, ca_file)})
    return type(driver.__name__, (driver,), own) if own else driver
