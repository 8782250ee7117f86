"""What can be seen of a change: how an operation goes on after its answer, or the process, was lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gcelib.errors import Fault
from gcelib.models import JobState

UNSEEN = frozenset({"user_data", "key"})
"""Arguments that are never kept with a change that is under way: large, or secret to the machine."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The visible effect of a change: how far it is, on what, and the cloud's own job that is at work on it, if any."""

    state: JobState
    target: str = ""
    result: Mapping[str, object] = field(default_factory=dict)
    error: Fault | None = None
    job: str = ""
