"""The check of coverage: what it takes for an answer, what it names, and when it does not judge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import answered

GET, INSERT, NONE = "compute.disks.get", "compute.disks.insert", "compute.globalAddresses.get"


def asked(what: str, status: int = 200, operation: str = "") -> dict[str, Any]:
    """A line about a request."""
    return {"event": "request", "outcome": "done", "what": what, "status": status, "operation": operation}


def ended(operation: str, outcome: str = "done") -> dict[str, Any]:
    """A line about an operation."""
    return {"event": "operation", "outcome": outcome, "what": "insert", "operation": operation}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what is kept goes, after a run of one file."""
    monkeypatch.setenv(answered.FOLDER, str(tmp_path))
    answered.keep_session({answered.CLIENTS / "test_a.py"}, set())
    return tmp_path


def kept(
    folder: Path, *lines: dict[str, Any], served: set[str], files: set[str] | None = None
) -> tuple[int, list[str]]:
    """The verdict when one server wrote these lines."""
    well, missing = answered.succeeded(lines)
    answered._keep({"well": sorted(well), "missing": sorted(missing)})
    return answered.judged(folder, served, files or {"test_a.py"})


def test_a_read_counts_when_it_is_answered_and_a_change_when_its_operation_ends_well(folder: Path) -> None:
    lines = [asked(GET), asked(INSERT, operation="one"), ended("one")]
    assert kept(folder, *lines, served={GET, INSERT})[0] == 0


@pytest.mark.parametrize("lines", [
    [], [asked(INSERT, 400)], [asked(INSERT, 404)], [asked(INSERT, operation="one")],
    [asked(INSERT, operation="one"), ended("one", "failed")],
])
def test_a_method_that_nobody_had_answered_is_named(folder: Path, lines: list[dict[str, Any]]) -> None:
    code, said = kept(folder, *lines, served={INSERT})
    assert (code, said) == (1, [f"{INSERT} is served, and no client's call of it succeeded."])


def test_what_is_not_listed_is_named(folder: Path) -> None:
    code, said = kept(folder, asked(GET), served=set())
    assert (code, said) == (1, [f"{GET} was answered, and `gcelib coverage` does not list it."])


def test_of_what_no_cloud_has_a_404_is_the_answer_but_somebody_must_have_asked(folder: Path) -> None:
    assert kept(folder, served={NONE})[0] == 1
    assert kept(folder, asked(NONE, 404), served={NONE})[0] == 0
    assert "take it out" in kept(folder, asked(NONE), served={NONE})[1][0]


def test_a_part_of_the_files_or_of_a_files_tests_is_not_judged(folder: Path) -> None:
    code, said = kept(folder, served={GET}, files={"test_a.py", "test_b.py"})
    assert (code, "not judged" in said[0]) == (0, True)
    answered.keep_session({answered.CLIENTS / "test_b.py"}, {answered.CLIENTS / "test_b.py"})
    assert kept(folder, served={GET}, files={"test_b.py"})[0] == 0
    answered.keep_session({answered.CLIENTS / "test_b.py"}, set())
    assert kept(folder, served={GET}, files={"test_b.py"})[0] == 1


def test_every_method_without_a_thing_is_served() -> None:
    assert answered.served() >= answered.NOTHING_HERE
