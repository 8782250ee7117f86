"""`gcelib doctor`: looks at everything that commonly goes wrong, and says how to mend what it finds."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict

from gcelib.cli.arguments import Commands, add_command, add_config, read_config
from gcelib.cli.symptoms import certificate, clouds, database, files, reach
from gcelib.config import Config, ConfigError
from gcelib.drivers.projects import Projects
from gcelib.server.findings import NOTE, WELL, WRONG, Finding, wrong

_ABOUT = """\
Look at the configuration, the files, the database, the certificate, the URL that clients use, and each
cloud with its clock, and say of everything that is wrong how to mend it. Nothing is changed.
"""

_EXAMPLES = """\
  gcelib doctor
  gcelib doctor --config /etc/gcelib/gcelib.toml
  gcelib doctor --json | jq '.findings[] | select(.level == "wrong")'
"""

_MARKS = {WELL: "ok   ", NOTE: "note ", WRONG: "WRONG"}


def add(commands: Commands) -> None:
    """Put the command into the parser."""
    parser = add_command(commands, "doctor", _ABOUT, _EXAMPLES)
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Print each finding as it is made; 1 when something is wrong."""
    found = []
    for finding in findings(args):
        found.append(finding)
        if not args.json:
            print(written(finding), flush=True)
    bad = sum(finding.level == WRONG for finding in found)
    if args.json:
        print(json.dumps({"wrong": bad, "findings": [asdict(finding) for finding in found]}, indent=2))
    else:
        print(f"\n{bad} to be mended." if bad else "\nNothing is wrong.")
    return 1 if bad else 0


def findings(args: argparse.Namespace) -> Iterator[Finding]:
    """Everything there is to say; of a configuration that cannot be used, its mistakes alone."""
    try:
        config = read_config(args)
    except ConfigError as error:
        for mistake in error.mistakes:
            yield wrong("configuration", mistake, "Mend the configuration; `gcelib check` looks at it alone.")
        return
    yield from examine(config)


def examine(config: Config) -> Iterator[Finding]:
    """Every symptom, those of this machine first."""
    for look in (files.configuration, files.permissions, database.database, database.generations,
                 certificate.certificate, certificate.trust, reach.external_url):  # fmt: skip
        yield from look(config)
    for cloud in config.clouds.values():
        yield from reach.clock(cloud)
        yield from clouds.login(config, cloud)
    with closing(Projects(config)) as projects:
        for project in config.projects.values():
            yield from clouds.clashes(config, project, projects)


def written(finding: Finding) -> str:
    """A finding for people: the mark, the part, the words, and indented below them what to do."""
    cure = textwrap.indent(finding.cure, " " * 8 + "-> ") if finding.cure else ""
    return f"{_MARKS[finding.level]} {finding.about}: {finding.said}" + (f"\n{cure}" if cure else "")
