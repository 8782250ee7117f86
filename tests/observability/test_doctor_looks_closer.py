"""What `gcelib doctor` finds out of a cloud's keys and limits, of certificates, disks, and the server that runs."""

from __future__ import annotations

import ast
import json
import os
import pty
import re
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import gcelib.drivers.cloudstack
from gcelib.cli.symptoms import certificate, clouds, database, disk, reach, running
from gcelib.config import CloudConfig, Config, load
from gcelib.config.sealed import Secret
from gcelib.drivers.cloudstack.examination import NEEDED
from gcelib.server.findings import NOTE, WELL, WRONG, Finding, found
from gcelib.simulator import Simulator
from gcelib.simulator.settings import Settings
from gcelib.store import Store
from tests.faults.disks import fill, small
from tests.observability.certificates import DAY, made


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration with its state directory and store."""
    path = tmp_path / "gcelib.toml"
    path.write_text(f"""
[server]
state_dir = "{tmp_path}/state"
admin_listen = "127.0.0.1:9"
[clouds.theirs]
provider = "cloudstack"
endpoint = "http://127.0.0.1:9/client/api"
[projects.demo]
clouds = ["theirs"]
credentials = "caller"
""")
    (tmp_path / "state").mkdir(mode=0o700)
    made_of = load(path, {})
    Store.open(made_of.server.database_url()).close()
    return made_of


@contextmanager
def answering(body: bytes = b"", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that gives every GET this answer; its port."""
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def of_simulator(cloud: Simulator) -> CloudConfig:
    """The configuration of the simulator's demo account."""
    account = cloud.accounts["demo"]
    return CloudConfig("sim", "cloudstack", cloud.url, account.api_key, Secret(account.secret_key))


def test_what_keys_may_not_do_and_the_limits_of_a_cloud_are_told(config: Config) -> None:
    with Simulator(settings=Settings(page_size=100, throttle=25)) as cloud:
        cloud.accounts["demo"].denied |= {"createVPC", "listSnapshots"}
        said = {finding.said: finding for finding in clouds.rights(config, of_simulator(cloud))}
    notes = " ".join(text for text, finding in said.items() if finding.level == NOTE)
    assert "may not make private clouds, or only in part: the cloud does not let them use createVPC." in notes
    assert "does not let them use listSnapshots" in notes
    assert "may not expunge" in notes
    assert "refuses pages of 500 rows" in notes
    assert "takes 25 calls in 1 s" in notes
    assert any("per_second = 25 under [clouds.sim]" in finding.cure for finding in said.values())
    assert all(finding.cure for finding in said.values() if finding.level == NOTE)


def test_keys_that_may_do_everything_and_keys_that_may_see_nothing(config: Config) -> None:
    with Simulator(expunge=True) as cloud:
        assert {finding.level for finding in clouds.rights(config, of_simulator(cloud))} == {WELL}
        cloud.accounts["demo"].denied |= {"listVirtualMachines"}
        bad = [finding for finding in clouds.rights(config, of_simulator(cloud)) if finding.level == WRONG]
        assert len(bad) == 1
        assert "listVirtualMachines" in bad[0].said
        cloud.accounts["demo"].denied |= {"listApis"}
        first = next(iter(clouds.rights(config, of_simulator(cloud))))
        assert (first.level, "does not tell which commands" in first.said) == (NOTE, True)


def test_every_command_that_gcelib_sends_is_looked_for() -> None:
    verbs = r"(?:list|create|delete|deploy|destroy|start|stop|reboot|attach|detach|resize|update|associate|" \
            r"disassociate|enable|disable|register|authorize|revoke|assign|remove|add|change|query|get|replace)[A-Z]\w+"
    folder = Path(next(iter(gcelib.drivers.cloudstack.__path__)))
    sent = {
        node.value for path in folder.glob("*.py") if path.name != "examination.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(verbs, node.value)
    }  # fmt: skip
    assert len(sent) > 60
    assert sent <= {command for named in NEEDED.values() for command in named.split()}


def test_a_cloud_that_cannot_be_asked_says_so_and_one_without_keys_is_not_asked(config: Config) -> None:
    other = CloudConfig("d", "dummy", key="x")
    (finding,) = clouds.rights(config, other)
    assert "cannot be asked of" in finding.said
    assert not [*clouds.rights(config, CloudConfig("c", "cloudstack", "http://127.0.0.1:9/client/api"))]


def login(config: Config, endpoint: str) -> Finding:
    """What doctor says first of a cloud at this address."""
    return next(clouds.login(config, CloudConfig("c", "cloudstack", endpoint, "key", Secret("secret"), timeout=5)))


def test_the_address_of_a_cloud_that_is_another_page_or_no_page_is_said_to_be_it(
    config: Config, tmp_path: Path
) -> None:
    with answering(b"<html>Please sign in</html>") as port:
        page = login(config, f"http://127.0.0.1:{port}/client/api")
        no_tls = login(config, f"https://127.0.0.1:{port}/client/api")
    assert (page.level, page.cause) == (WRONG, "cloud-troubled")
    assert "is the whole URL of the cloud's API" in page.cure
    assert "No TLS is spoken at port" in no_tls.said
    nobody = login(config, f"http://127.0.0.1:{port}/client/api")
    assert (nobody.cause, f"Nothing listens at port {port}" in nobody.said) == ("cloud-away", True)
    assert "no name 'no-such-cloud.invalid'" in login(config, "http://no-such-cloud.invalid/client/api").said
    shown, key = made(tmp_path, DAY)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(shown, key)
    with answering(tls=tls) as port:
        said = login(config, f"http://localhost:{port}/client/api").said
    assert f'write endpoint = "https://localhost:{port}/client/api"' in said


