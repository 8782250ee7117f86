"""A CloudStack cloud whose lists cost nothing to make: the simulator's answers, kept, sent after a set delay.

`python -m bench.cloud --machines 1000 --delay 0.05` prints one line of JSON: url, key, secret. GET /counts answers the
commands that came since it was last asked.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import requests

from gcelib.simulator import Simulator

UNTOLD = frozenset({"signature", "signatureVersion", "expires", "apiKey", "response"})
"""Parameters on which an answer does not depend."""


@dataclass
class Front:
    """What stands before the simulator at `url`: `delay` seconds before each answer, kept lists, counted commands."""

    url: str
    delay: float
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: dict[tuple[tuple[str, str], ...], tuple[int, bytes]] = field(default_factory=dict)

    def taken(self) -> dict[str, int]:
        """The commands so far, counted from nothing again."""
        with self.lock:
            taken, self.counts = dict(self.counts), Counter()
        return taken

    def answer(self, query: str, session: requests.Session) -> tuple[int, bytes]:
        """The simulator's answer; of a list that has not changed since, its earlier one."""
        pairs = parse_qsl(query, keep_blank_values=True)
        command = dict(pairs)["command"]
        key = tuple(sorted(pair for pair in pairs if pair[0] not in UNTOLD))
        with self.lock:
            self.counts[command] += 1
            found = self.kept.get(key)
        if found is None:
            answer = session.get(f"{self.url}?{query}", timeout=120)
            found = answer.status_code, answer.content
            self._keep(command, key, found)
        time.sleep(self.delay)
        return found

    def _keep(self, command: str, key: tuple[tuple[str, str], ...], found: tuple[int, bytes]) -> None:
        with self.lock:
            if command.startswith("list"):
                self.kept[key] = found
            else:
                # Anything may be another after a change, and while a job is at work.
                self.kept.clear()


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    front: Front

    def setup(self) -> None:
        super().setup()
        self.session = requests.Session()
        self.session.trust_env = False

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/counts":
            self._send(200, json.dumps(self.front.taken()).encode())
        else:
            self._send(*self.front.answer(parts.query, self.session))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._send(*self.front.answer("&".join(filter(None, (urlsplit(self.path).query, body))), self.session))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--job", type=float, default=0.0, help="seconds that a job takes")
    given = parser.parse_args()
    with Simulator(job_delay=given.job, preload=given.machines) as cloud:
        account = cloud.accounts["demo"]
        front = type("FrontHandler", (Handler,), {"front": Front(cloud.url, given.delay)})
        server = ThreadingHTTPServer(("127.0.0.1", 0), front)
        server.daemon_threads = True
        server.socket.listen(128)
        url = f"http://127.0.0.1:{server.server_port}/client/api"
        print(json.dumps({"url": url, "key": account.api_key, "secret": account.secret_key}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
