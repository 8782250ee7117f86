"""The page about nginx, with a real one before a gcelib process."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from gcelib.simulator import Simulator
from tests.conftest import launched
from tests.documents import ROOT, blocks
from tests.documents.shell import missing, programs, run, script
from tests.live import Live, free_port

TEXT = (ROOT / "docs" / "tasks" / "behind-nginx.md").read_text()
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
OURS = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
access_log off;
{temporary}
{page}
}}
"""


@pytest.fixture
def front(tmp_path: Path) -> str:
    """The URL that clients use, with a certificate for it."""
    words = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", str(tmp_path / "compute.key"),
             "-out", str(tmp_path / "compute.pem"))
    if not NGINX or not shutil.which("openssl"):
        pytest.skip("nginx or openssl is not installed")
    subprocess.run(words, check=True, capture_output=True)
    return f"https://localhost:{free_port()}"


@pytest.fixture
def server(front: str, tmp_path: Path) -> Iterator[Live]:
    """gcelib with the settings of the page."""
    (settings,) = blocks(TEXT, "toml")
    wanted = [line for line in settings.text.splitlines() if re.match("external_url|trusted_proxies", line)]
    assert len(wanted) == 2
    with Simulator(job_delay=0.05) as cloud:
        extra = "\n".join(wanted).replace("https://compute.example", front)
        live = launched(tmp_path / "server", cloud, server_extra=extra)
        yield live
        assert live.stop() == 0


@pytest.fixture
def nginx(front: str, server: Live, tmp_path: Path) -> Iterator[None]:
    """nginx with the page's configuration."""
    (page,) = blocks(TEXT, "nginx")
    port = front.rpartition(":")[2]
    text = page.text.replace("127.0.0.1:5000", f"127.0.0.1:{server.port}")
    text = text.replace("listen 443", f"listen 127.0.0.1:{port}")
    text = text.replace("compute.example", "localhost").replace("/etc/nginx", str(tmp_path))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    (tmp_path / "nginx.conf").write_text(OURS.format(folder=tmp_path, temporary=temporary, page=text))
    process = subprocess.Popen([str(NGINX), "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")])
    deadline = time.monotonic() + 20
    while not answers(front, tmp_path / "compute.pem"):
        assert process.poll() is None, (tmp_path / "error.log").read_text()
        assert time.monotonic() < deadline, (tmp_path / "error.log").read_text()
        time.sleep(0.05)
    yield
    process.terminate()
    process.wait(20)


def answers(front: str, trusted: Path) -> bool:
    """Whether something listens there."""
    try:
        return requests.get(front, verify=str(trusted), timeout=5).status_code < 500
    except requests.ConnectionError:
        return False


@pytest.mark.usefixtures("nginx")
def test_what_the_page_says_works(front: str, server: Live, tmp_path: Path) -> None:
    found = [replace(block, text=block.text.replace("https://compute.example", front)) for block in blocks(TEXT)]
    path = programs(tmp_path / "programs")
    if lacking := missing(found, path):
        pytest.skip(f"{', '.join(lacking)}: not installed here")
    server.run("account", "create-service", "me", "--project", "demo", "--role", "admin", "--key-file",
               str(tmp_path / "me.json"))
    trusted = str(tmp_path / "compute.pem")
    said = run(script(found), tmp_path, {
        "HOME": str(tmp_path), "PATH": path, "PYTHONPATH": str(ROOT), "GCELIB_CONFIG": str(server.config),
        "CURL_CA_BUNDLE": trusted, "REQUESTS_CA_BUNDLE": trusted, "SSL_CERT_FILE": trusted,
    })
    assert "Login Required." in said
    assert f'"token_endpoint":"{front}/oauth2/token"' in said.replace(": ", ":")
    assert f'"selfLink":"{front}/compute/v1/projects/demo/zones/ch-gv2"' in said
