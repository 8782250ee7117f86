"""One plain HTTP request without keys, and what the other side said about itself."""

from __future__ import annotations

import datetime
import http.client
import socket
import ssl
import time
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 10.0
_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """`seconds` is how long it took; `when` the middle of that time, epoch seconds by our clock; `ends` when the
    certificate that was shown ends, None without TLS."""

    status: int
    headers: Message
    body: bytes
    seconds: float
    when: float
    ends: datetime.datetime | None = None


def ask(url: str, ca_file: Path | None = None) -> Reply:
    """GET. Raises OSError (ssl.SSLError for TLS) and http.client.HTTPException."""
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port
    if parts.scheme == "https":
        trusted = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        connection = http.client.HTTPSConnection(host, port, timeout=SECONDS, context=trusted)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)  # type: ignore[assignment]
    begun, when = time.monotonic(), time.time()
    try:
        connection.request("GET", parts.path or "/", headers={"User-Agent": "gcelib doctor", "Connection": "close"})
        ends = _ends(connection.sock)
        answer = connection.getresponse()
        seconds = time.monotonic() - begun
        return Reply(answer.status, answer.headers, answer.read(_MOST), seconds, when + seconds / 2, ends)
    finally:
        connection.close()


def _ends(sock: socket.socket | None) -> datetime.datetime | None:
    """When the certificate of the other side ends."""
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    if not shown or "notAfter" not in shown:
        return None
    return datetime.datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), datetime.UTC)


def words(error: Exception) -> str:
    """A failure of `ask` in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message.rstrip(".")
    if isinstance(error, TimeoutError):
        return f"no answer within {SECONDS:.0f} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
