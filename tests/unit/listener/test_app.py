"""From the wire to `web.Request` and back: paths as sent, links as the client knows us, never HTML of Bottle's."""

from __future__ import annotations

import gzip
import json
import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest

from gcelib.errors import NotFound, Unavailable
from gcelib.server import logs
from gcelib.web import Request, Response


def zipped(plain: bytes) -> bytes:
    """Gzipped to the same bytes at any time: they are in names of tests."""
    return gzip.compress(plain, mtime=0)


Start = Callable[..., Any]


def envelope(body: bytes) -> dict[str, Any]:
    error: dict[str, Any] = json.loads(body)["error"]
    assert error["errors"][0]["reason"]
    return error


@pytest.mark.parametrize("path", ["/a%2Fb", "//a//b", "/%00", "/a%0Ab", "/%ff", "/p/me@example.com/z", "/a%20b;c=d,e"])
def test_the_path_stays_percent_encoded(site: Start, path: str) -> None:
    here = site()
    assert here.ask(path)[0].status == 200
    assert here.seen[0].path == path


def test_raw_bytes_in_the_path_are_percent_encoded(site: Start) -> None:
    here = site()
    with socket.create_connection((here.listener.host, here.listener.port), timeout=10) as raw:
        raw.sendall(b"GET /caf\xc3\xa9?q=\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 200 ")
    assert (here.seen[0].path, here.seen[0].query) == ("/caf%C3%A9", "q=%FF")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW", "PROPFIND"])
def test_every_method_reaches_the_api(site: Start, method: str) -> None:
    here = site()
    assert here.ask("/compute/v1/x", method)[1] == b"api"
    assert here.seen[0].method == method


def test_head_is_get_without_a_body(site: Start) -> None:
    here = site()
    answer, body = here.ask("/x", "HEAD")
    assert (answer.status, body, answer.headers["Content-Length"]) == (200, b"", "3")
    assert here.seen[0].method == "GET"


def test_options_says_what_there_is(site: Start) -> None:
    answer, body = site().ask("/compute/v1/x", "OPTIONS")
    assert (answer.status, body) == (204, b"")
    assert "POST" in answer.headers["Allow"]


def test_a_get_of_the_root_is_the_home_page_and_nothing_else_is(site: Start) -> None:
    here = site()
    answer, body = here.ask("/")
    assert (answer.headers["Content-Type"], body) == ("text/html", b"home")
    assert here.ask("/", "POST")[1] == b"api"
    assert here.ask("//")[1] == b"api"


def test_the_gate_comes_before_the_api(site: Start) -> None:
    def gate(request: Request) -> Response | None:
        return Response(200, {}, b"gate") if request.path.startswith("/oauth2/") else None

    here = site(gate=gate)
    assert here.ask("/oauth2/token", "POST")[1] == b"gate"
    assert here.ask("/compute")[1] == b"api"


def test_an_exception_is_an_envelope_with_the_request_id_and_a_line_in_the_log(
    site: Start, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: Request) -> Response:
        raise ZeroDivisionError("the secret reason")

    answer, body = site(api=broken).ask("/x", headers={"X-Request-Id": "mine-1"})
    assert answer.status == 500
    assert "mine-1" in envelope(body)["message"]
    assert b"secret reason" not in body
    assert "the secret reason" in caplog.text


def test_a_fault_that_nobody_rendered_is_an_envelope(site: Start) -> None:
    def failing(request: Request) -> Response:
        raise NotFound("There is no such thing.") if request.path == "/a" else Unavailable("Later.", retry_after=7)

    here = site(api=failing)
    answer, body = here.ask("/a")
    assert (answer.status, envelope(body)["errors"][0]["reason"]) == (404, "notFound")
    answer, body = here.ask("/b")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "7")


