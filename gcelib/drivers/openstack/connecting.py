"""libcloud's OpenStack driver with what it lacks: time limits, the cloud's CA, one token for all connections.

The classes are generated once per cloud, because libcloud reads such settings from its classes, and makes a new
connection for every service whose endpoint is elsewhere. Nothing global is changed.
"""

from __future__ import annotations

import functools
import threading
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

CONNECT_SECONDS = 3.0
CONNECTIONS = {
    "connectionCls": OpenStack_2_Connection,
    "image_connectionCls": OpenStack_2_ImageConnection,
    "network_connectionCls": OpenStack_2_NetworkConnection,
    "volumev2_connectionCls": OpenStack_2_VolumeV2Connection,
    "volumev3_connectionCls": OpenStack_2_VolumeV3Connection,
    "reservation_connectionCls": OpenStack_2_ReservationConnection,
}

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

    def get(self, key: Any) -> Any:
        """The context kept for these keys, or None."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Any, context: Any) -> None:
        """Keep a context."""
        with self._lock:
            self._kept[key] = context

    def clear(self, key: Any) -> None:
        """Keep it no longer: the cloud takes its token no more."""
        with self._lock:
            self._kept.pop(key, None)


class Http(LibcloudConnection):
    """One socket to a service. Sub-classed per cloud by `driver_class` with its `manner`."""

    manner: Manner
    session: Any

    def __init__(self, host: str, port: int, secure: bool | None = None, **kwargs: Any) -> None:
        super().__init__(host, port, secure=secure, **kwargs)  # type: ignore[no-untyped-call]
        # The environment must not add proxies or ~/.netrc passwords to authenticated calls.
        self.session.trust_env = False
        # A redirect would carry the token to whom the answer names.
        self.session.max_redirects = 0
        self.session.timeout = (min(CONNECT_SECONDS, self.manner.timeout), self.manner.timeout)
        if self.manner.ca_file:
            self.ca_cert = self.manner.ca_file


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


@functools.lru_cache(maxsize=64)
def http_class(manner: Manner) -> type[Http]:
    """Sockets configured for one cloud."""
    return type("Http", (Http,), {"manner": manner})


@functools.lru_cache(maxsize=64)
def driver_class(manner: Manner) -> type[Driver]:
    """libcloud's OpenStack driver configured for one cloud."""
    http = http_class(manner)
    own = {
        name: type(each.__name__, (each,), {"conn_class": http, "timeout": manner.timeout, "retryCls": Once})
        for name, each in CONNECTIONS.items()
    }
    return type("Driver", (Driver,), own)
