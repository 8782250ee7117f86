"""What the account may use, and how far its changes are."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec


class Quota(msgspec.Struct, frozen=True, gc=False):
    """One limit of the account: GCE's metric name, `limit` -1 for none."""

    metric: str
    limit: float
    usage: float


class JobState(enum.StrEnum):
    """How far a submitted change is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(msgspec.Struct, frozen=True, gc=False):
    """A change the cloud has accepted. JSON values only, so that it outlives the process.

    `token`: what the provider needs to ask again. `target`: the backend id of the thing made or changed, as
    soon as the cloud names it. `result`: what later steps may refer to. `error`: `Fault.to_data()` of a failure.
    """

    state: JobState
    token: str = ""
    target: str = ""
    result: Mapping[str, object] = msgspec.field(default_factory=dict)
    error: Mapping[str, object] | None = None
