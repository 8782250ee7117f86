"""Rows and answers that outlive a request are never made of other lists than those they are kept for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from gcelib.drivers.layers import Remember
from gcelib.errors import Unavailable
from gcelib.server.rows import Answers, Look, Row, Rows
from gcelib.server.shelf import Shelf
from gcelib.server.view import View


class Facet:
    """A list of texts that tests change."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self.fault: Exception | None = None

    def list(self) -> list[str]:
        if self.fault:
            raise self.fault
        return [*self.rows]


class Cloud:
    """Machines, disks and snapshots; nothing else."""

    name, provider = "gva", "dummy"

    def __init__(self) -> None:
        self.nodes, self.volumes, self.snapshots = Facet(), Facet(), Facet()
        self.nodes.rows, self.volumes.rows, self.snapshots.rows = ["web", "zoo"], ["old"], ["s"]

    def __getattr__(self, facet: str) -> None:
        return None


class Listing:
    """A list of the machines, each shown with all disks; "zoo" with all snapshots, too."""

    def __init__(self) -> None:
        self.cloud = Cloud()
        self.remembering = Remember(self.cloud, {"other": 60})  # type: ignore[arg-type]
        self.shelf = Shelf()
        self.rendered: list[str] = []
        self.notes: Any = SimpleNamespace(generations=SimpleNamespace(alone=True), version=0)

    def view(self) -> View:
        """One request's."""
        return View([self.remembering], None, self.notes, self.shelf)  # type: ignore[list-item,arg-type]

    def change(self, disk: str) -> None:
        """Somebody changes the disks through us."""
        self.cloud.volumes.rows = [disk]
        self.remembering.lists.drop(frozenset({"volumes"}))

    def read(self, view: View, *names: str, first: Callable[[], object] = lambda: None) -> list[Any]:
        """A page with these machines; `first` is called before any of them is rendered."""

        def shown(scope: str, name: str) -> dict[str, Any]:
            self.rendered.append(name)
            told: dict[str, Any] = {"disks": [row for part in view.parts("volumes") for row in part.rows]}
            return told | ({"copies": list(view.parts("snapshots")[0].rows)} if name == "zoo" else {})

        def use(rows: Rows) -> list[Any]:
            first()
            found = [row for row in rows.ordered("name", look) if row.name in names]
            return [msgspec.json.decode(row.json(look))["disks"] for row in found]

        look = Look(whole=shown, sound=lambda: view.sound)
        gather = lambda: Rows(Row("", row, row) for part in view.parts("nodes") for row in part.rows)  # noqa: E731
        found: list[Any] = view.rendered("list", gather, use)
        return found


@pytest.fixture
def listing() -> Listing:
    made = Listing()
    assert made.read(made.view()) == []
    return made


def test_two_requests_that_look_at_a_list_first_before_and_after_a_change_do_not_mix(listing: Listing) -> None:
    slow, quick = listing.view(), listing.view()

    def overtaken() -> None:
        for view in (quick, listing.view()):
            assert listing.read(view, "web") == [["old"]]
        listing.change("new")

    listing.read(slow, "zoo", first=overtaken)
    assert listing.read(listing.view(), "web", "zoo") == [["new"], ["new"]]


def test_rows_rendered_by_a_request_that_failed_later_are_made_anew(listing: Listing) -> None:
    listing.cloud.snapshots.fault = Unavailable("down")
    with pytest.raises(Unavailable, match="down"):
        listing.read(listing.view(), "web", "zoo")
    listing.change("new")
    assert listing.read(listing.view(), "web") == [["new"]]


def test_rows_are_rendered_once_when_it_is_known_what_they_are_made_of(listing: Listing) -> None:
    for _ in range(4):
        assert listing.read(listing.view(), "web") == [["old"]]
    assert listing.rendered == ["web", "web"]


def test_an_answer_made_of_a_list_asked_for_alone_is_not_kept(listing: Listing) -> None:
    view = listing.view()
    answers = view.rendered("one", lambda: (view.parts("nodes"), Answers())[1], lambda kept: kept)
    view = listing.view()
    view._questions.partial = True
    use = lambda kept: kept.answer("web", lambda: "from one cloud of several", lambda: view.sound)  # noqa: E731
    assert view.rendered("one", Answers, use) == "from one cloud of several"
    assert answers.answer("web", lambda: "anew", lambda: False) == "anew"
