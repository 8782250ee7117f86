"""Pages of lists and the tokens between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gcelib.errors import Invalid
from gcelib.server.listing import Asked, Page, Pair, Sealer, page

SEALER = Sealer(b"key")


def row(name: str, *, scope: str = "zones/z", id: str = "1", made: str = "2024-01-01T00:00:00.000Z") -> Pair:
    return scope, {"name": name, "id": id, "creationTimestamp": made}


def first(rows: list[Pair], **more: Any) -> Page:
    return page(rows, Asked(**{"binding": "b", **more}), SEALER)


def pages(rows: list[Pair], **more: Any) -> Iterator[list[Pair]]:
    token = ""
    while True:
        found = first(rows, page_token=token, **more)
        yield found.items
        token = found.next_token
        if not token:
            return


def names(rows: list[Pair]) -> str:
    return "".join(resource["name"] for _, resource in rows)


def test_rows_come_by_name_then_scope_then_id() -> None:
    rows = [row("b"), row("a", scope="zones/y", id="2"), row("a", scope="zones/y", id="1"), row("a", scope="regions/r")]
    found = first(rows)
    assert [(scope, resource["id"]) for scope, resource in found.items] == [
        ("regions/r", "1"),
        ("zones/y", "1"),
        ("zones/y", "2"),
        ("zones/z", "1"),
    ]
    assert found.next_token == ""


def test_the_newest_come_first_when_asked() -> None:
    rows = [
        row("a", made="2024-01-01T00:00:00.000Z"),
        row("c", made="2024-01-01T02:00:00.000+01:00"),
        row("b", made="2024-01-01T01:00:00.000Z"),
        ("", {"name": "d", "id": "1"}),
    ]
    assert names(first(rows, order_by="creationTimestamp  desc").items) == "bcad"
    assert [names(part) for part in pages(rows, order_by="creationTimestamp desc", max_results=1)] == list("bcad")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 500])
def test_every_row_is_on_one_page(size: int) -> None:
    rows = [row(name) for name in "gfedcba"]
    parts = list(pages(rows, max_results=size))
    assert "".join(map(names, parts)) == "abcdefg"
    assert all(len(part) == size for part in parts[:-1])
    assert parts[-1]


def test_pages_hold_matching_rows_only() -> None:
    rows = [row(name) for name in "abcdef"]
    assert [names(part) for part in pages(rows, max_results=2, filter="name ne b|f")] == ["ac", "de"]


def test_rows_that_stay_are_neither_repeated_nor_skipped() -> None:
    found = first([row(name) for name in "bdfh"], max_results=2)
    assert names(found.items) == "bd"
    found = first([row(name) for name in "abcfghx"], max_results=2, page_token=found.next_token)
    assert names(found.items) == "fg"


def test_no_rows_are_what_is_asked_for() -> None:
    found = first([row("a"), row("b")], max_results=0)
    assert found.items == []
    assert names(first([row("a"), row("b")], page_token=found.next_token).items) == "ab"
    assert first([], max_results=0) == Page([], "")


@pytest.mark.parametrize("size", [-1, 501])
def test_a_senseless_size_is_refused(size: int) -> None:
    with pytest.raises(Invalid) as caught:
        first([], max_results=size)
    assert caught.value.field == "maxResults"


@pytest.mark.parametrize("order", ["name desc", "name asc", "creationTimestamp", "id", "creationTimestamp DESC"])
def test_an_order_gce_has_not_is_refused(order: str) -> None:
    with pytest.raises(Invalid) as caught:
        first([], order_by=order)
    assert caught.value.field == "orderBy"


@pytest.mark.parametrize(
    "changed", [{"binding": "c"}, {"filter": "name eq .*"}, {"order_by": "creationTimestamp desc"}]
)
def test_a_token_is_good_for_its_own_list_only(changed: dict[str, Any]) -> None:
    rows = [row("a"), row("b")]
    token = first(rows, max_results=1).next_token
    with pytest.raises(Invalid) as caught:
        first(rows, page_token=token, **changed)
    assert caught.value.field == "pageToken"


def test_a_token_allows_another_size_and_spelling_of_the_order() -> None:
    rows = [row("a"), row("b"), row("c")]
    token = first(rows, max_results=1).next_token
    assert names(first(rows, page_token=token, max_results=5, order_by="name").items) == "bc"


@pytest.mark.parametrize("token", ["x", "é", "A" * 40, "A" * 100_000, "AAAA BBBB", "=", "\ud800"])
def test_an_invented_token_is_refused(token: str) -> None:
    with pytest.raises(Invalid) as caught:
        first([row("a")], page_token=token)
    assert caught.value.field == "pageToken"


def test_a_token_says_nothing_and_cannot_be_changed() -> None:
    token = first([row("secret"), row("z")], max_results=1).next_token
    assert token.replace("-", "").replace("_", "").isalnum()
    assert SEALER.open(token)["after"][0] == "secret"
    flipped = ("B" if token[20] == "A" else "A").join((token[:20], token[21:]))
    for sealer, text in ((SEALER, flipped), (Sealer(b"other"), token)):
        with pytest.raises(Invalid):
            sealer.open(text)


def test_another_replica_with_the_same_key_reads_it() -> None:
    assert Sealer(b"key").open(SEALER.seal({"a": [1]})) == {"a": [1]}
