"""What is kept of a request that begins an operation, so that it can be carried out anew, or known again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from gcelib.server.routes import Method
from gcelib.web import Request

_TYPE = "content-type"


def to_data(request: Request) -> bytes:
    """The request without who sent it, from where, and by what token: for sealing."""
    kind, body = request.header(_TYPE), request.body.decode("latin-1")
    return json.dumps([request.method, request.path, request.query, kind, body]).encode()


def from_data(data: bytes, asking: Request) -> Request:
    """The request that `to_data` kept, as if it came the way of `asking`; lists are asked for anew for it."""
    method, path, query, kind, body = json.loads(data)
    headers = {_TYPE: kind, "cache-control": "no-cache"}
    return replace(asking, method=method, path=path, query=query, headers=headers, body=body.encode("latin-1"))


def digest(request: Request, method: Method, query: Mapping[str, Any]) -> str:
    """What a request that repeats another's id must repeat: verb, path and body, and what `query`, which is validated,
    has of the method's own parameters."""
    own = {name: query[name] for name in sorted(query.keys() & method.params.keys() - {"requestId"})}
    said = (request.method.encode(), request.path.encode(), request.body, *([msgspec.json.encode(own)] if own else ()))
    return hashlib.sha256(b"\0".join(said)).hexdigest()
