"""Batches as the clients write them and read their answers."""

from __future__ import annotations

import dataclasses
import email
import json
import threading
import time
import tracemalloc
from contextvars import ContextVar
from typing import Any

import httplib2  # type: ignore[import-untyped]
import pytest
from googleapiclient.http import BatchHttpRequest, HttpRequest

from gcelib.errors import Fault, Invalid, Malformed
from gcelib.server import batch
from gcelib.web import Request, Response

OUTER = Request(
    "POST",
    "/batch/compute/v1",
    headers={"authorization": "Bearer outer", "user-agent": "u", "content-type": "x"},
    base_url="https://cloud.example",
    remote="192.0.2.1",
    id="r",
)
KIND = 'multipart/mixed; boundary="==b=="'
PART = "Content-Type: application/http\nMIME-Version: 1.0\nContent-Transfer-Encoding: binary\nContent-ID: <id+{n}>\n\n"


def body(*requests: str, end: str = "\n") -> bytes:
    parts = [f"--==b==\n{PART.format(n=n)}{request}\n" for n, request in enumerate(requests)]
    return ("".join(parts) + "--==b==--").replace("\n", end).encode()


def only(raw: bytes) -> Request:
    [(_, part)] = batch.split(KIND, raw, OUTER)
    assert isinstance(part, Request)
    return part


def fault(request: str) -> Fault:
    [(content_id, part)] = batch.split(KIND, body(request), OUTER)
    assert content_id == "id+0"
    assert isinstance(part, Fault)
    return part


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_parts_become_requests_in_order(end: str) -> None:
    get = "GET /compute/v1/projects/p/zones?alt=json&filter=name+eq+a HTTP/1.1\nAccept: application/json\n"
    post = 'POST /compute/v1/projects/p/x HTTP/1.1\nContent-Type: application/json\n\n{"a":\n1}'
    (first_id, first), (second_id, second) = batch.split(KIND, body(get, post, end=end), OUTER)
    assert (first_id, second_id) == ("id+0", "id+1")
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.method, first.path, first.query) == (
        "GET",
        "/compute/v1/projects/p/zones",
        "alt=json&filter=name+eq+a",
    )
    assert first.body == b""
    assert second.header("Content-Type") == "application/json"
    assert json.loads(second.body) == {"a": 1}


def test_parts_are_the_outer_callers() -> None:
    part = only(body("GET /compute/v1/projects/p HTTP/1.1\n"))
    assert part.header("authorization") == "Bearer outer"
    assert part.header("content-type") == ""
    assert (part.base_url, part.remote, part.id) == ("https://cloud.example", "192.0.2.1", "r-1")


def test_a_part_may_bring_its_own_authorization() -> None:
    part = only(body("GET /compute/v1/projects/p HTTP/1.1\nAuthorization: Bearer inner\n"))
    assert part.header("authorization") == "Bearer inner"


def test_parts_are_as_fresh_as_the_batch_unless_they_say_otherwise() -> None:
    asked = "GET /compute/v1/projects/p HTTP/1.1\n"
    outer = dataclasses.replace(OUTER, headers={**OUTER.headers, "cache-control": "no-cache"})
    parts = [part for _, part in batch.split(KIND, body(asked, asked + "Cache-Control: max-age=9\n"), outer)]
    assert [part.header("cache-control") for part in parts if isinstance(part, Request)] == ["no-cache", "max-age=9"]


def test_a_part_is_of_the_method_that_it_says_it_is() -> None:
    path, form = "/compute/v1/projects/p/zones", "Content-Type: application/x-www-form-urlencoded\n"
    long = only(body(f"POST {path}?alt=json HTTP/1.1\nX-HTTP-Method-Override: GET\n{form}\nfilter=name+eq+a"))
    assert (long.method, long.query, long.body) == ("GET", "alt=json&filter=name+eq+a", b"")
    patch = only(body(f"POST {path}/z HTTP/1.1\nX-HTTP-Method-Override: PATCH\n\n{{}}"))
    assert (patch.method, patch.body) == ("PATCH", b"{}")


