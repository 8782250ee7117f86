"""Two accounts with machines of the same names, at once and with warm caches: neither ever sees the other's."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.callers.cloud import Holder, machine

REQUESTS = int(os.environ.get("CALLERS_REQUESTS", "4000"))
NAMES = ("web", "db")
PATHS = ("aggregated/instances", "zones/de-adv1/instances", "zones/de-adv1/instances/web", "aggregated/disks",
         "zones/de-adv1/disks/web", "aggregated/operations", "zones/de-adv1/operations", "", "global/networks",
         "global/firewalls", "zones/de-adv1/instances?maxResults=1", "zones/de-adv1/instances?filter=name eq web")


@pytest.fixture(scope="module")
def both(demo: Holder, other: Holder) -> tuple[Holder, Holder]:
    """Each account with a `web` and a `db`, and a firewall and metadata of its own making."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_furnish, (demo, other)))
    return demo, other


def _furnish(holder: Holder) -> None:
    api = holder.api("mine")
    for name in NAMES:
        body = {**machine(name, "de-adv1"), "description": f"belongs to {holder.name}-the-owner"}
        api.change("POST", "zones/de-adv1/instances", body)
    rule = {"name": "ssh", "network": "global/networks/default", "description": f"{holder.name}-the-owner",
            "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}
    api.change("POST", "global/firewalls", rule)
    items = [{"key": "owner", "value": f"{holder.name}-the-owner"}]
    api.change("POST", "setCommonInstanceMetadata", {"items": items})


def _marks(holder: Holder) -> set[str]:
    """What only this account's answers may hold: ids, operations, networks, its name."""
    api, marks = holder.api("mine"), {f"{holder.name}-the-owner", f"{holder.name}@sim.cloud", f"{holder.name}-network"}
    for name in NAMES:
        marks.add(api.get(f"zones/de-adv1/instances/{name}")["id"])
        marks.add(api.get(f"zones/de-adv1/disks/{name}")["id"])
    for scope in api.get("aggregated/operations")["items"].values():
        marks |= {op["name"] for op in scope.get("operations", [])}
    return marks


def test_not_one_of_thousands_of_answers_holds_anything_of_the_other(both: tuple[Holder, Holder]) -> None:
    marks = {holder.name: _marks(holder) for holder in both}
    assert not marks["demo"] & marks["other"]
    tokens = {holder.name: [holder.sign_in(), holder.sign_in()] for holder in both}
    url, found, counted, lock = both[0].live.url, [], [0], threading.Lock()

    def ask(worker: int) -> None:
        name, theirs = (("demo", "other"), ("other", "demo"))[worker % 2]
        with requests.Session() as session:
            session.trust_env = False
            for number in range(REQUESTS // 8):
                path = PATHS[(number + worker) % len(PATHS)]
                headers = {"Authorization": f"Bearer {tokens[name][number % 2]}"}
                if number % 97 == 0:
                    headers["Cache-Control"] = "no-cache"
                # By a name that both may use: what it means is decided by who asks.
                answer = session.get(f"{url}/compute/v1/projects/mine/{path}".rstrip("/"), headers=headers, timeout=60)
                text = answer.text + str(answer.headers)
                with lock:
                    counted[0] += 1
                    if answer.status_code != 200 or any(mark in text for mark in marks[theirs]):
                        found.append((answer.status_code, name, path, text[:300]))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert not found, f"{len(found)} of {counted[0]}: {found[0]}"
    assert counted[0] >= REQUESTS - 8


def test_a_page_token_is_for_whom_it_was_made(both: tuple[Holder, Holder]) -> None:
    demo, other = (holder.api("mine") for holder in both)
    token = demo.get("zones/de-adv1/instances", maxResults=1)["nextPageToken"]
    assert demo.get("zones/de-adv1/instances", maxResults=1, pageToken=token)["items"][0]["name"] == "web"
    answer = other.call("GET", "zones/de-adv1/instances", maxResults=1, pageToken=token)
    assert (answer.status, answer.reason) == (400, "invalid")
    again = both[0].api("demo").call("GET", "zones/de-adv1/instances", maxResults=1, pageToken=token)
    assert again.status == 200


def test_an_operation_is_found_by_who_began_it_alone(both: tuple[Holder, Holder]) -> None:
    demo, other = (holder.api("mine") for holder in both)
    name = demo.get("zones/de-adv1/operations")["items"][0]["name"]
    assert demo.get(f"zones/de-adv1/operations/{name}")["name"] == name
    theirs = other.call("GET", f"zones/de-adv1/operations/{name}")
    nobodys = other.call("GET", f"zones/de-adv1/operations/{name[:-4]}0000")
    assert (theirs.status, theirs.reason) == (404, "notFound")
    assert theirs.message.replace(name, "N") == nobodys.message.replace(f"{name[:-4]}0000", "N")
    assert "~" not in theirs.message
    for verb, path in (("DELETE", ""), ("POST", "/wait")):
        assert other.call(verb, f"zones/de-adv1/operations/{name}{path}").status == 404
    assert demo.get(f"zones/de-adv1/operations/{name}")["name"] == name


def test_the_parts_of_a_batch_are_each_for_their_own_token(both: tuple[Holder, Holder]) -> None:
    url, tokens = both[0].live.url, [holder.sign_in() for holder in both]
    parts = "".join(
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n"
        f"GET /compute/v1/projects/mine HTTP/1.1\r\nAuthorization: Bearer {tokens[number % 2]}\r\n\r\n\r\n"
        for number in range(8)
    )
    headers = {"Content-Type": "multipart/mixed; boundary=b", "Authorization": f"Bearer {tokens[0]}"}
    answer = requests.post(f"{url}/batch/compute/v1", data=f"{parts}--b--", timeout=60, headers=headers)
    pieces = answer.text.split("Content-ID: ")[1:]
    assert len(pieces) == 8
    for piece in pieces:
        mine = both[int(piece.split("-")[1][0]) % 2].name
        theirs = {"demo": "other", "other": "demo"}[mine]
        assert f"{mine}-the-owner" in piece
        assert f"{theirs}-the-owner" not in piece


def test_a_request_id_of_one_is_another_request_of_the_other(both: tuple[Holder, Holder]) -> None:
    id = "b3b4c5d6-0000-4000-8000-000000000001"
    path, body = "zones/de-adv1/instances", machine("same", "de-adv1")
    made: list[Any] = [holder.api("mine").change("POST", path, body, requestId=id) for holder in both]
    assert made[0]["name"] != made[1]["name"]
    assert made[0]["targetId"] != made[1]["targetId"]
    for holder in both:
        holder.api("mine").change("DELETE", "zones/de-adv1/instances/same")
