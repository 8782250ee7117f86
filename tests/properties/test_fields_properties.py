"""A mask takes away and never adds, and taking away twice is taking away once."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gcelib.errors import Invalid
from gcelib.server.fields import mask

NAMES = st.sampled_from(["a", "b", "c"])
ANSWERS = st.dictionaries(
    NAMES,
    st.recursive(
        st.integers() | st.text("xyz", max_size=2) | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=10,
    ),
)
SELECTIONS = st.recursive(
    st.sampled_from(["a", "b", "c", "*", "d"]),
    lambda inner: st.one_of(
        st.builds("{},{}".format, inner, inner),
        st.builds("{}/{}".format, NAMES | st.just("*"), NAMES),
        st.builds("{}({})".format, NAMES | st.just("*"), inner),
    ),
    max_leaves=6,
)


def within(part: Any, whole: Any) -> bool:
    """Whether everything in `part` stands at the same name in `whole`."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and within(value, whole[name]) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        left = iter(whole)
        return all(any(within(value, other) for other in left) for value in part)
    return bool(part == whole)


@given(SELECTIONS, ANSWERS)
def test_a_mask_of_a_mask_is_the_mask(text: str, answer: dict[str, Any]) -> None:
    once = mask(text)(answer)
    assert mask(text)(once) == once


@given(SELECTIONS, ANSWERS)
def test_a_mask_only_takes_away(text: str, answer: dict[str, Any]) -> None:
    assert within(mask(text)(answer), answer)


@given(SELECTIONS, SELECTIONS, ANSWERS)
def test_the_order_of_selections_does_not_matter(one: str, other: str, answer: dict[str, Any]) -> None:
    assert mask(f"{one},{other}")(answer) == mask(f"{other},{one}")(answer)


@given(st.text() | st.lists(st.sampled_from(["a", "*", "/", "(", ")", ",", " "])).map("".join))
def test_anything_is_a_mask_or_refused(text: str) -> None:
    try:
        left = mask(text)({"a": 1})
    except Invalid as refusal:
        left = {}
        said = refusal.field
    else:
        said = "fields"
    assert said == "fields"
    assert within(left, {"a": 1})
