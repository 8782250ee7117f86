"""`gcelib restore`: puts a backup in place of what the store holds."""

from __future__ import annotations

import argparse
import json
import time
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from gcelib import __version__
from gcelib.cli.arguments import Commands, add_command, add_config, read_own_config
from gcelib.cli.audited import audited
from gcelib.cli.backup import beside
from gcelib.cli.telling import Progress, counted
from gcelib.config import Config
from gcelib.store import Store
from gcelib.store.archive import Archive
from gcelib.store.backup import Replaced, restore

_ABOUT = """\
Put what a backup holds into the store that the configuration names. Servers must be stopped first. A store that holds
anything already is left alone, unless --force replaces it: then a backup of it is kept in state_dir. All of the file is
restored, or nothing. Operations that were open in it go on at the next start of `gcelib serve`, which looks first for
what has been done on the clouds since.
"""

_EXAMPLES = """\
  gcelib restore --check gcelib.backup
  gcelib restore gcelib.backup
  gcelib restore --config new.toml gcelib.backup      # from SQLite to PostgreSQL, or back
"""


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "restore", _ABOUT, _EXAMPLES)
    parser.add_argument("file", type=Path, metavar="FILE", help="what `gcelib backup` wrote")
    add_config(parser)
    parser.add_argument("--check", action="store_true", help="read the file and say what is in it; change nothing")
    parser.add_argument("--force", action="store_true", help="replace what the store holds, keeping a copy")
    parser.add_argument("--quiet", action="store_true", help="say nothing when all is well")
    parser.add_argument("--json", action="store_true", help="say what is in it as JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Restore, or with --check only look. Raises ConfigError while a server runs, Faults of the archive and store."""
    archive = Archive.open(args.file.absolute())
    if args.check:
        _describe(archive, args)
        return 0
    config = read_own_config(args)
    with audited(config, "restore", event="store", file=str(archive.path)):
        done = _restored(config, archive, args)
    if args.json:
        copy = str(done.copy) if done.copy else None
        said = {"file": str(archive.path), "rows": dict(done.counts), "copy": copy, "beside": beside(config)}
        print(json.dumps(said, indent=2))
    elif not args.quiet:
        if done.copy:
            print(f"What was there before is in {done.copy}.")
        print(f"The store holds {counted(dict(done.counts))}.")
        print("A server needs besides:")
        for line in beside(config):
            print(f"  {line}")
    return 0


def _describe(archive: Archive, args: argparse.Namespace) -> None:
    said = archive.heading
    if args.json:
        print(json.dumps({"file": str(archive.path), "rows": dict(archive.counts), **asdict(said)}, indent=2))
    elif not args.quiet:
        print(f"{archive.path} is whole: {counted(archive.counts)}; made {said.made} by gcelib {said.version} "
              f"from {said.database}, schema {said.schema}.")


def _restored(config: Config, archive: Archive, args: argparse.Namespace) -> Replaced:
    # Imported here, for it belongs to the server: other commands do not wait for it.
    from gcelib.server.occupancy import Occupancy

    server = config.server
    copy = server.state_dir / f"replaced-{time.strftime('%Y%m%d-%H%M%S')}.backup" if args.force else None
    occupancy = Occupancy(server.database_url())
    try:
        if copy is not None:
            server.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(Store.open(server.database_url())) as store, Progress(args.quiet or args.json) as progress:
            return restore(store, archive, __version__, copy=copy, tell=progress)
    finally:
        occupancy.leave()
