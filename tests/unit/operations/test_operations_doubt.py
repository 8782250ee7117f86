"""Clouds that lose answers, go away, hang and make no sense: what an operation makes of it."""

from __future__ import annotations

import pytest
from pretend import Clock, World, machine

from gcelib.errors import (
    Exists,
    NotFound,
    Unavailable,
    Uncertain,
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


def test_a_lost_answer_is_looked_for_before_it_is_sent_again(world: World) -> None:
    world.cloud.script["nodes.create"] = ["lost"]
    record = world.begin(machine())
    assert (record.status, record.target_id) == ("RUNNING", "")
    world.run()
    assert world.cloud.submits == ["nodes.create"]
    assert world.record(record).error is None
    assert world.record(record).target_id == "number of gva/node/id-of-n"


def test_a_request_that_never_arrived_is_sent_once_more(world: World) -> None:
    world.cloud.script["nodes.create"] = ["dropped"]
    record = world.begin(machine())
    before = world.clock()
    world.run()
    assert world.cloud.count("nodes", "create") == 1
    assert world.cloud.seeks == 4
    assert world.cloud.effects[0].done_at - before >= 7.0
    assert world.record(record).error is None


def test_a_request_that_never_arrives_ends_honestly(world: World) -> None:
    world.cloud.script["nodes.create"] = ["dropped"] * 9
    record = world.begin(machine())
    world.run()
    done = world.record(record)
    assert done.http_status == 503
    assert "is not known" in message(done)
    assert len(world.cloud.submits) == 4


def test_a_conflict_on_the_second_attempt_means_the_first_got_through(world: World) -> None:
    world.cloud.script["nodes.create"] = ["lost", Exists("The name is taken.")]
    record = world.begin(machine())
    world.cloud.seeing = False
    while len(world.cloud.submits) < 2:
        world.cloud.seeing = world.cloud.seeks >= 4
        world.run(0.5)
    world.run()
    assert world.cloud.count("nodes", "create") == 1
    assert world.record(record).status == "DONE"


def test_polls_that_fail_are_hidden_and_said(world: World) -> None:
    record = world.begin(machine())
    world.cloud.away = Unavailable("Cloud 'gva' does not answer.")
    world.run(300.0)
    waiting = world.record(record)
    assert waiting.status == "RUNNING"
    assert waiting.state["says"] == "Waiting: Cloud 'gva' does not answer."
    world.cloud.away = None
    world.run()
    done = world.record(record)
    assert done.error is None
    assert "says" not in done.state


def test_a_cloud_that_is_away_is_not_hammered(world: World) -> None:
    for number in range(50):
        world.begin(machine(f"n{number}"))
    calls = []
    world.cloud.away = Unavailable("Gone.")
    world.cloud._answering = lambda: calls.append(1) or (_ for _ in ()).throw(world.cloud.away)  # type: ignore
    world.run(60.0)
    assert len(calls) < 60


def test_a_step_that_hangs_ends_at_its_deadline_and_says_what_is_unknown(world: World) -> None:
    world.cloud.seconds = 1e9
    world.cloud.script = {"firewalls.create_group": ["sync"]}
    record = world.begin(insert(GROUP, NODE))
    started = world.clock()
    world.run(3 * 3600.0)
    done = world.record(record)
    assert 3600.0 <= done.end_time - started < 3700.0
    assert "machine 'n' (id-of-n) is not known" in message(done)
    assert "Left as it is" in message(done)
    assert "security group 'g'" in message(done)
    assert world.cloud.count("firewalls", "destroy_group") == 0


def test_a_cloud_that_stays_away_ends_the_operation_at_the_deadline(world: World) -> None:
    record = world.begin(machine())
    world.cloud.away = Uncertain("Gone for good.")
    world.run(3 * 3600.0)
    assert "Gone for good." in message(world.record(record))


def test_polls_that_make_no_sense_end_the_operation_as_our_mistake(world: World) -> None:
    record = world.begin(machine())
    world.cloud.poll_faults = [KeyError("jobstatus")] * 4
    world.run(60.0)
    assert world.record(record).error["errors"][0]["code"] == "INTERNAL_ERROR"


def test_a_job_the_cloud_forgot_is_judged_by_its_effect(world: World) -> None:
    record = world.begin(machine())
    world.clock.now += 20.0
    world.cloud.poll_faults = [NotFound("No such job.")] * 4
    world.run(60.0)
    assert world.record(record).status == "DONE"
    assert world.record(record).error is None


def test_our_own_mistake_while_sending_is_told_and_nothing_is_sent_twice(world: World) -> None:
    world.cloud.script["nodes.create"] = [TypeError("secret")]
    with pytest.raises(Exception, match=r"gcelib broke at nodes\.create") as caught:
        world.begin(machine())
    assert "secret" not in str(caught.value)
    assert world.runner.operations.open() == []


def test_an_operation_that_cannot_be_understood_ends_too(world: World) -> None:
    import dataclasses

    record = world.begin(machine())
    broken = dataclasses.replace(record, state={"steps": {"node": {"phase": "levitating"}}})
    assert world.runner.operations.save(broken)
    world.restarted()
    world.run()
    assert world.record(record).status == "DONE"
    assert world.record(record).error["errors"][0]["code"] == "INTERNAL_ERROR"


def test_a_clients_look_makes_the_next_poll_come_now(world: World) -> None:
    world.cloud.seconds = 200.0
    record = world.begin(machine())
    world.run(150.0)
    pause = world.runner.next_due()
    assert pause is not None
    world.clock.now += 0.6
    world.runner.get("demo", "zones/z", record.name)
    assert world.runner.next_due() == 0.0


def test_a_200_ms_job_is_done_within_400_ms(world: World) -> None:
    world.cloud.seconds = 0.2
    record = world.begin(machine())
    world.run()
    done = world.record(record)
    assert done.end_time - done.insert_time <= 0.4


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_a_clock_that_is_set_anew_neither_ends_nor_stops_an_operation(world: World, jump: float) -> None:
    ticks = Clock(0.0)
    world.cloud.clock = ticks
    wall = world.clock
    world.restarted(ticks=ticks, sleep=ticks.sleep)
    record = world.begin(machine())
    wall.now += jump
    world.cloud.away = Unavailable("Gone.")
    world.runner.run_due()
    world.cloud.away = None
    while (pause := world.runner.next_due()) is not None:
        assert pause < 60.0
        ticks.now += pause
        world.runner.run_due()
    done = world.record(record)
    assert done.error is None
    assert done.end_time >= done.insert_time
    assert ticks.now < 20.0


def test_a_restart_with_the_clock_set_back_goes_on_at_once(world: World) -> None:
    record = world.begin(machine())
    world.clock.now -= 86400.0
    world.cloud.effects[0].done_at = world.clock.now
    world.restarted()
    world.run(5.0)
    assert world.record(record).status == "DONE"
