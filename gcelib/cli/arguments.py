"""What several commands' options have in common: how examples are shown, and where the configuration is."""

from __future__ import annotations

import argparse
import os
import pwd
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from gcelib.cli import COMMANDS
from gcelib.config import Config, load
from gcelib.errors import Forbidden

Commands = Any
"""What argparse's add_subparsers returns; its class is private there."""


def add_command(commands: Commands, name: str, about: str, examples: str) -> argparse.ArgumentParser:
    """A command whose --help says what it is for and ends with examples that work as typed."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=COMMANDS[name], description=about, epilog=f"Examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def add_config(parser: argparse.ArgumentParser) -> None:
    """--config, the same in every command."""
    parser.add_argument(
        "--config", type=Path, metavar="F",
        help="configuration file; else GCELIB_CONFIG, else the user's, else /etc/gcelib/gcelib.toml",
    )


def read_config(args: argparse.Namespace) -> Config:
    """The configuration that --config or the environment names. Raises ConfigError."""
    return load(args.config)


def read_own_config(args: argparse.Namespace) -> Config:
    """The configuration, for a command that writes into its state directory.

    Raises ConfigError; Forbidden to root where the directory is another user's, whose server could not use what root
    makes there.
    """
    config = read_config(args)
    state = config.server.state_dir
    owner = state.stat().st_uid if os.geteuid() == 0 and state.exists() else 0
    if owner:
        user = next((each.pw_name for each in pwd.getpwall() if each.pw_uid == owner), f"#{owner}")
        raise Forbidden(f"{state} belongs to {user}, whose server could not use what root makes there; run this as "
                        f"that user: sudo -u '{user}' {program()} {args.command} ...")
    return config


def program() -> str:
    """How this very program is called from the shell, for lines that people paste."""
    called = Path(sys.argv[0])
    if called.name != "gcelib":
        return f"{shlex.quote(sys.executable)} -m gcelib"
    found = shutil.which("gcelib")
    if found and Path(found).resolve() == called.resolve():
        return "gcelib"
    return shlex.quote(str(called.absolute()))
