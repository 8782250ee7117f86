"""Entity tags (RFC 9110 section 13): a client that has an answer already is told 304 instead of being sent it again."""

from __future__ import annotations

import hashlib
import re

from gcelib.web import Request, Response

TAG = "ETag"
STALE = {"Warning": '110 - "Response is Stale"'}
"""The header of an answer with something in it that a cloud that is away told before (RFC 7234 section 5.5.1)."""
_GIVEN = re.compile(r'(?:W/)?("[^"\x00-\x20\x7f]*")')


def tag(body: bytes) -> str:
    """The entity tag of a body: the same bytes have the same, on every replica."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def answered(request: Request, response: Response) -> Response:
    """The response to a read with its entity tag, which may be there already; 304 if the client has this answer."""
    if request.method not in ("GET", "HEAD") or response.status != 200:
        return response
    own = response.headers.get(TAG) or tag(response.body)
    given = request.header("if-none-match")
    if given and (given.strip() == "*" or own in _GIVEN.findall(given)):
        return Response(304, {TAG: own, **{name: text for name, text in response.headers.items() if name in STALE}})
    if TAG in response.headers:
        return response
    return Response(200, {**response.headers, TAG: own}, response.body)
