"""What is kept of a request that begins an operation, so that it can be carried out anew."""

from __future__ import annotations

import json
from dataclasses import replace

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
