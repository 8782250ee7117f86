"""Paging over a list that changes meanwhile: what stays is seen once, in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gcelib.server.listing import BY_NAME, NEWEST_FIRST, Asked, Pair, Sealer, page

SEALER = Sealer(b"key")
KEYS = st.tuples(st.text("abc", min_size=1, max_size=2), st.sampled_from(["", "zones/y", "zones/z"]), st.integers(1, 3))


def rendered(key: tuple[str, str, int]) -> Pair:
    name, scope, id = key
    hour = (len(name) * 7 + ord(name[0]) + id) % 24
    return scope, {"name": name, "id": str(id), "creationTimestamp": f"2024-01-01T{hour:02}:00:00.000-07:00"}


@given(
    st.sets(KEYS),
    st.lists(st.tuples(st.sets(KEYS), st.sets(KEYS)), max_size=5),
    st.integers(1, 5),
    st.sampled_from([BY_NAME, NEWEST_FIRST]),
)
def test_rows_that_stay_are_seen_once_and_none_twice(
    start: set[tuple[str, str, int]],
    changes: list[tuple[set[tuple[str, str, int]], set[tuple[str, str, int]]]],
    size: int,
    order: str,
) -> None:
    there, stayed, ever = set(start), set(start), set(start)
    seen: list[Pair] = []
    token = ""
    todo = list(changes)
    while True:
        asked = Asked(order_by=order, max_results=size, page_token=token, binding="b")
        found = page(map(rendered, there), asked, SEALER)
        assert len(found.items) == size or not found.next_token
        seen += found.items
        token = found.next_token
        if not token:
            break
        gone, come = todo.pop() if todo else (set(), set())
        there = (there - gone) | come
        stayed -= gone
        ever |= come
    assert [row for index, row in enumerate(seen) if row in seen[:index]] == []
    assert all(rendered(key) in seen for key in stayed)
    assert all(row in map(rendered, ever) for row in seen)
    once = page(map(rendered, ever), Asked(order_by=order, binding="b"), SEALER).items
    assert seen == [row for row in once if row in seen]
