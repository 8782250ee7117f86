"""The manual pages say of every command and option what --help and the configuration's reference say."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from gcelib.cli import COMMANDS, parser
from gcelib.config.reference import sections

ROOT = Path(__file__).parents[2]


def generator() -> ModuleType:
    """packaging/manpages.py."""
    spec = importlib.util.spec_from_file_location("manpages", ROOT / "packaging" / "manpages.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them."""
    where = tmp_path_factory.mktemp("man")
    generator().main(where)
    return where


def words(page: Path) -> str:
    """A page's words, the marks of its language taken away."""
    said = page.read_text()
    for mark, letter in {"\\-": "-", "\\fB": "", "\\fR": "", "\\(aq": "'", "\\(ti": "~", "\\(ha": "^"}.items():
        said = said.replace(mark, letter)
    return said


def test_there_is_a_page_for_every_command_and_one_for_the_configuration(folder: Path) -> None:
    assert {page.name for page in folder.iterdir()} == {
        "gcelib.1", "gcelib.toml.5", *(f"gcelib-{command}.1" for command in COMMANDS)}
    for command, summary in COMMANDS.items():
        assert f"gcelib-{command} - {summary}\n" in words(folder / f"gcelib-{command}.1")
        assert f"gcelib-{command}(1)" in words(folder / "gcelib.1")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_explains_every_option_and_shows_every_example(folder: Path, command: str) -> None:
    known = generator().subcommands(parser([command])).choices[command]
    below = generator().subcommands(known)
    page = words(folder / f"gcelib-{command}.1")
    for each in [known, *(below.choices.values() if below else ())]:
        for option in set(re.findall(r"--[a-z][a-z-]+", each.format_help())) - {"--help"}:
            assert option in page, option
    for line in re.findall(r"(?m)^  (gcelib .*)$", known.epilog or ""):
        assert line.replace("\\", "\\e") in page


def test_every_option_of_the_configuration_is_explained_with_its_variable(folder: Path) -> None:
    page = words(folder / "gcelib.toml.5")
    for section in sections():
        assert f'.SH "{section.heading}"' in page
        for option in section.options:
            assert f".TP\n{option.name}\n" in page
            assert option.environment in page


@pytest.mark.parametrize("checker", [("mandoc", "-Tlint", "-W", "warning"), ("man", "--warnings", "-l")],
                         ids=["mandoc", "man"])  # fmt: skip
def test_checkers_of_manual_pages_find_nothing(folder: Path, checker: tuple[str, ...]) -> None:
    if not shutil.which(checker[0]):
        pytest.skip(f"there is no {checker[0]} here")
    files = sorted(folder.iterdir())
    done = subprocess.run([*checker, *files], capture_output=True, text=True, timeout=60, check=False)
    found = done.stderr if checker[0] == "man" else done.stdout
    assert not found.strip()
