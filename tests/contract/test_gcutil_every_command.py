"""Every command that gcutil's own help names, with every flag that its help names: done, or refused in plain words."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contract import transcript
from tests.contract.conftest import GcutilFor
from tests.contract.gcutil import Gcutil
from tests.contract.transcript import Try
from tests.live import Live

STORIES = transcript.read(Path(__file__).with_name("gcutil_commands.txt"))
ALL = [each for story in STORIES.values() for each in story]
PAGE = Path(__file__).parents[2] / "docs/clients/gcutil.md"
NOT_ITS_OWN = {"flagfile", "undefok"}
"""Flags of gcutil's library for flags, which stand in the help of each command."""
STAND_IN = '#!/bin/sh\necho "ran $(basename "$0") $*"\n'
_FLAG = re.compile(r"^  (?:-\w,)?--(?:\[no\])?(\w+):", re.MULTILINE)


@pytest.fixture(scope="module")
def gcutil(gcutil_for: GcutilFor, plain: Live) -> Gcutil:
    """Signed in, with an SSH key, and programs in place of ssh and scp that only say how they were called."""
    made = gcutil_for(plain)
    made.log_in()
    made.make_ssh_key()
    (made.home / "motd").write_text("hello\n")
    for name in ("ssh", "scp"):
        program = made.home / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(STAND_IN)
        program.chmod(0o755)
    return made


def commands(gcutil: Gcutil) -> list[str]:
    """What `gcutil help` names."""
    listed = gcutil.run("help", code=1).out.partition("Any of the following commands:")[2].partition("\n\n\n")[0]
    return [word.strip() for word in listed.split(",")]


def test_every_command_of_the_help_is_tried_and_no_other(gcutil: Gcutil) -> None:
    named = commands(gcutil)
    assert len(named) == 94
    assert {each.command for each in ALL} == set(named)


def test_every_flag_in_the_help_of_each_command_is_tried(gcutil: Gcutil) -> None:
    named = commands(gcutil)
    with ThreadPoolExecutor(4) as pool:
        helps = [*pool.map(lambda command: gcutil.run("help", command, code=1).out, named)]
    flags = {f"{command} --{flag}" for command, text in zip(named, helps, strict=True)
             for flag in set(_FLAG.findall(text)) - NOT_ITS_OWN}
    assert len(flags) > 200
    assert flags - {f"{each.command} --{flag}" for each in ALL for flag in each.flags} == set()


def test_the_page_says_of_every_command_whether_it_is_done() -> None:
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.count("|") == 4]
    done, refused = (set(re.findall(r"`([a-z]+)`", "\n".join(row[place] for row in rows))) for place in (2, 3))
    never = {each.command for each in ALL} - {each.command for each in ALL if not each.refused}
    assert done == {each.command for each in ALL} - never
    assert never <= refused


@pytest.mark.parametrize("story", STORIES)
def test_commands_are_done_or_refused_in_plain_words(gcutil: Gcutil, plain: Live, story: str) -> None:
    values = {"HOME": str(gcutil.home), "URL": plain.url}
    for each in STORIES[story]:
        ran = gcutil.run(*each.with_values(values), answers="".join(f"{line}\n" for line in each.answers),
                         code=each.code)
        each.look(ran.out + ran.err, values)
        assert_ends_in_words(each, ran.err)
    assert "Traceback" not in plain.said()


def assert_ends_in_words(each: Try, said: str) -> None:
    """A command that was refused says why, by the server or by gcutil itself; one that was done says nothing of it."""
    reasons = re.findall(r"^(?:Error|ERROR|CommandError|UnsupportedCommand): \S.{10}", said, re.MULTILINE)
    assert bool(reasons) == bool(each.refused), f"line {each.line}: {said}"
