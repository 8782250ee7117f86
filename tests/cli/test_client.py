"""`gcelib client`: what it prints and writes, and the token it fetches."""

from __future__ import annotations

import json
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gcelib.cli.setups import KINDS

SHELL_KINDS = ("gcloud", "gcutil", "curl")


@pytest.mark.parametrize("kind", KINDS)
def test_every_client_is_led_to_the_public_url(shell, kind):
    done = shell.run("client", kind, "--config", shell.config(), GCELIB_SERVER_EXTERNAL_URL="https://gce.example")
    assert done.returncode == 0, done.stderr
    assert "gce.example" in done.stdout
    assert "127.0.0.1:5000" not in done.stdout


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "gcutil"])
def test_without_a_key_file_it_says_how_to_make_one(shell, kind):
    done = shell.run("client", kind, "--config", shell.config())
    assert "account create-service me --project ian@ianduffy.ie --role operator --key-file me.json" in done.stdout


def test_gcloud_gets_the_idlike_project_and_the_local_ca(shell):
    out = shell.run("client", "gcloud", "--config", shell.config(), "--key-file", "me.json").stdout
    assert "export CLOUDSDK_CORE_PROJECT=ian-ianduffy-ie\n" in out
    assert f"export CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE={shell.folder}/state/ca.pem\n" in out
    assert f"gcloud auth activate-service-account --key-file={shell.folder}/me.json\n" in out
    assert "export CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE=https://127.0.0.1:5000/compute/v1/\n" in out


def test_gcloud_for_a_person_gets_the_login_pages(shell):
    out = shell.run("client", "gcloud", "--config", shell.config(), "--account", "ann").stdout
    assert "export CLOUDSDK_AUTH_AUTH_HOST=https://127.0.0.1:5000/oauth2/auth\n" in out
    assert "activate-service-account" not in out


def test_a_named_configuration_of_gclouds_for_a_person_has_the_login_pages(shell):
    out = shell.run("client", "gcloud", "--config", shell.config(), "--account", "ann", "--named", "ours").stdout
    assert "/configurations/config_ours <<'END'\n[core]\nproject = ian-ianduffy-ie\n" in out
    assert "\nauth_host = https://127.0.0.1:5000/oauth2/auth\n" in out
    assert "activate-service-account" not in out
    for words in (("gcloud", "--named", "default"), ("gcloud", "--named", "x; rm"), ("curl", "--named", "ours")):
        done = shell.run("client", *words, "--config", shell.config())
        assert (done.returncode, done.stdout) == (1, "")
        assert "--named is for gcloud" in done.stderr


def test_gcutil_gets_the_project_as_it_is(shell):
    out = shell.run("client", "gcutil", "--config", shell.config()).stdout
    assert "--project=ian@ianduffy.ie " in out
    assert "--api_host=https://127.0.0.1:5000/ " in out


def test_without_tls_no_ca_is_named(shell):
    for kind in KINDS:
        done = shell.run("client", kind, "--config", shell.config(), GCELIB_SERVER_TLS="off")
        assert done.returncode == 0
        assert "ca.pem" not in done.stdout + done.stderr
        assert "https://127.0.0.1" not in done.stdout


def test_a_ca_that_is_not_made_yet_is_mentioned(shell):
    done = shell.run("client", "curl", "--config", shell.config())
    assert "is made when `gcelib serve` first starts" in done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_what_its_language_accepts(shell, kind):
    done = shell.run("client", kind, "--config", shell.config(), "--write", "out dir", "--key-file", "my key.json")
    assert done.returncode == 0, done.stderr
    written = sorted((shell.folder / "out dir").iterdir())
    assert written
    for path in written:
        assert path.name in done.stdout
        if path.suffix == ".sh":
            subprocess.run(["bash", "-n", path], check=True, timeout=60)
        if path.suffix == ".py":
            compile(path.read_text(), str(path), "exec")


@pytest.mark.parametrize("kind", SHELL_KINDS)
def test_shell_setups_are_one_script_that_can_be_evaluated(shell, kind):
    out = shell.run("client", kind, "--config", shell.config(), "--project", "ian-ianduffy-ie").stdout
    assert "########" not in out
    subprocess.run(["bash", "-n"], input=out, text=True, check=True, timeout=60)


