"""gcelib doctor: a finding with its cure for each thing that is wrong, and exit code 1 then."""

from __future__ import annotations

import datetime
import errno
import json
import os
import threading
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text

from gcelib.cli import doctor
from gcelib.cli.symptoms import certificate, clouds, database, files, reach
from gcelib.cli.telling import Progress
from gcelib.config import CloudConfig, Config, load
from gcelib.config.sealed import Secret
from gcelib.server import tls
from gcelib.server.findings import NOTE, WELL, WRONG, Finding
from gcelib.store import Store
from gcelib.store.condition import condition
from tests.conftest import Launch
from tests.observability.certificates import DAY, made


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A configuration of a server that was started once."""
    path = tmp_path / "gcelib.toml"
    path.write_text(f"""
[server]
state_dir = "{tmp_path}/state"
[clouds.one]
provider = "cloudstack"
endpoint = "http://127.0.0.1:9/client/api"
key = "the-key"
secret = "the-secret"
[projects.demo]
clouds = ["one"]
""")
    path.chmod(0o600)
    made = load(path, {})
    made.server.seal_key()
    tls.context(made.server)
    Store.open(made.server.database_url()).close()
    return made


def one(found: Any, level: str) -> Finding:
    """The one finding of a level, which has a cure unless all is well."""
    those = [finding for finding in found if finding.level == level]
    assert len(those) == 1, those
    assert those[0].cure or level != WRONG
    return those[0]


def levels(found: Any) -> set[str]:
    return {finding.level for finding in found}


class Answering:
    """A server that gives every GET the same answer."""

    def __init__(self, headers: dict[str, str], body: bytes = b"", status: int = 200) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def answering() -> Iterator[Any]:
    made: list[Answering] = []

    def make(*args: Any, **options: Any) -> str:
        made.append(Answering(*args, **options))
        return made[-1].url

    yield make
    for each in made:
        each.close()


def test_all_is_well_with_a_server_just_made(config: Config) -> None:
    found = [*files.permissions(config), *files.configuration(config), *database.database(config),
             *certificate.certificate(config)]  # fmt: skip
    assert levels(found) == {WELL}


def test_what_is_not_there_yet_is_a_note(config: Config, tmp_path: Path) -> None:
    fresh = replace(config, server=replace(config.server, state_dir=tmp_path / "nowhere"))
    for look in (files.permissions, database.database, certificate.certificate):
        assert "gcelib serve" in one(look(fresh), NOTE).cure
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["seal.key", "ca-key.pem", "server.pem", "gcelib.sqlite"])
def test_a_secret_that_others_can_read(config: Config, name: str) -> None:
    path = config.server.state_dir / name
    path.chmod(0o640)
    found = one(files.permissions(config), WRONG)
    assert str(path) in found.said
    assert found.cure == f"chmod 600 {path}"
    path.chmod(0o600)
    assert levels(files.permissions(config)) == {WELL}


def test_the_certificate_of_the_ca_is_for_everybody(config: Config) -> None:
    (config.server.state_dir / "ca.pem").chmod(0o644)
    assert levels(files.permissions(config)) == {WELL}


def test_a_state_directory_that_others_can_look_into(config: Config) -> None:
    config.server.state_dir.chmod(0o755)
    assert one(files.permissions(config), WRONG).cure == f"chmod 700 {config.server.state_dir}"
    config.server.state_dir.chmod(0o700)


def test_a_seal_key_elsewhere_and_a_configuration_that_others_write(config: Config, tmp_path: Path) -> None:
    key = tmp_path / "shared key"
    key.write_text("x" * 40)
    key.chmod(0o660)
    elsewhere = replace(config, server=replace(config.server, seal_key_file=str(key)))
    assert one(files.permissions(elsewhere), WRONG).cure == f"chmod 600 '{key}'"
    assert config.path
    config.path.chmod(0o620)
    assert one(files.configuration(config), WRONG).cure == f"chmod go-w {config.path}"


def test_files_of_another_user(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    os.chown(config.server.state_dir / "gcelib.sqlite", 12345, 12345)
    found = one(files.permissions(config), WRONG)
    assert "gcelib.sqlite" in found.said
    assert found.cure.startswith("sudo chown --reference=")


def _set_schema(config: Config, revision: str) -> None:
    store = Store.unchanged(config.server.database_url())
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    store.close()


def test_an_older_database_a_newer_one_and_one_that_is_none(config: Config) -> None:
    newest = condition(config.server.database_url()).newest
    _set_schema(config, "0001")
    if newest != "0001":
        assert "restart" in one(database.database(config), NOTE).cure
    _set_schema(config, "9999")
    assert "newer gcelib" in one(database.database(config), WRONG).cure
    before = condition(config.server.database_url())
    assert (before.current, before.known) == ("9999", False)
    (config.server.state_dir / "gcelib.sqlite").write_bytes(b"no database at all" * 100)
    for side in ("-wal", "-shm"):
        (config.server.state_dir / f"gcelib.sqlite{side}").unlink(missing_ok=True)
    assert "server.database" in one(database.database(config), WRONG).cure


def test_a_certificate_without_the_name_that_clients_call(config: Config) -> None:
    moved = replace(config, server=replace(config.server, external_url="https://gce.example.com"))
    found = one(certificate.certificate(moved), WRONG)
    assert "clients call gce.example.com" in found.said
    assert "server.pem" in found.cure


@pytest.mark.parametrize(("days", "level", "words"), [(0, WELL, "good until"), (390, NOTE, "ends on"),
                                                      (398, WRONG, "ended on"), (-2, WRONG, "from")])  # fmt: skip
def test_a_certificate_that_ends(config: Config, days: int, level: str, words: str) -> None:
    path = config.server.state_dir / "server.pem"
    shown = certificate.x509.load_pem_x509_certificates(path.read_bytes())[0]
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    assert words in one(certificate.expiry(shown, path, now), level).said


def test_a_certificate_that_is_none(config: Config) -> None:
    (config.server.state_dir / "server.pem").write_text("rubbish")
    assert "no certificate" in one(certificate.certificate(config), WRONG).said


def test_what_keeps_the_server_from_starting_is_found(config: Config, tmp_path: Path) -> None:
    (config.server.state_dir / "ca-key.pem").write_text("rubbish")
    assert "ca-key.pem holds no RSA key" in one(certificate.authority(config), WRONG).said
    (config.server.state_dir / "seal.key").write_text("short")
    assert "too few for a key" in one(files.permissions(config), WRONG).said
    shown, _ = made(tmp_path / "one", 300 * DAY)
    _, key = made(tmp_path / "other", 300 * DAY)
    mixed = replace(config, server=replace(config.server, cert=str(shown), key=str(key)))
    bad = one(certificate.certificate(mixed), WRONG)
    assert (bad.cause, "cannot be used for TLS" in bad.said) == ("certificate-unused", True)


def test_a_damaged_database_is_told_how_to_be_replaced(config: Config) -> None:
    (config.server.state_dir / "gcelib.sqlite").write_bytes(b"rubbish" * 1000)
    bad = one(database.database(config), WRONG)
    assert (bad.cause, "gcelib restore" in bad.cure) == ("store-away", True)


def test_wildcards_cover_one_label_and_addresses_only_themselves() -> None:
    assert certificate._covers(["*.example.com"], "gce.example.com")
    assert not certificate._covers(["*.example.com"], "a.gce.example.com")
    assert not certificate._covers(["*.0.0.1"], "127.0.0.1")
    assert certificate._covers(["::1"], "0:0:0:0:0:0:0:1")


def test_each_client_is_told_how_to_trust_the_local_ca(config: Config) -> None:
    found = one(certificate.trust(config), NOTE)
    for client in ("gcutil", "gcloud", "curl", "python"):
        assert f"\n{client}: " in f"\n{found.cure}"
    assert found.cure.count(str(config.server.state_dir / "ca.pem")) >= 4
    assert list(certificate.trust(replace(config, server=replace(config.server, tls="off")))) == []


@pytest.mark.parametrize(("listen", "url", "level"), [("127.0.0.1:5000", "", WELL), ("0.0.0.0:5000", "", WRONG),
                                                      ("0.0.0.0:5000", "https://gce.example.com", WELL)])  # fmt: skip
def test_no_tls_at_all(config: Config, listen: str, url: str, level: str) -> None:
    plain = replace(config, server=replace(config.server, tls="off", listen=listen, external_url=url))
    one(certificate.certificate(plain), level)


def _at(config: Config, url: str) -> Config:
    return replace(config, server=replace(config.server, tls="off", external_url=url))


def test_a_url_where_nothing_answers_or_something_else_does(config: Config, answering: Any) -> None:
    assert "gcelib serve" in one(reach.external_url(_at(config, "http://127.0.0.1:9")), NOTE).cure
    url = answering({"Content-Type": "text/html"}, b"<h1>It works!</h1>")
    assert "Something else" in one(reach.external_url(_at(config, url)), WRONG).said
    url = answering({}, json.dumps({"issuer": "http://inside:5000"}).encode())
    found = one(reach.external_url(_at(config, url)), WRONG)
    assert "http://inside:5000" in found.said
    assert f'external_url = "{url}"' in found.cure
    assert "cannot be reached" in one(reach.external_url(_at(config, "http://no-such-host.invalid")), WRONG).said


@pytest.mark.parametrize(
    ("seconds", "level", "word"),
    [(0, WELL, "Within"), (60, NOTE, "behind"), (-60, NOTE, "ahead of"), (600, WRONG, "behind"),
     (-600, WRONG, "ahead of")],
)  # fmt: skip
def test_clocks_that_differ(answering: Any, seconds: int, level: str, word: str) -> None:
    theirs = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    url = answering({"Date": f"{theirs:%a, %d %b %Y %H:%M:%S} GMT"}, status=401)
    found = one(reach.clock(CloudConfig("one", "cloudstack", url)), level)
    assert word in found.said
    assert level == WELL or "timedatectl" in found.cure


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}])
def test_a_cloud_that_does_not_tell_the_time(answering: Any, headers: dict[str, str]) -> None:
    one(reach.clock(CloudConfig("one", "cloudstack", answering(headers))), NOTE)
    one(reach.clock(CloudConfig("one", "cloudstack", "http://127.0.0.1:9")), NOTE)


def test_a_cloud_that_is_gone_or_not_carried_or_without_keys(config: Config) -> None:
    assert "[clouds.one]" in one(clouds.login(config, config.clouds["one"]), WRONG).cure
    other = replace(config.clouds["one"], provider="ec2")
    one(clouds.login(config, other), WRONG)
    one(clouds.login(config, replace(other, key="", secret=Secret(""))), NOTE)


def test_a_cloud_that_does_not_answer_is_waited_for_once(config: Config) -> None:
    args = Namespace(config=config.path)
    said = [(finding.about, finding.said) for finding in doctor.findings(args, Progress(quiet=True))]
    (away,) = [finding for finding in clouds.login(config, config.clouds["one"]) if finding.cause == "cloud-away"]
    unseen = "Not looked at, for cloud 'one' does not answer."
    assert said[-3:] == [("cloud 'one'", away.said), ("rights, cloud 'one'", unseen), ("names, project 'demo'", unseen)]


def test_what_doctor_may_not_look_at_is_a_finding_and_the_rest_is_looked_at(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(config: Config) -> Iterator[Finding]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(config.server.state_dir))
        yield

    monkeypatch.setattr(files, "permissions", denied)
    told = [*doctor.findings(Namespace(config=config.path), Progress(quiet=True))]
    bad = next(finding for finding in told if finding.about == "files")
    assert (bad.level, str(config.server.state_dir) in bad.said) == (WRONG, True)
    assert "as root" in bad.cure
    assert {"store", "TLS", "cloud 'one'"} < {finding.about for finding in told}


def test_what_is_gone_while_it_is_looked_at_is_no_finding(config: Config) -> None:
    (config.server.state_dir / "gone").symlink_to("nowhere")
    assert levels(files.permissions(config)) == {WELL}


def test_names_that_are_one_name_to_gce() -> None:
    def cloud(name: str, *things: tuple[str, str]) -> Any:
        rows = [SimpleNamespace(id=f"{name}{number}", name=each, zone_id=zone)
                for number, (each, zone) in enumerate(things)]  # fmt: skip
        return SimpleNamespace(name=name, nodes=SimpleNamespace(list=lambda: rows))

    several = [cloud("a", ("Web 1", "z"), ("web-1", "z"), ("alone", "z")), cloud("b", ("web-1", "other"))]
    (said,) = clouds.clashing("nodes", "instance", several)
    assert "'web-1'" in said
    assert "'Web 1' (a0) on a" in said
    assert list(clouds.clashing("nodes", "instance", several[1:])) == []


def test_the_command_on_a_server_that_is_well_and_then_is_not(launch: Launch) -> None:
    live, cloud = launch(tls="auto")
    said = live.run("doctor")
    assert "Nothing is wrong." in said.stdout
    for part in ("files", "disk", "store", "TLS", "running server", "external URL", "clock, cloud 'sim'", "cloud 'sim'",
                 "rights, cloud 'sim'", "names, project 'demo'"):  # fmt: skip
        assert f"ok    {part}: " in said.stdout, said.stdout
    (live.home / "state" / "seal.key").chmod(0o640)
    cloud.accounts["demo"].secret_key = "another one"
    said = live.run("doctor", "--json", check=False)
    assert said.returncode == 1
    found = json.loads(said.stdout)
    bad = {finding["about"]: finding for finding in found["findings"] if finding["level"] == "wrong"}
    assert found["wrong"] == len(bad) == 2
    assert set(bad) == {"files", "cloud 'sim'"}
    assert all(finding["cure"] for finding in bad.values())


def test_a_configuration_with_mistakes_is_a_finding_for_each(launch: Launch) -> None:
    live, _ = launch(server_extra="")
    live.config.write_text(live.config.read_text().replace("timeout = 10", "timeout = -1\nregion = 'X Y'"))
    said = live.run("doctor", check=False)
    assert said.returncode == 1
    assert said.stdout.count("WRONG configuration: ") == 2
