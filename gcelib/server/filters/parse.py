"""The grammar of filters: a recursive descent over the text, straight to the test it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from gcelib.errors import Invalid
from gcelib.server.filters.terms import Predicate, either, every, term

MAX_LENGTH = 16_384
MAX_DEPTH = 32
MAX_TERMS = 128

_SPACE = re.compile(r"\s*")
_GAP = re.compile(r"\s")
_FIELD = re.compile(r'[^\W\d][\w-]*(?:\.(?:[\w-]+|"(?:[^"\\]|\\.)*"))*')
_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^."]+')
_COMPARATOR = re.compile(r"""\s*(<=|>=|!=|!~|=~|==|=|<|>|:)|\s+(eq|ne)(?=[\s"']|$)""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|' + r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_BARE = re.compile(r"""[^\s()"']+""")
_WORD = re.compile(r"(AND|OR|NOT)(?![\w.-])")
_ESCAPED = re.compile(r"""\\(["'\\])""")
_JOINED = re.compile(r"\s(?:AND|OR|NOT)\s|[\s(][\w.-]+\s+(?:eq|ne)\s")


@dataclass(frozen=True, slots=True)
class Filter:
    """`test` says of a rendered GCE resource whether it passes; it looks at its top-level `fields` and no others."""

    test: Predicate
    fields: frozenset[str]

    def __call__(self, row: Mapping[str, Any]) -> bool:
        """Whether the resource passes."""
        return self.test(row)


def compile_filter(text: str) -> Filter:
    """What a filter means; an empty one passes everything.

    Raises `Invalid` (field "filter") saying what was not understood.
    """
    if not text.strip():
        return Filter(_everything, frozenset())
    parser = _Parser(text)
    return Filter(parser.parse(), frozenset(parser.fields))


def _everything(row: Mapping[str, Any]) -> bool:
    return True


class _Parser:
    """`at` is the next character to read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.terms = 0
        self.fields: set[str] = set()

    def parse(self) -> Predicate:
        if len(self.text) > MAX_LENGTH:
            self._refuse(f"It is longer than {MAX_LENGTH} characters.")
        if any("\ud800" <= character <= "\udfff" for character in self.text):
            self._refuse("It is not Unicode text.")
        whole = self._expression(0)
        if self.at < len(self.text):
            self._refuse("There is a ')' too many.")
        return whole

    def _expression(self, depth: int) -> Predicate:
        """FACTOR { [AND] FACTOR }, up to the end or a closing parenthesis."""
        factors = [self._factor(depth)]
        while self._more():
            self._take("AND")
            factors.append(self._factor(depth))
        return factors[0] if len(factors) == 1 else every(factors)

    def _factor(self, depth: int) -> Predicate:
        """TERM { OR TERM }."""
        terms = [self._term(depth)]
        while self._take("OR"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else either(terms)

    def _term(self, depth: int) -> Predicate:
        """{ NOT | - } ( EXPRESSION ) or a restriction."""
        negative = False
        while self._take("NOT") or self._next("-"):
            negative = not negative
        if self._next("("):
            if depth == MAX_DEPTH:
                self._refuse(f"Parentheses are nested more than {MAX_DEPTH} deep.")
            inner = self._expression(depth + 1)
            if not self._next(")"):
                self._refuse("A ')' is missing.")
        else:
            inner = self._restriction(depth)
        return (lambda row: not inner(row)) if negative else inner

    def _restriction(self, depth: int) -> Predicate:
        """FIELD COMPARATOR LITERAL."""
        self.terms += 1
        if self.terms > MAX_TERMS:
            self._refuse(f"It has more than {MAX_TERMS} comparisons; alternatives fit in one regular expression.")
        field = _FIELD.match(self.text, self.at)
        if field is None or _WORD.match(self.text, self.at):
            self._refuse(f"A field name was expected {self._place()}.")
        self.at = field.end()
        comparator = _COMPARATOR.match(self.text, self.at)
        if comparator is None:
            self._refuse(
                f"After '{_short(field[0])}' a comparison was expected: = != < <= > >= : =~ !~ or eq or ne. "
                "A value that holds spaces needs quotes."
            )
        sign = comparator[1] or comparator[2]
        if sign == "==":
            self._refuse("There is no '=='; equal is '=', and a value that begins with '=' needs quotes.")
        self.at = comparator.end()
        self._skip()
        begun = self.at
        literal = self._literal(sign, depth)
        path = tuple(_ESCAPED.sub(r"\1", part.strip('"')) for part in _PART.findall(field[0]))
        self.fields.add(path[0])
        try:
            return term(path, sign, literal)
        except ValueError as refusal:
            self._refuse(f"'{_short(literal)}' is not an RE2 regular expression: {refusal}.", begun)

    def _literal(self, sign: str, depth: int) -> str:
        """What a field is compared with, as the comparison has it written."""
        if sign in {"eq", "ne"}:
            return self._pattern(depth)
        return self._run() if sign in {"=~", "!~"} else self._value()

    def _value(self) -> str:
        """A literal of the newer language: quoted with backslash escapes, or a run without spaces."""
        self._skip()
        quoted = _QUOTED.match(self.text, self.at)
        if quoted is not None:
            self.at = quoted.end()
            return _ESCAPED.sub(r"\1", quoted[1] if quoted[1] is not None else quoted[2])
        bare = _BARE.match(self.text, self.at)
        if bare is None:
            self._refuse(f"A value was expected {self._place()}; one that holds spaces or parentheses needs quotes.")
        self.at = bare.end()
        return bare[0]

    def _run(self) -> str:
        """A regular expression of the newer language: quoted with its backslashes kept, or a run without spaces."""
        quoted = _QUOTED.match(self.text, self.at)
        if quoted is not None:
            self.at = quoted.end()
            return quoted[1] if quoted[1] is not None else quoted[2]
        space = _GAP.search(self.text, self.at)
        end = self._closing(space.start() if space else len(self.text), must=False)
        literal = self.text[self.at : end]
        if not literal or literal[0] in "\"'":
            self._refuse(f"A regular expression was expected {self._place()}, or its closing quote is missing.")
        self.at = end
        return literal

    def _pattern(self, depth: int) -> str:
        """A regular expression: quoted with its backslashes kept, or all that is left in the parentheses."""
        self._skip()
        quoted = _QUOTED.match(self.text, self.at)
        if quoted is not None:
            self.at = quoted.end()
            if self.at < len(self.text) and not self.text[self.at].isspace() and self.text[self.at] != ")":
                self._refuse(f"After the quoted value something is left over {self._place()}.")
            return quoted[1] if quoted[1] is not None else quoted[2]
        end = self._closing(len(self.text)) if depth else len(self.text)
        literal = self.text[self.at : end].strip()
        if not literal or literal[0] in "\"'":
            self._refuse(f"A regular expression was expected {self._place()}, or its closing quote is missing.")
        if _JOINED.search(self.text, self.at, end):
            self._refuse("An unquoted regular expression goes on to the end: put each comparison in parentheses.")
        self.at = end
        return literal

    def _closing(self, end: int, *, must: bool = True) -> int:
        """Where the parenthesis closes that this regular expression stands in; `end` if it need not stand in one."""
        opened, escaped, in_class = 0, False, False
        for index in range(self.at, end):
            character = self.text[index]
            if escaped or character == "\\":
                escaped = not escaped
            elif in_class or character == "[":
                in_class = character != "]"
            elif character == "(":
                opened += 1
            elif character == ")":
                if not opened:
                    return index
                opened -= 1
        return self._refuse("A ')' is missing.", end) if must else end

    def _skip(self) -> None:
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at

    def _more(self) -> bool:
        self._skip()
        return self.at < len(self.text) and self.text[self.at] != ")"

    def _next(self, character: str) -> bool:
        self._skip()
        if self.text.startswith(character, self.at):
            self.at += 1
            return True
        return False

    def _take(self, word: str) -> bool:
        self._skip()
        found = _WORD.match(self.text, self.at)
        if found is None or found[1] != word:
            return False
        self.at = found.end()
        return True

    def _place(self) -> str:
        rest = self.text[self.at :]
        return f"at '{_short(rest)}'" if rest.strip() else "at the end"

    def _refuse(self, why: str, at: int | None = None) -> NoReturn:
        where = (self.at if at is None else at) + 1
        raise Invalid(
            f"Invalid value for field 'filter': '{_short(self.text)}'. {why} (At character {where}.)", field="filter"
        )


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "..."