def test_files_that_are_there_are_replaced_only_with_force(shell):
    words = ("client", "python", "--config", shell.config(), "--write", "out")
    assert shell.run(*words).returncode == 0
    path = shell.folder / "out" / "google_cloud_compute.py"
    path.write_text("mine")
    done = shell.run(*words)
    assert done.returncode == 1
    assert "--force" in done.stderr
    assert path.read_text() == "mine"
    assert shell.run(*words, "--force").returncode == 0
    assert path.read_text() != "mine"


def test_an_unknown_project_is_refused_with_a_guess(shell):
    done = shell.run("client", "gcloud", "--config", shell.config(), "--project", "ian@ianduffy.eu")
    assert done.returncode == 1
    assert 'did you mean "ian@ianduffy.ie"?' in done.stderr


def test_several_projects_need_a_choice(shell):
    path = shell.config(shell.config().read_text() + '[projects.other]\nclouds = ["gva"]\n')
    done = shell.run("client", "gcloud", "--config", path)
    assert done.returncode == 1
    assert "ian@ianduffy.ie, other" in done.stderr


class TokenServer(HTTPServer):
    """Answers the token request as it is told, and keeps what was posted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.answer: object = {"access_token": "the-token", "expires_in": 3600, "token_type": "Bearer"}
        self.posted: dict[str, list[str]] = {}


class Handler(BaseHTTPRequestHandler):
    """One token request."""

    server: TokenServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posted = urllib.parse.parse_qs(body)
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(json.dumps(self.server.answer).encode())

    def log_message(self, *_: object) -> None:
        """Nothing: the test looks at what was posted."""


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    server = TokenServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key_file(shell, tokens: TokenServer, private: rsa.RSAPrivateKey) -> Path:
    text = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                 serialization.NoEncryption()).decode()
    path: Path = shell.folder / "me.json"
    path.write_text(json.dumps({
        "type": "service_account", "client_email": "me@demo", "private_key_id": "k1", "private_key": text,
        "token_uri": f"http://127.0.0.1:{tokens.server_port}/oauth2/token",
    }))
    return path


def test_a_token_is_fetched_with_a_signed_assertion(shell, tokens, key_file, private):
    done = shell.run("client", "token", "--key-file", key_file)
    assert (done.returncode, done.stdout) == (0, "the-token\n"), done.stderr
    assertion, = tokens.posted["assertion"]
    assert tokens.posted["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert jwt.get_unverified_header(assertion)["kid"] == "k1"
    url = f"http://127.0.0.1:{tokens.server_port}/oauth2/token"
    claims = jwt.decode(assertion, private.public_key(), ["RS256"], audience=url)
    assert claims["iss"] == "me@demo"
    assert 0 < claims["exp"] - claims["iat"] <= 3600


def test_a_refused_key_says_why(shell, tokens, key_file):
    tokens.status = 400
    tokens.answer = {"error": "invalid_grant", "error_description": "the key is revoked"}
    done = shell.run("client", "token", "--key-file", key_file)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "invalid_grant: the key is revoked" in done.stderr


@pytest.mark.parametrize(("status", "answer"), [(200, []), (200, {}), (503, "busy"), (400, [])])
def test_an_answer_that_is_no_token_is_a_failure(shell, tokens, key_file, status, answer):
    tokens.status, tokens.answer = status, answer
    done = shell.run("client", "token", "--key-file", key_file)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"127.0.0.1:{tokens.server_port}" in done.stderr


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"client_email": 1}',
                                     '{"client_email": "a", "private_key": "b", "token_uri": "http://127.0.0.1:1/"}',
                                     '{"client_email": "a", "private_key": "b", "token_uri": "file:///etc/passwd"}'])
def test_a_file_that_is_no_key_is_refused(shell, content):
    (shell.folder / "bad.json").write_text(content)
    done = shell.run("client", "token", "--key-file", "bad.json")
    assert done.returncode == 1
    assert "bad.json" in done.stderr


def test_token_needs_a_key_file(shell):
    done = shell.run("client", "token")
    assert done.returncode == 1
    assert "--key-file" in done.stderr
