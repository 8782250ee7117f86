"""gcutil and gcloud sign in with keys to the cloud: on the page, and as gstack's users did."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.callers.cloud import Holder, send_keys, shown_code
from tests.contract import browser, gcutil
from tests.contract.gcloud import Gcloud
from tests.contract.gcutil import Gcutil

SECONDS = 120


@pytest.fixture(scope="module")
def program() -> list[str]:
    """The command that runs gcutil; skips where it or its Python is not."""
    found, python = gcutil.executable(), gcutil.python()
    if not found or not python:
        pytest.skip(f"gcutil or its Python 2.7 is not here: {gcutil.NEEDED}")
    return [python, found]


def _log_in(command: list[str], environment: dict[str, str], url: str, code_of: Callable[[str], str]) -> str:
    """Run a log-in, give it the code that `code_of` gets at the address it names; what it said."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, env=environment)
    assert process.stdout
    seen: list[str] = []
    while not (seen and seen[-1].strip().startswith(f"{url}/oauth2/auth?")):
        line = process.stdout.readline()
        assert line, "".join(seen)
        seen.append(line)
    said, _ = process.communicate(f"{code_of(seen[-1].strip())}\n", timeout=SECONDS)
    assert process.returncode == 0, said
    return str(said)


def test_gcutil_signs_in_with_keys_on_the_page(demo: Holder, program: list[str], tmp_path: Path) -> None:
    tool = Gcutil(program, demo.live.url, tmp_path, project="mine")

    def typed(page: str) -> str:
        return shown_code(send_keys(demo.live, requests.get(page, timeout=30).text, demo.key, demo.secret).text)

    _log_in(tool.command("auth", "--noconfirm_email", "--noauth_local_webserver"), tool.environment, tool.url, typed)
    assert {row["name"] for row in tool.run("listzones").rows} == {"ch-gv2", "de-adv1", "fr-sg1"}
    tool.run("addinstance", "mine-1", "--zone=ch-gv2", "--machine_type=micro", "--wait_until_running",
             "--image=linux-centos-6-4-64-bit-10gb", "--noadd_compute_key_to_project")
    assert [row["name"] for row in tool.run("listinstances").rows] == ["mine-1"]
    tool.run("deleteinstance", "mine-1", "-f", "--delete_boot_pd", "--zone=ch-gv2")


def test_gcutil_edited_as_gstack_wanted_it_signs_in_without_a_page(
    other: Holder, program: list[str], tmp_path: Path
) -> None:
    edited = tmp_path / "gcutil"
    shutil.copytree(Path(program[1]).parent, edited)
    helper = next(edited.rglob("gcutil_lib/auth_helper.py"))
    text = helper.read_text()
    for name, value in (("OAUTH2_CLIENT_ID", other.key), ("OAUTH2_CLIENT_SECRET", other.secret)):
        text, count = re.subn(rf"^{name} = .*$", f"{name} = {value!r}", text, flags=re.MULTILINE)
        assert count == 1
    helper.write_text(text)
    tool = Gcutil([program[0], str(edited / Path(program[1]).name)], other.live.url, tmp_path / "home", project="other")
    command = tool.command("auth", "--noconfirm_email", "--noauth_local_webserver")
    _log_in(command, tool.environment, tool.url, lambda page: shown_code(requests.get(page, timeout=30).text))
    assert len(tool.run("listmachinetypes", "--zone=ch-gv2").rows) == 7
    assert tool.run("getproject").details["name"] == ["other"]


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")
@pytest.mark.parametrize("way", ["the page", "the client's id"])
def test_gcloud_signs_in_with_keys(demo: Holder, tmp_path: Path, way: str) -> None:
    tool = Gcloud(demo.live, tmp_path)
    own = {"CLOUDSDK_AUTH_CLIENT_ID": demo.key, "CLOUDSDK_AUTH_CLIENT_SECRET": demo.secret}
    environment = {**tool.environment, **(own if way == "the client's id" else {})}

    def code_of(page: str) -> str:
        answer = requests.get(page, timeout=30, allow_redirects=False)
        if way == "the page":
            answer = send_keys(demo.live, answer.text, demo.key, demo.secret)
        return browser.query(answer.headers["Location"])["code"]

    said = _log_in(["gcloud", "auth", "login", "--no-launch-browser"], environment, demo.live.url, code_of)
    assert "demo@sim.cloud.gcelib.local" in said
    listed = subprocess.run(["gcloud", "compute", "zones", "list", "--format=value(name)"], text=True, check=True,
                            capture_output=True, timeout=SECONDS, env=environment, stdin=subprocess.DEVNULL)
    assert listed.stdout.split() == ["ch-gv2", "de-adv1", "fr-sg1"]
