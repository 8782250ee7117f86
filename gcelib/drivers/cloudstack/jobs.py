"""CloudStack's jobs as ours: a token that outlives the process, one cheap question, an honest end."""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from gcelib.drivers import faults
from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import BAD_PARAMETER, Client
from gcelib.drivers.seen import UNSEEN as UNSEEN
from gcelib.drivers.seen import Seen as Seen
from gcelib.errors import Fault, Refused, TooMany, Unavailable
from gcelib.models import Job, JobState

if TYPE_CHECKING:
    from gcelib.drivers.cloudstack.facet import Facet

LOG = logging.getLogger(__name__)

RUNNING, SUCCEEDED = 0, 1
NOT_OURS = 531
PATIENCE = datetime.timedelta(hours=1)
"""How long the effect of a forgotten job is waited for; CloudStack itself cancels jobs then."""


class Token(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is needed to ask again. `job` "" means: watch the effect, from `since` (RFC 3339) on.

    `then` is the job id for the second part of the change, sent when this job is done.
    `error` is why the change failed; then this job only clears up after it.
    """

    facet: str
    verb: str
    job: str = ""
    id: str = ""
    args: dict[str, Any] = {}
    since: str = ""
    then: str = ""
    error: dict[str, Any] = {}

    def text(self) -> str:
        """This token as it travels in a `Job`."""
        return msgspec.json.encode(self).decode()


def job_id(key: str, part: str = "") -> str:
    """The id under which we ask CloudStack to run a job, so that it can be found without its answer."""
    try:
        named = uuid.UUID(key)
    except ValueError:
        named = uuid.uuid5(uuid.NAMESPACE_URL, key)
    return str(uuid.uuid5(named, part) if part else named)


class Jobs:
    """Begins, polls and finds again the jobs of one cloud. `facets` is filled by the cloud that owns both."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.facets: dict[str, Facet] = {}

    def begun(self, token: Token) -> Job:
        """A job just accepted by the cloud."""
        return Job(JobState.RUNNING, token=token.text(), target=token.id)

    def poll(self, job: Job) -> Job:
        """How far a job is: one call, and a second one only when it has ended and its effect must be read."""
        if job.state is not JobState.RUNNING or not job.token:
            return job
        try:
            token = msgspec.json.decode(job.token, type=Token)
        except wire.BROKEN:
            fault = Refused(f"{self.client.at}: this change was begun by another kind of cloud.")
            return replace(job, state=JobState.FAILED, token="", error=fault.to_data())
        row = self.query(token.job) if token.job else None
        if token.error and (row is None or row.jobstatus != RUNNING):
            return replace(job, state=JobState.FAILED, token="", error=token.error)
        if row is None:
            return self._watched(job, token)
        if row.jobstatus == RUNNING:
            return job
        if row.jobstatus == SUCCEEDED:
            return self._ended_well(job, token, row)
        return self._ended_badly(job, token, row)

    def query(self, job: str) -> records.JobRow | None:
        """CloudStack's row of a job; None when it knows none of this id (any more)."""
        try:
            fields = self.client.read("queryAsyncJobResult", jobid=job)
        except Fault as fault:
            # 531: it belongs to an account whose keys we no longer have; its effect may still be seen.
            if faults.cloud_code(fault) in (BAD_PARAMETER, NOT_OURS):
                return None
            raise
        try:
            known = {name: raw for name, raw in fields.items() if name != "jobresult"}
            row = wire.one(msgspec.json.encode(known), records.JobRow)
        except faults.Garbled as exc:
            raise faults.name(exc, self.client.at, "queryAsyncJobResult", writes=False) from None
        if "jobstatus" not in fields:
            raise Unavailable(f"{self.client.at} told no state of a job; it is asked again.")
        return msgspec.structs.replace(row, jobresult=fields.get("jobresult", msgspec.Raw(b"")))

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        """The job of an earlier attempt, by the id we gave it, else by its visible effect."""
        owner = self.facets[facet]
        for part, then in owner.job_parts(verb):
            found = self.adopt(owner, verb, args, job_id(key, part), then=job_id(key) if then else "")
            if found is not None:
                return self.poll(found)
        seen = owner.seen(verb, args, str(args.get("id", "")))
        if seen is None:
            return None
        return self._as_job(seen, owner.token(verb, args, seen.target, job=seen.job))

    def adopt(
        self, owner: Facet, verb: str, args: Mapping[str, Any], job: str, *, target: str = "", then: str = ""
    ) -> Job | None:
        """The job with this id of ours, when the cloud has it."""
        if self.query(job) is None:
            return None
        return self.begun(owner.token(verb, args, target or str(args.get("id", "")), job=job, then=then))

    def _as_job(self, seen: Seen, token: Token) -> Job:
        if seen.state is JobState.RUNNING:
            return self.begun(token)
        error = seen.error.to_data() if seen.error is not None else None
        return Job(seen.state, target=seen.target, result=seen.result, error=error)

    def _ended_well(self, job: Job, token: Token, row: records.JobRow) -> Job:
        owner = self.facets[token.facet]
        if token.then:
            return self._go_on(job, owner, token)
        target = token.id or made_id(row)
        result = owner.result(token.verb, token.args, target, row)
        return Job(JobState.DONE, target=target or job.target, result=result)

    def _go_on(self, job: Job, owner: Facet, token: Token) -> Job:
        try:
            return owner.second_part(token)
        except (Unavailable, TooMany):
            raise
        except Fault as fault:
            return replace(job, state=JobState.FAILED, token="", error=fault.to_data())

    def _ended_badly(self, job: Job, token: Token, row: records.JobRow) -> Job:
        owner = self.facets[token.facet]
        if token.then and owner.part_seen(token):
            return self._go_on(job, owner, token)
        if owner.repeatable(token.verb):
            seen = owner.seen(token.verb, token.args, token.id)
            if seen is not None and seen.state is JobState.DONE:
                return Job(JobState.DONE, target=seen.target or token.id, result=seen.result)
        error = owner.explained(token.verb, self._reason(token, row)).to_data()
        clearing = owner.clear_up(token)
        if clearing:
            return self.begun(msgspec.structs.replace(token, job=clearing, error=error))
        return replace(job, state=JobState.FAILED, token="", error=error)

    def _reason(self, token: Token, row: records.JobRow) -> Fault:
        code, words = row.jobresultcode, ""
        if bytes(row.jobresult):
            try:
                error = wire.one(bytes(row.jobresult), records.ErrorRow)
                code, words = error.errorcode or code, error.errortext
            except faults.Garbled:
                LOG.warning("a failed job of %s came without a readable reason", self.client.at)
        words = words or "the cloud ended the job without a reason; its management server may have restarted"
        return faults.from_code(
            self.client.at, code or 530, words, f"{token.facet}.{token.verb}", writes=True
        )

    def _watched(self, job: Job, token: Token) -> Job:
        """The state of a change whose job the cloud has forgotten, or that we never had."""
        owner = self.facets[token.facet]
        if token.then and owner.part_seen(token):
            return self._go_on(job, owner, token)
        seen = owner.seen(token.verb, token.args, token.id)
        began = wire.time_of(token.since)
        late = began is None or datetime.datetime.now(datetime.UTC) - began > owner.patience(token.verb)
        if seen is not None and seen.job and seen.job != token.job:
            return self.begun(msgspec.structs.replace(token, job=seen.job))
        if seen is not None and (seen.state is not JobState.RUNNING or not late):
            return job if seen.state is JobState.RUNNING else self._as_job(seen, token)
        fault = Refused(
            f"{self.client.at} no longer knows its job for {token.facet}.{token.verb}, and no effect of it"
            " can be seen; look at the resource and ask again if it is not as wanted."
        )
        return replace(job, state=JobState.FAILED, token="", error=fault.to_data())


def made_id(row: records.JobRow) -> str:
    """The id of the thing a job made: that of the one object in its result, else what the job names."""
    try:
        parts = msgspec.json.decode(bytes(row.jobresult) or b"{}", type=dict[str, Any])
    except wire.BROKEN:
        return row.jobinstanceid
    ids = [part.get("id") for part in parts.values() if isinstance(part, dict)]
    return str(ids[0]) if ids and ids[0] else row.jobinstanceid
