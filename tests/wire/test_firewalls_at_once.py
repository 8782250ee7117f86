"""Firewalls that want the same rule, changed at the same time: what nobody wants any more is shut."""

from __future__ import annotations

import threading
from typing import Any

from tests.api import Api
from tests.conftest import Launch

FIREWALLS = "global/firewalls"


def ssh(name: str) -> dict[str, Any]:
    return {"name": name, "network": "global/networks/default", "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}


def test_a_port_is_shut_when_all_who_opened_it_are_deleted_at_once(launch: Launch) -> None:
    live, _ = launch(job_delay=0.3)
    api = live.api()
    names = ["one", "two", "three", "four"]
    for name in names:
        api.change("POST", FIREWALLS, ssh(name))
    errors: list[Any] = []

    def delete(own: Api, name: str) -> None:
        errors.append(own.until_done(own.start("DELETE", f"{FIREWALLS}/{name}")).get("error"))

    threads = [threading.Thread(target=delete, args=(live.api(), name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [None] * 4
    assert "items" not in api.get(FIREWALLS)


def test_a_firewall_that_is_being_changed_is_not_changed_by_another_meanwhile(launch: Launch) -> None:
    live, _ = launch(job_delay=1.0)
    api = live.api()
    making = api.start("POST", FIREWALLS, ssh("web"))
    again = api.call("POST", FIREWALLS, ssh("web"))
    assert (again.status, again.reason) == (409, "alreadyExists")
    api.until_done(making)
    ports = {"allowed": [{"IPProtocol": "tcp", "ports": ["80", "443"]}]}
    patching = api.start("PATCH", f"{FIREWALLS}/web", ports)
    assert patching["status"] != "DONE"
    for verb in ("PATCH", "DELETE"):
        refused = api.call(verb, f"{FIREWALLS}/web", ports if verb == "PATCH" else None)
        assert (refused.status, refused.reason) == (400, "resourceNotReady")
        assert patching["name"] in refused.message
    api.until_done(patching)
    assert api.get(f"{FIREWALLS}/web")["allowed"] == ports["allowed"]
    api.change("DELETE", f"{FIREWALLS}/web")
    assert "items" not in api.get(FIREWALLS)
