"""Questions on the terminal: each has an option that answers it, so that nothing needs a person."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to be known. `check` returns what is wrong with an answer, "" when nothing is."""

    name: str
    text: str
    default: str
    help: str
    hidden: bool = False
    optional: bool = False
    check: Callable[[str], str] | None = None

    @property
    def flag(self) -> str:
        """The option that answers it."""
        return "--" + self.name.replace("_", "-")


class NotAnswered(Exception):
    """Answers are missing or wrong; each line says which option to give."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Asker:
    """Takes an answer from the options, from a person, or, when nobody may be asked, from the default."""

    def __init__(self, silent: bool) -> None:
        self._silent = silent
        self._lacking: list[str] = []

    def ask(self, question: Question, given: str | None, saved: str = "", kept: bool = False) -> str:
        """The answer; "" for a secret that is to stay as it was saved (`kept`) or one that is missing.

        `saved` is the answer of an earlier run. What is missing is told by `finish`.
        """
        default = saved or question.default
        if given is not None:
            self._check(question, given)
            return given
        if self._silent:
            if not default and not kept and not question.optional:
                self._lacking.append(f"{question.flag} is missing: {question.help}")
            return default
        while True:
            answer = self._read(question, default, kept) or default
            complaint = question.check(answer) if question.check else ""
            if complaint:
                print(f"  {complaint}")
            elif answer or kept or question.optional:
                return answer
            else:
                print(f"  This is needed: {question.help}.")

    def finish(self) -> None:
        """Raise NotAnswered when something is missing or wrong."""
        if self._lacking:
            raise NotAnswered(self._lacking)

    def _check(self, question: Question, given: str) -> None:
        complaint = question.check(given) if question.check else ""
        if complaint:
            self._lacking.append(f"{question.flag}: {complaint}")

    def _read(self, question: Question, default: str, kept: bool) -> str:
        shown = "the saved one" if kept else default
        prompt = f"{question.text} [{shown}]: " if shown else f"{question.text}: "
        try:
            # getpass would read the terminal even when the answers come through a pipe.
            if question.hidden and sys.stdin.isatty():
                return getpass.getpass(prompt).strip()
            return input(prompt).strip()
        except EOFError:
            print()
            self._lacking.append(f"{question.flag} is missing: {question.help}")
            raise NotAnswered(self._lacking) from None
