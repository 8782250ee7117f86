"""An operation from its beginning to its end, with a cloud that behaves and one that does not."""

from __future__ import annotations

import pytest
from pretend import World, machine

from gcelib.errors import (
    Exceeded,
    Exists,
    Forbidden,
    Invalid,
    NoCapacity,
    NotFound,
    Refused,
    Unavailable,
)
from gcelib.server.operations.plan import Step, Work
from gcelib.store.records import Record

GROUP = Step(
    "group", "gva", "firewalls", "create_group", {"name": "g"},
    undo=Step("ungroup", "gva", "firewalls", "destroy_group", {"id": {"$ref": "group.target"}}),
)
NODE = Step("node", "gva", "nodes", "create", {"name": "n", "group_ids": [{"$ref": "group.target"}]})


def insert(*steps: Step, main: str = "node") -> Work:
    return Work("insert", "demo/zones/z/instances/n", steps, main, "", "node")


def message(record: Record) -> str:
    return " ".join(each["message"] for each in (record.error or {})["errors"])


def codes(record: Record) -> list[str]:
    return [each["code"] for each in (record.error or {})["errors"]]


def test_an_insert_is_running_once_the_cloud_took_it_and_knows_its_target(world: World) -> None:
    record = world.begin(machine())
    assert (record.status, record.target_id) == ("RUNNING", "number of gva/node/id-of-n")
    assert world.record(record) == record
    world.run(9.0)
    assert world.record(record).status == "RUNNING"
    assert 0 < world.record(record).progress < 100
    world.run()
    done = world.record(record)
    assert (done.status, done.progress, done.error) == ("DONE", 100, None)
    assert done.end_time - done.start_time == pytest.approx(10, abs=1.1)
    assert [each.name for each in world.settled] == [record.name]
    assert world.settled[0].work["steps"][0]["args"]["name"] == "n"


def test_a_synchronous_change_is_done_in_the_first_answer(world: World) -> None:
    world.cloud.script["nodes.create"] = ["sync"]
    record = world.begin(machine())
    assert (record.status, record.progress) == ("DONE", 100)
    assert world.runner.next_due() is None


def test_work_without_steps_is_done_at_once(world: World) -> None:
    assert world.begin(Work("setMetadata", "demo/zones/z/instances/n", ())).status == "DONE"


def test_the_arguments_are_forgotten_when_it_is_done(world: World) -> None:
    secret = Step("node", "gva", "nodes", "create", {"name": "n", "user_data": "c2VjcmV0"})
    record = world.begin(insert(secret))
    world.run()
    done = world.record(record)
    assert done.status == "DONE"
    assert "c2VjcmV0" not in str(done)


def test_references_are_filled_in_wherever_they_stand(world: World) -> None:
    deep = Step(
        "tags", "gva", "tags", "set",
        {"ids": [{"$ref": "node.target"}], "tags": {"rules": {"$ref": "group.rule_ids"}}},
    )
    record = world.begin(insert(GROUP, NODE, deep))
    world.run()
    assert world.record(record).error is None
    assert [each.args for each in world.cloud.effects[1:]] == [
        {"name": "n", "group_ids": ["id-of-g"]},
        {"ids": ["id-of-n"], "tags": {"rules": ["rule-0"]}},
    ]


def test_a_reference_to_several_in_a_list_stands_for_each_of_them(world: World) -> None:
    ids = [{"$ref": "group.rule_ids"}, "one", {"$ref": "node.target"}]
    world.begin(insert(GROUP, NODE, Step("tags", "gva", "tags", "set", {"ids": ids})))
    world.run()
    (tags,) = [each for each in world.cloud.effects if each.facet == "tags"]
    assert tags.args["ids"] == ["rule-0", "one", "id-of-n"]


def test_a_reference_to_nothing_fails_the_operation_as_our_mistake(world: World) -> None:
    with pytest.raises(Exception, match="no step 'nobody'"):
        world.begin(insert(Step("node", "gva", "nodes", "create", {"name": {"$ref": "nobody.target"}})))
    assert codes(world.runner.operations.list("demo")[0]) == ["INTERNAL_ERROR"]