def test_an_answer_that_cannot_be_sent_is_an_envelope(site: Start) -> None:
    here = site(api=lambda request: Response(200, {"X-Evil": "a\r\nSet-Cookie: b"}, b""))
    answer, body = here.ask()
    assert answer.status == 500
    assert "Set-Cookie" not in answer.headers
    assert envelope(body)["code"] == 500


def test_every_answer_has_a_length_a_type_and_a_request_id(site: Start) -> None:
    here = site(api=lambda request: Response(200, {}, b"{}"))
    answer, _ = here.ask()
    assert answer.headers["Content-Length"] == "2"
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert answer.headers["X-Request-Id"] == here.seen[0].id
    assert len(here.seen[0].id) == 16


@pytest.mark.parametrize(("sent", "kept"), [("abc-123", True), ("a" * 65, False), ("<script>", False), ("", False)])
def test_a_sane_request_id_of_the_client_is_kept(site: Start, sent: str, kept: bool) -> None:
    answer, _ = site().ask(headers={"X-Request-Id": sent})
    assert (answer.headers["X-Request-Id"] == sent) is kept


def test_no_content_has_no_body_and_no_length(site: Start) -> None:
    answer, body = site(api=lambda request: Response(204)).ask("/x", "DELETE")
    assert (answer.status, body, answer.headers.get("Content-Length")) == (204, b"", None)


@pytest.mark.parametrize(("host", "base"), [
    ("cloud.example", "http://cloud.example"),
    ("Cloud.Example:8080", "http://Cloud.Example:8080"),
    ("[::1]:5000", "http://[::1]:5000"),
    ("evil/path", None),
    ("user@evil", None),
    ("a b", None),
    ("", None),
])
def test_links_begin_with_the_host_that_the_client_used(site: Start, host: str, base: str | None) -> None:
    here = site()
    here.ask(headers={"Host": host})
    assert here.seen[0].base_url == (base or here.listener.url)


def test_the_external_url_beats_the_host(site: Start) -> None:
    here = site(external_url="https://cloud.example/")
    here.ask(headers={"Host": "other", "X-Forwarded-Host": "another"})
    assert here.seen[0].base_url == "https://cloud.example"


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cloud.example", "X-Forwarded-For": "6.6.6.6, 9.9.9.9"}


def test_forwarded_headers_of_a_stranger_count_for_nothing(site: Start) -> None:
    here = site(trusted_proxies=("10.0.0.0/8",))
    here.ask(headers=FORWARDED)
    assert here.seen[0].base_url == here.listener.url
    assert here.seen[0].remote == "127.0.0.1"


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "6.6.6.6, {}:4711"}, {"Forwarded": 'for="{}:4711"'}, {"X-Forwarded-For": "{}, 127.0.0.1:80"}],
)
@pytest.mark.parametrize(("written", "meant"), [("9.9.9.9", "9.9.9.9"), ("[2001:db8::9]", "2001:db8::9")])
def test_the_port_that_some_proxies_write_along_is_no_part_of_the_address(
    site: Start, headers: dict[str, str], written: str, meant: str
) -> None:
    here = site(trusted_proxies=("127.0.0.1",))
    here.ask(headers={name: value.format(written) for name, value in headers.items()})
    assert here.seen[-1].remote == meant


