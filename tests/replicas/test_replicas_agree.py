"""Two replicas are one server: what one did the other shows, refuses, continues and takes its turn behind."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.replicas.fresh import HERE, measure
from tests.replicas.site import Site, ended
from tests.wire.machines import machine

FIREWALLS = "global/firewalls"


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls give, begun at once."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]


def test_what_one_made_or_deleted_the_other_shows_at_once(site: Site) -> None:
    found = measure(site, 12)
    assert not found.missed
    assert not found.lingering


def test_the_same_request_on_both_is_one_operation(site: Site) -> None:
    one, other = (live.api() for live in site.replicas)
    for number in range(5):
        asked = {"requestId": str(uuid.uuid4())}
        body = machine(f"twin-{number}")
        answers = together(*(partial(api.call, "POST", HERE, body, **asked) for api in (one, other)))
        assert [answer.status for answer in answers] == [200, 200], [answer.data for answer in answers]
        assert len({answer.data["name"] for answer in answers}) == 1
        ended(other, answers[0].data)
        assert site.names().count(f"twin-{number}") == 1


@pytest.mark.parametrize(("verb", "path", "body"), [("POST", HERE, machine("late")), ("DELETE", f"{HERE}/late", None)])
def test_a_request_that_the_other_has_carried_out_meanwhile_is_its_operation(
    site: Site, verb: str, path: str, body: Any
) -> None:
    one, other = (live.api() for live in site.replicas)
    slow = site.cloud.faults.add("listVirtualMachines", "delay", seconds=1.0)
    asked = {"requestId": str(uuid.uuid4())}
    headers = {"Authorization": f"Bearer {one.token}", "Cache-Control": "no-cache"}
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(partial(
            requests.request, verb, f"{one.url}/compute/v1/projects/demo/{path}", json=body, params=asked,
            headers=headers, timeout=30))
        while not slow.hits:
            time.sleep(0.01)
        first = other.change(verb, path, body, **asked)
        answer = begun.result()
    assert (answer.status_code, answer.json().get("name")) == (200, first["name"]), answer.text


def test_of_two_inserts_of_a_name_one_is_refused(site: Site) -> None:
    apis = [live.api() for live in site.replicas]
    for number in range(5):
        body = machine(f"rival-{number}")
        answers = together(*(partial(api.call, "POST", HERE, body) for api in apis))
        assert sorted(answer.status for answer in answers) == [200, 409], [answer.data for answer in answers]
        ended(apis[0], next(answer.data for answer in answers if answer.status == 200))
        assert site.names().count(f"rival-{number}") == 1


def test_an_operation_of_one_is_waited_for_at_the_other(site: Site) -> None:
    one, other = (live.api() for live in site.replicas)
    begun = one.call("POST", HERE, machine("waited"))
    waited = other.call("POST", f"zones/ch-gv2/operations/{begun.data['name']}/wait")
    assert waited.data["status"] == "DONE"
    assert "error" not in waited.data


def test_what_only_gcelib_knows_is_shown_by_both(site: Site) -> None:
    one, other = (live.api() for live in site.replicas)
    other.get("global/networks/default")
    for number in range(5):
        made = one.call("POST", HERE, machine(f"told-{number}", description="ö" * 2000))
        one.until_done(made.data)
        assert other.get(f"{HERE}/told-{number}")["description"] == "ö" * 2000


def test_firewalls_changed_on_both_at_once_are_all_there(site: Site) -> None:
    apis = [live.api() for live in site.replicas]
    calls = []
    for number in range(6):
        body = {"name": f"door-{number}", "network": "global/networks/default", "sourceRanges": ["0.0.0.0/0"],
                "allowed": [{"IPProtocol": "tcp", "ports": [str(8000 + number)]}]}
        calls.append(partial(apis[number % 2].change, "POST", FIREWALLS, body))
    together(*calls)
    for api in apis:
        shown = {item["name"] for item in api.get(FIREWALLS)["items"]}
        assert {f"door-{number}" for number in range(6)} <= shown


def test_a_token_taken_away_at_one_is_taken_away_at_the_other(site: Site) -> None:
    one, other = site.replicas
    token = one.run("client", "token", "--project", "demo", "--key-file", str(one.key_file)).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    listing = f"{other.url}/compute/v1/projects/demo/zones"
    assert requests.get(listing, headers=headers, timeout=30).status_code == 200
    assert requests.post(f"{one.url}/oauth2/revoke", data={"token": token}, timeout=30).status_code == 200
    refused = threading.Event()
    for _ in range(20):
        if requests.get(listing, headers=headers, timeout=30).status_code == 401:
            refused.set()
            break
        refused.wait(0.1)
    assert refused.is_set()


def test_a_role_given_by_the_command_line_counts_at_both(site: Site) -> None:
    one, other = site.replicas
    one.run("account", "create-service", "second", "--project", "demo", "--role", "viewer", "--key-file",
            str(one.home / "second.json"))
    token = other.run(
        "client", "token", "--project", "demo", "--key-file", str(one.home / "second.json")).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    for live in (one, other):
        listing = f"{live.url}/compute/v1/projects/demo/zones"
        assert requests.get(listing, headers=headers, timeout=30).status_code == 200


@pytest.mark.parametrize("path", ["zones/ch-gv2/operations/%00", "global/operations/a%00b"])
def test_what_no_database_of_theirs_takes_is_no_name(site: Site, path: str) -> None:
    live = site.replicas[0]
    for verb, end in (("GET", ""), ("DELETE", ""), ("POST", "/wait")):
        url = f"{live.url}/compute/v1/projects/demo/{path}{end}"
        answer = requests.request(verb, url, headers={"Authorization": f"Bearer {live.token}"}, timeout=20)
        assert (answer.status_code, "NUL" in answer.text) == (400, True)
    signed_in = live.url + "/oauth2/auth?" + urlencode(
        {"client_id": "me", "response_type": "code", "redirect_uri": "urn:ietf:wg:oauth:2.0:oob"})
    csrf = requests.get(signed_in, timeout=20).text.partition('name="csrf" value="')[2].partition('"')[0]
    assert csrf
    form = {"csrf": csrf, "user": "tester\0@demo.gcelib.local", "password": "x"}
    assert requests.post(signed_in, form, timeout=20).status_code == 401
