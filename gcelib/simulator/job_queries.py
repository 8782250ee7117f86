"""Asking after jobs, and the account's history."""

from __future__ import annotations

from gcelib.simulator.call import Call, ownership
from gcelib.simulator.clock import date_text
from gcelib.simulator.commands import command
from gcelib.simulator.errors import forbidden, unknown_id
from gcelib.simulator.jobs import RUNNING, Job
from gcelib.simulator.listing import listing
from gcelib.simulator.records import Event, Row

# What jobinstancetype says, where it is not the name in createTags.
INSTANCE_TYPES = {"UserVm": "VirtualMachine", "PublicIpAddress": "IpAddress", "LoadBalancer": "LoadBalancerRule"}


def job_row(call: Call, job: Job) -> Row:
    """A job as queryAsyncJobResult shows it."""
    kind = type(job.task.on).tag_type
    row: Row = {
        "accountid": job.account.id,
        **ownership(call.world, job.account),
        "userid": job.account.user_id,
        "cmd": job.command.job_class,
        "jobid": job.id,
        "jobstatus": job.status,
        "jobprocstatus": 0,
        "jobresultcode": job.code,
        "created": date_text(job.created),
        "managementserverid": "1",
        "managementservername": "simulator",
    }
    if kind:
        row |= {"jobinstancetype": INSTANCE_TYPES.get(kind, kind), "jobinstanceid": job.task.on.id}
    if job.status != RUNNING:
        row["completed"] = date_text(job.completed)
        if job.result is not None:
            row |= {"jobresulttype": "object", "jobresult": job.result}
    return row


@command("queryAsyncJobResult")
def query_job(call: Call) -> Row:
    """How a job fares. Another account's job is a 531, a forgotten one a 431."""
    job = call.world.find(Job, call.text("jobid"))
    if job is None:
        raise unknown_id("jobid", call.text("jobid"))
    if job.account is not call.account and not call.may_touch(job.owner):
        raise forbidden(f"{call.account.name} does not have permission to see job {job.id}")
    job.hasten(job)
    return job_row(call, job)


@command("listAsyncJobs")
def list_jobs(call: Call) -> Row:
    """The account's jobs, finished ones too until they are forgotten."""
    everyone = call.account.admin and call.flag("listall")
    rows = [job for job in call.world.all(Job) if everyone or job.account is call.account]
    if call.given("keyword"):
        rows = [job for job in rows if call.text("keyword").lower() in job.command.job_class.lower()]
    if call.given("startdate"):
        rows = [job for job in rows if date_text(job.created)[:10] >= call.text("startdate")[:10]]
    return listing(call, "asyncjobs", rows, lambda job: job_row(call, job))


@command("listEvents")
def list_events(call: Call) -> Row:
    """The account's history, newest first."""
    owners = call.seen_owners()
    rows = [event for event in reversed(call.world.events) if event.owner in owners]
    exact = {"type": "kind", "resourceid": "resource_id", "resourcetype": "resource_type"}
    rows = call.selected(rows, **exact)
    return listing(call, "event", rows, lambda event: _event_row(call, event))


def _event_row(call: Call, event: Event) -> Row:
    return {
        "id": event.id,
        "username": event.owner.name,
        "type": event.kind,
        "level": "INFO",
        "description": event.description,
        **ownership(call.world, event.owner),
        "created": date_text(event.created),
        "state": event.state,
        "resourceid": event.resource_id,
        "resourcetype": event.resource_type,
    }
