"""A real server's door: which TLS, which certificate, whose word about addresses, and what it refuses to start with."""

from __future__ import annotations

import gzip
import http.client
import json
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from gcelib.config import ServerConfig
from gcelib.server import tls
from gcelib.simulator import Simulator
from tests.conftest import Launch, launched
from tests.live import Live
from tests.security.load.crowds import ZONES, connect, shaken

EXTERNAL = "https://cloud.example:8443"
STRANGERS: list[dict[str, str]] = [
    {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-Proto": "https"},
    {"Forwarded": "host=evil.example;proto=https"}, {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Server": "evil.example", "X-Original-Url": "/evil.example"},
]


@pytest.fixture(scope="module")
def plain(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that trusts no proxy and knows no other address than its own."""
    live = launched(tmp_path_factory.mktemp("door"), simulator)
    yield live
    assert live.stop() == 0


@pytest.fixture(scope="module")
def external(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that was told its address; the token is older than that, or it could not be had here."""
    live = launched(tmp_path_factory.mktemp("door"), simulator)
    live.sign_in()
    live.stop()
    live.server_extra = f'external_url = "{EXTERNAL}"'
    yield live.start()
    assert live.stop() == 0


def ask(live: Live, path: str, verb: str = "GET", **headers: str) -> requests.Response:
    """One request of the service account's."""
    sent = {"Authorization": f"Bearer {live.sign_in()}", **headers}
    return requests.request(verb, live.url + path, headers=sent, timeout=30)


@pytest.mark.parametrize("path", [ZONES, "/discovery/v1/apis/compute/v1/rest",
    "/.well-known/oauth-authorization-server"])
@pytest.mark.parametrize("headers", STRANGERS, ids=str)
def test_a_stranger_changes_no_link_of_a_server_that_knows_its_address(
    external: Live, headers: dict[str, str], path: str
) -> None:
    text = ask(external, path, **headers).text
    assert EXTERNAL in text
    assert "evil.example" not in text


@pytest.mark.parametrize("headers", STRANGERS[1:], ids=str)
def test_forwarded_headers_of_a_stranger_count_for_nothing(plain: Live, headers: dict[str, str]) -> None:
    assert ask(plain, ZONES, **headers).json()["selfLink"] == f"{plain.url}{ZONES}"


@pytest.mark.parametrize("host", [
    "a b", "<script>", "evil.example/path", "user@evil.example", "a" * 300, "[::1", "evil.example:999999", "ev\xefl",
    "..", "-", "%41",
])
def test_a_host_that_is_none_becomes_no_link(plain: Live, host: str) -> None:
    with socket.create_connection(("localhost", plain.port), timeout=20) as wire:
        head = [f"GET {ZONES} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {plain.sign_in()}",
            "Connection: close"]
        wire.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        body = answer.read().decode()
    assert answer.status in (200, 400)
    if answer.status == 200:
        link = json.loads(body)["selfLink"].removesuffix(ZONES)
        assert link in (f"http://127.0.0.1:{plain.port}", f"http://[::1]:{plain.port}")
    assert "<script" not in body


def test_head_is_get_without_its_body(plain: Live) -> None:
    head, get = ask(plain, ZONES, "HEAD"), ask(plain, ZONES)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert ask(plain, f"{ZONES}/nowhere", "HEAD").status_code == 404


@pytest.mark.parametrize("path", [ZONES, "/oauth2/token", "/batch", "/", "/nowhere"])
def test_options_says_what_there_is_and_shows_nothing(plain: Live, path: str) -> None:
    answer = requests.options(plain.url + path, timeout=30)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "GET" in answer.headers["allow"]
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_chunked_and_gzip_bodies_arrive_and_bombs_do_not(plain: Live) -> None:
    def post(body: bytes, chunked: bool) -> requests.Response:
        sent: Any = iter([body[:10], body[10:]]) if chunked else body
        headers = {"Authorization": f"Bearer {plain.sign_in()}", "Content-Encoding": "gzip"}
        return requests.post(f"{plain.url}/compute/v1/projects/demo/global/networks", data=sent, headers=headers,
            timeout=30)

    for chunked in (False, True):
        refused = post(gzip.compress(b'{"name": "Not A Name"}'), chunked)
        assert (refused.status_code, "Not A Name" in refused.text) == (400, True)
        assert post(gzip.compress(b" " * 17_000_000), chunked).status_code == 413
        assert post(gzip.compress(gzip.compress(b" " * 17_000_000)), chunked).status_code == 400


def client_hello(version: int) -> bytes:
    """A ClientHello of a client that speaks no newer TLS than this."""
    ciphers = struct.pack(">HHHHH", 8, 0xC013, 0xC014, 0x002F, 0x0035)
    body = struct.pack(">H", version) + b"r" * 32 + b"\0" + ciphers + b"\1\0"
    return b"\x16\x03\x01" + struct.pack(">H", len(body) + 4) + b"\1\0" + struct.pack(">H", len(body)) + body


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302], ids=["SSL 3", "TLS 1.0", "TLS 1.1"])
def test_old_tls_is_refused_with_an_alert(launch: Launch, version: int) -> None:
    live, _ = launch(tls="auto")
    with ExitStack() as stack:
        wire = connect(live, stack)
        wire.sendall(client_hello(version))
        answer = wire.recv(100)
        assert answer[:1] == b"\x15"
        assert answer[5] == 2
        assert wire.recv(100) == b""
    modern = ssl.create_default_context(cafile=str(live.ca))
    with ExitStack() as stack:
        assert shaken(live, stack, modern).version() in ("TLSv1.2", "TLSv1.3")  # type: ignore[attr-defined]


def test_sighup_brings_a_replaced_certificate_and_ends_no_connection(launch: Launch, tmp_path: Path) -> None:
    mine, folders = tmp_path / "mine.pem", [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        tls.context(ServerConfig(state_dir=folder))
    shutil.copy(folders[0] / "server.pem", mine)
    live, _ = launch(tls="auto", server_extra=f'cert = "{mine}"\nkey = "{mine}"')
    trusts = [ssl.create_default_context(cafile=str(folder / "ca.pem")) for folder in folders]

    def zones(connection: http.client.HTTPSConnection) -> int:
        connection.request("GET", ZONES)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def shakes(context: ssl.SSLContext) -> bool:
        try:
            with socket.create_connection(("localhost", live.port), timeout=20) as raw:
                context.wrap_socket(raw, server_hostname="localhost").close()
        except ssl.SSLCertVerificationError:
            return False
        return True

    kept = http.client.HTTPSConnection("localhost", live.port, timeout=20, context=trusts[0])
    assert zones(kept) == 401
    assert (shakes(trusts[0]), shakes(trusts[1])) == (True, False)
    shutil.copy(folders[1] / "server.pem", mine)
    assert live.process
    live.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 20
    while not shakes(trusts[1]):
        assert time.monotonic() < deadline, live.said()
        assert zones(kept) == 401
        time.sleep(0.05)
    assert not shakes(trusts[0])
    wire = kept.sock
    assert zones(kept) == 401
    assert kept.sock is wire
    kept.close()


def refused(live: Live) -> str:
    """What `gcelib serve` says when it does not start."""
    done = subprocess.run([sys.executable, "-m", "gcelib", "serve", "--config", str(live.config)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_it_does_not_start_where_tokens_could_be_read(simulator: Simulator, tmp_path: Path) -> None:
    account = simulator.accounts["demo"]
    live = Live(tmp_path, simulator.url, account.api_key, account.secret_key)
    live.write()
    text = live.config.read_text()
    live.config.write_text(text.replace("localhost:", "0.0.0.0:", 1))
    assert "tls" in refused(live)
    live.config.write_text(text)
    live.config.chmod(0o644)
    said = refused(live)
    assert "chmod 600" in said
    assert account.secret_key not in said
    live.config.chmod(0o600)
    state = tmp_path / "state"
    assert not state.exists() or not any(state.iterdir())


@pytest.mark.parametrize("name", ["ca-key.pem", "server.pem"])
def test_it_does_not_start_on_keys_that_everyone_can_read(launch: Launch, name: str) -> None:
    live, _ = launch(tls="auto")
    live.stop()
    (live.home / "state" / name).chmod(0o644)
    assert "chmod 600" in refused(live)
