"""`gcelib serve` as a process: its one line, its signals, its refusals."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gcelib.config import ServerConfig
from gcelib.server import tls
from gcelib.server.systemd import Watchdog
from gcelib.simulator import Simulator

DEADLINE = 60.0


class Process:
    """A running command: its lines as they come, and its end."""

    def __init__(self, words: list[str], environ: dict[str, str]) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "gcelib", *words], env={**os.environ, **environ}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._readers = [
            threading.Thread(target=lambda pipe=pipe, lines=lines: lines.extend(iter(pipe.readline, "")), daemon=True)
            for pipe, lines in ((self.popen.stdout, self.out), (self.popen.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def saw(self, pattern: str, where: str = "out") -> re.Match[str]:
        """Wait for a line that matches."""
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            for line in list(getattr(self, where)):
                if match := re.search(pattern, line):
                    return match
            if self.popen.poll() is not None and not self._readers[0].is_alive():
                break
            time.sleep(0.02)
        raise AssertionError(f"no line matches {pattern}: {self.out} {self.err}")

    def ended(self) -> int:
        """Wait for the end; the exit code."""
        code = self.popen.wait(DEADLINE)
        for reader in self._readers:
            reader.join(10)
        return code


@pytest.fixture(scope="module")
def cloud() -> Iterator[Simulator]:
    """A cloud to serve."""
    with Simulator(port=0) as simulator:
        yield simulator


@pytest.fixture
def command() -> Iterator[Callable[..., Process]]:
    """Starts `gcelib WORDS`; what still runs in the end is killed."""
    running: list[Process] = []

    def start(*words: str, **environ: str) -> Process:
        running.append(Process(list(words), environ))
        return running[-1]

    yield start
    for process in running:
        if process.popen.poll() is None:
            process.popen.kill()
        process.ended()
        for pipe in (process.popen.stdout, process.popen.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def written(tmp_path: Path, cloud: Simulator) -> Callable[..., Path]:
    """Writes a configuration for the cloud; free ports, state below tmp_path."""

    def write(extra: str = "", server: str = "") -> Path:
        account = cloud.accounts["demo"]
        path = tmp_path / "gcelib.toml"
        path.write_text(f"""
