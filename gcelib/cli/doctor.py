"""`gcelib doctor`: looks at everything that commonly goes wrong, and says how to mend what it finds."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial

from gcelib.cli.arguments import Commands, add_command, add_config, read_config
from gcelib.cli.symptoms import certificate, clouds, database, disk, files, reach, running
from gcelib.cli.telling import Colour, Progress, painted
from gcelib.config import Config, ConfigError
from gcelib.drivers.projects import Projects
from gcelib.server.findings import NOTE, WELL, WRONG, Finding, note, wrong

_ABOUT = """\
Look at the configuration, the files, the disks, the database, the certificates, the server that runs, the URL
that clients use, and each cloud: its clock, whether it takes the keys, what they may not do, its limits. Say of
everything that is wrong how to mend it. Nothing is changed. Exits with 1 when something is to be mended.
"""

_EXAMPLES = """\
  gcelib doctor
  gcelib doctor --config /etc/gcelib/gcelib.toml
  gcelib doctor --quiet
  gcelib doctor --json | jq '.findings[] | select(.level == "wrong")'
"""

_MARKS = {WELL: "ok   ", NOTE: "note ", WRONG: "WRONG"}
_COLOURS = {WELL: Colour.WELL, NOTE: Colour.NOTE, WRONG: Colour.WRONG}

Look = Callable[[], Iterator[Finding]]


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "doctor", _ABOUT, _EXAMPLES)
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what is to be mended")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print each finding as it is made; 1 when something is wrong."""
    found = []
    with Progress(args.quiet or args.json) as progress:
        for finding in findings(args, progress):
            found.append(finding)
            if not args.json and (finding.level == WRONG or not args.quiet):
                progress.clear()
                print(written(finding), flush=True)
    bad = sum(finding.level == WRONG for finding in found)
    if args.json:
        print(json.dumps({"wrong": bad, "findings": [asdict(finding) for finding in found]}, indent=2))
    elif not args.quiet:
        print(f"\n{bad} to be mended." if bad else "\nNothing is wrong.")
    return 1 if bad else 0


def findings(args: argparse.Namespace, progress: Progress) -> Iterator[Finding]:
    """Everything there is to say; of a configuration that cannot be used, its mistakes alone."""
    try:
        config = read_config(args)
    except ConfigError as error:
        for mistake in error.mistakes:
            yield wrong("configuration", mistake, "Mend the configuration; `gcelib check` looks at it alone.")
        return
    told: set[tuple[str, str, str]] = set()
    away: set[str] = set()
    with closing(Projects(config)) as projects:
        every = looks(config, projects)
        for number, (about, look, asked) in enumerate(every, 1):
            progress(f"looking at {about}", number, len(every))
            if silent := [name for name in asked if name in away]:
                yield note(about, f"Not looked at, for cloud '{silent[0]}' does not answer.")
                continue
            for finding in _seen(about, look):
                if finding.cause == "cloud-away":
                    away.add(finding.subject)
                # What doctor sees and the running server, too, is one finding.
                same = finding.cause, finding.subject, finding.said
                if not finding.cause or same not in told:
                    told.add(same)
                    yield finding


def _seen(about: str, look: Look) -> Iterator[Finding]:
    """What a look finds; that this user may not look is a finding, too."""
    try:
        yield from look()
    except OSError as error:
        where = f" at {error.filename}" if error.filename else ""
        yield wrong(about, f"No look can be had{where}: {error.strerror or error}.",
                    "Run this as root, or as the user that gcelib runs as.")


def looks(config: Config, projects: Projects) -> list[tuple[str, Look, Sequence[str]]]:
    """What is looked at, for people, the look, and the clouds that it asks; this machine's symptoms first."""
    here = {
        "files": (files.configuration, files.permissions), "disks": (disk.disk,),
        "the store": (database.database, database.generations),
        "certificates": (certificate.certificate, certificate.authority, certificate.trust),
        "the running server": (running.running,), "the external URL": (reach.external_url,),
    }  # fmt: skip
    found: list[tuple[str, Look, Sequence[str]]] = [
        (about, partial(look, config), ()) for about, those in here.items() for look in those]
    for cloud in config.clouds.values():
        about = f"cloud '{cloud.name}'"
        found += [(about, partial(reach.clock, cloud), ()), (about, partial(clouds.login, config, cloud), ()),
                  (f"rights, {about}", partial(clouds.rights, config, cloud), (cloud.name,))]  # fmt: skip
    for project in config.projects.values():
        about = f"names, project '{project.name}'"
        found.append((about, partial(clouds.clashes, config, project, projects), project.clouds))
    return found


def written(finding: Finding) -> str:
    """A finding for people: the mark, the part, the words, and indented below them what to do."""
    cure = textwrap.indent(finding.cure, " " * 8 + "-> ") if finding.cure else ""
    mark = painted(_MARKS[finding.level], _COLOURS[finding.level], sys.stdout)
    return f"{mark} {finding.about}: {finding.said}" + (f"\n{cure}" if cure else "")
