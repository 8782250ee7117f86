"""Why a cloud cannot be spoken with, as its address shows: no such name, nobody there, TLS or none, another page."""

from __future__ import annotations

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from gcelib.cli.symptoms.asking import ask

SECONDS = 3.0
PORTS = {"http": 80, "https": 443}


def closer(endpoint: str, answers: bool) -> str:
    """A sentence with the reason and, where it is the address, what to write; "" when nothing is found.

    `answers`: something there has answered before long, and may be asked once more.
    """
    parts = urlsplit(endpoint)
    host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    if not host or not port:
        return ""
    try:
        sock = socket.create_connection((host, port), SECONDS)
    except socket.gaierror:
        return f"There is no name '{host}' in the DNS of this machine."
    except ConnectionRefusedError:
        return f"Nothing listens at port {port} of '{host}'."
    except TimeoutError:
        return f"'{host}' lets no connection to port {port} through: a firewall, or another machine's address."
    except OSError as error:
        return f"There is no way to '{host}': {error.strerror or error}."
    with sock:
        tls = _speaks_tls(sock, host)
    if tls and parts.scheme == "http":
        return f'TLS is spoken there: write endpoint = "https{endpoint.removeprefix("http")}".'
    if tls is False and parts.scheme == "https":
        return f"No TLS is spoken at port {port} of '{host}': name the port where it is, or write http://."
    return _sends_on(endpoint) if tls is False and answers else ""


def _speaks_tls(sock: socket.socket, host: str) -> bool | None:
    """Whether a TLS server is there, whatever its certificate; None where nothing is said. It is told nothing."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        anybody.wrap_socket(sock, server_hostname=host).close()
    except TimeoutError:
        return None
    except ssl.SSLError as error:
        # Who objects to our TLS speaks it.
        return "ALERT" in (error.reason or "")
    except OSError:
        return False
    return True


def _sends_on(endpoint: str) -> str:
    """Where an answer leads to instead."""
    try:
        reply = ask(endpoint)
    except (OSError, http.client.HTTPException):
        return ""
    to = reply.headers.get("Location", "") if 300 <= reply.status < 400 else ""
    return f"Who asks there is sent on to {to[:200]}." if to.isprintable() and to else ""
