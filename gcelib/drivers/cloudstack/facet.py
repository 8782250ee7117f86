"""What the facets of a CloudStack cloud share: sending a change and recognising one that has happened."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gcelib.drivers import clock, faults
from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import BAD_PARAMETER, Client
from gcelib.drivers.cloudstack.jobs import PATIENCE, UNSEEN, Jobs, Seen, Token, job_id
from gcelib.errors import Fault, Forbidden, TooMany, Unavailable
from gcelib.models import Job, JobState

SKEW = datetime.timedelta(minutes=10)
"""How far the cloud's clock may be from ours where its answers do not tell."""


class Facet:
    """One facet. `name` as in `Cloud`; `once` are the verbs that may not be taken as done by looking."""

    name: ClassVar[str]
    jobbed: ClassVar[frozenset[str]] = frozenset()
    """The verbs that run under a job id of our choosing."""
    once: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, client: Client, jobs: Jobs) -> None:
        self.client = client
        self.jobs = jobs

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The visible effect of a change; None when there is none."""
        return None

    def repeatable(self, verb: str) -> bool:
        """Whether a change that is refused counts as done when its effect is there."""
        return verb not in self.once

    def patience(self, verb: str) -> datetime.timedelta:
        """How long an effect is waited for that no job of the cloud's tells about."""
        return PATIENCE

    def job_parts(self, verb: str) -> Sequence[tuple[str, bool]]:
        """The jobs a verb may run, the last one first: (part of the id, whether another follows)."""
        return (("", False),) if verb in self.jobbed else ()

    def second_part(self, token: Token) -> Job:
        """Send what follows the first job of a two-part change."""
        raise NotImplementedError(f"{self.name}.{token.verb} has one part")

    def part_seen(self, token: Token) -> bool:
        """Whether the first part of a two-part change has happened although its job failed."""
        return False

    def explained(self, verb: str, fault: Fault) -> Fault:
        """The reason why a change failed, with what the cloud does not say about it."""
        return fault

    def clear_up(self, token: Token) -> str:
        """Remove what a failed job left behind; the job that does it, "" when there is nothing to wait for."""
        return ""

    def result(self, verb: str, args: Mapping[str, Any], target: str, row: records.JobRow) -> dict[str, object]:
        """What later steps may refer to, from a job that succeeded."""
        return {"id": target}

    def token(
        self, verb: str, args: Mapping[str, Any], target: str, *, job: str = "", then: str = ""
    ) -> Token:
        """The token of a change begun now."""
        kept = {name: value for name, value in args.items() if name not in UNSEEN}
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return Token(self.name, verb, job=job, id=target, args=kept, since=now, then=then)

    def done(self, target: str, **result: object) -> Job:
        """A change that is finished already."""
        return Job(JobState.DONE, target=target, result={"id": target, **result})

    def send(
        self, verb: str, command: str, args: Mapping[str, Any], *, key: str, target: str = "", then: str = "",
        **params: Any,
    ) -> Job:
        """Submit an asynchronous command under our own job id; `target` is what it is about.

        `then` is the key for what follows it. A change that the cloud refuses because it has happened already is done.
        """
        ours = job_id(key)
        try:
            fields = self.client.change(command, **params, customjobid=ours)
        except Fault as fault:
            earlier = None
            if faults.cloud_code(fault) == BAD_PARAMETER:
                earlier = self.jobs.adopt(self, verb, args, ours, target=target, then=then)
            return earlier or self.settled(verb, args, target, fault)
        job = self.job_of(command, fields)
        return self.jobs.begun(self.token(verb, args, target, job=job, then=then))

    def make(self, verb: str, command: str, args: Mapping[str, Any], **params: Any) -> Job:
        """Submit a command that makes a thing and names it at once.

        Never with a job id of ours: CloudStack checks that only after the thing was made.
        """
        fields = self.client.change(command, **params)
        target = text_of(fields, "id")
        return self.jobs.begun(self.token(verb, args, target, job=self.job_of(command, fields)))

    def settle(self, verb: str, command: str, args: Mapping[str, Any], target: str, **params: Any) -> Job:
        """Submit a command that is over when it answers."""
        try:
            self.client.change(command, **params)
        except Fault as fault:
            return self.settled(verb, args, target, fault)
        return self.done(target)

    def settled(self, verb: str, args: Mapping[str, Any], target: str, fault: Fault) -> Job:
        """Done, when a refused change turns out to have happened; else the refusal is raised."""
        if isinstance(fault, Unavailable | TooMany | Forbidden) or not self.repeatable(verb):
            raise fault
        seen = self.seen(verb, args, target)
        if seen is None or seen.state is not JobState.DONE:
            raise fault
        return Job(JobState.DONE, target=seen.target or target, result={"id": target, **seen.result})

    def young(self, created: str, args: Mapping[str, Any]) -> bool:
        """Whether a thing may be the outcome of a creation: not older than when that was submitted."""
        since, made = wire.time_of(str(args.get("submitted", ""))), wire.time_of(created)
        return since is None or made is None or made >= clock.since(self.client.at.cloud, since) - SKEW

    def job_of(self, command: str, fields: wire.Fields) -> str:
        """The job id in an answer. Raises Uncertain when there is none: the change may be under way."""
        job = text_of(fields, "jobid")
        if not job:
            garbled = faults.Garbled("it holds no jobid")
            raise faults.name(garbled, self.client.at, command, writes=True)
        return job


def text_of(fields: wire.Fields, name: str) -> str:
    """A text among the fields of an answer; "" when it is not there."""
    try:
        return wire.text(fields[name])
    except KeyError:
        return ""


def gone(there: bool, target: str) -> Seen | None:
    """The effect of a removal."""
    return None if there else Seen(JobState.DONE, target, {"id": target})


def reached(there: bool, target: str, **result: object) -> Seen | None:
    """The effect of a change that is there or not."""
    return Seen(JobState.DONE, target, {"id": target, **result}) if there else None


def line_of(description: str) -> str:
    """What CloudStack takes as a text about a thing: a line of at most 255 characters, none of them a control code."""
    plain = "".join(letter if letter.isprintable() else " " for letter in description)
    return " ".join(plain.split())[:255]
