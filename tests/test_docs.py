"""The documents say what is true: tables come from the code, links lead somewhere, every command is described."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs import generate
from gcelib import errors
from tests.documents import PAGES

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def test_the_tables_are_current() -> None:
    for path, text in generate.documents().items():
        assert path.read_text() == text, f"{path.name} is out of date: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_command_is_described() -> None:
    said = subprocess.run([sys.executable, "-m", "gcelib", "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^    (\w+)", said, re.MULTILINE)
    assert len(commands) >= 9
    page = (ROOT / "docs" / "cli.md").read_text()
    for command in commands:
        assert f"gcelib {command}" in page, command


def test_every_kind_of_fault_is_in_the_tree_at_the_top_of_its_module() -> None:
    assert errors.__doc__
    for name, kind in errors.KINDS.items():
        line = re.search(rf"\b{name} +(\d+)? +(\w+)", errors.__doc__)
        assert line or name == "Fault", name
        if line:
            assert (int(line[1]), line[2]) == (kind.status, kind.reason), name


def test_the_readme_names_the_make_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE)) <= targets
    assert {"demo", "test", "check", "bench", "docs"} <= targets


def test_no_page_names_a_place_of_the_machine_it_was_written_on() -> None:
    for page in PAGES:
        assert not re.search(r"(?<![\w.])/(work|root|home/\w+|tmp/venv)\b", page.read_text()), page.name
