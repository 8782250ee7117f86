"""What a terminal is shown while a command works, and that nothing else ever gets to see it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gcelib.auth.accounts import Accounts
from gcelib.store import Store

GONE = "\r\x1b[K"
"""How a terminal is told to forget the line it shows."""


@dataclass(frozen=True)
class Shown:
    """What a command wrote on the terminals of standard output and of standard error."""

    out: str
    err: str
    code: int


def on_terminals(words: Sequence[str | Path], environ: dict[str, str], until: str = "") -> Shown:
    """A command with a terminal each for its output and its errors; ended once `until` is among the output."""
    texts = ["", ""]
    pairs = [pty.openpty(), pty.openpty()]
    process = subprocess.Popen([sys.executable, "-m", "gcelib", *words], stdout=pairs[0][1], stderr=pairs[1][1],
                               stdin=subprocess.DEVNULL, env=environ)

    def read(number: int) -> None:
        while True:
            try:
                said = os.read(pairs[number][0], 65536)
            except OSError:  # How Linux says that nobody writes there any more.
                return
            texts[number] += said.decode()
            if until and number == 0 and until in texts[0]:
                process.terminate()

    readers = [threading.Thread(target=read, args=(number,)) for number in range(2)]
    for (_, theirs), reader in zip(pairs, readers, strict=True):
        os.close(theirs)
        reader.start()
    code = process.wait(60)
    for (ours, _), reader in zip(pairs, readers, strict=True):
        reader.join(10)
        os.close(ours)
    return Shown(texts[0], texts[1], code)


@pytest.fixture
def environ(shell) -> dict[str, str]:
    """A configuration, and a terminal that can do all."""
    kept = {name: value for name, value in shell.environ.items() if name != "NO_COLOR"}
    return {**kept, "TERM": "xterm", "GCELIB_CONFIG": str(shell.config())}


@pytest.fixture
def stored(environ, shell) -> dict[str, str]:
    """The same over a store with an account."""
    (shell.folder / "state").mkdir()
    with closing(Store.open(f"sqlite:///{shell.folder}/state/gcelib.sqlite")) as store:
        Accounts(store).create_service("robot", "demo", "viewer", "https://gcelib.example")
    return environ


def test_a_terminal_sees_how_far_a_backup_is_and_afterwards_only_what_came_of_it(stored, shell) -> None:
    seen = on_terminals(["backup", shell.folder / "one"], stored)
    assert seen.code == 0
    assert re.search(r"\r\x1b\[K\w+: \d+", seen.err)
    assert seen.err.endswith(GONE)
    assert "\x1b" not in seen.out
    assert f"{shell.folder}/one holds" in seen.out


@pytest.mark.parametrize(("words", "more"), [(["--quiet"], {}), ([], {"TERM": "dumb"})], ids=["quiet", "dumb"])
def test_who_wants_no_progress_gets_none(stored, shell, words, more) -> None:
    seen = on_terminals(["backup", shell.folder / "one", *words], {**stored, **more})
    assert (seen.code, seen.err) == (0, "")


def test_piped_there_is_no_progress_and_programs_get_json(stored, shell) -> None:
    done = shell.run("backup", "--json", shell.folder / "one", **stored)
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert said["file"] == str(shell.folder / "one")
    assert said["rows"]["accounts"] == 1
    held = {name: rows for name, rows in said["rows"].items() if rows}
    assert any("seal key" in line for line in said["beside"])
    described = json.loads(shell.run("restore", "--check", "--json", shell.folder / "one").stdout)
    assert (described["rows"], described["database"]) == (held, "sqlite")
    restored = json.loads(shell.run("restore", "--force", "--json", shell.folder / "one", **stored).stdout)
    assert {name: rows for name, rows in restored["rows"].items() if rows} == held
    assert Path(restored["copy"]).exists()


def test_a_simulator_shows_the_making_of_many_machines_and_says_where_it_is_as_json(environ) -> None:
    words = ["simulator", "--listen", "127.0.0.1:0", "--machines"]
    seen = on_terminals([*words, "2000"], environ, until="ready")
    assert seen.code == 0
    assert "\r\x1b[Kmachines: 500 of 2000" in seen.err
    assert seen.err.endswith(GONE)
    seen = on_terminals([*words, "1000", "--json"], environ, until="\n")
    assert (seen.code, seen.err) == (0, "")
    said = json.loads(seen.out)
    assert said["url"].startswith("http://127.0.0.1:")
    assert {account["name"] for account in said["accounts"]} >= {"demo", "admin"}


@pytest.mark.parametrize("no_color", [False, True])
def test_doctor_has_colours_on_a_terminal_unless_somebody_wants_none(environ, shell, no_color) -> None:
    shell.config("[server]\nlisten = 1\n")
    seen = on_terminals(["doctor"], {**environ, **({"NO_COLOR": "1"} if no_color else {})})
    assert seen.code == 1
    assert ("\x1b[1;31mWRONG\x1b[0m" in seen.out) is not no_color
    assert "WRONG" in seen.out
    assert "\x1b" not in shell.run("doctor", **environ).stdout
