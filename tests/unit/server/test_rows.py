"""Rows of lists: rendered for those who see them, once, and never kept when a cloud was missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gcelib.server import rows
from gcelib.server.filters import compile_filter
from gcelib.server.listing import Asked, Sealer, cut
from gcelib.server.rows import Answers, Kept, Look, Only, Row, Rows
from gcelib.server.shelf import MOST_ROWS, Shelf, Sources

SEALER = Sealer(b"key")
MADE = "2024-01-01T0{}:00:00.000+00:00"


class Things:
    """Five things named after numbers, and what was rendered of them."""

    def __init__(self) -> None:
        self.rendered: list[int] = []
        self.sound = True
        self.rows = Rows(Row("zones/z", f"thing-{number}", number) for number in (3, 1, 5, 2, 4))
        self.look = Look(
            whole=self._whole,
            known={"name": lambda scope, item: f"thing-{item}",
                   "creationTimestamp": lambda scope, item: MADE.format(item)},
            sound=lambda: self.sound,
        )

    def _whole(self, scope: str, item: int) -> dict[str, Any]:
        self.rendered.append(item)
        return {"name": f"thing-{item}", "id": str(item), "creationTimestamp": MADE.format(item), "even": item % 2 == 0}

    def page(self, **asked: Any) -> list[int]:
        found, _ = cut(self.rows, self.look, Asked(**asked), SEALER)
        return [msgspec.json.decode(row.json(self.look))["id"] for row in found]


@pytest.fixture
def things() -> Things:
    return Things()


def test_only_the_rows_of_the_page_are_rendered(things: Things) -> None:
    assert things.page(max_results=2) == ["1", "2"]
    assert sorted(things.rendered) == [1, 2]
    assert things.page(max_results=3) == ["1", "2", "3"]
    assert sorted(things.rendered) == [1, 2, 3]


@pytest.mark.parametrize("asked", [
    {"filter": "name eq .*-2"}, {"order_by": "creationTimestamp desc", "filter": "name = thing-2 OR name = nothing"},
])
def test_what_is_known_without_rendering_is_not_rendered_for(things: Things, asked: dict[str, str]) -> None:
    assert things.page(**asked) == ["2"]
    assert things.rendered == [2]


def test_a_filter_on_anything_else_has_each_rendered_once(things: Things) -> None:
    for _ in range(2):
        assert things.page(filter="even = true") == ["2", "4"]
    assert sorted(things.rendered) == [1, 2, 3, 4, 5]


def test_a_filter_names_the_fields_it_looks_at() -> None:
    assert compile_filter('name = a* (status = UP OR -labels."x.y":z)').fields == {"name", "status", "labels"}
    assert compile_filter("").fields == set()


def test_rows_rendered_while_a_cloud_is_missing_are_rendered_again(things: Things) -> None:
    things.sound = False
    assert things.page(max_results=1) == ["1"]
    things.sound = True
    assert things.page(max_results=1) == ["1"]
    assert things.rendered.count(1) == 3


def test_an_answer_is_made_once_unless_a_cloud_was_missing() -> None:
    made: list[str] = []
    make: Callable[[], Any] = lambda: made.append("made") or {"answer": len(made)}  # noqa: E731
    answers = Answers()
    assert answers.answer("q", make, lambda: False) == {"answer": 1}
    kept = answers.answer("q", make, lambda: True)
    assert isinstance(kept, Kept)
    assert (kept.encoded, made) == (b'{"answer":2}', ["made", "made"])
    assert answers.answer("q", make, lambda: True) is kept


def test_the_oldest_answers_go_when_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROOM", 3 * (rows.BESIDE + 33))
    answers = Answers()
    first = [answers.answer(number, lambda: "x" * 30, lambda: True) for number in range(5)]
    again = [answers.answer(number, lambda: "x" * 30, lambda: True) for number in (4, 3, 2)]
    assert [new is old for new, old in zip(again, reversed(first[2:]), strict=True)] == [True, True, True]
    assert answers.answer(0, lambda: "x" * 30, lambda: True) is not first[0]


def test_what_was_asked_takes_room_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROOM", 100_000)
    answers = Answers()
    asked = [Asked(filter=f"name eq {number}{'x' * 16_000}") for number in range(50)]
    kept = [answers.answer(each, dict, lambda: True) for each in asked]
    again = [answers.answer(each, dict, lambda: True) for each in reversed(asked)]
    assert sum(new is old for new, old in zip(reversed(again), kept, strict=True)) == 6


def test_large_things_that_were_asked_for_alone_leave_room_for_fewer() -> None:
    shelf, only = Shelf(), Only()
    only.answer("q", lambda: "x" * 200_000, lambda: True)
    for number in range(700):
        shelf.keep_rows(number, Sources(), only)
    found = sum(shelf.rows(number) is not None for number in range(700))
    assert 1 <= found <= MOST_ROWS * 2048 / 200_000