[server]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
state_dir = "{tmp_path}/state"
{server}
[clouds.gva]
provider = "cloudstack"
endpoint = "{cloud.url}"
key = "{account.api_key}"
secret = "{account.secret_key}"
[projects.demo]
clouds = ["gva"]
{extra}
""")
        path.chmod(0o600)
        return path

    return write


def get(url: str, ca_file: Path | None = None) -> tuple[int, bytes]:
    context = ssl.create_default_context(cafile=str(ca_file)) if ca_file else None
    try:
        with urllib.request.urlopen(url, timeout=20, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


LINE = r"^gcelib \S+ serving (\S+) \(health, metrics and console on (\S+)\)$"


def test_it_answers_when_it_says_so_and_ends_cleanly(
    command: Callable[..., Process], written: Callable[..., Path], tmp_path: Path
) -> None:
    process = command("serve", "--config", str(written()))
    url, admin = process.saw(LINE).groups()
    ca_file = tmp_path / "state" / "ca.pem"
    status, body = get(f"{url}/compute/v1/projects/demo/zones", ca_file)
    assert (status, json.loads(body)["error"]["code"]) == (401, 401)
    assert get(f"{admin}/healthz")[0] == 200
    assert get(f"{admin}/readyz")[0] == 200
    assert b"gcelib_requests_total" in get(f"{admin}/metrics")[1]
    assert get(f"{url}/", ca_file)[0] == 200
    process.popen.send_signal(signal.SIGTERM)
    assert process.ended() == 0
    assert len(process.out) == 1


def test_a_port_in_use_is_said_in_one_line(command: Callable[..., Process], written: Callable[..., Path]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        process = command("serve", "--config", str(written()), "--listen", address)
        assert process.ended() == 1
    assert process.err[-1].startswith(f"gcelib: Cannot listen on {address}: ")
    assert "name another port, with --listen or under [server]" in process.err[-1]
    assert not any("Traceback" in line for line in process.err)


def test_plain_http_beyond_loopback_is_refused(command: Callable[..., Process], written: Callable[..., Path]) -> None:
    process = command("serve", "--config", str(written(server='tls = "off"')), "--listen", "0.0.0.0:0")
    assert process.ended() == 1
    assert any("server.tls" in line for line in process.err)


def test_sighup_takes_a_good_configuration_and_refuses_a_bad_one(
    command: Callable[..., Process], written: Callable[..., Path]
) -> None:
    path = written(server='tls = "off"')
    process = command("serve", "--config", str(path))
    url = process.saw(LINE)[1]
    path.write_text(path.read_text() + '[projects.broken]\nclouds = ["nowhere"]\n')
    process.popen.send_signal(signal.SIGHUP)
    assert "projects.broken" in process.saw("the configuration stays as it was", "err").string
    assert get(f"{url}/")[0] == 200
    # What the system does not let us look at: to root, too, a name may be too long.
    written(server=f'tls = "off"\ncert = "/{"a" * 300}"\nkey = "/{"a" * 300}"')
    process.popen.send_signal(signal.SIGHUP)
    assert "server.cert: " in process.saw("File name too long", "err").string
    assert get(f"{url}/")[0] == 200
    written('[projects.second]\nclouds = ["gva"]', 'tls = "off"\nthreads = 7\nlog_format = "json"')
    process.popen.send_signal(signal.SIGHUP)
    process.saw("at the next start only: server.threads, server.log_format", "err")
    process.saw("1 clouds, 2 projects", "err")
    assert get(f"{url}/")[0] == 200
    process.popen.send_signal(signal.SIGINT)
    assert process.ended() == 0


def test_sighup_loads_a_new_certificate(
    command: Callable[..., Process], written: Callable[..., Path], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    tls.context(ServerConfig(state_dir=own))
    pair = f'cert = "{own}/server.pem"\nkey = "{own}/server.pem"'
    process = command("serve", "--config", str(written(server=pair)))
    url = process.saw(LINE)[1]
    old = own / "ca.pem"
    assert get(f"{url}/", old)[0] == 200
    for path in list(own.iterdir()):
        path.unlink()
    tls.context(ServerConfig(state_dir=own))
    process.popen.send_signal(signal.SIGHUP)
    process.saw("configuration read again", "err")
    assert get(f"{url}/", own / "ca.pem")[0] == 200


def test_what_takes_a_new_start_stays_as_it_is_at_a_reload_and_is_told_of_at_the_next(
    command: Callable[..., Process], written: Callable[..., Path], tmp_path: Path
) -> None:
    path = written()
    process = command("serve", "--config", str(path))
    url, authority = process.saw(LINE)[1], tmp_path / "state" / "ca.pem"
    path.write_text(path.read_text().replace(f"{tmp_path}/state", f"{tmp_path}/elsewhere"))
    for projects, more in ((2, "second"), (3, "third")):
        path.write_text(path.read_text() + f'[projects.{more}]\nclouds = ["gva"]\n')
        process.popen.send_signal(signal.SIGHUP)
        process.saw(f"1 clouds, {projects} projects", "err")
        assert get(f"{url}/", authority)[0] == 200
        assert sum("at the next start only: server.state_dir" in line for line in process.err) == projects - 1
    assert not (tmp_path / "elsewhere").exists()
    process.popen.send_signal(signal.SIGTERM)
    assert process.ended() == 0


def test_sighup_loads_a_certificate_of_another_kind_of_key_for_all_clients(
    command: Callable[..., Process], written: Callable[..., Path], tmp_path: Path
) -> None:
    pair = tmp_path / "pair.pem"
    pair.write_bytes(elliptic())
    pair.chmod(0o600)
    before = tmp_path / "before.pem"
    before.write_bytes(pair.read_bytes())
    path = written(server=f'cert = "{pair}"\nkey = "{pair}"')
    process = command("serve", "--config", str(path))
    url = process.saw(LINE)[1]
    assert get(f"{url}/", before)[0] == 200
    own = tmp_path / "own"
    tls.context(ServerConfig(state_dir=own))
    fits = (own / "server.pem").read_bytes()
    # The certificate is there already, its key not yet.
    pair.write_bytes(fits.partition(b"-----BEGIN PRIVATE KEY")[0] + elliptic())
    process.popen.send_signal(signal.SIGHUP)
    process.saw("the certificate stays as it was", "err")
    assert get(f"{url}/", before)[0] == 200
    pair.write_bytes(fits)
    path.write_text(path.read_text() + '[projects.second]\nclouds = ["gva"]\n')
    process.popen.send_signal(signal.SIGHUP)
    process.saw("1 clouds, 2 projects", "err")
    assert get(f"{url}/", own / "ca.pem")[0] == 200
    process.popen.send_signal(signal.SIGTERM)
    assert process.ended() == 0


def elliptic() -> bytes:
    """A certificate that signed itself, and its key, on a curve that every client takes before RSA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")]), datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())
    )
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return made.public_bytes(pem) + key.private_bytes(pem, pkcs8, serialization.NoEncryption())


