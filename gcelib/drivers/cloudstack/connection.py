"""libcloud's CloudStack connection with what it lacks: time limits, the server's signature, POST.

The classes are generated once per cloud, because libcloud reads such settings from its classes. Nothing
global is changed and nothing is ever retried behind our back, whatever the environment says.
"""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from libcloud.common.base import Response
from libcloud.common.cloudstack import CloudStackConnection
from libcloud.compute.drivers.cloudstack import CloudStackNodeDriver
from libcloud.http import LibcloudConnection

from gcelib.drivers import clock
from gcelib.drivers.bounded import bounds, pieces

SIGNATURE_MINUTES = 10
LONGEST_QUERY = 2000
"""Longer reads go by POST: web servers cut request lines at about 8 KB."""
STALE_SECONDS = 10.0
"""A change is never sent over a socket unused for longer: the cloud may have closed it unseen."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a cloud's API is and how to speak to it; `timeout` in seconds between bytes of an answer."""

    url: str
    timeout: float = 30.0
    ca_file: Path | None = None


class Answer(Response):
    """One HTTP answer, undecoded: libcloud's own class would parse it and throw the error code away."""

    def __init__(self, response: requests.Response, connection: Any) -> None:
        self.connection = connection
        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.content = connection.connection.content


class Http(LibcloudConnection):
    """One socket to the cloud. Sub-classed per cloud by `driver_class` with its `endpoint`."""

    endpoint: Endpoint
    session: Any

    def __init__(self, host: str, port: int, secure: bool | None = None, **kwargs: Any) -> None:
        super().__init__(host, port, secure=secure, **kwargs)  # type: ignore[no-untyped-call]
        # libcloud guesses the scheme from the port; the endpoint says it.
        self.origin = f"{urlsplit(self.endpoint.url).scheme}://{host}:{port}"
        # The environment must not add proxies or ~/.netrc passwords to signed calls.
        self.session.trust_env = False
        if self.endpoint.ca_file is not None:
            self.ca_cert = str(self.endpoint.ca_file)
        self.content = b""
        self.answered = 0.0

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: dict[str, Any] | None = None,
        raw: bool = False,
        stream: bool = False,
        hooks: Any = None,
    ) -> None:
        """Send and read the whole answer, bounded in size and, however slowly it drips, in time."""
        allowed, until = bounds(self.endpoint.timeout)
        self.response = self.session.request(
            method=method,
            url=self.origin + url,
            data=body,
            headers=headers,
            allow_redirects=False,
            stream=True,
            verify=self.verification,
            timeout=allowed,
        )
        clock.heard(self.response.headers.get("date"))
        try:
            self.content = b"".join(pieces(self.response.raw, until))
        except BaseException:
            self.response.close()
            raise
        self.answered = time.monotonic()

    def renew(self) -> None:
        """Drop the open socket; the next request makes a new one."""
        self.session.close()
        self.answered = 0.0


def signature(params: Mapping[str, str], secret: str) -> str:
    """CloudStack's signature the way its server computes it: names sorted as sent, Java's URL encoding.

    See the CloudStack API guide, "how to sign an API call". Python leaves `~` alone, Java does not.
    """
    pairs = (f"{name}={quote(params[name], safe='*-._').replace('~', '%7E')}" for name in sorted(params))
    digest = hmac.new(secret.encode(), "&".join(pairs).lower().encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class Connection(CloudStackConnection):
    """Signs every call itself (version 3, with an expiry) and gives undecoded answers."""

    responseCls = Answer  # type: ignore[assignment]
    connection: Any
    driver: Any

    def sign(self, params: Mapping[str, str]) -> dict[str, str]:
        """The parameters with keys, expiry and signature."""
        expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=SIGNATURE_MINUTES)
        signed: dict[str, str] = {
            **params,
            "apiKey": str(self.user_id),
            "response": "json",
            "signatureversion": "3",
            "expires": expires.strftime("%Y-%m-%dT%H:%M:%S+0000"),
        }
        signed["signature"] = signature(signed, self.key)
        return signed

    def add_default_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing: `sign` has added them, and for a POST they belong in the body."""
        return params

    def pre_connect_hook(self, params: dict[str, Any], headers: dict[str, Any]) -> tuple[Any, Any]:
        """Nothing: the call is signed already."""
        return params, headers

    def run(self, command: str, params: Mapping[str, str], *, writes: bool) -> Answer:
        """Send one command; a change by POST, so that its parameters stay out of access logs.

        A read that meets a dead idle socket is sent once more on a new one; a change never is.
        """
        used = self.connection is not None and self.connection.answered > 0
        if writes and used and time.monotonic() - self.connection.answered > STALE_SECONDS:
            self.connection.renew()
        try:
            return self._send(command, params, writes)
        except requests.exceptions.ConnectionError:
            if writes or not used:
                raise
            self.connection.renew()
        return self._send(command, params, writes)

    def _send(self, command: str, params: Mapping[str, str], writes: bool) -> Answer:
        signed = self.sign({**params, "command": command})
        if writes or sum(len(name) + len(value) for name, value in params.items()) > LONGEST_QUERY:
            headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
            call: dict[str, Any] = {"data": signed, "headers": headers, "method": "POST"}
        else:
            call = {"params": signed, "method": "GET"}
        # retry_failed=False outweighs LIBCLOUD_RETRY_FAILED_HTTP_REQUESTS, which would send changes again.
        path = self.driver.path
        answer: Answer = self.request(path, retry_failed=False, **call)  # type: ignore[no-untyped-call]
        # The answer has it now; an idle connection must not keep the bytes of a long list.
        self.connection.content = b""
        return answer


class Driver(CloudStackNodeDriver):
    """libcloud's driver with our connection; only `connection.run` of it is used."""

    connectionCls = Connection
    connection: Connection


@functools.lru_cache(maxsize=64)
def driver_class(endpoint: Endpoint) -> type[Driver]:
    """libcloud's CloudStack driver configured for one endpoint."""
    http = type("Http", (Http,), {"endpoint": endpoint})
    connection = type("Connection", (Connection,), {"conn_class": http, "timeout": endpoint.timeout})
    return type("Driver", (Driver,), {"connectionCls": connection})


def make_driver(endpoint: Endpoint, key: str, secret: str, agent: str = "gcelib") -> Driver:
    """A driver of its own, with its own socket. Raises ValueError for an endpoint that is no http(s) URL."""
    parts = urlsplit(endpoint.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the endpoint must be an http or https URL")
    secure = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    driver = driver_class(endpoint)(
        key=key,
        secret=secret,
        secure=secure,
        host=host,
        path=parts.path or "/",
        port=parts.port or (443 if secure else 80),
    )
    driver.connection.user_agent_append(agent)  # type: ignore[no-untyped-call]
    return driver
