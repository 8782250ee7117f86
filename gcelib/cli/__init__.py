"""The `gcelib` command: runs the sub-command's file, and makes of every failure a line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from gcelib import __version__
from gcelib.config import ConfigError
from gcelib.errors import Fault

DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130

COMMANDS = {
    "serve": "run the server",
    "demo": "try everything with a cloud in memory",
    "configure": "ask for addresses and keys, and write the configuration",
    "check": "report all mistakes of the configuration",
    "doctor": "find out what is wrong, and how to mend it",
    "client": "print or write the set-up of a GCE client",
    "account": "make accounts and give them roles",
    "backup": "write the store into a file, while servers run",
    "restore": "put a backup into the store",
    "providers": "list providers and their abilities",
    "coverage": "list GCE's methods, served and refused",
    "simulator": "serve a simulated CloudStack",
    "completion": "print what makes a shell complete the lines",
}
"""Every command, a file of this folder each, and what it does."""

_ABOUT = """\
gcelib speaks the Google Compute Engine v1 API and carries it out on your own clouds.
"""

_EXAMPLES = """\
To try it, with a cloud that lives in memory:
  gcelib demo

To run it on your own cloud:
  gcelib configure
  gcelib serve
  gcelib account create-service me --project demo --role operator --key-file me.json
  eval "$(gcelib client gcloud --project demo --key-file me.json)"
  gcloud compute instances list

`gcelib COMMAND --help` shows each command's own examples.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` is what follows the program's name."""
    words = list(sys.argv[1:] if argv is None else argv)
    _streams()
    try:
        if "_ARGCOMPLETE" in os.environ:
            importlib.import_module("gcelib.cli.completion").answer()
        if not words:
            parser(words).print_help(sys.stderr)
            return USAGE
        args = parser(words).parse_args(words)
        code = int(args.func(args))
        sys.stdout.flush()
        return code
    except ConfigError as error:
        _say("The configuration cannot be used:", *(f"  {line}" for line in error.mistakes))
    except Fault as fault:
        _say(f"gcelib: {fault.message}")
    except BrokenPipeError:
        # Whoever read our output has enough; without this Python complains once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _say(f"gcelib: {error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
    except KeyboardInterrupt:
        _say("gcelib: interrupted.")
        return INTERRUPTED
    return REFUSED


def _streams() -> None:
    """Have all three streams there, whichever of them the caller closed, and no letter that ends the command."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser with all of the command that is asked for; of the others, whose files are not loaded, their names."""
    whole = argparse.ArgumentParser(
        prog="gcelib", description=_ABOUT, epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("-V", "--version", action=_Version, nargs=0, help="print gcelib's version and the API's")
    commands = whole.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for name, summary in COMMANDS.items():
        if name in words[:1]:
            importlib.import_module(f"gcelib.cli.{name}").add(commands)
        else:
            commands.add_parser(name, help=summary)
    return whole


class _Version(argparse.Action):
    """Prints what this is and which revision of Google's document it follows."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from gcelib.server import discovery

        print(f"gcelib {__version__} (Compute Engine API v1, revision {discovery.load()['revision']})")
        parser.exit(DONE)


def _say(*lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr)
