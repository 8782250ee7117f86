"""Stands between gcelib and its cloud, and answers with what it was sent when it is told to."""

from __future__ import annotations

import base64
import html
import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

import requests

from gcelib.simulator import Simulator
from tests.live import Live

WAYS = ("errortext", "html", "plain", "type", "reason", "location", "header", "half", "reset", "row", "json")


class Mirror:
    """`way` is how the next calls are answered, "" for the cloud's own answer; `commands` which ones, all if empty."""

    live: Live
    cloud: Simulator

    def __init__(self, behind: str, key: str, secret: str) -> None:
        self.behind, self.key, self.secret = behind, key, secret
        self.way, self.commands = "", ""
        self.seen: list[str] = []
        self.answered: set[str] = set()
        self.handed = 0
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                mirror.answer(self, body)

            do_GET = do_POST = _any

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    @property
    def url(self) -> str:
        """The endpoint for gcelib."""
        return f"http://127.0.0.1:{self.server.server_address[1]}{urlsplit(self.behind).path}"

    def close(self) -> None:
        """Stop answering."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def said(self, handler: BaseHTTPRequestHandler, body: bytes) -> str:
        """All that can be said of a request, and the account's keys in every spelling."""
        spelt = [
            f"apiKey={self.key} secretkey={self.secret}", quote(self.secret, safe=""), json.dumps(self.secret),
            html.escape(self.secret), self.secret.lower(), self.key.lower(),
            base64.b64encode(self.secret.encode()).decode(),
        ]  # fmt: skip
        return " ".join([*spelt, handler.command, handler.path, body.decode()])

    def answer(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        """Pass on, or hand back."""
        sent = urlsplit(handler.path).query or body.decode()
        fields = parse_qs(sent)
        self.seen += [fields[name][0] for name in ("signature",) if name in fields]
        command = fields.get("command", [""])[0]
        if self.way and (not self.commands or command in self.commands):
            self.answered.add(self.way)
            self.handed += 1
            self.hand_back(handler, self.said(handler, body), command)
            return
        passed = requests.request(
            handler.command, f"{self.behind}?{urlsplit(handler.path).query}".rstrip("?"), data=body or None, timeout=30,
            headers={name: value for name, value in handler.headers.items() if name.lower() == "content-type"},
        )
        self.send(handler, passed.status_code, passed.content, {"Content-Type": passed.headers["Content-Type"]})

    def hand_back(self, handler: BaseHTTPRequestHandler, said: str, command: str) -> None:
        """What was sent, in the way asked for."""
        flat = said.replace("\r", " ").replace("\n", " ").encode("ascii", "replace").decode()
        kind = {"Content-Type": "application/json"}
        name = f"{command.lower()}response"
        match self.way:
            case "errortext":
                error = {name: {"errorcode": 431, "cserrorcode": 9999, "errortext": said}}
                self.send(handler, 431, json.dumps(error).encode(), kind)
            case "html":
                self.send(handler, 502, f"<h1>{html.escape(said)}</h1>".encode(), {"Content-Type": "text/html"})
            case "plain":
                self.send(handler, 200, said.encode(), {"Content-Type": "text/plain"})
            case "type":
                self.send(handler, 200, b"?", {"Content-Type": flat[:3000]})
            case "reason":
                self.send(handler, 500, b"", kind, reason=flat[:3000])
            case "location":
                self.send(handler, 302, b"", {"Location": f"http://127.0.0.1:9/{quote(said)}"})
            case "header":
                self.send(handler, 401, b"{}", {**kind, "WWW-Authenticate": flat[:3000], "Retry-After": flat[:3000]})
            case "half":
                handler.wfile.write(f"HTTP/1.1 200 {flat[:500]}\r\nContent-Length: 99999\r\n\r\n{flat}".encode())
                handler.close_connection = True
            case "reset":
                linger = struct.pack("ii", 1, 0)
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                handler.close_connection = True
            case "row":
                # What the cloud calls a thing is shown, whatever it is; all else of a row may be wrong.
                row = {"id": "1", "name": "one", "zoneid": [said], "cpunumber": said, "state": {"a": said}}
                kinds = ("zone", "virtualmachine", "template", "serviceoffering", "network", "volume")
                rows = {kind: [row] for kind in kinds}
                self.send(handler, 200, json.dumps({name: {"count": said, **rows}}).encode(), kind)
            case "json":
                self.send(handler, 200, json.dumps({said: {said: [said]}}).encode(), kind)

    @staticmethod
    def send(
        handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str], reason: str | None = None
    ) -> None:
        """One answer."""
        handler.send_response(status, reason)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
