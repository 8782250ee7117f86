"""What a program asks for when it opens the login page, and a site of somebody else's beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

OOB = "urn:ietf:wg:oauth:2.0:oob"
CLIENT = "32555940559.apps.googleusercontent.com"


@dataclass(frozen=True)
class Ask:
    """Makes authorization requests to the server at `url`."""

    url: str

    def __call__(self, **more: str) -> str:
        """The address to open; `more` replaces and adds parameters."""
        asked = {"client_id": CLIENT, "response_type": "code", "redirect_uri": OOB,
                 "scope": "https://www.googleapis.com/auth/compute", **more}
        return f"{self.url}/oauth2/auth?{urlencode(asked)}"


@dataclass
class Elsewhere:
    """Another site: it answers everything with `page` and notes what was asked for."""

    url: str
    page: str = "arrived"
    paths: list[str] = field(default_factory=list)


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """A site of its own on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.paths.append(self.path)
            body = site.page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Elsewhere(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield site
        server.shutdown()
        thread.join()
