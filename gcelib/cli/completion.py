"""`gcelib completion`: what a shell needs to complete gcelib's lines, and the answers while somebody types them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from argcomplete import autocomplete
from argcomplete.completers import BaseCompleter, DirectoriesCompleter, FilesCompleter
from argcomplete.lexers import split_line
from argcomplete.shell_integration import shellcode

from gcelib.cli import COMMANDS, parser
from gcelib.cli.arguments import Commands, add_command
from gcelib.config import ConfigError, load

_ABOUT = """\
Print lines that make a shell complete gcelib's commands, options and values at the Tab key. The Debian package has them
where each shell looks for them.
"""

_EXAMPLES = """\
  source <(gcelib completion bash)                                          # bash, for instance in ~/.bashrc
  source <(gcelib completion zsh)                                           # zsh, in ~/.zshrc after compinit
  gcelib completion fish > ~/.config/fish/completions/gcelib.fish           # fish
"""

SHELLS = ("bash", "zsh", "fish")


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    ours = add_command(commands, "completion", _ABOUT, _EXAMPLES)
    ours.add_argument("shell", choices=SHELLS, help="the shell that the lines are for")
    ours.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print them."""
    print(shellcode(["gcelib"], shell=args.shell), end="")
    return 0


def answer() -> None:
    """Tell the shell that asks (COMP_LINE and COMP_POINT say at which place) what can stand there, and end the process.

    Only the file of the command that the line names is loaded: people wait for this at the keyboard.
    """
    line, point = os.environ["COMP_LINE"], int(os.environ["COMP_POINT"])
    before = split_line(line, point)[3]
    words = before[int(os.environ["_ARGCOMPLETE"]):]
    known = parser(words if words[:1] and words[0] in COMMANDS else ())
    for option in options(known):
        if option.dest == "project":
            option.completer = _projects  # type: ignore[attr-defined]
        elif option.choices and not isinstance(option, argparse._SubParsersAction):
            option.completer = _values  # type: ignore[attr-defined]
    autocomplete(known, always_complete_options=False, default_completer=_ByMetavar())


def options(of: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    """Every option and argument of a parser and of the parsers below it."""
    for action in of._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from options(below)


class _ByMetavar(BaseCompleter):
    """Files where a file is asked for, folders where a folder is, and nothing where neither can be right."""

    def __call__(
        self, *, prefix: str, action: argparse.Action, parser: argparse.ArgumentParser, parsed_args: argparse.Namespace
    ) -> Iterable[str]:
        if action.metavar == "DIR":
            return list(DirectoriesCompleter()(prefix))
        if str(action.metavar).partition("|")[0] in ("F", "FILE"):
            return list(FilesCompleter()(prefix))
        return ()


def _values(action: argparse.Action, **_: Any) -> Mapping[str, str]:
    """What an option takes, without a description: the option's own would stand beside each value."""
    return {str(value): "" for value in action.choices or ()}


def _projects(prefix: str, parsed_args: argparse.Namespace, **_: Any) -> Iterable[str]:
    """The projects of the configuration; none while it has mistakes, which `gcelib check` tells of."""
    named = getattr(parsed_args, "config", None)
    try:
        config = load(Path(named) if named else None)
    except (ConfigError, OSError):
        return ()
    return [name for name in config.projects if name != "*"]