def test_the_time_of_submission_is_the_first_one_in_every_attempt(world: World) -> None:
    world.cloud.script["nodes.create"] = ["dropped", "dropped"]
    world.begin(machine())
    world.run()
    assert [each.args["submitted"] for each in world.cloud.effects] == ["2023-11-14T22:13:20.000+00:00"]
    assert len(world.cloud.submits) == 3


@pytest.mark.parametrize("fault", [
    Exceeded("Maximum number of machines."), Refused("Bad name."), NotFound("No such image."),
    NoCapacity("No host has room."), Forbidden("Not yours."), Unavailable("Nobody at home."),
])
def test_a_refusal_is_the_answer_and_is_on_the_books(world: World, fault: Exception) -> None:
    world.cloud.script["nodes.create"] = [fault]
    with pytest.raises(type(fault)) as caught:
        world.begin(machine())
    assert caught.value is fault
    record = world.runner.operations.list("demo")[0]
    assert (record.status, record.http_status) == ("DONE", fault.status)  # type: ignore[attr-defined]
    assert record.error == {"errors": [{"code": fault.code, "message": fault.message}]}  # type: ignore[attr-defined]
    assert world.cloud.effects == []


def test_a_refusal_takes_back_what_was_made_before_it(world: World) -> None:
    world.cloud.script = {
        "firewalls.create_group": ["sync"], "firewalls.destroy_group": ["sync"],
        "nodes.create": [Exceeded("Maximum number of machines.")],
    }
    with pytest.raises(Exceeded, match="Maximum number"):
        world.begin(insert(GROUP, NODE))
    assert [each.verb for each in world.cloud.effects] == ["create_group", "destroy_group"]
    assert world.cloud.effects[1].args == {"id": "id-of-g"}
    assert world.runner.operations.open() == []


def test_what_cannot_be_taken_back_is_named(world: World) -> None:
    world.cloud.script = {
        "firewalls.create_group": ["sync"], "firewalls.destroy_group": [Refused("The group is in use.")],
        "nodes.create": [Exceeded("Maximum number of machines.")],
    }
    with pytest.raises(Exceeded, match=r"Maximum .* Left behind: security group 'g' \(id-of-g\)\. The group is in"):
        world.begin(insert(GROUP, NODE))
    assert codes(world.runner.operations.list("demo")[0]) == ["QUOTA_EXCEEDED", "CLEANUP_FAILED"]


def test_a_job_that_fails_later_ends_the_operation_and_its_remains_are_removed(world: World) -> None:
    node = Step("node", "gva", "nodes", "create", {"name": "n"},
                undo=Step("gone", "gva", "nodes", "destroy", {"id": {"$ref": "node.target"}}))
    world.cloud.script = {"firewalls.create_group": ["sync"],
                          "nodes.create": [("fails", NoCapacity("No host has room."))]}
    record = world.begin(insert(GROUP, node))
    assert record.status == "RUNNING"
    world.run()
    done = world.record(record)
    assert (done.status, done.progress, done.http_status) == ("DONE", 100, 503)
    assert done.error["errors"] == [{"code": "ZONE_RESOURCE_POOL_EXHAUSTED", "message": "No host has room."}]
    assert [each.verb for each in world.cloud.effects[2:]] == ["destroy", "destroy_group"]


def test_a_failure_after_the_main_step_is_the_operations_error_not_the_answer(world: World) -> None:
    world.cloud.script = {"nodes.create": ["sync"], "tags.set": [Refused("No tags here.")]}
    record = world.begin(insert(NODE.__class__("node", "gva", "nodes", "create", {"name": "n"}),
                                Step("tags", "gva", "tags", "set", {"ids": ["x"]})))
    assert record.status == "DONE"
    assert message(record) == "No tags here."


def test_an_optional_steps_failure_is_a_warning(world: World) -> None:
    world.cloud.script = {"tags.set": [Refused("No tags here.")]}
    record = world.begin(insert(Step("node", "gva", "nodes", "create", {"name": "n"}),
                                Step("tags", "gva", "tags", "set", {"ids": ["x"]}, optional=True)))
    world.run()
    done = world.record(record)
    assert done.error is None
    assert done.warnings == [{"code": "NOT_CRITICAL_ERROR", "message": "No tags here."}]


