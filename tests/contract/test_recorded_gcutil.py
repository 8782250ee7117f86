"""gcutil's requests as they were recorded, answered so that gcutil can work: without gcutil itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract import recording, transcript
from tests.contract.recording import DEAD_TOKEN
from tests.contract.replay import Replay
from tests.live import Live

COMMANDS = Path(__file__).with_name("gcutil_commands.txt")
SILENT = {"config", "getkernel", "help", "listkernels", "version", "whoami"}
"""Commands that ask the server for nothing but the discovery document."""
OTHERWISE = {"deleteroute", "getroute", "moveinstances", "pull", "push", "resumemove", "setinstancemetadata",
             "setinstancetags", "ssh"}  # fmt: skip
"""Commands whose requests differ from run to run, or are those of others."""


@pytest.mark.parametrize("scenario", recording.SCENARIOS)
def test_what_gcutil_asked_is_answered(plain: Live, scenario: str) -> None:
    replay = Replay(plain)
    if scenario != "signing_in":
        replay.secrets["{TOKEN}"] = plain.sign_in()
    for said in recording.kept(scenario):
        replay.command(said["requests"])
    if scenario == "signing_in":
        assert replay.secrets["{TOKEN}"] not in ("", DEAD_TOKEN)


def test_every_command_of_gcutil_was_recorded_but_those_that_cannot_be() -> None:
    commands = {said["command"][0] for scenario in recording.SCENARIOS for said in recording.kept(scenario)}
    tried = {each.command for story in transcript.read(COMMANDS).values() for each in story}
    assert tried - commands == SILENT | OTHERWISE
