"""google-api-python-client calls what CloudStack does not do and another cloud does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests import answered
from tests.conformance.test_untold import CLOUDS, HERE
from tests.contract.caller import Caller
from tests.live import Live

EAST = {"zone": "east-1"}


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """The client of a gcelib over a cloud of a provider that nobody wrote a profile for."""
    with subprocess.Popen([sys.executable, str(HERE / "cloud.py"), "0"], stdout=subprocess.PIPE, text=True) as cloud:
        assert cloud.stdout is not None
        path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
        live = Live(tmp_path_factory.mktemp("untold"), "", "", "", server_extra='audit = "all"',
                    clouds=CLOUDS.format(port=cloud.stdout.readline().strip()), environ={"PYTHONPATH": path})
        made = Caller(live.start())
        yield made
        made.close()
        assert live.stop() == 0
        answered.keep_server(live.home / "state")
        cloud.terminate()


def test_what_a_machine_wrote_to_its_serial_port(google: Caller) -> None:
    body = {"name": "talking", "machineType": "zones/east-1/machineTypes/small",
            "networkInterfaces": [{"network": "global/networks/default"}],
            "disks": [{"boot": True, "autoDelete": True, "initializeParams": {
                "sourceImage": "global/images/debian-12"}}]}
    google.change("instances", "insert", **EAST, body=body)
    said = google.ask("instances", "getSerialPortOutput", **EAST, instance="talking")
    assert (said["contents"], said["start"], said["next"]) == ("Linux\r\ntalking login: ", "0", "22")
    rest = google.ask("instances", "getSerialPortOutput", **EAST, instance="talking", start="15")
    assert (rest["contents"], rest["start"]) == ("login: ", "15")
    google.refused(400, "instances", "getSerialPortOutput", **EAST, instance="talking", port=2)
    google.change("instances", "delete", **EAST, instance="talking")
