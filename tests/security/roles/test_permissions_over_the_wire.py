"""testIamPermissions and the roles, asked of a running server by accounts of each role."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.api import Api
from tests.live import Live
from tests.wire.machines import machine

ASKED = ["compute.instances.get", "compute.instances.delete", "compute.instances.setIamPolicy", "compute.disks.get",
         "compute.instances.nonsense", "compute.instances.get"]  # fmt: skip


@pytest.fixture(scope="module")
def roles(live: Live, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Api]:
    """A client of each role on project demo."""
    home: Path = tmp_path_factory.mktemp("roles")
    found = {}
    for role in ("viewer", "operator", "admin"):
        key = str(home / f"{role}.json")
        live.at_once("account", "create-service", f"wire-{role}", "--project", "demo", "--role", role,
                     "--key-file", key)
        found[role] = Api(live.url, live.at_once("client", "token", "--project", "demo", "--key-file", key))
    return found


def test_each_role_is_told_what_it_may_do_with_a_machine(roles: dict[str, Api], api: Api) -> None:
    api.change("POST", "zones/ch-gv2/instances", machine("permitted"))
    had = {}
    for role, client in roles.items():
        path = "zones/ch-gv2/instances/permitted/testIamPermissions"
        answer = client.call("POST", path, {"permissions": ASKED})
        assert answer.status == 200
        had[role] = answer.data.get("permissions", [])
    assert had == {"viewer": ASKED[:1], "operator": ASKED[:2], "admin": ASKED[:3]}
    refused = roles["viewer"].call("DELETE", "zones/ch-gv2/instances/permitted")
    assert (refused.status, refused.reason) == (403, "forbidden")
    assert "'operator'" in refused.message
    roles["operator"].change("DELETE", "zones/ch-gv2/instances/permitted")


def test_a_viewer_without_any_of_them_gets_an_empty_answer(roles: dict[str, Api], api: Api) -> None:
    images = api.get("global/images", maxResults=1)["items"]
    path = f"global/images/{images[0]['name']}/testIamPermissions"
    answer = roles["viewer"].call("POST", path, {"permissions": ["compute.images.delete"]})
    assert (answer.status, answer.data) == (200, {})
    answer = roles["operator"].call("POST", path, {"permissions": ["compute.images.delete"]})
    assert answer.data == {"permissions": ["compute.images.delete"]}


@pytest.mark.parametrize("path", ["zones/ch-gv2/instances", "zones/ch-gv2/disks", "global/images", "global/firewalls"])
def test_of_a_thing_that_is_not_there_nothing_is_told(roles: dict[str, Api], path: str) -> None:
    answer = roles["admin"].call("POST", f"{path}/nowhere/testIamPermissions", {"permissions": ASKED})
    assert (answer.status, answer.reason) == (404, "notFound")


def test_an_operator_is_refused_a_firewall(roles: dict[str, Api]) -> None:
    body = {"name": "holes", "allowed": [{"IPProtocol": "tcp"}]}
    answer = roles["operator"].call("POST", "global/firewalls", body)
    assert (answer.status, answer.reason) == (403, "forbidden")
    assert "'admin'" in answer.message
