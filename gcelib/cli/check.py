"""`gcelib check`: every mistake of the configuration at once."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gcelib.cli.arguments import Commands, add_command, add_config, read_config
from gcelib.config import Config, ConfigError
from gcelib.drivers.registry import profile_of
from gcelib.errors import Invalid, Unsupported
from gcelib.store.marks import Marks

_ABOUT = """\
Read the configuration and the GCELIB_* environment, and report every mistake at once.
Nothing is started and no cloud is asked.
"""

_EXAMPLES = """\
  gcelib check
  gcelib check --config /etc/gcelib/gcelib.toml
  GCELIB_CACHE_NODES=soon gcelib check      # the environment is checked, too
"""


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "check", _ABOUT, _EXAMPLES)
    add_config(parser)
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Check and say how much was found. Raises ConfigError with all mistakes."""
    config = read_config(args)
    mistakes = [*_providers(config), *_generations(config)]
    if mistakes:
        raise ConfigError(mistakes)
    print(f"OK: {_count(len(config.clouds), 'cloud')}, {_count(len(config.projects), 'project')}")
    return 0


def _providers(config: Config) -> Iterator[str]:
    """Providers must be libcloud's, and carried; only the drivers know which are."""
    for cloud in config.clouds.values():
        where = f"clouds.{cloud.name}.provider"
        try:
            profile = profile_of(cloud.provider)
        except Unsupported as fault:
            yield f"{where}: {fault.message}"
        else:
            if not profile.carried:
                yield f"{where}: '{cloud.provider}' cannot be used: {profile.why_not}."


def _generations(config: Config) -> Iterator[str]:
    """Redis's package must be there, and take the URL."""
    if config.server.generations:
        try:
            Marks(config.server.generations).close()
        except Invalid as fault:
            yield f"{fault.field}: {fault.message}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
