"""The operations on the books: found, leased to one holder, deleted when done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pretend import World, machine
from sqlalchemy import event

from gcelib.errors import Exists, NotFound, NotReady, Stale, TooMany
from gcelib.store.notes import Notes
from gcelib.store.operations import Operations
from gcelib.store.records import Record


@pytest.fixture
def books(world: World) -> Operations:
    return world.runner.operations


def record(name: str, **values: object) -> Record:
    basis = Record(
        id=f"id-{name}", name=name, number="1", project="demo", scope="zones/z", verb="insert",
        target=f"demo/zones/z/instances/{name}", insert_time=100.0, due=100.0,
    )
    return replace(basis, **values)  # type: ignore[arg-type]


def test_a_record_comes_back_as_it_was_stored(books: Operations) -> None:
    whole = record(
        "a", target_id="7", caller="ann", request_key="k", status="RUNNING", progress=3, start_time=101.0,
        error={"errors": []}, warnings=[{"code": "X"}], http_status=400, work={"verb": "insert"}, state={"a": [1]},
        holder="me", lease_until=130.0, client_operation_id="c",
    )
    assert books.insert(whole) == whole
    assert books.load("id-a") == whole
    assert books.get("demo", "zones/z", "a") == whole


@pytest.mark.parametrize("where", [("other", "zones/z"), ("demo", "zones/y"), ("demo", "global")])
def test_an_operation_is_found_only_where_it_is(books: Operations, where: tuple[str, str]) -> None:
    books.insert(record("a"))
    with pytest.raises(NotFound, match=r"The resource 'projects/.*/operations/a' was not found"):
        books.get(*where, "a")


def test_a_list_shows_one_scope_or_all_the_newest_first(books: Operations) -> None:
    books.insert(record("a", insert_time=1.0))
    books.insert(record("b", insert_time=2.0, scope="global"))
    books.insert(record("c", insert_time=3.0))
    books.insert(record("d", insert_time=4.0, project="other"))
    assert [each.name for each in books.list("demo")] == ["c", "b", "a"]
    assert [each.name for each in books.list("demo", "zones/z")] == ["c", "a"]


def test_a_list_reads_of_what_is_done_only_what_it_shows(books: Operations) -> None:
    long: dict[str, Any] = {"work": {"group": "g", "steps": []}, "state": {"says": "Waiting."}, "holder": "me"}
    warned = {"warnings": [{"code": "X", "message": "x"}]}
    made = [books.insert(record(name, verb=verb, **long, **warned))
            for name, verb in (("open", "insert"), ("done", "insert"), ("whole", "bulkInsert"))]
    for each in made[1:]:
        assert books.save(replace(each, status="DONE", error={"errors": []}), (), 100.0)
    found = {each.name: each for each in books.list("demo")}
    assert [(found[name].work.get("group"), found[name].state.get("says")) for name in ("open", "done", "whole")] == [
        ("g", "Waiting."), (None, None), ("g", "Waiting.")]
    assert found["done"] == replace(books.get("demo", "zones/z", "done"), work={}, state={})


def test_what_is_due_and_free_is_claimed_by_one_holder_only(books: Operations) -> None:
    books.insert(record("free"))
    books.insert(record("later", due=900.0))
    books.insert(record("held", holder="other", lease_until=200.0))
    books.insert(record("done", status="DONE"))
    assert [each.name for each in books.claim("me", 150.0, 30.0)] == ["free"]
    assert books.claim("you", 150.0, 30.0) == []
    assert [each.name for each in books.claim("you", 190.0, 30.0)] == ["free"]
    assert {each.name for each in books.claim("me", 1000.0, 30.0)} == {"free", "held", "later"}


def test_a_holder_that_lost_its_lease_cannot_write(books: Operations) -> None:
    mine = books.insert(record("a", holder="me", lease_until=120.0))
    (yours,) = books.claim("you", 150.0, 30.0)
    assert not books.save(replace(mine, status="DONE"))
    assert books.save(replace(yours, progress=50))
    assert books.load("id-a").progress == 50  # type: ignore[union-attr]


def test_a_holder_that_gets_its_lease_back_cannot_write_what_it_knew_before(books: Operations) -> None:
    mine = books.insert(record("a", holder="me", lease_until=120.0))
    (yours,) = books.claim("you", 150.0, 30.0)
    assert books.save(replace(yours, due=151.0, progress=50), (), yours.due)
    (again,) = books.claim("me", 190.0, 30.0)
    assert not books.save(replace(mine, due=191.0, progress=10), (), mine.due)
    assert books.save(replace(again, due=191.0, progress=60), (), again.due)


def test_so_many_operations_of_a_project_are_open_and_no_more(books: Operations) -> None:
    begun = [books.insert(record(name, holder="me"), most=2) for name in ("a", "b")]
    with pytest.raises(TooMany, match="Project 'demo' has 2 operations that are not done yet") as caught:
        books.insert(record("c"), most=2)
    assert caught.value.retry_after
    assert [each.name for each in books.list("demo")] == ["b", "a"]
    assert books.insert(record("d", project="other"), most=2)
    assert books.save(replace(begun[0], status="DONE"))
    assert books.insert(record("c"), most=2)
    assert {status: count for status, (count, _) in books.standing().items()} == {"PENDING": 3}


def test_what_was_inserted_since_the_clouds_were_looked_at_is_not_inserted_again(books: Operations) -> None:
    first = books.insert(record("a", holder="me"))
    assert books.save(replace(first, due=150.0, status="DONE", end_time=150.0), (), 100.0)
    again = record("b", target=first.target, due=160.0)
    with pytest.raises(Exists, match="operation 'a' just made it"):
        books.insert(again, planned=149.0)
    gone = books.insert(record("c", target=first.target, verb="delete", holder="me"), planned=151.0)
    assert books.save(replace(gone, due=155.0, status="DONE", end_time=155.0), (), 100.0)
    assert books.insert(again, planned=149.0)
    assert [each.name for each in books.list("demo")] == ["c", "b", "a"]


def test_what_was_changed_since_it_was_looked_at_is_not_changed_alone(books: Operations) -> None:
    first = books.insert(record("a", verb="patch", holder="me"))
    assert books.save(replace(first, due=150.0, status="DONE", end_time=150.0, http_status=400), (), 100.0)
    again = record("b", target=first.target, verb="patch")
    with pytest.raises(NotReady, match=r"operation 'a' \(patch\) has just changed it"):
        books.insert(again, alone=True, planned=149.0)
    assert books.insert(again, alone=True, planned=151.0)


def test_a_fingerprint_that_was_compared_holds_for_one_change_of_the_same(books: Operations) -> None:
    labels = {"touches": "labelFingerprint"}
    set_labels = record("a", verb="setLabels", holder="me", request_key="r", state=labels)
    first = books.insert(set_labels, compared=True, planned=99.0)

    def insert(verb: str, planned: float, touches: str = "", **more: Any) -> Record:
        new = record(f"b-{verb}{touches}", target=first.target, verb=verb, state={"touches": touches}, **more)
        return books.insert(new, compared=True, planned=planned)

    for verb, touches in (
        ("setLabels", "labelFingerprint"), ("update", "fingerprint"), ("patch", "labelFingerprint"),
    ):
        with pytest.raises(Stale, match=r"operation 'a' \(setLabels\) is changing '.*/a'.*again when it is done\.$"):
            insert(verb, 101.0, touches)
    assert insert("patch", 101.0).name == "b-patch"
    assert insert("setLabels", 101.0, request_key="r") == first
    assert insert("setMetadata", 101.0).name == "b-setMetadata"
    assert books.save(replace(first, due=150.0, status="DONE", end_time=150.0), (), 100.0)
    with pytest.raises(Stale, match=r"'a' \(setLabels\) has just changed '.*/a'\. Look at that again\.$"):
        insert("setLabels", 149.0)
    assert insert("setLabels", 151.0).name == "b-setLabels"


def test_a_change_that_failed_leaves_the_fingerprint_as_it_was(books: Operations) -> None:
    first = books.insert(record("a", verb="setLabels", holder="me"), compared=True, planned=99.0)
    assert books.save(replace(first, due=150.0, status="DONE", end_time=150.0, http_status=400), (), 100.0)
    assert books.insert(record("b", target=first.target, verb="setLabels"), compared=True, planned=149.0)


def test_an_insert_that_met_another_which_ended_meanwhile_is_judged_anew(
    books: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = books.insert(record("a", holder="me"))
    by_request = books.by_request

    def ending(key: str | None) -> Record | None:
        books.save(replace(first, due=150.0, status="DONE", end_time=150.0), (), 100.0)
        return by_request(key)

    monkeypatch.setattr(books, "by_request", ending)
    with pytest.raises(Exists, match="operation 'a' just made it"):
        books.insert(record("b", target=first.target), planned=149.0)


def test_open_operations_are_found_without_a_look_at_those_that_are_done(world: World, books: Operations) -> None:
    asked: list[str] = []

    def hear(connection: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()[0][-1])

    listening = ("before_cursor_execute", hear)
    event.listen(world.store.engine, *listening)
    books.open()
    books.held("me")
    books.renew("me", 1.0, 1.0)
    books.release("me")
    books.claim("me", 1.0, 1.0)
    books.standing()
    event.remove(world.store.engine, *listening)
    assert len(asked) == 6
    assert all("operations_open" in each or "operations_due" in each for each in asked), asked


def test_a_done_operation_never_changes_again(books: Operations) -> None:
    mine = books.insert(record("a", holder="me"))
    assert books.save(replace(mine, status="DONE", progress=100))
    assert not books.save(replace(mine, status="RUNNING"))


def test_renewed_leases_last_and_released_ones_are_free_at_once(books: Operations) -> None:
    books.insert(record("a", holder="me", lease_until=120.0))
    assert books.renew("me", 200.0, 100.0) == 1
    assert (books.renew("me", 249.0, 100.0), books.renew("me", 251.0, 50.0)) == (0, 0)
    assert books.claim("you", 200.0, 30.0) == []
    assert books.release("me") == 1
    assert [each.name for each in books.claim("you", 200.0, 30.0)] == ["a"]


def test_only_done_operations_are_deleted(books: Operations) -> None:
    mine = books.insert(record("a", holder="me"))
    with pytest.raises(NotReady, match="PENDING"):
        books.delete("demo", "zones/z", "a")
    books.save(replace(mine, status="DONE"))
    books.delete("demo", "zones/z", "a")
    with pytest.raises(NotFound):
        books.delete("demo", "zones/z", "a")


def test_two_servers_share_the_work_and_neither_does_it_twice(world: World) -> None:
    first = world.runner
    begun = [world.begin(machine(f"n{number}")) for number in range(5)]
    second = world.restarted()
    first.run_due()
    world.clock.now += 60.0
    first.run_due()
    world.run()
    assert second.operations.open() == []
    assert [world.record(each).error for each in begun] == [None] * 5
    assert len(world.cloud.effects) == 5
    assert len(world.settled) == 5


def test_notes_are_merged_field_by_field_and_a_null_removes_one(world: World) -> None:
    notes = Notes(world.store, world.clock)
    notes.merge("gva", "node", "n", {"description": "mine", "labels": {"a": "1"}})
    notes.merge("gva", "node", "n", {"labels": {"b": "2"}, "description": None})
    assert notes.get("gva", "node", "n") == {"labels": {"b": "2"}}
    notes.put("gva", "node", "n", {"only": True})
    assert notes.all("gva", "node") == {"n": {"only": True}}
    notes.delete("gva", "node", "n")
    notes.delete("gva", "node", "n")
    assert notes.get("gva", "node", "n") is None
