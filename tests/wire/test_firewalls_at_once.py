"""Firewalls that want the same rule, changed at the same time: what nobody wants any more is shut."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

from tests.api import Api
from tests.conftest import Launch, portal
from tests.wire.machines import machine
from tests.wire.test_firewalls_on_addresses import ADVANCED, DISKS, NETWORK, opened, reachable
from tests.wire.test_instance_tags import HERE, own, rules

FIREWALLS = "global/firewalls"


def ssh(name: str) -> dict[str, Any]:
    return {"name": name, "network": "global/networks/default", "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}


def test_a_port_is_shut_when_all_who_opened_it_are_deleted_at_once(launch: Launch) -> None:
    live, _ = launch(job_delay=0.15)
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
    live, _ = launch(job_delay=0.5)
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


ROUNDS = 25


def test_a_rule_that_one_gives_up_while_another_asks_for_it_is_the_others(launch: Launch) -> None:
    live, simulator = launch(job_delay=0.05)
    cloudstack = portal(simulator)
    apis = [live.api() for _ in range(3)]
    luck = random.Random(4)
    for number in range(ROUNDS):
        apis[0].change("POST", FIREWALLS, ssh("old"))
        errors: list[Any] = []

        def change(own: Api, verb: str, path: str, body: Any, pause: float, errors: list[Any] = errors) -> None:
            # Where the two meet differs from round to round; the end must not.
            time.sleep(pause)
            errors.append(own.until_done(own.start(verb, path, body)).get("error"))

        threads = [
            threading.Thread(target=change, args=(apis[1], "DELETE", f"{FIREWALLS}/old", None, luck.random() * 0.2)),
            threading.Thread(target=change, args=(apis[2], "POST", FIREWALLS, ssh("new"), luck.random() * 0.2)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == [None] * 2
        (rule,) = cloudstack.listSecurityGroups(securitygroupname="default")["securitygroup"][0]["ingressrule"]
        assert [tag["key"] for tag in rule["tags"]] == ["gcelib-fw-new"], number
        apis[0].change("DELETE", f"{FIREWALLS}/new")


def test_a_firewall_and_a_tag_of_a_running_machine_that_come_at_once_find_each_other(launch: Launch) -> None:
    live, simulator = launch(job_delay=0.1)
    api, cloudstack = live.api(), portal(simulator)
    api.change("POST", HERE, machine("late"))
    for number in range(5):
        name = f"web-{number}"
        begun = [api.start("POST", FIREWALLS, ssh(name) | {"targetTags": [name]}),
                 api.start("POST", f"{HERE}/late/setTags", {"items": [name]})]
        for operation in begun if number % 2 else reversed(begun):
            assert "error" not in api.until_done(operation)
        assert rules(cloudstack, own(cloudstack, "late")) == {("tcp", 22, 22, "0.0.0.0/0")}


def test_firewalls_of_an_isolated_network_that_overlap_may_come_at_once(launch: Launch) -> None:
    live, simulator = launch(job_delay=0.1)
    api, cloudstack = live.api(), portal(simulator)
    ip = reachable(api, "one")
    ports = {"low": "20-30", "high": "25-40", "higher": "38-50"}
    bodies = [{"name": name, "network": NETWORK, "allowed": [{"IPProtocol": "tcp", "ports": [span]}]}
              for name, span in ports.items()]
    for operation in [api.start("POST", FIREWALLS, body) for body in bodies]:
        assert "error" not in api.until_done(operation)
    assert opened(cloudstack, ip) == {("tcp", 20, 50, "0.0.0.0/0")}
    begun = [api.start("DELETE", f"{FIREWALLS}/high"), api.start("POST", FIREWALLS, bodies[0] | {"name": "again"}),
             api.start("DELETE", f"{FIREWALLS}/low")]
    for operation in begun:
        assert "error" not in api.until_done(operation)
    assert opened(cloudstack, ip) == {("tcp", 20, 30, "0.0.0.0/0"), ("tcp", 38, 50, "0.0.0.0/0")}


def test_a_machine_with_an_address_and_a_firewall_that_come_at_once_find_each_other(launch: Launch) -> None:
    live, simulator = launch(job_delay=0.15)
    api, cloudstack = live.api(), portal(simulator)
    nic = {"network": NETWORK, "accessConfigs": [{"type": "ONE_TO_ONE_NAT"}]}
    body = machine("web", "de-adv1", disks=DISKS, networkInterfaces=[nic], tags={"items": ["web"]})
    making = api.start("POST", ADVANCED, body)
    api.change("POST", FIREWALLS, ssh("web") | {"network": NETWORK, "targetTags": ["web"]})
    assert "error" not in api.until_done(making)
    ip = api.get(f"{ADVANCED}/web")["networkInterfaces"][0]["accessConfigs"][0]["natIP"]
    assert opened(cloudstack, ip) == {("tcp", 22, 22, "0.0.0.0/0")}
