"""README from top to bottom: the demo, and gcelib before an own CloudStack, which the simulator stands for."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcelib.simulator import Simulator
from tests.contract import installed
from tests.documents import ROOT, Block, blocks
from tests.documents.loaded import Gcloud
from tests.documents.shell import run, script
from tests.live import free_port

PAGE = ROOT / "README.md"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a clone of this repository holds."""
    words = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, os.fsdecode(listed).split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / "clone" / name)
    return tmp_path / "clone"


def pip_settings() -> dict[str, str]:
    """Where packages come from here, for a home that knows nothing of it."""
    places = (Path.home() / ".config" / "pip" / "pip.conf", Path.home() / ".pip" / "pip.conf")
    place = next((place for place in places if place.exists()), None)
    found = {"PIP_CONFIG_FILE": str(place)} if place else {}
    return {**found, "PIP_NO_BUILD_ISOLATION": "1"} if importlib.util.find_spec("setuptools") else found


@pytest.fixture
def gcloud(tmp_path: Path) -> Iterator[Gcloud]:
    """gcloud, loaded once."""
    (tmp_path / "gcloud").mkdir()
    made = Gcloud(tmp_path / "gcloud")
    yield made
    made.close()


def path(folder: Path, gcloud: Gcloud) -> str:
    """A PATH with the Python of the tests and gcloud, and no gcelib."""
    python = f'exec {shlex.quote(sys.executable)} "$@"'
    return installed.programs(folder, {"gcloud": f"unset PYTHONPATH\n{gcloud.line}", "python3": python})


def test_a_machine_with_nothing_but_the_readme(clone: Path, gcloud: Gcloud) -> None:
    home = clone.parent / "home"
    home.mkdir()
    with Simulator(job_delay=0.05) as cloud:
        account = cloud.accounts["demo"]
        answers = ("127.0.0.1", str(free_port()), cloud.url, account.api_key, account.secret_key, "demo", "")
        (clone / "typed").write_text("\n".join(answers) + "\n")
        found = blocks(PAGE.read_text())
        there = shutil.which("gcloud")
        text = script(found if there else [Block("sh", without_gcloud(block.text), block.remark) for block in found])
        said = run(text, clone, {
            **pip_settings(), "HOME": str(home), "PATH": path(clone.parent / "programs", gcloud),
            # What gcelib needs is here already; gcelib itself is not, and is installed as the page says.
            "PYTHONPATH": sysconfig.get_path("purelib"), "GCELIB_SERVER_ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
        })
    assert "Zones: CH-GV2, DE-ADV1, FR-SG1" in said
    assert "the key is in me.json" in said
    if not there:
        pytest.skip("gcloud is not installed; everything else on the page was done")
    assert "web-1" in said
    assert "RUNNING" in said


def without_gcloud(text: str) -> str:
    """A block as far as it needs no gcloud."""
    return "".join(f"{line}\n" for line in text.splitlines() if "gcloud" not in line)
