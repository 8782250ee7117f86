"""`gcelib serve`: the daemon."""

from __future__ import annotations

import argparse
import logging
import os

from gcelib import __version__
from gcelib.cli.arguments import Commands, add_command, add_config
from gcelib.config import Config, load

log = logging.getLogger(__name__)

_ABOUT = """\
Run the server. It prints one line when it answers; what happens goes to standard error.

SIGTERM and SIGINT end it once the requests under way have been answered; a second one ends it at once.
SIGHUP reads the certificate and the configuration again; clouds, projects and caches change, a
configuration with mistakes changes nothing.
"""

_EXAMPLES = """\
  gcelib serve
  gcelib serve --config /etc/gcelib/gcelib.toml
  gcelib serve --listen 127.0.0.1:8443
"""


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "serve", _ABOUT, _EXAMPLES)
    add_config(parser)
    parser.add_argument("--listen", metavar="H:P", help="address and port of the API, over the configuration's")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop. Raises ConfigError, OSError when a port is in use, Fault for the store."""
    # Imported here so that the other commands do not wait for the whole server to be loaded.
    from gcelib.server import memory

    memory.only_grow()
    from gcelib.server import logs
    from gcelib.server.daemon import Daemon

    config = _read(args)
    logs.set_up(config.server.log_format)
    daemon = Daemon(config, lambda: _read(args))

    def announce() -> None:
        print(f"gcelib {__version__} serving {daemon.url} (health, metrics and console on {daemon.admin_url})",
              flush=True)

    return daemon.run(announce)


def _read(args: argparse.Namespace) -> Config:
    """The configuration, --listen in it as the environment would be, so that it is checked with the rest."""
    environ = dict(os.environ)
    if args.listen:
        environ["GCELIB_SERVER_LISTEN"] = args.listen
    return load(args.config, environ)
