"""The untold cloud itself: machines, disks, copies of disks and keys, kept in memory and served as JSON.

    python cloud.py PORT

Things take a moment to become what was asked for, as on any cloud.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MOMENT = 0.15
PASSWORD = "untold-token"
KINDS = ("servers", "disks", "copies", "keys")


class Cloud:
    """What there is, by kind and id; each thing has the time at which it is what it says."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.numbers = itertools.count(100)
        self.things: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Every thing of a kind, as it is now."""
        with self.lock:
            return [self._now(row) for row in self.things[kind].values()]

    def make(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """A new thing, under way."""
        with self.lock:
            id = f"{kind[0]}{next(self.numbers)}"
            row = {**body, "id": id, "state": "creating", "then": "on" if kind == "servers" else "ready"}
            if kind == "servers":
                row |= {"private": [f"10.9.0.{len(self.things[kind]) + 2}"], "born": time.time(),
                        "console": f"Linux\r\n{body['name']} login: "}
            self.things[kind][id] = {**row, "at": time.monotonic() + MOMENT}
            return self._now(self.things[kind][id])

    def change(self, kind: str, id: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """A thing with some of its fields changed; None when it is not there."""
        with self.lock:
            row = self.things[kind].get(id)
            if row is None:
                return None
            row.update(body)
            if "then" in body:
                row["at"] = time.monotonic() + MOMENT
            return self._now(row)

    def drop(self, kind: str, id: str) -> bool:
        """Whether it was there, and is gone."""
        with self.lock:
            for disk in self.things["disks"].values() if kind == "servers" else ():
                if disk.get("server") == id:
                    disk["server"] = None
            return self.things[kind].pop(id, None) is not None

    def _now(self, row: dict[str, Any]) -> dict[str, Any]:
        if row.get("then") and time.monotonic() >= row["at"]:
            row["state"] = row.pop("then")
        return {key: value for key, value in row.items() if key not in ("then", "at")}


class Handler(BaseHTTPRequestHandler):
    """`/KIND`, `/KIND/ID`; whoever does not send the token is refused."""

    cloud: Cloud
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if self.headers.get("x-token") != PASSWORD:
            self._say(401, {"error": "wrong token"})
            return
        kind, _, id = self.path.partition("?")[0].strip("/").partition("/")
        if kind not in KINDS:
            self._say(404, {"error": f"no {kind}"})
        elif self.command == "GET":
            self._say(200, self.cloud.rows(kind))
        elif self.command == "POST" and not id:
            self._say(200, self.cloud.make(kind, body))
        elif self.command == "POST":
            changed = self.cloud.change(kind, id, body)
            self._say(200 if changed else 404, changed or {"error": f"no {id}"})
        else:
            there = self.cloud.drop(kind, id)
            self._say(200 if there else 404, {} if there else {"error": f"no {id}"})

    do_GET = do_POST = do_DELETE = _serve

    def _say(self, status: int, data: Any) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def main() -> None:
    """Serve until ended."""
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), type("Here", (Handler,), {"cloud": Cloud()}))
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
