"""Batches: one multipart/mixed POST that holds many requests, and the answer that holds theirs."""

from __future__ import annotations

import dataclasses
import re
import secrets
from collections.abc import Callable, Sequence
from http import HTTPStatus
from itertools import groupby, islice
from urllib.parse import urlsplit

from gcelib.drivers.beside import side_by_side
from gcelib.errors import Fault, Invalid, Malformed
from gcelib.server.listening.environ import encoded, overridden
from gcelib.web import Request, Response

MAX_PARTS = 1000
MAX_HEAD = 64 * 1024
"""Bytes of one part's headers, as many as a request's may have."""
SIDE = 4
"""Parts of one batch that are answered at the same time, at most."""
MAX_ANSWER = 64 << 20
"""Bytes that a batch's answers may fill together."""

SHARED = ("authorization", "user-agent", "cache-control")
"""Headers that a part has of the whole batch unless it brings its own."""

_BOUNDARY = re.compile(r""";\s*boundary=(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)")
_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) (\S{1,16384})(?: HTTP/1\.[01])?")

Part = tuple[str, Request | Fault]


def split(content_type: str, body: bytes, outer: Request) -> list[Part]:
    """The requests of a batch with the content id of each ("" for none), in order.

    A part that is no request comes as the `Fault` to answer it with. Parts take the outer request's `SHARED` headers,
    base URL and remote address. Raises `Malformed` for a body that is no multipart/mixed, `Invalid` for none or more
    than 1000 parts.
    """
    found = _BOUNDARY.search(content_type)
    if not content_type.strip().lower().startswith("multipart/mixed") or found is None:
        raise Malformed("A batch must be multipart/mixed with a boundary.", field="Content-Type")
    pieces = _pieces(body, (found[1] or found[2]).encode())
    if not pieces:
        raise Invalid("A batch must hold at least one request.")
    return [_part(piece, outer, number) for number, piece in enumerate(pieces, 1)]


def in_turn(parts: Sequence[Part], answer: Callable[[Request | Fault], Response]) -> list[tuple[str, Response]]:
    """Every part's answer, in the parts' order, each as `answer` gives it.

    Reads that follow each other are answered side by side. What may change something waits for all before it, and
    all after it wait for that.
    """
    found: list[tuple[str, Response]] = []
    for reads, some in groupby(parts, key=lambda part: _reads(part[1])):
        group = list(some)
        if reads and len(group) > 1:
            answers = _side_by_side([part for _, part in group], answer)
            found += zip((id for id, _ in group), answers, strict=True)
        else:
            found += ((id, answer(part)) for id, part in group)
    return found


def _reads(part: Request | Fault) -> bool:
    return isinstance(part, Fault) or part.method in ("GET", "HEAD")


def _side_by_side(parts: Sequence[Request | Fault], answer: Callable[[Request | Fault], Response]) -> list[Response]:
    """The answers of parts that do not mind each other. Raises what `answer` does."""
    answers: dict[int, Response] = {}

    def take(at: int) -> None:
        answers[at] = answer(parts[at])

    side_by_side(take, range(len(parts)), SIDE, "batch")
    return [answers[at] for at in range(len(parts))]


def join(parts: list[tuple[str, Response]]) -> Response:
    """The answer to a batch: each part's response under its content id, with status 200 whatever they are."""
    boundary = f"batch_{secrets.token_hex(16)}"
    lines = []
    for content_id, response in parts:
        lines.append(f"--{boundary}\r\nContent-Type: application/http\r\n".encode())
        if content_id:
            lines.append(f"Content-ID: <response-{content_id}>\r\n".encode())
        lines.append(b"\r\n" + _written(response) + b"\r\n")
    lines.append(f"--{boundary}--\r\n".encode())
    return Response(200, {"Content-Type": f"multipart/mixed; boundary={boundary}"}, b"".join(lines))


def _written(response: Response) -> bytes:
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    head = [f"HTTP/1.1 {response.status} {phrase}"]
    head += [
        f"{name}: {value}" for name, value in response.headers.items() if name.lower() != "content-length"
    ]
    head.append(f"Content-Length: {len(response.body)}")
    return "\r\n".join([*head, "", ""]).encode() + response.body


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the delimiter lines; without the closing one the body was cut off."""
    delimiter = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|$)")
    # A body can be all delimiters: one more than may be is enough to know.
    marks = list(islice(delimiter.finditer(body), MAX_PARTS + 2))
    closing = next((index for index, mark in enumerate(marks) if mark[1]), None)
    if (len(marks) - 1 if closing is None else closing) > MAX_PARTS:
        raise Invalid(f"A batch may hold at most {MAX_PARTS} requests.")
    if closing is None:
        raise Malformed("The batch is cut off: its closing boundary is missing.")
    return [body[marks[i].end() : marks[i + 1].start()] for i in range(closing)]


def _part(piece: bytes, outer: Request, number: int) -> Part:
    content_id = ""
    try:
        headers, content = _message(piece)
        content_id = headers.get("content-id", "").strip().removeprefix("<").removesuffix(">")
        if not headers.get("content-type", "application/http").lower().startswith("application/http"):
            raise Malformed("A part of a batch must be of type application/http.")
        return content_id, _request(content, outer, number)
    except Fault as fault:
        return content_id, fault


def _request(content: bytes, outer: Request, number: int) -> Request:
    line, _, rest = content.lstrip(b"\r\n").partition(b"\n")
    request_line = _REQUEST_LINE.fullmatch(line.decode("latin-1").rstrip("\r "))
    if request_line is None:
        raise Malformed("A part of a batch must begin with a request line: GET /compute/v1/... HTTP/1.1")
    try:
        target = urlsplit(encoded(request_line[2]))
    except ValueError:
        raise Malformed(f"A part of a batch is for '{request_line[2][:100]}', which is no URL.") from None
    if not target.path.startswith("/compute/"):
        raise Invalid("A batch may hold requests below /compute/ only, no other batch among them.")
    headers, content = _message(b"\n" + rest)
    headers = {name: outer.header(name) for name in SHARED if outer.header(name)} | headers
    method, query, content = overridden(request_line[1], target.query, headers, content)
    return dataclasses.replace(
        outer,
        method=method,
        path=target.path,
        query=query,
        headers=headers,
        body=content,
        id=f"{outer.id}-{number}",
    )


def _message(raw: bytes) -> tuple[dict[str, str], bytes]:
    """Headers (lower-case names) and content of what follows a line's end."""
    blank = _BLANK_LINE.search(raw)
    head, content = (raw[: blank.start()], raw[blank.end() :]) if blank else (raw, b"")
    if len(head) > MAX_HEAD:
        raise Malformed(f"The headers of a part may hold at most {MAX_HEAD} bytes.")
    headers = {}
    for line in head.decode("latin-1").replace("\r\n", "\n").split("\n"):
        if not line.strip():
            continue
        header = _HEADER.fullmatch(line)
        if header is None:
            raise Malformed(f"'{line[:100]}' is no header line.")
        headers[header[1].lower()] = header[2].strip()
    return headers, content
