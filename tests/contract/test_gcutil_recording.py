"""The recording of gcutil's requests is what gcutil says today. GCELIB_RECORD=1 records it anew."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.contract import recording
from tests.contract.gcutil import Gcutil
from tests.contract.recorder import Recorder
from tests.live import Live


@pytest.fixture(scope="module")
def recorder(plain: Live) -> Iterator[Recorder]:
    """In front of the server."""
    with Recorder(plain.url) as made:
        yield made


@pytest.mark.parametrize("scenario", recording.SCENARIOS)
def test_gcutil_says_what_was_recorded(
    gcutil_program: list[str], recorder: Recorder, scenario: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gcutil = Gcutil(gcutil_program, recorder.url, tmp_path_factory.mktemp("gcutil"))
    said = recording.record(gcutil, recorder, scenario)
    if os.environ.get("GCELIB_RECORD"):
        recording.keep(scenario, said)
    assert said == recording.kept(scenario)