@pytest.mark.parametrize(("days", "level", "words"), [(-1, WRONG, "expired"), (5, NOTE, "ends on"), (300, WELL, "")])
def test_the_certificate_of_a_cloud_that_has_ended_or_is_about_to(
    config: Config, tmp_path: Path, days: int, level: str, words: str
) -> None:
    shown, key = made(tmp_path, days * DAY)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(shown, key)
    with answering(tls=tls) as port:
        cloud = CloudConfig("c", "cloudstack", f"https://localhost:{port}/client/api", ca_file=str(shown))
        found_of = [*reach.clock(cloud)]
        (said, *_) = clouds.login(config, replace(cloud, key="key", secret=Secret("secret")))
    assert ("its certificate is not trusted: certificate has expired" in said.said) == (level == WRONG)
    of_tls = [finding for finding in found_of if finding.about == "TLS, cloud 'c'"]
    assert [finding.level for finding in of_tls] == ([level] if level != WELL else [])
    assert all(words in finding.said and finding.cure for finding in of_tls)


def test_a_certificate_of_an_authority_that_nobody_knows_is_told_from_an_address_where_nobody_is(
    config: Config, tmp_path: Path
) -> None:
    shown, key = made(tmp_path, DAY)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(shown, key)
    with answering(tls=tls) as port:
        server = replace(config.server, external_url=f"https://localhost:{port}", cert=str(shown), key=str(key))
        (finding,) = reach.external_url(replace(config, server=server))
    assert finding.level == WRONG
    assert "is not trusted by this machine" in finding.said
    assert "lacks the chain" in finding.cure
    assert "--ca-file" in finding.cure


def test_a_local_ca_that_ends_before_long(config: Config) -> None:
    for days, count in ((60, 1), (200, 0)):
        shown, _ = made(config.server.state_dir / "new", days * DAY)
        (config.server.state_dir / "ca.pem").write_bytes(shown.read_bytes())
        assert len([*certificate.authority(config)]) == count
    (config.server.state_dir / "ca.pem").write_text("rubbish")
    (finding,) = certificate.authority(config)
    assert finding.level == WRONG


def test_a_disk_with_room_and_one_without(config: Config, tmp_path: Path) -> None:
    (finding,) = disk.disk(config)
    assert (finding.level, "MiB free" in finding.said) == (WELL, True)
    with small(tmp_path, 2) as place:
        if place is None:
            pytest.skip("no small file system can be mounted here")
        fill(place)
        there = replace(config, server=replace(config.server, state_dir=place))
        (finding,) = disk.disk(there)
    assert (finding.level, finding.cause, finding.subject) == (WRONG, "disk-full", str(place))
    assert str(place) in finding.cure


def test_a_database_that_can_be_read_and_takes_no_changes(config: Config) -> None:
    path = config.server.state_dir / "gcelib.sqlite"
    there = replace(config, server=replace(config.server, database=f"sqlite:///{path}?timeout=0.1"))
    assert {finding.level for finding in database.database(there)} == {WELL}
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        bad = [finding for finding in database.database(there) if finding.level == WRONG]
    finally:
        other.close()
    assert [(finding.cause, "locked" in finding.said) for finding in bad] == [("store-refuses", True)]


def test_what_the_running_server_alone_knows_is_told(config: Config) -> None:
    def asked(body: bytes) -> list[Finding]:
        with answering(body) as port:
            at = replace(config, server=replace(config.server, admin_listen=f"127.0.0.1:{port}"))
            return [*running.running(at)]

    inside = [found("worker-stopped", "operations"), found("audit-unwritten", "audit log")]
    rows = [{"part": each.about, "level": each.level, "said": each.said, "cure": each.cure, "cause": each.cause,
             "subject": each.subject} for each in (*inside, found("disk-full", "disk", "", "/x"))]  # fmt: skip
    told = asked(json.dumps({"status": "not ready", "store": "ok", "operations": "stopped", "clouds": {"a": "ok"},
                             "findings": rows}).encode())  # fmt: skip
    assert told[:2] == inside
    assert [finding.said for finding in told[2:]] == ["It is not ready: operations: stopped."]
    assert "Something else" in asked(b"<h1>It works!</h1>")[0].said
    gone = replace(config, server=replace(config.server, admin_listen="127.0.0.1:9"))
    (finding,) = running.running(gone)
    assert (finding.level, "None answers" in finding.said) == (NOTE, True)


def test_quiet_prints_only_what_is_to_be_mended_and_a_terminal_sees_how_far_it_is(config: Config) -> None:
    assert config.path is not None
    (config.server.state_dir / "gcelib.sqlite").chmod(0o640)
    command = [sys.executable, "-m", "gcelib", "doctor", "--config", str(config.path)]
    ours, theirs = pty.openpty()
    try:
        shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=60, check=False)
        os.close(theirs)
        told = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
    assert "looking at the store" in told
    assert "ok    store" in shown.stdout
    assert shown.returncode == 1
    quiet = subprocess.run([*command, "--quiet"], capture_output=True, text=True, timeout=60, check=False)
    assert quiet.returncode == 1
    assert quiet.stderr == ""
    assert [line[:12] for line in quiet.stdout.splitlines() if not line.startswith(" ")] == ["WRONG files:"]
