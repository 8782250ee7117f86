"""The suite over a libcloud driver that nobody wrote a profile for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from libcloud.compute.providers import DRIVERS, set_driver

from gcelib.drivers import registry
from tests.conformance.every_method import complaints
from tests.conformance.site import Site
from tests.conformance.suite import Conformance
from tests.live import Live

HERE = Path(__file__).parent / "untold"
CLOUDS = """
[clouds.far]
provider = "untold"
endpoint = "http://127.0.0.1:{port}"
key = "untold-token"
[projects.demo]
clouds = ["far"]
"""


@pytest.fixture(scope="module")
def _told() -> Iterator[None]:
    """The driver is among libcloud's own in this process, too, so that its abilities can be asked."""
    sys.path.insert(0, str(HERE))
    set_driver("untold", "untold_driver", "UntoldNodeDriver")
    registry.profiles.cache_clear()
    yield
    DRIVERS.pop("untold")
    registry.profiles.cache_clear()
    sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def port() -> Iterator[str]:
    """Where the cloud is."""
    with subprocess.Popen([sys.executable, str(HERE / "cloud.py"), "0"], stdout=subprocess.PIPE, text=True) as cloud:
        assert cloud.stdout is not None
        yield cloud.stdout.readline().strip()
        cloud.terminate()


@pytest.fixture(scope="module")
def site(_told: None, port: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gcelib that was told nothing but the provider's name, and where the cloud is."""
    path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    live = Live(tmp_path_factory.mktemp("untold"), "", "", "", clouds=CLOUDS.format(port=port),
                environ={"PYTHONPATH": path})
    live.start()
    yield Site(live, "untold", "far", "east-1", "global/images/debian-12", "small", "large")
    assert live.stop() == 0
    assert "Traceback" not in live.said(), live.said()


class TestUntold(Conformance):
    """Everything it says it can."""

    def test_both_places_are_zones(self, site: Site) -> None:
        assert [row["name"] for row in site.api.get("zones")["items"]] == ["east-1", "west-1"]

    def test_a_machine_is_made_where_it_was_asked_for_with_the_key_that_was_given(self, site: Site) -> None:
        name, key = site.name(), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKG me@home"
        site.api.change("POST", "zones/west-1/instances", {
            **site.body(name), "machineType": "zones/west-1/machineTypes/small",
            "metadata": {"items": [{"key": "ssh-keys", "value": f"me:{key}"}]},
        })
        assert site.api.get(f"zones/west-1/instances/{name}")["zone"].endswith("/west-1")
        assert site.api.call("GET", site.path("instances", name)).status == 404
        rows = requests.get(f"{endpoint(site)}/servers", headers={"X-Token": "untold-token"}, timeout=10).json()
        assert [(row["where"], row["keys"]) for row in rows if row["name"] == name] == [("west-1", [key])]
        site.api.change("DELETE", f"zones/west-1/instances/{name}")

    def test_every_method_of_gce_is_served_or_refused_by_name(self, site: Site) -> None:
        assert list(complaints(site)) == []

    def test_a_change_that_the_driver_has_not_is_refused_before_a_stop_is_asked_for(
        self, site: Site, machine: str
    ) -> None:
        body = {"name": site.name(), "currentName": machine}
        refused = site.api.call("POST", site.path("instances", machine, "setName"), body)
        assert (refused.status, refused.reason) == (400, "unsupportedOperation")
        assert "libcloud's driver has no rename_node" in refused.message

    def test_an_image_of_a_running_machine_is_refused_for_what_no_stop_would_mend(
        self, site: Site, machine: str
    ) -> None:
        body = {"name": site.name("image"), "sourceDisk": site.path("disks", machine)}
        refused = site.api.call("POST", "global/images", body)
        assert (refused.status, refused.reason) == (400, "unsupportedOperation")
        assert refused.message.startswith("compute.images.insert is not offered on cloud 'far' (untold): ")

    def test_a_wrong_token_is_said_to_be_wrong_and_not_shown(self, site: Site, tmp_path: Path) -> None:
        rows = site.live.clouds.replace("untold-token", "mistaken-token")
        other = Live(tmp_path / "other", "", "", "", clouds=rows, environ=site.live.environ)
        other.home.mkdir()
        other.start()
        answer = other.api().call("GET", "zones/east-1/instances")
        assert other.stop() == 0
        assert (answer.status, answer.reason) == (503, "backendError")
        assert "refused gcelib's own keys" in answer.message
        assert "mistaken-token" not in answer.message + other.said()


def endpoint(site: Site) -> str:
    """Where the cloud itself is."""
    return site.live.clouds.partition('endpoint = "')[2].partition('"')[0]