def test_forwarded_headers_of_a_trusted_proxy_are_believed(site: Start) -> None:
    here = site(trusted_proxies=("127.0.0.1",))
    here.ask(headers=FORWARDED)
    assert here.seen[0].base_url == "https://cloud.example"
    assert here.seen[0].remote == "9.9.9.9"
    here.ask(headers={"Forwarded": 'for=1.2.3.4;proto=https;host="b.example"'})
    assert (here.seen[1].base_url, here.seen[1].remote) == ("https://b.example", "1.2.3.4")
    here.ask(headers={"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "a/b"})
    assert here.seen[2].base_url == here.listener.url


def test_a_form_sent_as_get_becomes_the_query(site: Start) -> None:
    here = site()
    form = {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
    here.ask("/x?a=1", "POST", b"filter=name+eq+vm&maxResults=2", form)
    assert (here.seen[0].method, here.seen[0].body) == ("GET", b"")
    assert here.seen[0].params() == [("a", "1"), ("filter", "name eq vm"), ("maxResults", "2")]


def test_only_a_post_can_be_overridden(site: Start) -> None:
    here = site()
    here.ask("/x", "GET", headers={"X-HTTP-Method-Override": "DELETE"})
    here.ask("/x", "POST", b"{}", {"X-HTTP-Method-Override": "PATCH"})
    here.ask("/x", "POST", b"{}", {"X-HTTP-Method-Override": "NONSENSE"})
    assert [request.method for request in here.seen] == ["GET", "PATCH", "POST"]


def test_a_gzipped_body_arrives_plain(site: Start) -> None:
    here = site()
    here.ask("/x", "POST", zipped(b'{"name": "vm"}'), {"Content-Encoding": "gzip"})
    assert here.seen[0].body == b'{"name": "vm"}'
    assert here.seen[0].header("content-encoding") == ""


def test_a_body_that_explodes_is_413(site: Start) -> None:
    bomb = zipped(b"\0" * 17_000_000)
    answer, body = site().ask("/x", "POST", bomb, {"Content-Encoding": "gzip"})
    assert (answer.status, envelope(body)["errors"][0]["reason"]) == (413, "uploadTooLarge")


@pytest.mark.parametrize(("sent", "coding"), [
    (b"not gzip", "gzip"), (zipped(b"cut short")[:-4], "gzip"), (zipped(b"a") + b"more", "gzip"),
    (b"x", "br"),
])
def test_a_body_that_is_not_what_it_says_is_400(site: Start, sent: bytes, coding: str) -> None:
    answer, body = site().ask("/x", "POST", sent, {"Content-Encoding": coding})
    assert (answer.status, envelope(body)["errors"][0]["reason"]) == (400, "parseError")


def test_lines_of_a_request_carry_its_id(site: Start, caplog: pytest.LogCaptureFixture) -> None:
    ids: list[str] = []

    def api(request: Request) -> Response:
        ids.append(logs.request_id())
        return Response(200)

    here = site(api=api, gate=lambda request: Response(200) if request.path == "/gate" else None)
    with caplog.at_level(logging.INFO):
        here.ask("/x", headers={"X-Request-Id": "id-1"})
        here.ask("/gate?code=secret", headers={"X-Request-Id": "id-2"})
    assert ids == ["id-1"]
    assert logs.request_id() == ""
    lines = [record.getMessage() for record in caplog.records if record.name == "gcelib.access"]
    assert len(lines) == 1
    assert "path=/gate " in lines[0]
    assert "secret" not in lines[0]


def test_a_header_of_several_lines_is_sent_by_neither_way(site: Start) -> None:
    def fail(request: Request) -> Response:
        return Response(200, {"X-Told": "one\r\nSet-Cookie: two"}, b"body")

    here = site(api=fail)
    for path in ("/compute/v1/x", "/x"):
        answer, body = here.ask(path)
        assert answer.status == 500
        assert answer.headers["Set-Cookie"] is None
        assert envelope(body)["code"] == 500


def test_the_api_answers_head_and_changes_without_a_body_as_everything_else_does(site: Start) -> None:
    given = {"DELETE": Response(204), "GET": Response(200, {"ETag": "x"}, b"yes")}
    here = site(api=lambda request: given[request.method])
    for path in ("/compute/v1/x", "/x"):
        answer, body = here.ask(path, "HEAD")
        assert (answer.status, body, answer.headers["Content-Length"]) == (200, b"", "3")
        assert answer.headers["Etag"] == "x"
        answer, body = here.ask(path, "DELETE")
        assert (answer.status, body) == (204, b"")
        assert answer.headers["X-Request-Id"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
