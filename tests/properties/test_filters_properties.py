"""Filters agree with a plain reading of them, and never fail but by saying what was not understood."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gcelib.errors import Invalid
from gcelib.server.filters import compile_filter

FIELDS = ("name", "status", "size", "on", "labels.env", "items.key", "absent")
WORDS = st.text("ab-1", min_size=1, max_size=3)
NUMBERS = st.integers(-3, 12)
VALUES = st.one_of(WORDS, NUMBERS, st.booleans(), NUMBERS.map(str), st.none())
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "name": WORDS,
        "status": WORDS,
        "size": VALUES,
        "on": st.booleans(),
        "labels": st.dictionaries(st.just("env"), WORDS),
        "items": st.lists(st.fixed_dictionaries({"key": VALUES}), max_size=3),
    },
)

Node = tuple[Any, ...]
PATTERNS = st.lists(st.sampled_from(["a", "b", ".*", "[ab]", "(a|b)", "a?", "1"]), min_size=1, max_size=3).map("".join)
TERMS = st.one_of(
    st.tuples(st.sampled_from(["eq", "ne"]), st.sampled_from(FIELDS), PATTERNS),
    st.tuples(st.sampled_from(["=", "!="]), st.sampled_from(FIELDS), WORDS | NUMBERS.map(str)),
    st.tuples(st.sampled_from(["<", "<=", ">", ">="]), st.just("size"), NUMBERS.map(str)),
    st.tuples(st.just(":"), st.sampled_from(FIELDS), st.just("*")),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.tuples(st.just("AND"), inner, inner),
        st.tuples(st.just("OR"), inner, inner),
        st.tuples(st.just("NOT"), inner),
    ),
    max_leaves=8,
)


def written(tree: Node) -> str:
    if tree[0] == "NOT":
        return f"NOT ({written(tree[1])})"
    if tree[0] in {"AND", "OR"}:
        return f"({written(tree[1])}) {tree[0]} ({written(tree[2])})"
    comparator, field, literal = tree
    return f'{field} {comparator} "{literal}"'


def found(row: Any, path: list[str]) -> list[Any]:
    if isinstance(row, list):
        return [value for element in row for value in found(element, path)]
    if not path:
        return [] if row is None else [row]
    return found(row[path[0]], path[1:]) if isinstance(row, dict) and path[0] in row else []


def spelt(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def whole(text: str) -> int | None:
    return int(text) if re.fullmatch("-?[0-9]+", text) else None


def holds(tree: Node, row: Any) -> bool:
    if tree[0] == "NOT":
        return not holds(tree[1], row)
    if tree[0] == "AND":
        return holds(tree[1], row) and holds(tree[2], row)
    if tree[0] == "OR":
        return holds(tree[1], row) or holds(tree[2], row)
    comparator, field, literal = tree
    values = found(row, field.split("."))
    if comparator == ":":
        return bool(values)
    if comparator in {"ne", "!="}:
        return not holds(("eq" if comparator == "ne" else "=", field, literal), row)
    if comparator == "eq":
        return any(re.fullmatch(literal, spelt(value)) for value in values)
    if comparator == "=":
        return any(spelt(v) == literal or (whole(spelt(v)) == whole(literal) is not None) for v in values)
    return any(ordered(comparator, value, literal) for value in values)


def ordered(comparator: str, value: Any, literal: str) -> bool:
    if isinstance(value, bool):
        return False
    number = whole(spelt(value))
    left: Any = value if number is None else number
    right: Any = literal if number is None else int(literal)
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[comparator])


@given(TREES, ROWS)
def test_a_filter_means_what_it_says(tree: Node, row: dict[str, Any]) -> None:
    assert compile_filter(written(tree))(row) is holds(tree, row)


@given(st.lists(TERMS, min_size=1, max_size=4), ROWS)
def test_terms_side_by_side_are_all_meant(terms: list[Node], row: dict[str, Any]) -> None:
    text = "".join(f"({written(term)})" for term in terms)
    assert compile_filter(text)(row) is all(holds(term, row) for term in terms)


SYNTAX = st.lists(
    st.sampled_from(
        [
            "name",
            " ",
            "(",
            ")",
            "eq",
            "ne",
            "AND",
            "OR",
            "NOT",
            "-",
            "=",
            "!=",
            ":",
            "*",
            '"',
            "'",
            "\\",
            "[",
            "a",
            ".",
            "<",
            "1",
        ]
    ),
    max_size=25,
).map("".join)


@given(SYNTAX | st.text(), ROWS)
@example("name eq \\", {"name": "a"})
@example('name eq "\\', {"name": "a"})
@example("name eq [", {"name": "a"})
@example("\x00 = \x00", {"name": "a"})
def test_anything_else_is_refused_in_words(text: str, row: dict[str, Any]) -> None:
    answer: bool | Invalid
    try:
        answer = compile_filter(text)(row)
    except Invalid as refusal:
        answer = refusal
    assert answer in {True, False} if isinstance(answer, bool) else answer.field == "filter"
