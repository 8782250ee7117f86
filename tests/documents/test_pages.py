"""Every block of commands in the pages is run, or says why it is not; every configuration in them is a good one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gcelib.config import load
from gcelib.simulator import Simulator
from tests.conftest import launched
from tests.documents import PAGES, ROOT, Block, blocks
from tests.documents.loaded import Gcloud
from tests.documents.shell import missing, programs, run, script
from tests.live import Live, free_port

ELSEWHERE = ("README.md", "docs/clients/", "docs/tutorial.md", "docs/tasks/behind-nginx.md", "examples/")
"""Pages with tests of their own: test_readme.py, contract/test_client_docs.py, test_tutorial.py, test_nginx.py,
examples/."""
COMMANDS = re.compile(r"^[$#] |^(sudo )?(gcelib|gcloud|gcutil|pip|npm|curl|ssh|source|make|apt-get) ", re.MULTILINE)
MOST_UNRUN = 24
SET_UP = "gcelib client gcloud"


def named(page: Path) -> str:
    """Its path in the project."""
    return page.relative_to(ROOT).as_posix()


RUN = [page for page in PAGES if blocks(page.read_text()) and not named(page).startswith(ELSEWHERE)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """gcelib with an audit log, an account's key, and a project of callers' own."""
    with Simulator(job_delay=0.05) as cloud:
        extra = f"""
[clouds.own]
provider = "cloudstack"
endpoint = "{cloud.url}"
[projects."*"]
clouds = ["own"]
credentials = "caller"
"""
        live = launched(tmp_path_factory.mktemp("server"), cloud, tls="auto", extra=extra)
        live.sign_in()
        keys = cloud.accounts["other"]
        live.environ = {"CLOUD_API_KEY": keys.api_key, "CLOUD_SECRET_KEY": keys.secret_key}
        yield live
        assert live.stop() == 0


@pytest.fixture(scope="module")
def gcloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcloud]:
    """gcloud, loaded once."""
    made = Gcloud(tmp_path_factory.mktemp("gcloud"))
    yield made
    made.close()


@pytest.mark.parametrize("page", RUN, ids=named)
def test_what_the_page_says_works(page: Path, server: Live, gcloud: Gcloud, tmp_path: Path) -> None:
    found = blocks(page.read_text())
    path = programs(tmp_path / "programs", {"gcloud": gcloud.line} if gcloud.there else {})
    if lacking := missing(found, path):
        pytest.skip(f"{', '.join(lacking)}: not installed here")
    (tmp_path / "home").mkdir()
    if not any("account create-service me" in block.text for block in found):
        (tmp_path / "me.json").write_bytes(server.key_file.read_bytes())
    (tmp_path / "audit.log").symlink_to(server.home / "state" / "audit.log")
    port = str(free_port())
    if "gcloud" in "".join(block.text for block in found) and not any(SET_UP in block.text for block in found):
        found = [Block("sh", f'eval "$({SET_UP} --project demo --key-file me.json)"\n'), *found]
    run(script(moved(block, server, port) for block in found), tmp_path, {
        "HOME": str(tmp_path / "home"), "PATH": path, "PYTHONPATH": str(ROOT), "GCELIB_CONFIG": str(server.config),
        "CURL_CA_BUNDLE": str(server.ca), "PROJECT": "demo", "KEY_FILE": str(server.key_file), **server.environ,
    })


def moved(block: Block, server: Live, port: str) -> Block:
    """With the addresses of this server, and of a simulator of the page's own."""
    places = {"https://localhost:5000": server.url, "127.0.0.1:5001": f"127.0.0.1:{server.admin}",
              "127.0.0.1:8080": f"127.0.0.1:{port}"}
    return replace(block, text=re.sub("|".join(places), lambda match: places[match[0]], block.text))


def test_a_page_with_commands_is_run_somewhere() -> None:
    for page in PAGES:
        if blocks(page.read_text()) and page not in RUN:
            assert named(page).startswith(ELSEWHERE)


def test_what_is_not_run_says_why_and_is_little() -> None:
    found = [(named(page), block) for page in PAGES for block in blocks(page.read_text(), "") if block.unrun]
    assert [each for each in found if len(each[1].unrun.split()) < 4] == []
    told = "\n".join(f"{page}: {block.text.splitlines()[0]} – {block.unrun}" for page, block in found)
    assert len(found) <= MOST_UNRUN, f"Few blocks should be run nowhere:\n{told}"


def test_commands_are_in_blocks_that_are_run() -> None:
    for page in PAGES:
        for block in blocks(page.read_text(), ""):
            if block.language in ("text", "", "console", "bash", "shell") and not block.unrun:
                assert not COMMANDS.search(block.text), f"{named(page)}: commands stand in blocks of sh\n{block.text}"


PYTHON = [(page, block) for page in PAGES for block in blocks(page.read_text(), "python")]


@pytest.mark.parametrize(("page", "block"), PYTHON, ids=lambda each: named(each) if isinstance(each, Path) else "")
def test_python_in_a_page_runs(page: Path, block: Block, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", block.text], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


TOML = [(page, block) for page in PAGES for block in blocks(page.read_text(), "toml")]
CLOUD = '\n[clouds.gva]\nprovider = "cloudstack"\nendpoint = "https://cloud.example"\nkey = "k"\nsecret = "s"\n'
PROJECT = '\n[projects.demo]\nclouds = ["gva"]\n'


@pytest.mark.parametrize(("page", "block"), TOML, ids=lambda each: named(each) if isinstance(each, Path) else "")
def test_a_configuration_in_a_page_is_a_good_one(page: Path, block: Block, tmp_path: Path) -> None:
    text = block.text
    if not re.search(r"^\[", text, re.MULTILINE):
        earlier = [each.text for where, each in TOML if where == page]
        text = f"{earlier[earlier.index(text) - 1]}\n{text}"
    text += (CLOUD if "[clouds." not in text else "") + (PROJECT if "[projects." not in text else "")
    for place in set(re.findall(r'"(/etc/gcelib/[^"]+)"', text)):
        (tmp_path / Path(place).name).write_text("x" * 40)
        (tmp_path / Path(place).name).chmod(0o600)
    config = tmp_path / "gcelib.toml"
    config.write_text(text.replace("/etc/gcelib", str(tmp_path)))
    config.chmod(0o600)
    assert load(config, {}).projects
