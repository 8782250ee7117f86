"""One comparison of a filter: a field's values in a rendered resource against a literal.

A field that is absent satisfies `!=`, `!~` and `ne` and nothing else. A list satisfies a comparison when any of
its elements does; `!=`, `!~` and `ne` are the exact opposites of `=`, `=~` and `eq`.
"""

from __future__ import annotations

import datetime
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Predicate = Callable[[Mapping[str, Any]], bool]
Test = Callable[[Any], bool]
Number = int | float

REGEX_MEMORY = 1 << 20
"""Bytes that RE2 may spend on one pattern, compiled and running."""

_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_PLAIN = re.compile(r"[A-Za-z0-9_/:-]+")
"""A regular expression that means itself and nothing else."""
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TRUTH = {"true": True, "false": False}
_ORDERINGS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def term(path: tuple[str, ...], comparator: str, literal: str) -> Predicate:
    """The test `FIELD comparator LITERAL`; `path` is the field's dotted name in parts.

    Raises `ValueError` with RE2's complaint for a pattern it does not take.
    """
    if comparator in {"eq", "ne", "=~", "!~"}:
        test = _matching(literal)
    elif comparator in {"=", "!="}:
        test = _equal(literal)
    elif comparator == ":":
        test = _having(literal)
    else:
        test = _ordered(_ORDERINGS[comparator], literal)
    held = _held(path, test)
    return (lambda row: not held(row)) if comparator in {"ne", "!=", "!~"} else held


def every(tests: Sequence[Predicate]) -> Predicate:
    """Whether all of these hold; asked in their order, until one does not."""

    def all_hold(row: Mapping[str, Any]) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost more than most tests do
            if not test(row):
                return False
        return True

    return all_hold


def either(tests: Sequence[Predicate]) -> Predicate:
    """Whether one of these holds; asked in their order, until one does."""

    def one_holds(row: Mapping[str, Any]) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(row):
                return True
        return False

    return one_holds


def _held(path: tuple[str, ...], test: Test) -> Predicate:
    """Whether a field holds anything that passes the test; most fields are one value right below the resource."""
    if len(path) > 1:
        return lambda row: any(map(test, values(row, path)))
    name = path[0]

    def held(row: Mapping[str, Any]) -> bool:
        value = row.get(name)
        if isinstance(value, list | tuple):
            return any(map(test, values(value, ())))
        return value is not None and test(value)

    return held


def values(row: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Everything a dotted field holds: through lists, element by element; null is nothing."""
    if isinstance(row, (list, tuple)):
        for element in row:
            yield from values(element, path)
    elif not path:
        if row is not None:
            yield row
    elif isinstance(row, Mapping) and path[0] in row:
        yield from values(row[path[0]], path[1:])


def number(text: str) -> Number | None:
    """A text's value if it is a decimal number; whole ones are exact, as GCE writes 64-bit numbers."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    return float(text) if found[1] or found[2] else int(text)


def _by_value(literal: str) -> Test:
    """Equality of booleans and numbers with what a literal spells."""
    truth = _TRUTH.get(literal.lower())
    amount = number(literal)

    def test(value: Any) -> bool:
        if isinstance(value, bool):
            return value is truth
        return amount is not None and isinstance(value, (int, float)) and value == amount

    return test


def _matching(pattern: str) -> Test:
    same = _by_value(pattern)
    if _PLAIN.fullmatch(pattern):
        return lambda value: value == pattern if isinstance(value, str) else _spelt(value, same, pattern)
    # Two megabytes that most servers never need.
    import re2

    options = re2.Options()
    options.max_mem = REGEX_MEMORY
    options.log_errors = False
    options.never_capture = True
    options.dot_nl = True
    try:
        regex = re2.compile(pattern, options)  # type: ignore[no-untyped-call]
    except re2.error as refusal:
        reason = refusal.args[0]
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
    match = regex.fullmatch

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return match(value.encode(errors="replace")) is not None
        if isinstance(value, Mapping):
            return False
        return same(value) or match(_text(value).encode(errors="replace")) is not None

    return test


def _spelt(value: Any, same: Test, pattern: str) -> bool:
    """Whether what is no text equals a pattern without anything special in it, or is spelt so."""
    return not isinstance(value, Mapping) and (same(value) or _text(value) == pattern)


def _text(value: Any) -> str:
    """A value as GCE's JSON spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _equal(literal: str) -> Test:
    same = _by_value(literal)
    amount = number(literal)
    pieces = literal.split("*")

    def test(value: Any) -> bool:
        if not isinstance(value, str):
            return same(value)
        if amount is not None and number(value) == amount:
            return True
        return wild(pieces, value)

    return test


def wild(pieces: list[str], text: str) -> bool:
    """Whether a text is these pieces with anything between them; one piece must be all of it."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    if not text.startswith(first) or len(text) < len(first) + len(last) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in pieces[1:-1]:
        at = text.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def _having(literal: str) -> Test:
    """`:` – a map has the key, a text holds the part in any letter case, others are equal; `*`: is there."""
    if literal == "*":
        return lambda value: True
    equal = _equal(literal)
    pieces = ["", *literal.casefold().split("*"), ""]

    def test(value: Any) -> bool:
        if isinstance(value, Mapping):
            return literal in value
        return wild(pieces, value.casefold()) if isinstance(value, str) else equal(value)

    return test


def _ordered(ordering: Callable[[Any, Any], bool], literal: str) -> Test:
    """Numbers by value, moments by time, other texts by their characters; booleans and maps have no order."""
    amount = number(literal)
    moment = _moment(literal)

    def test(value: Any) -> bool:
        if isinstance(value, (bool, Mapping)):
            return False
        if not isinstance(value, str):
            return amount is not None and ordering(value, amount)
        if amount is not None and (counted := number(value)) is not None:
            return ordering(counted, amount)
        if moment is not None and (then := _moment(value)) is not None:
            return ordering(then, moment)
        return ordering(value, literal)

    return test


def _moment(text: str) -> datetime.datetime | None:
    """An RFC 3339 date or time; without a zone it is UTC."""
    if not _MOMENT.match(text):
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
