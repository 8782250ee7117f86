"""Whatever a cloud does, wherever a process dies or stands still: an operation ends, and every change happens once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pretend import Killed, World

from gcelib.errors import Fault, NoCapacity, NotReady, Refused, TooMany, Unavailable
from gcelib.server.operations.plan import LATE, Step, Work
from gcelib.server.operations.runner import LEASE_SECONDS, Runner
from gcelib.server.operations.wishes import may_cancel
from gcelib.store.records import Record

RANK = ["PENDING", "RUNNING", "DONE"]

BEHAVIOURS: dict[str, Callable[[], Any]] = {
    "job": lambda: "job",
    "sync": lambda: "sync",
    "lost": lambda: "lost",
    "dropped": lambda: "dropped",
    "refused": lambda: Refused("The cloud says no."),
    "away": lambda: Unavailable("Nobody at home."),
    "busy": lambda: TooMany("Slower."),
    "broken": lambda: TypeError("our own mistake"),
    "fails": lambda: ("fails", NoCapacity("No host has room.")),
    "hangs": lambda: "hangs",
}

STEP = st.fixed_dictionaries({
    "does": st.lists(st.sampled_from(sorted(BEHAVIOURS)), max_size=2),
    "undoing": st.lists(st.sampled_from(["job", "sync", "lost", "dropped", "away", "hangs"]), max_size=2),
    "optional": st.booleans(),
    "early": st.booleans(),
    "late": st.sampled_from(["", "", "planned", "senseless"]),
})


class Operations(RuleBasedStateMachine):
    """Clients begin work, time passes, the cloud goes and comes, and the process dies at labelled points.

    Or it stands still, and another takes over: then there are two, and the first does not know it yet.
    """

    @initialize()
    def open_the_books(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.folder / "gcelib.db")
        self.world.cloud.point = self.point
        self.late: dict[str, Step] = {}
        self.senseless: set[str] = set()
        self.other: Runner | None = None
        self.world.plans["step"] = self.planned
        self.dying = self.cancelling = 0
        self.works: list[Work] = []
        self.answers: list[str] = []
        self.seen: dict[str, Record] = {}
        self.unsent: dict[str, list[str]] = {}
        self.instrument()

    def point(self, label: str) -> None:
        if self.cancelling:
            self.cancelling -= 1
            if not self.cancelling:
                self.cancel_the_newest(elsewhere=True)
        if self.dying:
            self.dying -= 1
            if not self.dying:
                raise Killed(label)

    def instrument(self) -> None:
        """Make the moments around a write to the books moments of death as well."""
        books = self.world.runner.operations
        for name, write in (("save", books.save), ("grow", books.grow)):
            setattr(books, name, self.mortal(write))

    def mortal(self, write: Callable[..., bool]) -> Callable[..., bool]:
        def writing(record: Record, *changes: Any) -> bool:
            self.point("before it is on the books")
            kept = write(record, *changes)
            self.point("after it is on the books")
            return kept

        return writing

    def surviving(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Killed:
            self.restart()
        except Fault as fault:
            self.answers.append(fault.message)

    @rule(steps=st.lists(STEP, min_size=1, max_size=3), main=st.integers(0, 2))
    def begin(self, steps: list[dict[str, Any]], main: int) -> None:
        number = len(self.works)
        made = [self.step(f"op{number}-{index}", each) for index, each in enumerate(steps)]
        work = Work("insert", f"demo/zones/z/instances/op{number}", made, made[min(main, len(made) - 1)].name)
        self.works.append(work)
        self.surviving(lambda: self.world.begin(work))

    def step(self, name: str, drawn: dict[str, Any]) -> Step:
        script = self.world.cloud.script
        script[f"create {name}"] = [BEHAVIOURS[each]() for each in drawn["does"]]
        script[f"destroy id-of-{name}"] = [BEHAVIOURS[each]() for each in drawn["undoing"]]
        undo = Step("undo", "gva", "volumes", "destroy", {"id": {"$ref": f"{name}.target"}})
        made = Step(
            name, "gva", "volumes", "create", {"name": name},
            None if drawn["optional"] else undo, drawn["optional"], drawn["early"],
        )
        if not drawn["late"]:
            return made
        self.late[name] = made
        if drawn["late"] == "senseless":
            self.senseless.add(name)
        return Step(f"plan {name}", "", LATE, "step", {"name": name})

    def planned(self, name: str) -> list[Step]:
        """What a step that is planned late becomes; planning may be the end of the process, or of the cloud."""
        self.point("while it is planned")
        if self.world.cloud.away:
            raise self.world.cloud.away
        if name in self.senseless:
            raise LookupError("our own mistake")
        return [self.late[name]]

    @rule(seconds=st.sampled_from([0.05, 0.5, 3.0, 12.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.surviving(lambda: self.world.run(seconds))

    @rule(after=st.integers(1, 6))
    def the_process_will_die(self, after: int) -> None:
        self.dying = after

    @rule()
    def restart(self) -> None:
        self.dying = 0
        self.world.restarted()
        self.instrument()

    @rule()
    def another_process_takes_over(self) -> None:
        """The holder stands still until its lease is over, and wakes when another has begun to carry on."""
        self.other = self.world.runner
        self.world.clock.now += LEASE_SECONDS + 1.0
        self.restart()
        self.world.runner.run_due()
        self.wakes(self.other)

    @precondition(lambda self: self.other)
    @rule()
    def the_first_gets_it_back(self) -> None:
        """The second one stands still in its turn; the first has in mind what it knew before."""
        assert self.other
        self.dying = 0
        self.world.clock.now += LEASE_SECONDS + 1.0
        self.world.runner, self.other = self.other, self.world.runner
        self.world.runner.sweep()
        self.world.runner.run_due()
        self.wakes(self.other)

    def wakes(self, stale: Runner) -> None:
        """A process whose operations are in other hands goes on as if they were not: the cloud is told nothing."""
        sent = list(self.world.cloud.submits)
        stale.run_due()
        assert self.world.cloud.submits == sent

    @rule(away=st.booleans())
    def the_cloud_goes_or_comes(self, away: bool) -> None:
        self.world.cloud.away = Unavailable("Cloud 'gva' does not answer.") if away else None

    @rule()
    def a_client_looks(self) -> None:
        for record in self.world.runner.operations.open():
            self.world.runner.get("demo", "zones/z", record.name)

    @rule(after=st.integers(1, 6))
    def somebody_will_cancel(self, after: int) -> None:
        """In the middle of a turn, at another replica, which only tells the books."""
        self.cancelling = after

    @rule()
    def somebody_cancels(self) -> None:
        self.cancel_the_newest(elsewhere=False)

    def cancel_the_newest(self, *, elsewhere: bool) -> None:
        books = self.world.runner.operations
        record = next(iter(reversed(books.open())), None)
        if record is None:
            return
        before = books.load(record.id)
        assert before
        try:
            if elsewhere:
                books.cancel(record.id, "olga@example.com", may_cancel)
            else:
                self.world.runner.cancel(record, "olga@example.com")
        except NotReady as fault:
            self.answers.append(fault.message)
        else:
            states = before.state.get("steps", {})
            names = [step["name"] for step in before.work["steps"]]
            waiting = [name for name in names if states.get(name, {}).get("phase", "waiting") == "waiting"]
            self.unsent[record.id] = [name.removeprefix("plan ") for name in waiting]

    @invariant()
    def what_was_not_sent_when_it_was_cancelled_never_is(self) -> None:
        for names in self.unsent.values():
            assert not any(self.world.cloud.count("volumes", "create", name=name) for name in names)

    @invariant()
    def nothing_goes_backwards(self) -> None:
        for record in self.world.runner.operations.list("demo"):
            before = self.seen.get(record.id, record)
            assert RANK.index(record.status) >= RANK.index(before.status)
            assert record.progress >= before.progress
            assert record.target_id == before.target_id or not before.target_id
            assert record == before if before.done else (record.progress == 100) == record.done
            self.seen[record.id] = record

    @invariant()
    def nothing_happens_twice(self) -> None:
        keys = [(each.verb, each.target) for each in self.world.cloud.effects]
        assert len(keys) == len(set(keys))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.restart()
        self.world.cloud.away = None
        self.world.run(24 * 3600.0)
        assert self.world.runner.operations.open() == []
        self.nothing_goes_backwards()
        self.nothing_happens_twice()
        assert all(self.answers)
        for record in self.world.runner.operations.list("demo"):
            self.judge(self.world.record(record))
        self.world.store.close()
        shutil.rmtree(self.folder)

    def judge(self, record: Record) -> None:
        """Done without an error: all is there. With one: nothing is, or what may be is named, and why."""
        cloud = self.world.cloud
        work = next(each for each in self.works if each.target == record.target)
        said = " ".join(each["message"] for each in (record.error or {"errors": []})["errors"])
        sure = record.state.get("failed_step") and not any("unknown" in each for each in record.state["steps"].values())
        for step in (self.late.get(each.args["name"], each) for each in work.steps):
            made = cloud.count("volumes", "create", name=step.name)
            gone = cloud.count("volumes", "destroy", id=f"id-of-{step.name}")
            if step.optional:
                continue
            if record.error is None:
                assert (made, gone) == (1, 0)
            else:
                assert record.http_status
                assert said
                assert made == gone or not (sure or f"'{step.name}'" not in said), said
        assert sure or record.error is None or "not known" in said or "gcelib broke" in said
        if record.id in self.unsent:
            assert record.error
            assert record.canceller == "olga@example.com"
            codes = [each["code"] for each in record.error["errors"]]
            assert codes[0] != "OPERATION_CANCELED" or "olga@example.com" in said


TestOperationsAlwaysEnd = Operations.TestCase
TestOperationsAlwaysEnd.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
