"""A proxy between gcelib and any cloud over HTTP that changes answers on their way, and lies for it to tell."""

from __future__ import annotations

import json
import random
import threading
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.faults.lying import MISSING

Answer = tuple[int, dict[str, str], bytes]
Lie = Callable[[str, Answer], Answer]
"""(what was asked for, the true answer) to what is told."""
KEPT = ("content-type", "x-subject-token", "x-openstack-request-id")
"""The header fields of an answer that are passed on."""


def truth(asked: str, answer: Answer) -> Answer:
    """No lie at all."""
    return answer


def asked_of(method: str, path: str, body: bytes) -> str:
    """What a request asks for: EC2's action, else method and path."""
    action = parse_qs(body.decode("utf-8", "replace")).get("Action")
    return action[0] if action else f"{method} {path.partition('?')[0]}"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *words: Any) -> None:
        """Follow nothing."""


class Between:
    """Passes every call on to `endpoint`, and its answer through `lie`; where the endpoint names itself, it is this.

    `asked` are the calls so far, `seen` the last true answer to each.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.lie: Lie = truth
        self.asked: list[str] = []
        self.seen: dict[str, Answer] = {}
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                between._pass_on(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve

            def log_message(self, *words: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _pass_on(self, client: BaseHTTPRequestHandler) -> None:
        body = client.rfile.read(int(client.headers.get("Content-Length") or 0))
        asked = asked_of(client.command, client.path, body)
        self.asked.append(asked)
        true = self.seen[asked] = self._true(client, body)
        status, headers, told = self.lie(asked, true)
        client.send_response_only(status)
        for name, value in {"Date": client.date_time_string(), "Content-Length": str(len(told)), "Connection": "close",
                            **headers}.items():
            client.send_header(name, value)
        client.end_headers()
        client.wfile.write(told)
        # A lie about the length would leave the other side waiting for more.
        client.close_connection = True

    def _true(self, client: BaseHTTPRequestHandler, body: bytes) -> Answer:
        headers = {name: value for name, value in client.headers.items()
                   if name.lower() not in ("host", "connection", "accept-encoding")}
        request = urllib.request.Request(self.endpoint + client.path, body or None, headers, method=client.command)
        try:
            with self._opener.open(request, timeout=30) as answer:
                found = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            found = error.code, error.headers, error.read()
        kept = {name: value for name, value in found[1].items() if name.lower() in KEPT}
        return found[0], kept, found[2].replace(self.endpoint.encode(), self.url.encode())


def in_rows(body: bytes, key: str, place: int, field: str, value: Any) -> bytes:
    """A lie about one field of one row of a JSON list; MISSING takes it away."""
    answer = json.loads(body)
    row = answer[key][place]
    if value is MISSING:
        row.pop(field, None)
    else:
        row[field] = value
    return json.dumps(answer).encode()


WORDS = ("", "x" * 300, "Ünknown \u202e", "-1", "0", "9" * 5000, "1.5", "NaN", "²", "true", "2999-01-01T00:00:00+14:00",
         "0001-01-01T00:00:00-12:00", "999.999.1.1", "../..")
"""What stands in a field of an XML answer in place of what belongs there."""


def anywhere_in_xml(body: bytes, chance: random.Random) -> bytes:
    """A lie at one place of an XML answer, however deep."""
    root = ElementTree.fromstring(body)
    owners = [each for each in root.iter() if len(each)]
    if not owners:
        return body
    owner = chance.choice(owners)
    part = chance.choice(list(owner))
    if chance.random() < 0.25:
        owner.remove(part)
    elif chance.random() < 0.25:
        owner.append(part)
    elif chance.random() < 0.25:
        ElementTree.SubElement(part, chance.choice(("item", "other"))).text = "x"
    else:
        for inner in list(part):
            part.remove(inner)
        part.text = chance.choice(WORDS)
    return ElementTree.tostring(root)


NO_ANSWERS: dict[str, Answer] = {
    "page": (200, {"Content-Type": "text/html"}, b"<html><head><title>Hi</title></head><body><p>Hi</p></body></html>"),
    "empty": (200, {"Content-Type": "application/json"}, b""),
    "json": (200, {"Content-Type": "application/json"}, b"[[]]"),
    "cut": (200, {"Content-Type": "application/json"}, b'{"servers": [{"id": "1"'),
    "deep": (200, {"Content-Type": "application/json"}, b"[" * 100_000),
    "xml": (200, {"Content-Type": "text/xml"}, b"<DescribeInstancesResponse><reservationSet><item>"),
    "deep xml": (200, {"Content-Type": "text/xml"}, b"<a>" * 50_000 + b"</a>" * 50_000),
    "other": (200, {"Content-Type": "text/xml"}, b"<OtherResponse><x/></OtherResponse>"),
    "binary": (200, {"Content-Type": "application/json"}, b"\xff\xfe\x00"),
    "untold": (200, {}, b"nothing that says what it is"),
    "elsewhere": (302, {"Location": "http://127.0.0.1:1/"}, b""),
    "nothing": (204, {}, b""),
    "teapot": (418, {"Content-Type": "text/html"}, b"<h1>I am a teapot</h1>"),
    "away": (404, {"Content-Type": "text/html"}, b"<h1>no such page</h1>"),
    "broken": (500, {"Content-Type": "text/html"}, b"<h1>broken</h1>"),
    "short": (200, {"Content-Type": "application/json", "Content-Length": "100000"}, b'{"servers": []}'),
    "no gzip": (200, {"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"no gzip at all"),
}
"""What a proxy, a portal or a broken server answers in place of a cloud."""
