"""`gcelib completion` in the shells themselves: what the Tab key makes of a line."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

COMMANDS = Path(sys.executable).parent
PROMPT = "prompt-here>"


def needed(shell: str) -> str:
    """The shell's path; a test without it is skipped."""
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"there is no {shell} here")
    return found


class Typist:
    """Somebody at a shell on a terminal."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal

    def types(self, keys: str, until: str) -> str:
        """What the terminal shows from these keys on until it shows `until`."""
        os.write(self._terminal, keys.encode())
        shown = ""
        deadline = time.monotonic() + 20
        while until not in shown:
            ready, _, _ = select.select([self._terminal], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, shown
            shown += os.read(self._terminal, 65536).decode(errors="replace")
        return shown


@contextmanager
def at(words: list[str], environ: dict[str, str], ready: str) -> Iterator[Typist]:
    """A shell on a terminal of its own that has run the line `ready`; ended with the block."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs, env=environ, start_new_session=True)
    os.close(theirs)
    try:
        typist = Typist(ours)
        # The quotes keep the echo of the line itself from being taken for its outcome.
        typist.types(f"{ready}; PS1='{PROMPT[:6]}''{PROMPT[6:]}'\r", PROMPT)
        yield typist
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.fixture
def environ(shell) -> dict[str, str]:
    """A home with a configuration, and gcelib on PATH."""
    shell.config(shell.config().read_text().replace("ian@ianduffy.ie", "projected"))
    return {**shell.environ, "PATH": f"{COMMANDS}:{os.environ['PATH']}", "TERM": "dumb",
            "GCELIB_CONFIG": str(shell.folder / "gcelib.toml")}


def begun(shell: str, environ: dict[str, str]) -> tuple[list[str], str]:
    """The shell without anybody's own settings, and the line that gives it gcelib's completion."""
    path = needed(shell)
    if shell == "bash":
        return [path, "--norc", "--noprofile", "-i"], "source <(gcelib completion bash)"
    return [path, "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(gcelib completion zsh)"


@pytest.mark.parametrize("shell_name", ["bash", "zsh"])
def test_the_tab_key_completes_commands_options_and_projects(shell_name: str, environ: dict[str, str]) -> None:
    words, line = begun(shell_name, environ)
    with at(words, environ, line) as typist:
        typist.types("gcelib compl\t", "gcelib completion ")
        typist.types("fi\t", "fish")
        typist.types("\x15gcelib client gcloud --proj\t", "--project ")
        typist.types("p\t", "projected")


def test_fish_shows_what_each_command_does(environ: dict[str, str], shell) -> None:
    fish = needed("fish")
    folder = shell.home / ".config" / "fish" / "completions"
    folder.mkdir(parents=True)
    (folder / "gcelib.fish").write_text(shell.run("completion", "fish").stdout)

    def offered(line: str) -> list[str]:
        done = subprocess.run([fish, "-c", f'complete -C "{line}"'], env=environ, capture_output=True, text=True,
                              timeout=30, check=True)
        return done.stdout.splitlines()

    assert "serve\trun the server" in offered("gcelib ")
    assert offered("gcelib compl") == ["completion\tprint what makes a shell complete the lines"]
    assert [line.partition("\t")[0] for line in offered("gcelib account rotate-")] == ["rotate-key", "rotate-seal"]
    assert [line.partition("\t")[0] for line in offered("gcelib client gcloud --project p")] == ["projected"]
    assert offered("gcelib client gc") == ["gcloud", "gcutil"]


@pytest.fixture
def asked(environ: dict[str, str]) -> Callable[[str], list[str]]:
    """What the command itself offers at the end of a line, as the shells' functions ask it."""
    def ask(line: str) -> list[str]:
        kept = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n",
                "_ARGCOMPLETE_STDOUT_FILENAME": environ["HOME"] + "/offered"}
        subprocess.run([COMMANDS / "gcelib"], env={**environ, **kept}, check=True, timeout=30, cwd=environ["HOME"])
        return (Path(environ["HOME"]) / "offered").read_text().splitlines()
    return ask


def test_files_are_offered_where_files_are_asked_for_and_nowhere_else(asked, shell) -> None:
    (shell.home / "folder").mkdir()
    (shell.home / "file.toml").touch()
    assert set(asked("gcelib serve --config f")) == {"folder/", "file.toml"}
    assert asked("gcelib client curl --write f") == ["folder/"]
    assert asked("gcelib serve --listen ") == []


def test_a_configuration_with_mistakes_offers_no_projects(asked, shell) -> None:
    shell.config("[server]\nlisten = 1\n")
    assert asked("gcelib client curl --project ") == []
