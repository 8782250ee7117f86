"""gcutil's requests as they were recorded, answered so that gcutil can work: without gcutil itself."""

from __future__ import annotations

import pytest

from tests.contract import recording
from tests.contract.recording import DEAD_TOKEN
from tests.contract.replay import Replay
from tests.live import Live


@pytest.mark.parametrize("scenario", recording.SCENARIOS)
def test_what_gcutil_asked_is_answered(plain: Live, scenario: str) -> None:
    replay = Replay(plain)
    if scenario != "signing_in":
        replay.secrets["{TOKEN}"] = plain.sign_in()
    for said in recording.kept(scenario):
        replay.command(said["requests"])
    if scenario == "signing_in":
        assert replay.secrets["{TOKEN}"] not in ("", DEAD_TOKEN)


def test_every_command_of_gcutil_that_is_offered_was_recorded() -> None:
    commands = {said["command"][0] for scenario in recording.SCENARIOS for said in recording.kept(scenario)}
    assert commands >= {
        "auth", "listzones", "getzone", "listregions", "getregion", "listmachinetypes", "getmachinetype", "listimages",
        "getimage", "listdisktypes", "listnetworks", "getnetwork", "addfirewall", "getfirewall", "listfirewalls",
        "deletefirewall", "addinstance", "getinstance", "listinstances", "resetinstance", "deleteinstance",
        "listdisks", "getdisk", "getproject", "setcommoninstancemetadata", "listoperations", "getoperation",
        "deleteoperation",
    }  # fmt: skip
