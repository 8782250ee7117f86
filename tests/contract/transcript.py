"""Reads a file of commands with what each must print, and runs them one after the other."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Try:
    """One command: its words, what is typed, and what it must and must not print."""

    line: int
    words: list[str]
    answers: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    says_code: int | None = None

    @property
    def code(self) -> int:
        """How it must end: with 1 when it is refused."""
        return (1 if self.refused else 0) if self.says_code is None else self.says_code

    @property
    def command(self) -> str:
        """The command's own name: the first word that is no flag."""
        return next(word for word in self.words if not word.startswith("-"))

    @property
    def flags(self) -> set[str]:
        """The names of its flags; `--noX` is X's too."""
        named = {word[2:].partition("=")[0] for word in self.words if word.startswith("--")}
        short = {"force"} if "-f" in self.words else set()
        return named | short | {name.removeprefix("no") for name in named}

    def with_values(self, values: Mapping[str, str]) -> list[str]:
        """The words with `{name}` filled in."""
        return [filled(word, values) for word in self.words]

    def look(self, said: str, values: dict[str, str]) -> None:
        """Hold what was said against what was expected, and keep what later commands need."""
        for expected in [*self.printed, *self.refused]:
            wanted = squashed(filled(expected, values))
            assert wanted in squashed(said), f"line {self.line}: {wanted!r} is not in\n{said}"
        for unwanted in self.absent:
            text = squashed(filled(unwanted, values))
            assert text not in squashed(said), f"line {self.line}: {text!r} is in\n{said}"
        for name, pattern in self.kept.items():
            found = re.search(pattern, said)
            assert found, f"line {self.line}: {pattern!r} is not in\n{said}"
            values[name] = found[1]


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with each `{name}` of the values replaced."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def squashed(text: str) -> str:
    """The text without the lines of tables, and one space for several: how wide a column is does not matter."""
    return " ".join(re.sub(r"[|+]|-{2,}", " ", text).split())


def read(path: Path) -> dict[str, list[Try]]:
    """The stories of a file. Its lines begin with

    `==` a story's name, `$` a command, `<` a line typed, `>` something printed, `!` words of its refusal, `-` what must
    not be printed, `*` an exit code, `=` a name and a regular expression whose group it stands for later, `#` a remark.
    """
    stories: dict[str, list[Try]] = {}
    for number, mark, rest in _lines(path):
        if mark == "==":
            tries = stories.setdefault(rest, [])
        elif mark == "$":
            tries.append(Try(number, shlex.split(rest)))
        elif mark == "=":
            name, _, pattern = rest.partition(" ")
            tries[-1].kept[name] = pattern
        elif mark == "*":
            tries[-1].says_code = int(rest)
        else:
            {"<": tries[-1].answers, ">": tries[-1].printed, "!": tries[-1].refused, "-": tries[-1].absent}[
                mark
            ].append(rest)
    return stories


def _lines(path: Path) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        mark, _, rest = line.partition(" ")
        if mark and not mark.startswith("#"):
            yield number, mark, rest.strip()
