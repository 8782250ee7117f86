"""docs/cli.md and --help speak of the same commands and options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gcelib.cli import COMMANDS, main

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `gcelib (\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
EVERYWHERE = {"--help", "--config"}
VERBS = ("create-service", "create-user", "grant", "revoke", "disable", "rotate-key", "rotate-seal", "list")


def test_every_command_has_a_section():
    assert sorted(SECTIONS) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_names_the_options_of_its_command(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "110")
    pages = [(command,)] if command != "account" else [(command, verb) for verb in VERBS]
    offered: set[str] = set()
    for words in pages:
        with pytest.raises(SystemExit, match="0"):
            main([*words, "--help"])
        offered.update(re.findall(r"(?<![\w-])--[a-z][a-z-]+", capsys.readouterr().out.partition("xamples:")[0]))
    named = set(re.findall(r"--[a-z][a-z-]+", SECTIONS[command]))
    assert offered - EVERYWHERE == named - EVERYWHERE
