"""Key-value pairs as Neutron's tags."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from gcelib.drivers.openstack.markers import LONGEST, change, decoded, encoded

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=80)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=255)


def carried_out(tags: list[str], wanted: dict[str, str | None]) -> list[str]:
    """The tags there are after a change."""
    add, take = change(tags, wanted)
    return [tag for tag in [*tags, *add] if tag not in take]


@given(st.dictionaries(KEYS, VALUES, max_size=4))
@example({"~1": "a", "~": ""})
def test_every_pair_reads_back(pairs: dict[str, str]) -> None:
    tags = [tag for key, value in pairs.items() for tag in encoded(key, value)]
    assert decoded(tags) == pairs


@given(KEYS, VALUES)
def test_a_tag_fits_and_can_stand_in_a_path_and_in_a_list(key: str, value: str) -> None:
    for tag in encoded(key, value):
        assert 0 < len(tag) <= LONGEST
        assert not set(tag) & set("/,?#")


@given(st.dictionaries(KEYS, VALUES, max_size=3), st.dictionaries(KEYS, st.none() | VALUES, max_size=3))
def test_a_change_touches_its_own_pairs_only(before: dict[str, str], wanted: dict[str, str | None]) -> None:
    tags = ["made-elsewhere", *(tag for key, value in before.items() for tag in encoded(key, value))]
    after = carried_out(tags, wanted)
    expected = {key: value for key, value in {**before, **wanted}.items() if value is not None}
    assert decoded(after) == expected
    assert "made-elsewhere" in after
    assert change(after, wanted) == ([], [])


def test_a_short_pair_is_one_plain_tag() -> None:
    assert encoded("gcelib-name", "front") == ["gcelib-name=front"]


def test_a_pair_with_a_piece_missing_is_none() -> None:
    pieces = encoded("gcelib-description", "x" * 200)
    assert len(pieces) > 2
    assert decoded(pieces[1:]) == {}
    assert decoded([*pieces[1:], "plain=1"]) == {"plain": "1"}


def test_a_change_that_was_broken_off_is_brought_to_its_end() -> None:
    """Both values are there: the new one was added, the old one not yet taken away."""
    both = [*encoded("k", "old " * 30), *encoded("k", "new " * 30)]
    assert decoded(carried_out(both, {"k": "new " * 30})) == {"k": "new " * 30}
    assert carried_out(both, {"k": None}) == []


def test_tags_of_others_are_no_pairs() -> None:
    assert decoded(["blue", "~no", "~a.b.c.d", "team=red"]) == {"team": "red"}
