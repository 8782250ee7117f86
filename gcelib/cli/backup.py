"""`gcelib backup`: what gcelib keeps, in one file, while it serves."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path

from gcelib import __version__
from gcelib.cli.arguments import Commands, add_command, add_config, read_config
from gcelib.cli.audited import audited
from gcelib.cli.telling import Progress, counted
from gcelib.config import Config
from gcelib.errors import NotFound
from gcelib.store import Store
from gcelib.store.backup import save
from gcelib.store.condition import condition

_ABOUT = """\
Write everything that gcelib's store holds into a file: accounts with their roles, keys and tokens, operations,
callers' sealed keys, and what it notes of things on the clouds. It is all of one moment, and servers go on meanwhile.
Keep the file as safe as the store; `gcelib restore` puts it back, into SQLite or PostgreSQL, whichever it came from.
"""

_EXAMPLES = """\
  gcelib backup /var/backups/gcelib.backup
  gcelib backup --quiet --force gcelib.backup     # from cron: replaces the one before
  gcelib restore --check gcelib.backup            # is it whole, and what is in it?
"""


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "backup", _ABOUT, _EXAMPLES)
    parser.add_argument("file", type=Path, metavar="FILE", help="where to write it, readable by its owner only")
    add_config(parser)
    parser.add_argument("--force", action="store_true", help="replace the file when it is there")
    parser.add_argument("--quiet", action="store_true", help="say nothing when all is well")
    parser.add_argument("--json", action="store_true", help="say what is in it as JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Write the file. Raises ConfigError, Exists for a file that is there, NotFound without a database, OSError."""
    config = read_config(args)
    path = args.file.absolute()
    with audited(config, "backup", event="store", file=str(path)):
        url = config.server.database_url()
        found = condition(url)
        if not found.there:
            raise NotFound(f"There is no database {found.url} yet: `gcelib serve` makes it when it first starts.")
        with closing(Store.unchanged(url)) as store, Progress(args.quiet or args.json) as progress:
            counts = save(store, path, __version__, replace=args.force, tell=progress)
    if args.json:
        print(json.dumps({"file": str(path), "rows": counts, "beside": beside(config)}, indent=2))
    elif not args.quiet:
        print(f"{path} holds {counted(counts)}.")
        print("Not in it, and to be kept beside it:")
        for line in beside(config):
            print(f"  {line}")
    return 0


def beside(config: Config) -> list[str]:
    """What a server needs besides its store: a line for each file."""
    server = config.server
    lines = [f"the configuration: {config.path}"] if config.path else []
    lines += ["whatever it names: files of keys, secrets and certificates",
              f"the seal key, without which callers' cloud keys cannot be read: {server.seal_key_path()}"]
    if server.cert:
        lines.append(f"the certificate and its key: {server.cert}, {server.key}")
    elif server.tls == "auto":
        authority = server.state_dir / "ca-key.pem"
        lines.append(f"the authority that clients trust: {server.ca_path()}, {authority}")
    return [*lines, f"the audit log: {server.audit_path()}"]
