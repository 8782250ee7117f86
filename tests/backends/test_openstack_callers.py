"""People who bring keys of their own to a real OpenStack: user name and password are what they sign in with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tests.api import Api
from tests.backends.openstack import Lab
from tests.live import Live


@pytest.fixture
def open_to_all(lab: Lab, tmp_path: Path) -> Iterator[Live]:
    """A gcelib without keys: every project is a caller's own."""
    keyless = replace(lab, user="", password="", project="").clouds
    told = "\n".join(line for line in keyless.splitlines() if not line.endswith('= ""'))
    clouds = told.replace("[projects.demo]", '[projects."*"]\ncredentials = "caller"')
    server = Live(tmp_path, "", "", "", clouds=clouds).start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.said(), server.said()
    assert lab.password not in server.said()


def token(live: Live, user: str, password: str) -> requests.Response:
    """The answer to a client that has a user's name and password for id and secret."""
    form = {"grant_type": "client_credentials", "client_id": user, "client_secret": password}
    return requests.post(f"{live.url}/oauth2/token", data=form, timeout=60)


def test_a_user_of_openstack_works_in_a_project_and_in_no_other(lab: Lab, open_to_all: Live) -> None:
    with token(open_to_all, lab.user, "wrong") as refused:
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    with token(open_to_all, lab.user, lab.password) as given:
        assert given.status_code == 200, given.text
        bearer = given.json()["access_token"]
    api = Api(open_to_all.url, bearer, lab.project)
    zone = api.get("zones")["items"][0]["name"]
    api.change("POST", f"zones/{zone}/disks", {"name": "callers-disk", "sizeGb": "1", "labels": {"a": "b"}})
    assert api.get(f"zones/{zone}/disks/callers-disk")["labels"] == {"a": "b"}
    api.change("DELETE", f"zones/{zone}/disks/callers-disk")
    for name in ("admin", "of-nobody"):
        assert Api(open_to_all.url, bearer, name).call("GET", "zones").status == 404
