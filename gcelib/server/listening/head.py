"""The head of an HTTP/1.x request, read strictly: what two readers may understand differently is refused.

Request line, field syntax and body framing follow RFC 9112 sections 2 to 6; the stricter choice is taken
wherever it leaves one, since a proxy in front of us may have taken the other (request smuggling).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"([A-Z][A-Z_-]{0,31}) ([^\x00-\x20\x7f]+) HTTP/([0-9])\.([0-9])")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*((?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)[ \t]*")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#@\\]+)([/?].*)?")

# Said twice, nobody can know which one counts.
_ONCE = frozenset(
    {b"host", b"content-length", b"content-type", b"content-encoding", b"authorization", b"expect"}
)


class Refusal(Exception):
    """The bytes are no request that we take; `status` and the message are the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and header fields. `target` is in origin form ("/path?query") or "*", as sent.

    `fields` maps lower-case names to values. `length` is the body's, 0 without one; when `chunked`, the
    body's length shows only at its end. `persistent`: the client can send another request afterwards.
    """

    method: bytes
    target: bytes
    version: bytes
    fields: dict[bytes, bytes]
    length: int
    chunked: bool
    persistent: bool

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for a "100 Continue" before it sends the body."""
        return self.version != b"HTTP/1.0" and self.fields.get(b"expect", b"").lower() == b"100-continue"


def parse_head(raw: bytes) -> Head:
    """The head in `raw`, which ends before the empty line. Raises Refusal with 400."""
    line, *rest = raw.split(b"\r\n")
    method, target, version = _request_line(line)
    fields = parse_fields(rest)
    target = _origin_form(method, target, fields)
    length, chunked = _framing(version, fields)
    return Head(method, target, version, fields, length, chunked, _persistent(version, fields))


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise Refusal(400, "Malformed request line: METHOD, target and HTTP/1.1 belong there, "
                           "with single spaces between them.")
    method, target, major, minor = match.groups()
    if major != b"1":
        raise Refusal(400, "This server speaks HTTP/1.1 only.")
    return method, target, b"HTTP/1.0" if minor == b"0" else b"HTTP/1.1"


def parse_fields(lines: list[bytes]) -> dict[bytes, bytes]:
    """Header fields, or those of a trailer, by their lower-case names. Raises Refusal with 400."""
    fields: dict[bytes, bytes] = {}
    for line in lines:
        match = _FIELD.fullmatch(line)
        if not match:
            folded = line[:1] in (b" ", b"\t")
            raise Refusal(400, "Header lines must not be folded." if folded else "Malformed header line.")
        name, value = match.group(1).lower(), match.group(2)
        if b"_" in name:
            continue  # WSGI cannot tell X_Forwarded_For from X-Forwarded-For, so it must not get both.
        if name not in fields:
            fields[name] = value
        elif name in _ONCE:
            raise Refusal(400, f"The header {name.decode()} was sent more than once.")
        else:
            fields[name] += b", " + value
    return fields


def _origin_form(method: bytes, target: bytes, fields: dict[bytes, bytes]) -> bytes:
    """The target as path and query; an absolute one's authority becomes the Host (RFC 9112 3.2.2)."""
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute:
        fields[b"host"] = absolute.group(1)
        rest = absolute.group(2) or b"/"
        target = rest if rest.startswith(b"/") else b"/" + rest
    if b"#" in target:
        raise Refusal(400, "The request target must not hold a #fragment.")
    if not target.startswith(b"/") and (method, target) != (b"OPTIONS", b"*"):
        raise Refusal(400, "The request target must be a path that starts with a slash.")
    return target


def _framing(version: bytes, fields: dict[bytes, bytes]) -> tuple[int, bool]:
    """The body's length, and whether it comes in chunks instead."""
    sent = fields.get(b"content-length")
    coding = fields.get(b"transfer-encoding")
    if coding is None:
        if sent is None:
            return 0, False
        if not sent.isdigit():
            raise Refusal(400, "Content-Length must be one whole number.")
        if len(sent) > 15:
            raise Refusal(413, "The body announced by Content-Length is too large.")
        return int(sent), False
    if sent is not None:
        raise Refusal(400, "A request must not have both Content-Length and Transfer-Encoding.")
    if version == b"HTTP/1.0":
        raise Refusal(400, "HTTP/1.0 has no Transfer-Encoding.")
    codings = [each.strip().lower() for each in coding.split(b",")]
    if codings[-1] != b"chunked" or codings.count(b"chunked") > 1:
        raise Refusal(400, "Transfer-Encoding must end with chunked, said once.")
    if len(codings) > 1:
        raise Refusal(400, "The only Transfer-Encoding taken is chunked; "
                           "a gzipped body is announced by Content-Encoding.")
    return 0, True


def _persistent(version: bytes, fields: dict[bytes, bytes]) -> bool:
    words = {word.strip().lower() for word in fields.get(b"connection", b"").split(b",")}
    if b"close" in words:
        return False
    return version == b"HTTP/1.1" or b"keep-alive" in words
