"""Writes the manual pages into a folder: gcelib(1), one for each command, and gcelib.toml(5).

They are made of what the commands themselves say at --help and of the table of options. argparse-manpage, which does
the like, says nothing in NAME, fills examples as if they were prose, and knows no file formats.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from gcelib import __version__
from gcelib.cli import COMMANDS, parser
from gcelib.config.reference import INTRODUCTION, Option, sections

EXIT = """\
0 when all is done, 1 when something was refused or failed, 2 for wrong usage, 130 when interrupted. What went wrong is
said on standard error."""
FILES = {
    "~/.config/gcelib/gcelib.toml": "the user's configuration; see gcelib.toml(5)",
    "/etc/gcelib/gcelib.toml": "the machine's, where the user has none",
}
ENVIRONMENT = {
    "GCELIB_CONFIG": "names another configuration, where --config does not",
    "GCELIB_SECTION_OPTION": "stands above the configuration's option; gcelib.toml(5) lists them all",
}
_PARTICULAR = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "~": "\\(ti", "^": "\\(ha"}


def escaped(words: str) -> str:
    """Words as troff takes them for nothing but words."""
    lines = ("".join(_PARTICULAR.get(letter, letter) for letter in line) for line in words.splitlines())
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in lines)


def text(words: str) -> str:
    """Words of prose: what stands in `backticks` is bold."""
    return re.sub(r"`([^`]*)`", r"\\fB\1\\fR", escaped(words))


def verbatim(words: str) -> list[str]:
    """Lines that stay as they are, indented."""
    return [".PP", ".RS 4", ".nf", escaped(words).replace("`", "\\(ga"), ".fi", ".RE"]


def prose(words: str) -> Iterator[str]:
    """Paragraphs; runs of indented lines, and what is between ``` fences, stay as they are."""
    for part in re.split(r"^```\w*\n(.*?)^```$", words, flags=re.MULTILINE | re.DOTALL):
        if part.startswith("["):
            yield from verbatim(part.rstrip())
            continue
        for run in re.split(r"(?m)^((?:  .*\n?)+)", part):
            if run.startswith("  "):
                yield from verbatim(re.sub(r"(?m)^  ", "", run.rstrip()))
            else:
                for paragraph in re.split(r"\n\s*\n", run.strip()):
                    yield from (".PP", text(paragraph)) if paragraph else ()


def tagged(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A list of terms, each with what it means."""
    for term, meaning in rows:
        yield from (".TP", f"\\fB{text(term)}\\fR", text(meaning))


def usage(of: argparse.ArgumentParser) -> list[str]:
    """The line that --help begins with."""
    words = " ".join(of.format_usage().split()).removeprefix("usage: ").removeprefix(of.prog)
    return [".PP", f"\\fB{text(of.prog)}\\fR{text(words)}"]


def options(of: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """What a parser takes, arguments first; --help is known to be there."""
    known = [each for each in of._actions if not isinstance(each, (argparse._HelpAction, argparse._SubParsersAction))]
    for action in sorted(known, key=lambda each: bool(each.option_strings)):
        value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
        takes = action.nargs != 0
        names = ", ".join(f"{name} {value}" if takes else name for name in action.option_strings) or str(value)
        yield names, (action.help or "one of these") % {"default": action.default, "prog": of.prog}


def subcommands(of: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
    """The action that holds the parsers below this one."""
    return next((each for each in of._actions if isinstance(each, argparse._SubParsersAction)), None)


def head(name: str, section: int, summary: str) -> list[str]:
    """The title and NAME, which apropos searches. Dated by SOURCE_DATE_EPOCH where that is set."""
    date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())))
    return [f'.TH "{name.upper()}" {section} "{date}" "gcelib {__version__}" "gcelib"', ".SH NAME",
            f"{text(name)} \\- {text(summary)}"]


def command(name: str) -> list[str]:
    """gcelib-NAME(1)."""
    above = subcommands(parser([name]))
    assert above is not None
    ours = above.choices[name]
    lines = [*head(f"gcelib-{name}", 1, COMMANDS[name]), ".SH SYNOPSIS", *usage(ours), ".SH DESCRIPTION",
             *prose(ours.description or "")]
    taken = [*options(ours)]
    if taken:
        lines += [".SH OPTIONS", *tagged(taken)]
    verbs = subcommands(ours)
    for verb, each in verbs.choices.items() if verbs else ():
        lines += [f'.SH "{text(verb).upper()}"', *usage(each), *prose(each.description or ""), *tagged(options(each))]
    epilog = ours.epilog or ""
    examples = epilog.removeprefix("Examples:\n")
    lines += [".SH NOTES" if examples == epilog else ".SH EXAMPLES", *prose(examples), ".SH EXIT STATUS", *prose(EXIT)]
    if "--config" in ours.format_help():
        lines += [".SH ENVIRONMENT", *tagged(ENVIRONMENT.items()), ".SH FILES", *tagged(FILES.items())]
    return [*lines, ".SH SEE ALSO", "\\fBgcelib\\fR(1), \\fBgcelib.toml\\fR(5)"]


def whole() -> list[str]:
    """gcelib(1)."""
    ours = parser([])
    pages = [f"\\fBgcelib\\-{name}\\fR(1)" for name in COMMANDS]
    return [*head("gcelib", 1, "the Compute Engine v1 API, carried out on your own clouds"), ".SH SYNOPSIS",
            *usage(ours), ".SH DESCRIPTION", *prose(ours.description or ""), ".SH COMMANDS",
            *tagged(COMMANDS.items()), ".SH OPTIONS", *tagged(options(ours)), ".SH EXAMPLES",
            *prose(ours.epilog or ""), ".SH ENVIRONMENT", *tagged(ENVIRONMENT.items()), ".SH FILES",
            *tagged(FILES.items()), ".SH SEE ALSO", ",\n".join([*pages, "\\fBgcelib.toml\\fR(5)"])]


def configuration() -> list[str]:
    """gcelib.toml(5)."""
    about = re.sub(r"^#.*\n|<!--.*?-->\n?", "", INTRODUCTION, flags=re.MULTILINE)
    lines = [*head("gcelib.toml", 5, "the configuration of gcelib"), ".SH DESCRIPTION",
             *prose(about.replace("the tables below name\nthe variables", "below they are named"))]
    for section in sections():
        lines += [f'.SH "{text(section.heading)}"', *prose(section.about),
                  *tagged((f"{each.name}", _meaning(each)) for each in section.options)]
    return [*lines, ".SH SEE ALSO", "\\fBgcelib\\fR(1), \\fBgcelib\\-check\\fR(1), \\fBgcelib\\-configure\\fR(1)"]


def _meaning(option: Option) -> str:
    said = f"{option.help} ({option.kind}{f', {option.default}' if option.default == 'required' else ''})"
    if option.default not in ("", "required"):
        said += f"\nDefault: `{option.default}`."
    return said + (f"\nVariable: `{option.environment}`." if option.environment else "")


def pages() -> dict[str, str]:
    """Every page by its file's name."""
    named = {"gcelib.1": whole(), "gcelib.toml.5": configuration()}
    named |= {f"gcelib-{name}.1": command(name) for name in COMMANDS}
    return {name: _joined(lines) for name, lines in named.items()}


def _joined(lines: Iterable[str]) -> str:
    """A page of these lines; a heading begins a paragraph by itself."""
    return re.sub(r"(?m)^(\.SH .*\n)\.PP\n", r"\1", "\n".join(lines) + "\n")


def main(folder: Path) -> None:
    """Write them in place of those that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("gcelib*.[15]"):
        old.unlink()
    for name, page in pages().items():
        (folder / name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
