"""Changes without jobs: sent from a thread that keeps nobody, and never sent twice where that would make two things."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from gcelib.drivers.faults import At
from gcelib.drivers.generic import effects
from gcelib.drivers.generic.effects import Effects, Seen, reached
from gcelib.errors import Unavailable
from gcelib.models import Job, JobState


class Things:
    """A facet whose things are seen once they are in `there`."""

    once: ClassVar[frozenset[str]] = frozenset({"create"})

    def __init__(self) -> None:
        self.there: set[str] = set()

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether a thing of this name is there."""
        return reached(args["name"] in self.there, "id-1")

    pursue = seen


@pytest.fixture
def things() -> Things:
    """Nothing yet."""
    return Things()


@pytest.fixture
def sender(things: Things) -> Iterator[Effects]:
    """Changes that are waited for as good as not at all."""
    found = Effects(At("far", "untold"), grace=0.05)
    found.owners = {"nodes": things}
    yield found
    found.close()


def test_a_change_that_hangs_keeps_neither_its_sender_nor_the_process(sender: Effects) -> None:
    hangs = threading.Event()

    def work() -> Job:
        hangs.wait()
        return Job(JobState.DONE)

    job = sender.send("nodes", "create", {"name": "a"}, "key", work)
    assert job.state is JobState.RUNNING
    assert [each.daemon for each in threading.enumerate() if each.name == "change far"] == [True]
    sender.close()
    with pytest.raises(Unavailable, match="nothing was sent"):
        sender.send("nodes", "create", {"name": "b"}, "other", lambda: Job(JobState.DONE))
    assert sender.poll(job).state is JobState.RUNNING
    hangs.set()


def test_a_thing_that_must_not_be_made_twice_is_waited_for_and_then_not_known(
    sender: Effects, things: Things, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sender.seek("nodes", "stop", {"name": "a"}, "key") is None
    job = sender.seek("nodes", "create", {"name": "a"}, "key")
    assert job is not None
    assert sender.poll(job).state is JobState.RUNNING
    monkeypatch.setattr(effects, "LOST", effects.LOST * 0)
    monkeypatch.setattr(effects, "PATIENCE", effects.PATIENCE * 0)
    late = sender.seek("nodes", "create", {"name": "a"}, "key")
    assert late is not None
    failed = sender.poll(late)
    assert failed.state is JobState.FAILED
    assert "whether it was carried out is not known" in str((failed.error or {})["message"])
    things.there.add("a")
    assert sender.poll(job).state is JobState.DONE
