"""From a WSGI environ to `web.Request`: the path as it was sent, and the address as this client knows it."""

from __future__ import annotations

import functools
import ipaddress
import random
import re
from collections.abc import Iterable, Mapping
from typing import Any

from gcelib.server.listening.coding import decoded
from gcelib.server.listening.limits import BODY_LIMIT
from gcelib.web import Request

_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_WITH_PORT = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_NOT_IN_URL = re.compile(r"[^\x21-\x7e]")
_OVERRIDES = frozenset({"GET", "PUT", "PATCH", "DELETE"})
_FORM = "application/x-www-form-urlencoded"

_IDS = random.Random()
"""Ids of requests need not be hard to guess, and asking the system for each has threads wait for each other."""

Environ = Mapping[str, Any]


class Proxies:
    """Addresses and networks whose word about the client is taken. Raises ValueError for what is neither."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(each, strict=False) for each in trusted]

    def trusts(self, address: str) -> bool:
        """Whether this address is one of them."""
        try:
            ip = ipaddress.ip_address(address.strip().strip("[]"))
        except ValueError:
            return False
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in network for network in self._networks if network.version == ip.version)

    def origin(self, environ: Environ) -> tuple[str, str, str]:
        """The client's address, the scheme it used and the Host it asked for, "" when that makes no sense.

        X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239), are read when a trusted proxy speaks; of
        several values the last, which that proxy wrote itself.
        """
        remote = str(environ.get("REMOTE_ADDR", ""))
        scheme = str(environ["wsgi.url_scheme"])
        host = str(environ.get("HTTP_HOST", ""))
        if self._networks and self.trusts(remote):
            forwarded = _forwarded(_last(environ, "HTTP_FORWARDED"))
            scheme = (_last(environ, "HTTP_X_FORWARDED_PROTO") or forwarded.get("proto", scheme)).lower()
            host = _last(environ, "HTTP_X_FORWARDED_HOST") or forwarded.get("host", host)
            remote = self._client(environ) or _address(forwarded.get("for", remote))
        if scheme not in ("http", "https"):
            scheme = str(environ["wsgi.url_scheme"])
        return remote, scheme, host if _HOST.fullmatch(host) else ""

    def _client(self, environ: Environ) -> str:
        """The address nearest to us in X-Forwarded-For that is no proxy of ours."""
        sent = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        chain = [_address(each.strip()) for each in sent if each.strip()]
        return next((each for each in reversed(chain) if not self.trusts(each)), chain[0] if chain else "")


def _address(written: str) -> str:
    """An address without the port that some proxies write along: with it, each connection would be another source."""
    match = _WITH_PORT.fullmatch(written)
    return match[1] or match[2] if match else written


def _last(environ: Environ, name: str) -> str:
    return str(environ.get(name, "")).rpartition(",")[2].strip()


def _forwarded(element: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in element.split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs if value.strip()}


def encoded(latin: str) -> str:
    """Bytes, as Latin-1 has them, with whatever no URL may hold percent-encoded."""
    return _NOT_IN_URL.sub(lambda match: f"%{ord(match.group()):02X}", latin)


def raw_target(environ: Environ) -> tuple[str, str]:
    """Path and query as they were sent, whatever no URL may hold percent-encoded."""
    target = encoded(str(environ["REQUEST_URI"]))
    path, _, query = target.partition("?")
    return path, query


def request_id(environ: Environ) -> str:
    """The client's X-Request-Id when it is sane, else a fresh one."""
    sent = str(environ.get("HTTP_X_REQUEST_ID", ""))
    return sent if _REQUEST_ID.fullmatch(sent) else f"{_IDS.getrandbits(64):016x}"


def read_request(environ: Environ, id: str, external_url: str, proxies: Proxies) -> Request:
    """The request, its body decoded. HEAD is read as GET. Raises Malformed and TooLarge for its body."""
    remote, scheme, host = proxies.origin(environ)
    host = host or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    path, query = raw_target(environ)
    headers = _headers(environ)
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    body = decoded(body, headers.pop("content-encoding", ""), BODY_LIMIT)
    method, query, body = overridden(str(environ["REQUEST_METHOD"]), query, headers, body)
    return Request(
        method="GET" if method == "HEAD" else method,
        path=path if path.startswith("/") else "/",
        query=query,
        headers=headers,
        body=body,
        base_url=external_url.rstrip("/") or f"{scheme}://{host}",
        remote=remote,
        id=id,
    )


def _headers(environ: Environ) -> dict[str, str]:
    found = {_header(name): value for name, value in environ.items() if name[:5] == "HTTP_"}
    for name, variable in (("content-type", "CONTENT_TYPE"), ("content-length", "CONTENT_LENGTH")):
        if environ.get(variable):
            found[name] = environ[variable]
    return found


@functools.lru_cache(256)
def _header(name: str) -> str:
    return name[5:].replace("_", "-").lower()


def overridden(method: str, query: str, headers: dict[str, str], body: bytes) -> tuple[str, str, bytes]:
    """Method, query and body as X-HTTP-Method-Override, taken out of the headers, makes them of a POST.

    Google's clients send long queries as a form, and Java's a PATCH, which it cannot send, as a POST.
    """
    wanted = headers.pop("x-http-method-override", "").upper()
    if method != "POST" or wanted not in _OVERRIDES:
        return method, query, body
    if wanted == "GET" and headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        form = encoded(body.decode("latin-1").strip())
        return wanted, "&".join(part for part in (query, form) if part), b""
    return wanted, query, body