def test_what_no_url_may_hold_is_encoded_in_a_part_as_it_is_in_a_request() -> None:
    part = only(body("GET /compute/v1/projects/p/zones/\x1b[2J\x00\x9b\u00e9?filter=name=\u00e9 HTTP/1.1"))
    assert part.path == "/compute/v1/projects/p/zones/%1B[2J%00%C2%9B%C3%A9"
    assert part.query == "filter=name=%C3%A9"


def test_the_host_of_an_inner_address_is_of_no_concern() -> None:
    part = only(body("GET https://www.googleapis.com/compute/v1/projects/p?alt=json HTTP/1.1\n"))
    assert (part.path, part.query) == ("/compute/v1/projects/p", "alt=json")


@pytest.mark.parametrize(
    "request_text",
    [
        "nonsense",
        "GET /compute/v1/x HTTP/3",
        "GET /compute/v1/x HTTP/1.1\nno header\n",
        "",
        "get /compute/v1/x HTTP/1.1",
    ],
)
def test_a_part_that_is_no_request_fails_alone(request_text: str) -> None:
    assert isinstance(fault(request_text), Malformed)


@pytest.mark.parametrize("path", ["/batch", "/batch/compute/v1", "/oauth2/token"])
def test_a_batch_holds_api_requests_only(path: str) -> None:
    assert type(fault(f"POST {path} HTTP/1.1\n")) is Invalid


def test_a_batch_without_parts_or_with_too_many_is_refused() -> None:
    one = "GET /compute/v1/projects/p HTTP/1.1\n"
    assert len(batch.split(KIND, body(*[one] * 1000), OUTER)) == 1000
    for count in (0, 1001):
        with pytest.raises(Invalid):
            batch.split(KIND, body(*[one] * count), OUTER)


@pytest.mark.parametrize("kind", ["application/json", "multipart/mixed", "multipart/related; boundary=b", ""])
def test_what_is_no_multipart_is_malformed(kind: str) -> None:
    with pytest.raises(Malformed):
        batch.split(kind, body("GET /compute/v1/x HTTP/1.1\n"), OUTER)


def test_a_batch_cut_off_is_refused_whole() -> None:
    raw = body("POST /compute/v1/projects/p/x HTTP/1.1\n\n{}")
    with pytest.raises(Malformed, match="cut off"):
        batch.split(KIND, raw[:-2], OUTER)


def test_the_answer_holds_every_part_under_its_id() -> None:
    answer = batch.join([("id+1", Response(404, {"X-A": "b"}, b'{"error":1}')), ("", Response(204))])
    assert answer.status == 200
    message = email.message_from_bytes(
        b"Content-Type: " + answer.headers["Content-Type"].encode() + b"\r\n\r\n" + answer.body
    )
    parts: Any = message.get_payload()
    first, second = parts
    assert first["Content-ID"] == "<response-id+1>"
    assert first.get_payload().splitlines() == [
        "HTTP/1.1 404 Not Found",
        "X-A: b",
        "Content-Length: 11",
        "",
        '{"error":1}',
    ]
    assert second["Content-ID"] is None
    assert second.get_payload().startswith("HTTP/1.1 204 No Content")


class Loop:
    """Answers a batch as a server would, in place of the network."""

    def request(self, uri: str, method: str, body: str, headers: dict[str, str]) -> tuple[object, bytes]:
        parts = batch.split(headers["content-type"], body.encode(), OUTER)
        seen = [(id, part.path.encode() if isinstance(part, Request) else b"") for id, part in parts]
        kind = {"Content-Type": "application/json"}
        answer = batch.join([(id, Response(200, kind, b'{"path":"%s"}' % path)) for id, path in reversed(seen)])
        return httplib2.Response({"status": "200", "content-type": answer.headers["Content-Type"]}), answer.body


