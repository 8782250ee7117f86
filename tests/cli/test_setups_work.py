"""The printed set-ups against a running server on a simulated cloud: each lists its zones."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import installed
from tests.live import free_port

ZONES = ("ch-gv2", "de-adv1", "fr-sg1")


class Running:
    """A process that prints a line when it is ready; ended by its own id."""

    def __init__(self, shell: Any, *words: str, until: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "gcelib", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, cwd=shell.folder, env=shell.environ,
        )
        assert self.process.stdout is not None
        guard = threading.Timer(60, self.process.kill)
        guard.start()
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if re.search(until, line):
                guard.cancel()
                return
        guard.cancel()
        raise AssertionError(f"gcelib {' '.join(words)} ended with {self.process.wait(60)}: {self.said}")

    def stop(self) -> None:
        """End it as an operator would, and wait."""
        self.process.terminate()
        self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, shell_in: Callable[[Path], Any]) -> Iterator[Any]:
    """A simulated cloud, the server configured on it by `gcelib configure`, and a service account's key file."""
    shell = shell_in(tmp_path_factory.mktemp("site"))
    shell.environ["GCELIB_SERVER_ADMIN_LISTEN"] = f"127.0.0.1:{free_port()}"
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        shell.environ.pop(name, None)
    cloud = Running(shell, "simulator", "--listen", "127.0.0.1:0", until="^ready")
    try:
        endpoint, = re.findall(r"^url (\S+)", cloud.said, re.MULTILINE)
        key, secret = re.findall(r"^account demo key (\S+) secret (\S+)", cloud.said, re.MULTILINE)[0]
        done = shell.run("configure", "--no-input", "--endpoint", endpoint, "--key", key, "--secret", secret,
                         "--project", "me@example.com", "--bind-port", str(free_port()))
        assert done.returncode == 0, done.stderr
        assert "Zones: CH-GV2, DE-ADV1, FR-SG1." in done.stdout
        server = Running(shell, "serve", until="serving")
        try:
            made = shell.run("account", "create-service", "robot", "--project", "me@example.com", "--role", "operator",
                             "--key-file", "robot.json")
            assert made.returncode == 0, made.stderr
            yield shell
        finally:
            server.stop()
    finally:
        cloud.stop()


@pytest.fixture
def libraries(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What leads to clients' libraries that no extra of gcelib brings."""
    for name, value in installed.environment().items():
        monkeypatch.setitem(site.environ, name, value)


def _bash(site: Any, script: str, folder: Path) -> str:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], text=True, capture_output=True, timeout=120,
                          cwd=folder, env=site.environ, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _write(site: Any, kind: str) -> Path:
    done = site.run("client", kind, "--key-file", "robot.json", "--write", kind)
    assert done.returncode == 0, done.stderr
    return site.folder / kind


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_lists_the_zones(site):
    out = _bash(site, "source curl.sh", _write(site, "curl"))
    for zone in ZONES:
        assert f'"name":"{zone}"' in out


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")
def test_gcloud_lists_the_zones(site):
    out = _bash(site, "source gcloud.sh; gcloud compute zones list --format='value(name)'", _write(site, "gcloud"))
    assert tuple(sorted(out.split())) == ZONES


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")
def test_gcloud_lists_the_zones_by_a_named_configuration_and_the_active_one_stays(site):
    done = site.run("client", "gcloud", "--key-file", "robot.json", "--named", "ours", "--write", "named")
    assert done.returncode == 0, done.stderr
    assert "gcloud --configuration=ours compute zones list" in done.stdout
    out = _bash(site, "export CLOUDSDK_CONFIG=$PWD/gcloud; "
                "REQUESTS_CA_BUNDLE=/nowhere CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=/nowhere sh configuration.sh; "
                "gcloud --configuration=ours compute zones list --format='value(name)'; "
                "cat gcloud/active_config || echo default",
                site.folder / "named")
    assert tuple(sorted(out.split())) == tuple(sorted((*ZONES, "default")))


@pytest.mark.parametrize("script", ["google_cloud_compute.py", "google_api_client.py"])
def test_googles_python_libraries_list_the_zones(site, script):
    out = _bash(site, f"{sys.executable} {script}", _write_once(site, "python"))
    assert out.splitlines() == [f"{zone} UP" for zone in ZONES]


def test_libclouds_driver_lists_the_zones(site):
    out = _bash(site, f"source env.sh; {sys.executable} gce.py", _write(site, "libcloud"))
    assert out.splitlines() == [f"{zone} UP" for zone in ZONES]


def test_googles_node_library_lists_the_zones(site, libraries):
    installed.skip_without(installed.has_node(site.environ["PATH"]), "Node.js with @google-cloud/compute")
    out = _bash(site, "source env.sh; node zones.js", _write(site, "node"))
    assert out.splitlines() == [f"{zone} UP" for zone in ZONES]


def test_googles_go_library_lists_the_zones(site, libraries):
    if not installed.has_go(site.environ["PATH"]):
        pytest.skip("Go with google.golang.org/api is not installed")
    out = _bash(site, "source env.sh; go run zones.go", _write(site, "go"))
    assert out.splitlines() == [f"{zone} UP" for zone in ZONES]


def test_java_lists_the_zones_with_nothing_but_a_jdk(site):
    if not installed.has_java(site.environ["PATH"]):
        pytest.skip("a JDK is not installed")
    # Sourced twice, as by everybody who opens another shell.
    out = _bash(site, "source env.sh; source env.sh; java Rest.java", _write(site, "java"))
    for zone in ZONES:
        assert f'"name":"{zone}"' in out


def test_wrong_keys_are_refused_before_anything_is_written(site):
    endpoint = re.findall(r'^endpoint = "(.*)"', next(site.home.rglob("gcelib.toml")).read_text(), re.MULTILINE)[0]
    done = site.run("configure", "--config", "wrong.toml", "--no-input", "--endpoint", endpoint, "--key", "nobody",
                    "--secret", "hidden-word")
    assert done.returncode == 1
    assert "does not accept these keys" in done.stderr
    assert "hidden-word" not in done.stdout + done.stderr
    assert not (site.folder / "wrong.toml").exists()


def _write_once(site: Any, kind: str) -> Path:
    folder = site.folder / kind
    return folder if folder.exists() else _write(site, kind)


def test_the_site_of_these_tests_leaves_the_real_home_alone(site):
    assert site.environ["HOME"] != os.environ.get("HOME")
    assert (site.home / ".local" / "state" / "gcelib" / "ca.pem").is_file()
