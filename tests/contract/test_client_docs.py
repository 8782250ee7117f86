"""What docs/clients tells people to type, typed: each page's shell blocks in their order, in one shell."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract import gcutil, installed
from tests.documents import blocks
from tests.documents.loaded import Gcloud
from tests.live import Live

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted((ROOT / "docs" / "clients").glob("*.md"))
FROM_OUTSIDE = ("CLOUDSDK_PYTHON",)
"""Where clients may be installed beside PATH."""


def works(*words: str) -> Callable[[str], bool]:
    """Whether a command ends well."""
    def tried(_: str) -> bool:
        return bool(shutil.which(words[0])) and not subprocess.run(words, capture_output=True, check=False).returncode

    return tried


def gcutils_ports() -> bool:
    """Whether gcutil can listen for the browser where it wants to."""
    for port in (8080, 8090):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return True
    return False


NEEDED: dict[str, Callable[[str], bool]] = {
    "gcutil": lambda _: bool(gcutil.executable() and gcutil.python()) and gcutils_ports(),
    "gcloud": lambda _: bool(shutil.which("gcloud")),
    "curl": works("curl", "--version"),
    "node": installed.has_node,
    "go": installed.has_go,
    "java": installed.has_java,
    "ansible": installed.has_ansible,
}
"""What a page needs besides Python libraries that the tests need anyway, on a PATH."""


@pytest.fixture
def gcloud(tmp_path: Path) -> Iterator[Gcloud]:
    """gcloud, loaded once."""
    (tmp_path / "gcloud").mkdir()
    made = Gcloud(tmp_path / "gcloud")
    yield made
    made.close()


@pytest.fixture
def programs(gcloud: Gcloud, tmp_path: Path) -> Path:
    """A folder with gcelib, gcloud, python3, gcutil and a browser as the pages call them."""
    folder = tmp_path / "programs"
    installed.programs(folder, {
        **installed.ansible_lines(), **({"gcloud": gcloud.line} if gcloud.there else {}),
        "gcelib": f'exec {shlex.quote(sys.executable)} -m gcelib "$@"',
        "python3": f'exec {shlex.quote(sys.executable)} "$@"',
        "gcutil": f'exec {shlex.quote(gcutil.python())} {shlex.quote(gcutil.executable())} "$@"',
        "browser": f'cd {shlex.quote(str(ROOT))}; exec {shlex.quote(sys.executable)} -m tests.contract.browser "$1"',
    })
    return folder


@pytest.fixture
def environment(secure: Live, programs: Path, tmp_path: Path) -> dict[str, str]:
    """What the pages count on: a server configured on this machine, and who one is."""
    secure.sign_in()
    (tmp_path / "home").mkdir()
    kept = {name: os.environ[name] for name in FROM_OUTSIDE if name in os.environ}
    return {
        **kept, **installed.environment(), "HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "GCELIB_CONFIG": str(secure.config), "URL": secure.url, "PROJECT": "demo", "KEY_FILE": str(secure.key_file),
        "CA": str(secure.ca), "BROWSER": f"{programs}/browser %s &", "LC_ALL": "C.UTF-8", "USER": "ann",
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_page_says_works(page: Path, environment: dict[str, str], tmp_path: Path) -> None:
    if not NEEDED.get(page.stem, lambda _: True)(environment["PATH"]):
        pytest.skip(f"{page.stem} is not installed here (`make clients` installs ansible and node's library)")
    run = [block.text for block in blocks(page.read_text()) if not block.unrun]
    assert run
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(run)], cwd=tmp_path, env=environment,
                          capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL)
    said = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, said
    assert "Traceback" not in said, said
    assert EXPECTED[page.stem](done.stdout), said


def holds(*words: str) -> Callable[[str], bool]:
    """Whether each of these words is in what a page's commands print."""
    return lambda out: all(word in out for word in words)


EXPECTED: dict[str, Callable[[str], bool]] = {
    "ansible": holds("changed=2", "failed=0"),
    "curl": holds('"status":"DONE"', '"status":"RUNNING"', '"nextPageToken"'),
    "gcloud": holds("web-1", "RUNNING", "tcp:22,icmp"),
    "gcutil": holds("| web-1 |", "RUNNING", "None scheduled"),
    "libcloud": holds("ch-gv2 UP", "by-libcloud running"),
    "go": holds("ch-gv2 UP", "by-go RUNNING"),
    "java": holds('"name":"ch-gv2"'),
    "node": holds("ch-gv2 UP", "by-node RUNNING"),
    "python": holds("ch-gv2 UP", "RUNNING", "huge 32184"),
    "terraform": holds("gcelib.tf"),
}


def test_every_page_is_run() -> None:
    assert {page.stem for page in PAGES} == set(EXPECTED)