def test_systemd_is_told(command: Callable[..., Process], written: Callable[..., Path], tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(DEADLINE)
        path = written()
        process = command("serve", "--config", str(path), NOTIFY_SOCKET=str(tmp_path / "notify"))
        url = process.saw(LINE)[1].encode()
        assert sock.recv(500) == b"READY=1\nSTATUS=serving " + url
        process.popen.send_signal(signal.SIGHUP)
        assert sock.recv(500).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert sock.recv(500) == b"READY=1\nSTATUS=serving " + url
        path.write_text("[server]\nthreads = 0\n")
        process.popen.send_signal(signal.SIGHUP)
        assert sock.recv(500).startswith(b"RELOADING=1\n")
        stays = b"; the configuration has mistakes, the one before stays"
        assert sock.recv(500) == b"READY=1\nSTATUS=serving " + url + stays
        process.popen.send_signal(signal.SIGTERM)
        assert sock.recv(500).startswith(b"STOPPING=1\n")
        assert process.ended() == 0


def test_systemd_gets_the_signs_of_life_that_it_asks_for(
    command: Callable[..., Process], written: Callable[..., Path], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(DEADLINE)
        process = command("serve", "--config", str(written()), NOTIFY_SOCKET=str(tmp_path / "notify"),
                          WATCHDOG_USEC="1000000")
        assert sock.recv(500).startswith(b"READY=1\n")
        assert [sock.recv(500), sock.recv(500)] == [b"WATCHDOG=1"] * 2
        process.popen.send_signal(signal.SIGTERM)
        assert process.ended() == 0


def test_a_server_whose_listener_has_ended_gives_no_sign_of_life(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "1")
        Watchdog(lambda: True).beat()
        assert sock.recv(500) == b"WATCHDOG=1"
        Watchdog(lambda: False).beat()
        monkeypatch.setenv("WATCHDOG_PID", "1")
        Watchdog(lambda: True).beat()
        with pytest.raises(BlockingIOError):
            sock.recv(500)
    assert "a listener has ended" in caplog.text


def test_the_demo_prints_lines_that_work_and_leaves_nothing(command: Callable[..., Process], tmp_path: Path) -> None:
    process = command("demo", "--listen", "127.0.0.1:0", "--machines", "2", TMPDIR=str(tmp_path))
    process.saw("^# gcelib demo is ready: https://127")
    assert any(line.startswith("gcloud compute instances create demo-1 --zone=") for line in process.out)
    line = next(line for line in process.out if line.startswith("curl "))
    answer = subprocess.run(["sh", "-c", line], capture_output=True, timeout=30, check=True)
    assert json.loads(answer.stdout)["kind"] == "compute#zoneList"
    line = line.replace("/zones", "/aggregated/instances")
    answer = subprocess.run(["sh", "-c", line], capture_output=True, timeout=30, check=True)
    scopes = json.loads(answer.stdout)["items"].values()
    assert sum(len(scope.get("instances", [])) for scope in scopes) == 2
    process.popen.send_signal(signal.SIGINT)
    assert process.ended() == 0
    assert list(tmp_path.iterdir()) == []


def test_the_demo_starts_again_on_the_state_it_kept(command: Callable[..., Process], tmp_path: Path) -> None:
    for _ in range(2):
        process = command("demo", "--listen", "127.0.0.1:0", "--state", str(tmp_path / "kept"), "--no-tls")
        process.saw("^# gcelib demo is ready: http://127")
        process.popen.send_signal(signal.SIGTERM)
        assert process.ended() == 0
    key_file = tmp_path / "kept" / "demo-key.json"
    assert key_file.stat().st_mode & 0o777 == 0o600


@pytest.fixture
def waiting(
    command: Callable[..., Process], written: Callable[..., Path], cloud: Simulator, tmp_path: Path
) -> Iterator[Callable[[float], tuple[Process, threading.Thread, list[int]]]]:
    """A server with a request under way that its cloud answers only after some seconds."""

    def start(seconds: float) -> tuple[Process, threading.Thread, list[int]]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        path = written(server='tls = "off"')
        path.write_text(path.read_text().replace('listen = "127.0.0.1:0"', f'listen = "{address}"', 1))
        process = command("serve", "--config", str(path))
        url = process.saw(LINE)[1]
        key_file = str(tmp_path / "key.json")
        made = command("account", "create-service", "me", "--project", "demo", "--role", "viewer",
                       "--key-file", key_file, "--config", str(path))
        assert made.ended() == 0
        bearer = command("client", "token", "--key-file", key_file, "--config", str(path))
        assert bearer.ended() == 0
        headers = {"Authorization": f"Bearer {bearer.out[0].strip()}"}
        request = urllib.request.Request(f"{url}/compute/v1/projects/demo/aggregated/instances", headers=headers)
        statuses: list[int] = []

        def ask() -> None:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    statuses.append(answer.status)
            except OSError:
                statuses.append(0)

        cloud.faults.add("listVirtualMachines", "delay", seconds=seconds)
        client = threading.Thread(target=ask)
        client.start()
        end = time.monotonic() + DEADLINE
        while cloud.faults.rows():  # It is struck off when it hits.
            assert time.monotonic() < end, process.err
            time.sleep(0.02)
        return process, client, statuses

    yield start
    cloud.faults.clear()


def test_a_request_under_way_is_answered_before_the_end(
    waiting: Callable[[float], tuple[Process, threading.Thread, list[int]]]
) -> None:
    process, client, statuses = waiting(2.0)
    process.popen.send_signal(signal.SIGTERM)
    assert process.ended() == 0
    client.join(DEADLINE)
    assert statuses == [200]


def test_a_second_signal_does_not_wait(
    waiting: Callable[[float], tuple[Process, threading.Thread, list[int]]]
) -> None:
    process, client, statuses = waiting(15.0)
    began = time.monotonic()
    process.popen.send_signal(signal.SIGTERM)
    process.saw("stopping", "err")
    process.popen.send_signal(signal.SIGTERM)
    assert process.ended() == 130
    assert time.monotonic() - began < 8
    client.join(DEADLINE)
    assert statuses == [0]
