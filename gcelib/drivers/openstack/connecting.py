"""libcloud's OpenStack driver with what it lacks: time limits, the cloud's CA, one token for all connections.

The classes are generated once per cloud, because libcloud reads such settings from its classes, and makes a new
connection for every service whose endpoint is elsewhere. Nothing global is changed.
"""

from __future__ import annotations

import datetime
import functools
import math
import threading
import time
from dataclasses import dataclass
from typing import Any

from libcloud.common.openstack_identity import OpenStackAuthenticationCache
from libcloud.compute.drivers.openstack import (
    OpenStack_2_Connection,
    OpenStack_2_ImageConnection,
    OpenStack_2_NetworkConnection,
    OpenStack_2_NodeDriver,
    OpenStack_2_ReservationConnection,
    OpenStack_2_VolumeV2Connection,
    OpenStack_2_VolumeV3Connection,
)
from libcloud.http import LibcloudConnection

from gcelib.drivers import clock
from gcelib.drivers.bounded import sockets

CONNECTIONS = {
    "connectionCls": OpenStack_2_Connection,
    "image_connectionCls": OpenStack_2_ImageConnection,
    "network_connectionCls": OpenStack_2_NetworkConnection,
    "volumev2_connectionCls": OpenStack_2_VolumeV2Connection,
    "volumev3_connectionCls": OpenStack_2_VolumeV3Connection,
    "reservation_connectionCls": OpenStack_2_ReservationConnection,
}

GRACE = datetime.timedelta(seconds=5)
"""A token that expires so soon is not sent any more."""
LEAST = 60.0
"""Seconds that a token is used, whatever it says."""
SOCKETS = tuple(name.replace("Cls", "") for name in CONNECTIONS)


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak to one cloud: seconds a call may take, and its private CA ("" for none)."""

    timeout: float
    ca_file: str = ""


class Tokens(OpenStackAuthenticationCache):
    """The tokens that all drivers of one cloud share, so that they sign in once. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Any, Any] = {}
        self._given: dict[Any, float] = {}

    def get(self, key: Any) -> Any:
        """The context kept for these keys, or None."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Any, context: Any) -> None:
        """Keep a context."""
        with self._lock:
            self._kept[key] = context
            self._given[key] = time.monotonic()

    def age(self, key: Any) -> float:
        """Seconds since a token was given for these keys; infinity for none."""
        with self._lock:
            return time.monotonic() - self._given.get(key, -math.inf)

    def clear(self, key: Any) -> None:
        """Keep it no longer: the cloud takes its token no more."""
        with self._lock:
            self._kept.pop(key, None)
            self._given.pop(key, None)


class Http(LibcloudConnection):
    """One socket to a service."""

    session: Any

    def __init__(self, host: str, port: int, secure: bool | None = None, **kwargs: Any) -> None:
        super().__init__(host, port, secure=secure, **kwargs)  # type: ignore[no-untyped-call]
        # A redirect would carry the token to whom the answer names.
        self.session.max_redirects = 0


class Lasting:
    """Mixed into libcloud's ways to sign in: a token is good until it expires by the clock of the cloud that gave it.

    One that is said to have expired when it was given is used for a while all the same: the cloud says when it takes
    it no more, and signing in for every call would make things worse.
    """

    auth_token: str | None
    auth_token_expires: datetime.datetime | None
    auth_cache: Tokens
    _cache_key: Any

    def is_token_valid(self) -> bool:
        """Whether the token can be used, as far as can be told without asking."""
        if not self.auth_token or self.auth_token_expires is None:
            return False
        if self.auth_cache.age(self._cache_key) < LEAST:
            return True
        expires = self.auth_token_expires
        expires = expires if expires.tzinfo is not None else expires.replace(tzinfo=datetime.UTC)
        return datetime.datetime.now(datetime.UTC) + clock.ahead() < expires - GRACE


class Signing:
    """Mixed into libcloud's connections: they sign in by a way whose tokens last."""

    _osa: Any
    _auth_version: str

    def get_auth_class(self) -> Any:
        """The connection to Keystone, which is made once."""
        if not self._osa:
            made: Any = super().get_auth_class()  # type: ignore[misc]
            kind: Any = type(made)
            made.__class__ = lasting(kind)
        return self._osa


class Once:
    """In place of libcloud's retries, which would send changes again when the environment says so."""

    def __init__(self, **kwargs: Any) -> None:
        """Takes what libcloud's own class takes."""

    def __call__(self, function: Any) -> Any:
        return function


class Driver(OpenStack_2_NodeDriver):
    """libcloud's driver; of it the connections to the services are used, and how they sign in."""

    def shut(self) -> None:
        """Close the sockets to every service, and those to Keystone that each connection has of its own."""
        for name in SOCKETS:
            service: Any = getattr(self, name)
            for each in (service, service._osa):
                http = getattr(each, "connection", None)
                if http is not None:
                    http.session.close()


@functools.lru_cache(maxsize=16)
def lasting(base: type) -> type:
    """A way to sign in of libcloud's, with tokens that last."""
    return type(base.__name__, (Lasting, base), {})


@functools.lru_cache(maxsize=64)
def http_class(manner: Manner) -> type:
    """Sockets configured for one cloud."""
    return sockets(Http, manner.timeout, manner.ca_file)


@functools.lru_cache(maxsize=64)
def driver_class(manner: Manner) -> type[Driver]:
    """libcloud's OpenStack driver configured for one cloud."""
    http = http_class(manner)
    own = {
        name: type(each.__name__, (Signing, each), {"conn_class": http, "timeout": manner.timeout, "retryCls": Once})
        for name, each in CONNECTIONS.items()
    }
    return type("Driver", (Driver,), own)
