"""A cloud that lies: a proxy before a simulated one that changes answers on their way."""

from __future__ import annotations

import json
import random
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Lie = Callable[[str, bytes], tuple[int, dict[str, str], bytes]]
"""(command, the true body) to (status, header fields, body)."""

JSON = {"Content-Type": "application/json; charset=UTF-8"}
WRONG: tuple[Any, ...] = (
    None, "", "x" * 300, "Ünknown \x00\u202e", -1, 0, 10**30, 1.5, float("nan"), float("inf"), True, [], {}, [None],
    [[1]], {"a": {"b": 1}}, "2999-01-01T00:00:00+1400", "0001-01-01T00:00:00-1200", "999.999.1.1", "../..",
)
"""What stands in a field in place of what belongs there."""
MISSING = object()


def truth(command: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """No lie at all."""
    return 200, JSON, body


class Liar:
    """Passes every call on, and its answer through `lie`. A refusal of the cloud is passed as it is."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.lie: Lie = truth
        self.seen: dict[str, bytes] = {}
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                liar.pass_on(self, self.path.partition("?")[2].encode())

            def do_POST(self) -> None:
                liar.pass_on(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *words: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/client/api"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def pass_on(self, client: BaseHTTPRequestHandler, query: bytes) -> None:
        """One call."""
        fields = dict(part.split("=", 1) for part in query.decode().split("&"))
        try:
            with urllib.request.urlopen(self.endpoint, query, timeout=30) as answer:
                true = answer.read()
            self.seen[fields["command"]] = true
            status, headers, body = self.lie(fields["command"], true)
        except urllib.error.HTTPError as error:
            status, headers, body = error.code, JSON, error.read()
        client.send_response_only(status)
        for name, value in {"Date": client.date_time_string(), "Content-Length": str(len(body)), **headers}.items():
            client.send_header(name, value)
        client.end_headers()
        client.wfile.write(body)
        client.close_connection = True

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


def rows_of(answer: dict[str, Any]) -> list[Any]:
    """The rows in an answer, with its one list."""
    fields = next(iter(answer.values()))
    return next((value for value in fields.values() if isinstance(value, list)), [])


def in_one_row(row: int, name: str, value: Any) -> Callable[[bytes], bytes]:
    """A lie about one field of one row; MISSING takes it away."""
    def lie(body: bytes) -> bytes:
        answer = json.loads(body)
        rows = rows_of(answer)
        if row < len(rows) and name in rows[row]:
            if value is MISSING:
                del rows[row][name]
            else:
                rows[row][name] = value
        return json.dumps(answer).encode()

    return lie


def anywhere(body: bytes, chance: random.Random) -> bytes:
    """A lie at one place of the answer, however deep."""
    answer = json.loads(body)
    places: list[tuple[Any, Any]] = []

    def walk(part: Any) -> None:
        keys: Any = part.keys() if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
        for key in keys:
            places.append((part, key))
            walk(part[key])

    walk(answer)
    if not places:
        return body
    where, key = chance.choice(places)
    if chance.random() < 0.15:
        del where[key]
    elif isinstance(where, list) and chance.random() < 0.3:
        where.append(where[key])
    else:
        where[key] = chance.choice(WRONG)
    return json.dumps(answer).encode()