def test_an_early_step_lets_the_next_one_start_and_is_waited_for_at_the_end(world: World) -> None:
    world.cloud.script = {"tags.set": ["sync"]}
    record = world.begin(insert(Step("node", "gva", "nodes", "create", {"name": "n"}, early=True),
                                Step("tags", "gva", "tags", "set", {"ids": [{"$ref": "node.target"}]})))
    assert world.cloud.submits == ["nodes.create", "tags.set"]
    assert record.status == "RUNNING"
    world.run(9.0)
    assert not world.record(record).done
    world.run()
    assert world.record(record).error is None


def test_when_a_step_fails_an_early_one_settles_before_it_is_taken_back(world: World) -> None:
    early = Step("node", "gva", "nodes", "create", {"name": "n"}, early=True,
                 undo=Step("gone", "gva", "nodes", "destroy", {"id": {"$ref": "node.target"}}))
    world.cloud.script = {"volumes.create": [Refused("No disks.")]}
    record = world.begin(insert(early, Step("disk", "gva", "volumes", "create", {"name": "d"})))
    started = world.clock()
    world.run()
    assert [each.verb for each in world.cloud.effects] == ["create", "destroy"]
    assert world.cloud.effects[1].done_at - 10.0 >= started + 9.9
    assert message(world.record(record)) == "No disks."


def test_a_step_before_the_main_one_is_waited_for_a_moment_then_left_to_the_background(world: World) -> None:
    world.cloud.seconds = 1.0
    quick = world.begin(insert(GROUP, NODE))
    assert quick.target_id == "number of gva/node/id-of-n"
    world.run()
    world.cloud.seconds = 60.0
    before = world.clock()
    slow = world.begin(insert(GROUP, NODE))
    assert world.clock() - before < 4.0
    assert (slow.status, slow.target_id) == ("RUNNING", "")
    world.run()
    assert world.record(slow).target_id == "number of gva/node/id-of-n"


def test_notes_are_written_as_steps_and_taken_back(world: World) -> None:
    from gcelib.store.notes import Notes

    notes = Notes(world.store)
    place = {"place": "gva", "kind": "node", "id": {"$ref": "node.target"}}
    note = Step("note", "", "notes", "merge", {**place, "data": {"description": "mine"}},
                undo=Step("unnote", "", "notes", "delete", place))
    node = Step("node", "gva", "nodes", "create", {"name": "n"})
    world.cloud.script = {"nodes.create": ["sync", "sync"], "tags.set": [Refused("No.")]}
    assert world.begin(insert(node, note)).error is None
    assert notes.get("gva", "node", "id-of-n") == {"description": "mine"}
    assert world.begin(insert(node, note, Step("tags", "gva", "tags", "set", {}))).error
    assert notes.get("gva", "node", "id-of-n") is None


def test_the_same_request_id_gives_the_same_operation(world: World) -> None:
    first = world.begin(machine(), request_id="8e0e4d1e-0000-4000-8000-000000000001")
    again = world.begin(machine(), request_id="8E0E4D1E-0000-4000-8000-000000000001")
    assert again.name == first.name
    world.run()
    assert world.begin(machine(), request_id="8e0e4d1e-0000-4000-8000-000000000001").status == "DONE"
    assert world.cloud.count("nodes", "create") == 1


def test_a_request_id_is_each_callers_own_and_stands_for_one_change(world: World) -> None:
    world.begin(machine("a"), request_id="one")
    with pytest.raises(Invalid, match="requestId"):
        world.begin(machine("b"), request_id="one")
    world.begin(machine("b"), request_id="one", caller="bob@example.com")
    assert world.cloud.count("nodes", "create") == 2


def test_a_refused_request_may_be_sent_again_with_its_request_id(world: World) -> None:
    world.cloud.script["nodes.create"] = [Exceeded("Full.")]
    with pytest.raises(Exceeded):
        world.begin(machine(), request_id="one")
    assert world.begin(machine(), request_id="one").status == "RUNNING"


def test_a_second_insert_of_a_name_under_way_is_a_conflict(world: World) -> None:
    first = world.begin(machine())
    with pytest.raises(Exists, match=f"'projects/demo/zones/z/instances/n' already exists.*{first.name}"):
        world.begin(machine())
    world.run()
    assert world.begin(machine()).status == "RUNNING"
