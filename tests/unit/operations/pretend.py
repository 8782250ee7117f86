"""A cloud, a clock and a death made of nothing, so that faults come exactly when a test wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gcelib.errors import Fault, Uncertain
from gcelib.models import Job, JobState
from gcelib.server.operations.plan import Step, Work
from gcelib.server.operations.runner import Runner
from gcelib.store import Store


class Clock:
    """Wall clock and monotonic clock in one, moved by hand; sleeping moves it."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Killed(BaseException):
    """The process dies here."""


@dataclass
class Effect:
    """One change that really happened in the pretended cloud."""

    facet: str
    verb: str
    args: dict[str, Any]
    key: str
    target: str
    done_at: float
    failing: Fault | None = None


@dataclass
class PretendCloud:
    """A cloud that carries out what it is told, and misbehaves as scripted.

    `script` holds, by "facet.verb" or "verb NAME", what the next submissions do: "sync" (done at once), "job" (takes
    `seconds`), "lost" (carried out, answer lost), "dropped" (not carried out, answer lost), a Fault
    (refused), ("fails", Fault) (accepted, fails later), "hangs" (accepted, never ends), any other exception. `away`
    makes every call raise it. `point` is called with a label wherever the process could die.
    """

    clock: Clock
    seconds: float = 10.0
    script: dict[str, list[Any]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    away: Fault | None = None
    polls: int = 0
    seeks: int = 0
    submits: list[str] = field(default_factory=list)
    seeing: bool = True
    poll_faults: list[Exception] = field(default_factory=list)
    point: Callable[[str], None] = lambda label: None
    name: str = "gva"
    provider: str = "pretend"

    def submit(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job:
        self._answering()
        self.submits.append(f"{facet}.{verb}")
        self.point("before the cloud does it")
        about = args.get("name") or args.get("id")
        queue = self.script.get(f"{verb} {about}") or self.script.get(f"{facet}.{verb}") or []
        behaviour = queue.pop(0) if queue else "job"
        if isinstance(behaviour, Exception):
            raise behaviour
        if behaviour == "dropped":
            raise Uncertain("The answer was lost on the way.")
        failing = behaviour[1] if isinstance(behaviour, tuple) else None
        done_at = self.clock() + {"sync": 0.0, "hangs": math.inf}.get(str(behaviour), self.seconds)
        target = str(args.get("id") or f"id-of-{args.get('name', len(self.effects))}")
        effect = Effect(facet, verb, dict(args), key, target, done_at, failing)
        self.effects.append(effect)
        self.point("after the cloud did it")
        if behaviour == "lost":
            raise Uncertain("The answer was lost on the way.")
        return self._job(effect)

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        self._answering()
        self.seeks += 1
        found = [each for each in self.effects if each.key == key]
        return self._job(found[0]) if found and self.seeing else None

    def poll(self, job: Job) -> Job:
        self._answering()
        self.polls += 1
        if self.poll_faults:
            raise self.poll_faults.pop(0)
        return self._job(self.effects[int(job.token)])

    def count(self, facet: str, verb: str, **args: Any) -> int:
        """How often this really happened."""
        return sum(
            (each.facet, each.verb) == (facet, verb) and args.items() <= each.args.items() for each in self.effects
        )

    def _job(self, effect: Effect) -> Job:
        token = str(self.effects.index(effect))
        if self.clock() < effect.done_at:
            return Job(JobState.RUNNING, token, effect.target)
        if effect.failing is not None:
            return Job(JobState.FAILED, token, effect.target, error=effect.failing.to_data())
        return Job(JobState.DONE, token, effect.target, {"rule_ids": [f"rule-{token}"]})

    def _answering(self) -> None:
        if self.away is not None:
            raise self.away


class World:
    """A store, a clock and a cloud that outlive the runners working on them."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(f"sqlite:///{path}")
        self.clock = Clock()
        self.cloud = PretendCloud(self.clock)
        self.plans: dict[str, Callable[..., list[Step]]] = {}
        self.settled: list[Any] = []
        self.runner = self.restarted()

    def restarted(self, **options: Any) -> Runner:
        """A new runner over the same books, as after a restart of the process."""
        given: dict[str, Any] = {"clock": self.clock, "ticks": self.clock, "sleep": self.clock.sleep, **options}
        self.runner = Runner(
            self.store,
            lambda project, cloud: self.cloud,  # type: ignore[arg-type,return-value]
            number_of=lambda cloud, kind, id: f"number of {cloud}/{kind}/{id}",
            planner=lambda project, verb, args: self.plans[verb](**args),
            settled=self.settled.append,
            **given,
        )
        self.runner.take_over()
        return self.runner

    def begin(self, work: Work, **options: Any) -> Any:
        """Begin work as the edge does."""
        given = {"project": "demo", "scope": "zones/z", "caller": "ann@example.com", **options}
        return self.runner.begin(work, **given)

    def run(self, seconds: float = 7200.0) -> None:
        """Let time pass until nothing is open any more, or so many seconds are over."""
        until = self.clock() + seconds
        while self.clock() < until:
            self.runner.run_due()
            pause = self.runner.next_due()
            if pause is None:
                return
            self.clock.now += min(max(pause, 0.001), until - self.clock())

    def record(self, record: Any) -> Any:
        """The operation as the books have it now."""
        return self.runner.operations.load(record.id)


def machine(name: str = "n", **options: Any) -> Work:
    """The insert of one machine in one step."""
    step = Step("node", "gva", "nodes", "create", {"name": name, "submitted": "$now"}, **options)
    return Work("insert", f"demo/zones/z/instances/{name}", [step], "node", "", "node")