def test_googles_library_understands_us_and_we_it() -> None:
    found: dict[str, str] = {}
    calls = BatchHttpRequest(lambda id, answer, error: found.update({id: answer}), "https://h/batch/compute/v1")
    for name in "ab":
        uri = f"https://h/compute/v1/projects/{name}?alt=json"
        calls.add(HttpRequest(None, lambda _, content: json.loads(content)["path"], uri), request_id=name)
    calls.execute(http=Loop())
    assert found == {"a": "/compute/v1/projects/a", "b": "/compute/v1/projects/b"}


@pytest.mark.parametrize("line", ["GET http://[ HTTP/1.1", "GET //[/compute/v1/ HTTP/1.1",
    "GET http://[::1/x HTTP/1.1"])
def test_a_part_for_no_url_is_refused_alone(line: str) -> None:
    assert isinstance(fault(line + "\n"), Malformed)


def test_a_body_full_of_delimiters_takes_no_memory() -> None:
    flood = b"\n--==b==" * 1_000_000 + b"\n--==b==--"
    tracemalloc.start()
    try:
        with pytest.raises(Invalid):
            batch.split(KIND, flood, OUTER)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_part_of_headers_without_end_is_refused() -> None:
    assert isinstance(fault("GET /compute/v1/projects/p HTTP/1.1\n" + "A: b\n" * 20_000 + "\n"), Malformed)


def parts(*verbs: str) -> list[batch.Part]:
    return [(str(number), Request(verb, f"/{number}")) for number, verb in enumerate(verbs)]


def numbered(part: Request | Fault) -> Response:
    assert isinstance(part, Request)
    return Response(200, {}, part.path.encode())


def test_reads_are_answered_side_by_side_and_in_order() -> None:
    together = threading.Barrier(batch.SIDE)

    def answer(part: Request | Fault) -> Response:
        together.wait(30)
        return numbered(part)

    answers = batch.in_turn(parts(*["GET"] * batch.SIDE * 3), answer)
    assert [(id, response.body) for id, response in answers] == [(str(n), f"/{n}".encode()) for n in range(12)]


def test_no_more_are_answered_at_once_than_may_be() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def answer(part: Request | Fault) -> Response:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.001)
        with lock:
            now -= 1
        return numbered(part)

    batch.in_turn(parts(*["GET"] * 50), answer)
    assert most <= batch.SIDE


def test_a_change_waits_for_what_comes_before_it_and_is_waited_for() -> None:
    begun: list[str] = []
    ended: list[str] = []

    def answer(part: Request | Fault) -> Response:
        assert isinstance(part, Request)
        begun.append(part.path)
        if part.method == "POST":
            assert len(ended) == int(part.path[1:])
        else:
            assert {f"/{n}" for n in (2, 3) if n < int(part.path[1:])} <= set(ended)
        ended.append(part.path)
        return numbered(part)

    answers = batch.in_turn(parts("GET", "GET", "POST", "POST", "GET", "HEAD"), answer)
    assert [response.body for _, response in answers] == [f"/{n}".encode() for n in range(6)]
    assert begun.index("/2") == 2
    assert begun.index("/3") == 3


def test_what_a_part_notes_stays_its_own_and_what_it_raises_is_raised() -> None:
    word: ContextVar[str] = ContextVar("word", default="")
    word.set("outer")

    def answer(part: Request | Fault) -> Response:
        assert isinstance(part, Request)
        assert word.get() in ("outer", "inner")
        if threading.current_thread() is not here:
            word.set("inner")
        if part.path == "/3":
            raise RuntimeError("as ordered")
        return numbered(part)

    here = threading.current_thread()
    with pytest.raises(RuntimeError, match="as ordered"):
        batch.in_turn(parts(*["GET"] * 4), answer)
    assert word.get() == "outer"
