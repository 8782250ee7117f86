"""Cancelled: what was not sent never is, what was done is taken back; where that cannot be, it is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pretend import Killed, World, machine

from gcelib.errors import Invalid, NotFound, NotReady, Refused, Unavailable, Uncertain
from gcelib.server.operations.janitor import Janitor
from gcelib.server.operations.plan import Step, Work
from gcelib.server.operations.record import Origin
from gcelib.server.operations.render import render
from gcelib.server.operations.wishes import REQUEST_SECONDS, may_cancel, may_retry, permission
from gcelib.store.notes import Notes
from gcelib.store.records import Record

OLGA = "olga@example.com"


def made(name: str, **options: Any) -> Step:
    """A disk that can be taken back."""
    back = Step("undo", "gva", "volumes", "destroy", {"id": {"$ref": f"{name}.target"}})
    return Step(name, "gva", "volumes", "create", {"name": name}, back, **options)


def work(*steps: Step, verb: str = "insert") -> Work:
    return Work(verb, "demo/zones/z/instances/n", steps, steps[0].name)


def shown(record: Record) -> dict[str, Any]:
    return render(record, str)


def test_what_was_not_sent_never_is_and_what_is_under_way_is_waited_for_and_taken_back(world: World) -> None:
    record = world.begin(work(made("a"), made("b")))
    marked = world.runner.cancel(record, OLGA)
    assert marked.canceller == OLGA
    assert OLGA in shown(marked)["statusMessage"]
    world.run()
    done = world.record(record)
    cloud = world.cloud
    assert [cloud.count("volumes", verb, **about) for verb, about in (
        ("create", {"name": "a"}), ("destroy", {"id": "id-of-a"}), ("create", {"name": "b"}))] == [1, 1, 0]
    assert cloud.effects[1].done_at > cloud.effects[0].done_at
    assert done.error == {"errors": [{
        "code": "OPERATION_CANCELED", "message": f"{OLGA} cancelled this operation before it was done."}]}
    assert (done.http_status, done.status, done.progress) == (400, "DONE", 100)
    assert [each.name for each in world.settled] == [record.name]


def test_one_that_has_sent_nothing_yet_is_over_at_once_though_its_cloud_is_away(world: World) -> None:
    world.cloud.script = {"create a": ["sync"]}
    record = world.begin(work(made("a", optional=True), made("b")))
    world.cloud.away = Unavailable("Nobody at home.")
    late = world.runner.operations.insert(replace(
        record, id="late", name="late", target="demo/zones/z/instances/m", state={}, status="PENDING"))
    world.runner.sweep()
    world.runner.cancel(late, OLGA)
    world.run(5.0)
    assert world.record(late).error["errors"][0]["code"] == "OPERATION_CANCELED"
    assert not world.record(record).done


def test_one_whose_cloud_is_away_takes_back_when_that_is_there_again(world: World) -> None:
    record = world.begin(work(made("a"), made("b")))
    world.cloud.away = Unavailable("Nobody at home.")
    world.runner.cancel(record, OLGA)
    world.run(60.0)
    assert not world.record(record).done
    world.cloud.away = None
    world.run()
    assert world.record(record).error["errors"][0]["code"] == "OPERATION_CANCELED"
    assert world.cloud.count("volumes", "destroy", id="id-of-a") == 1


def test_a_replica_that_only_tells_the_books_is_heard_by_the_next_sweep(world: World) -> None:
    record = world.begin(work(made("a"), made("b")))
    world.runner.operations.cancel(record.id, OLGA, may_cancel)
    world.runner.sweep()
    assert world.runner._turns._cancelled == {record.id: OLGA}
    world.run()
    assert world.record(record).error["errors"][0]["code"] == "OPERATION_CANCELED"
    assert world.cloud.count("volumes", "create", name="b") == 0


def test_without_a_sweep_the_holder_hears_of_it_before_it_sends_anything(world: World) -> None:
    record = world.begin(work(made("a"), made("b")))
    world.runner.operations.cancel(record.id, OLGA, may_cancel)
    world.run()
    assert world.record(record).error["errors"][0]["code"] == "OPERATION_CANCELED"
    assert world.cloud.count("volumes", "create", name="b") == 0


@pytest.mark.parametrize("point", ["before the cloud does it", "after the cloud did it"])
@pytest.mark.parametrize("nth", [1, 2])
def test_killed_while_it_takes_back_another_process_goes_on_with_that(world: World, point: str, nth: int) -> None:
    record = world.begin(work(made("a", early=True), made("b"), made("c")))
    world.run(0.5)
    world.runner.cancel(record, OLGA)
    left = [nth]

    def dies(label: str) -> None:
        left[0] -= label == point
        if label == point and not left[0]:
            raise Killed

    world.cloud.point = dies
    with pytest.raises(Killed):
        world.run()
    world.cloud.point = lambda label: None
    world.restarted()
    world.run()
    done = world.record(record)
    assert done.error["errors"] == [{"code": "OPERATION_CANCELED",
                                     "message": f"{OLGA} cancelled this operation before it was done."}]
    assert [world.cloud.count("volumes", "destroy", id=f"id-of-{name}") for name in "abc"] == [1, 1, 0]
    assert world.cloud.count("volumes", "create", name="c") == 0


def test_a_step_that_nothing_takes_back_is_not_cancelled_once_it_was_sent(world: World) -> None:
    stop = Step("stop", "gva", "nodes", "stop", {"id": "n"})
    record = world.begin(work(stop, Step("destroy", "gva", "nodes", "destroy", {"id": "n"}), verb="delete"))
    with pytest.raises(NotReady, match=r"nodes\.stop on cloud 'gva' was sent, and nothing takes that back"):
        world.runner.cancel(record, OLGA)
    world.run()
    assert world.record(record).error is None
    assert world.record(record).canceller == ""


def test_what_hangs_on_a_thing_that_is_taken_back_goes_with_it(world: World) -> None:
    tag = Step("protect", "gva", "nodes", "protect", {"id": {"$ref": "a.target"}, "on": True})
    keys = Step("keys", "gva", "keypairs", "register", {"name": "k"})
    world.cloud.script = {"keypairs.register": ["sync"], "volumes.create": ["sync"], "nodes.protect": ["sync"]}
    record = world.begin(replace(work(keys, made("a"), tag, made("b")), main="b"))
    assert {name: each["phase"] for name, each in world.record(record).state["steps"].items()} == {
        "keys": "done", "a": "done", "protect": "done", "b": "submitted"}
    world.runner.cancel(record, OLGA)
    world.run()
    assert [world.cloud.count("volumes", "destroy", id=f"id-of-{name}") for name in "ab"] == [1, 1]


def test_what_is_not_known_of_a_step_is_said_and_nothing_is_taken_back(world: World) -> None:
    world.cloud.script = {"create b": ["dropped"] * 4}
    record = world.begin(work(made("a", early=True), made("b")))
    world.cloud.seeing = False
    world.runner.cancel(record, OLGA)
    world.run()
    done = world.record(record)
    said = " ".join(each["message"] for each in done.error["errors"])
    assert "is not known" in said
    assert world.cloud.count("volumes", "destroy") == 0
    assert "not known how" in may_retry(replace(done, repeatable=True))


def test_who_waits_for_the_answer_to_the_request_gets_the_cancellation(world: World) -> None:
    def somebody(label: str) -> None:
        if label == "after the cloud did it":
            world.cloud.point = lambda label: None
            newest = world.runner.operations.open()[-1]
            world.runner.operations.cancel(newest.id, OLGA, may_cancel)

    world.cloud.script = {"create first": ["sync"]}
    world.cloud.point = somebody
    with pytest.raises(Invalid, match=f"{OLGA} cancelled this operation"):
        world.begin(replace(work(made("first"), made("second")), main="second"), request_id="1-2-3")
    assert world.cloud.count("volumes", "destroy", id="id-of-first") == 1
    assert world.cloud.count("volumes", "create", name="second") == 0


def test_cancelled_in_the_moment_in_which_it_ends_it_is_taken_back(world: World) -> None:
    def somebody(label: str) -> None:
        if label == "after the cloud did it":
            world.cloud.point = lambda label: None
            world.runner.operations.cancel(world.runner.operations.open()[0].id, OLGA, may_cancel)

    world.cloud.script = {"create a": ["sync"]}
    world.cloud.point = somebody
    with pytest.raises(Invalid, match=f"{OLGA} cancelled this operation"):
        world.begin(work(made("a")))
    world.run()
    assert world.runner.operations.open() == []
    assert world.cloud.count("volumes", "destroy", id="id-of-a") == 1


def test_it_is_said_why_an_operation_cannot_be_cancelled(world: World) -> None:
    record = world.begin(work(made("a"), made("b")))
    marked = world.runner.cancel(record, OLGA)
    with pytest.raises(NotReady, match=f"is being cancelled already, as {OLGA} wants"):
        world.runner.cancel(record, "otto@example.com")
    assert "comes from a backup" in may_cancel(replace(marked, canceller="", state={"restored": True}))
    failing = replace(marked, canceller="", state={"fault": {"kind": "Bug"}})
    assert "takes back what it did already" in may_cancel(failing)
    world.run()
    with pytest.raises(NotReady, match="is DONE"):
        world.runner.cancel(record, OLGA)
    with pytest.raises(NotFound):
        world.runner.cancel(replace(record, id="gone"), OLGA)


def origin(id: str = "compute.instances.insert") -> Origin:
    return Origin(id, "", lambda id: f"sealed for {id}")


def test_what_was_sent_is_kept_of_an_operation_that_fails_for_three_days(world: World) -> None:
    world.cloud.script = {"create n": [("fails", Refused("No."))]}
    failed = world.begin(machine(), origin=origin())
    good = world.begin(machine("m"), origin=origin("compute.instances.start"))
    books = world.runner.operations
    assert books.request(good.id) == f"sealed for {good.id}"
    assert may_retry(world.record(failed)).endswith("only one that is DONE can be carried out anew.")
    world.run()
    assert books.request(good.id) == ""
    assert "there is nothing to carry out anew" in may_retry(world.record(good))
    assert books.request(failed.id) == f"sealed for {failed.id}"
    assert may_retry(world.record(failed)) == ""
    assert permission(world.record(good)) == "compute.instances.start"
    janitor = Janitor(books, Notes(world.store, world.clock), present=lambda place, kind: None, clock=world.clock)
    janitor.run()
    assert world.record(failed).repeatable
    world.clock.now += REQUEST_SECONDS + 1.0
    janitor.run()
    assert books.request(failed.id) == ""
    assert "is not kept any more" in may_retry(world.record(failed))


def test_an_operation_of_which_it_is_not_known_how_it_ended_is_not_carried_out_anew(world: World) -> None:
    world.cloud.script = {"create n": [Uncertain("Lost.")] * 4}
    world.cloud.seeing = False
    record = world.begin(machine(), origin=origin())
    world.run()
    assert world.record(record).repeatable
    assert "its change could happen twice" in may_retry(world.record(record))
