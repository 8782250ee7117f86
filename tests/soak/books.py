"""The cloud's books against gcelib's: machines, disks, addresses, firewalls, operations."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from gcelib import naming
from tests.conftest import portal
from tests.replicas.site import Site
from tests.soak.clients import LOWEST_PORT

STATES = {"Running": "RUNNING", "Stopped": "TERMINATED", "Starting": "STAGING", "Stopping": "STOPPING",
          "Error": "TERMINATED"}
GONE = ("Destroyed", "Expunging")
SECONDS = 180.0
"""What is under way when the clients stop has so long to end."""
FRESH_SECONDS = 15.0
"""Lists may be as old as the cache allows."""

Table = Mapping[Any, Any]


def operations(site: Site) -> list[dict[str, Any]]:
    """Every operation of the project, once none is open or three minutes have passed."""
    until = time.monotonic() + SECONDS
    while True:
        rows = _everywhere(site.replicas[0].api(), "operations")
        if all(row["status"] == "DONE" for row in rows) or time.monotonic() > until:
            return rows
        time.sleep(1)


def differences(site: Site, rows: list[dict[str, Any]]) -> list[str]:
    """A line for everything that is not as it should be; `rows` are the project's operations."""
    found = [f"operation {row['name']} ({row['operationType']} {row['targetLink']}) is {row['status']}"
             for row in rows if row["status"] != "DONE"]
    there = [row for row in site.cloud.world.machines() if row["state"] not in GONE and row["account"] == "demo"]
    found += [f"machine {name} is there {times} times" for name, times in
              Counter((row["name"]) for row in there).items() if times > 1]
    of_cloud: dict[str, Callable[[Site], Table]] = {
        "machine": _machines, "disk": _disks, "address": _addresses, "firewall's port": _ports, "labels of": _labels}
    shown_by: dict[str, Callable[[Any], Table]] = {
        "machine": _shown_machines, "disk": _shown_disks, "address": _shown_addresses,
        "firewall's port": _shown_ports, "labels of": _shown_labels}
    for live in site.replicas:
        api = live.api()
        for what, wanted in ((what, ask(site)) for what, ask in of_cloud.items()):
            shown = _until(lambda ask=shown_by[what], api=api: ask(api), wanted)  # type: ignore[misc]
            found += [f"{live.url}: {what} {key} is {wanted.get(key)} in the cloud, {shown.get(key)} in gcelib"
                      for key in {**wanted, **shown} if wanted.get(key) != shown.get(key)]
    return found + _untrue(rows, site.replicas[0].api(), {row["name"] for row in there})


def _until(ask: Callable[[], Table], wanted: Table) -> Table:
    """What is shown as soon as it is as wanted, else when lists must be fresh."""
    until = time.monotonic() + FRESH_SECONDS
    while True:
        shown = ask()
        if shown == wanted or time.monotonic() > until:
            return shown
        time.sleep(1)


def _machines(site: Site) -> Table:
    return {naming.number("sim", "node", row["id"]): (row["name"], STATES.get(row["state"], row["state"]))
            for row in _living(site)}


def _shown_machines(api: Any) -> Table:
    return {row["id"]: (row["name"], row["status"]) for row in _everywhere(api, "instances")}


def _living(site: Site) -> list[dict[str, Any]]:
    return [row for row in site.cloud.world.machines() if row["state"] not in GONE and row["account"] == "demo"]


def _labels(site: Site) -> Table:
    """The cloud's tags that are labels, by machine; those that gcelib puts there for itself left out."""
    rows = portal(site.cloud).listVirtualMachines(fetch_list=True, listall=True)
    return {naming.number("sim", "node", row["id"]): {
        tag["key"]: tag["value"] for tag in row.get("tags", []) if not tag["key"].startswith("gcelib-")
    } for row in rows if row["state"] not in GONE}


def _shown_labels(api: Any) -> Table:
    return {row["id"]: row.get("labels", {}) for row in _everywhere(api, "instances")}


def _disks(site: Site) -> Table:
    # The system disk of a destroyed machine goes with it, when the cloud expunges both.
    gone = {row["id"] for row in site.cloud.world.machines() if row["state"] in GONE}
    return {naming.number("sim", "volume", row["id"]): f"on {row['vmname']}" if row.get("virtualmachineid") else "free"
            for row in portal(site.cloud).listVolumes(fetch_list=True, listall=True)
            if row.get("virtualmachineid") not in gone}


def _shown_disks(api: Any) -> Table:
    return {row["id"]: f"on {row['users'][0].rpartition('/')[2]}" if row.get("users") else "free"
            for row in _everywhere(api, "disks")}


def _addresses(site: Site) -> Table:
    return {row["ipaddress"]: "IN_USE" if row.get("virtualmachineid") else "RESERVED"
            for row in portal(site.cloud).listPublicIpAddresses(fetch_list=True, listall=True)
            if not row["issourcenat"]}


def _shown_addresses(api: Any) -> Table:
    return {row["address"]: row["status"] for row in _everywhere(api, "addresses")
            if row["addressType"] == "EXTERNAL" and row.get("purpose") != "NAT_AUTO"}


def _ports(site: Site) -> Table:
    """By port, where the cloud lets it in from."""
    found: dict[str, set[str]] = {}
    for group in portal(site.cloud).listSecurityGroups(fetch_list=True, listall=True):
        for rule in group["ingressrule"]:
            if rule.get("startport", 0) >= LOWEST_PORT and not _is_own(group["name"]):
                found.setdefault(str(rule["startport"]), set()).add(rule.get("cidr", ""))
    return {port: sorted(sources) for port, sources in found.items()}


def _is_own(group: str) -> bool:
    """A machine's own group holds copies of the rules of its tags."""
    return ":vm:" in group


def _shown_ports(api: Any) -> Table:
    return {row["allowed"][0]["ports"][0]: sorted(row["sourceRanges"]) for row in _all(api, "global/firewalls")
            if int(row.get("allowed", [{}])[0].get("ports", ["0"])[0].partition("-")[0]) >= LOWEST_PORT}


def _untrue(rows: list[dict[str, Any]], api: Any, machines: set[str]) -> list[str]:
    """Things whose operations say something else than what is: the last insert or delete that was done decides."""
    there = {"instances": machines}
    for kind in ("disks", "addresses"):
        there[kind] = {row["name"] for row in _everywhere(api, kind)}
    there["firewalls"] = {row["name"] for row in _all(api, "global/firewalls")}
    last: dict[tuple[str, str], str] = {}
    unsure = set()
    for row in sorted(rows, key=lambda row: row["insertTime"]):
        kind, name = row["targetLink"].split("/")[-2:]
        if kind not in there or row["operationType"] not in ("insert", "delete"):
            continue
        if "error" not in row:
            last[kind, name] = row["operationType"]
        else:
            unsure.add((kind, name))
    return [f"{kind} {name}: the last operation that was done is {verb}, and it is "
            f"{'' if name in there[kind] else 'not '}there" for (kind, name), verb in last.items()
            if (kind, name) not in unsure and (verb == "insert") != (name in there[kind])]


def _everywhere(api: Any, kind: str) -> list[dict[str, Any]]:
    """The rows of an aggregated list."""
    found: list[dict[str, Any]] = []
    page = ""
    while True:
        answer = api.get(f"aggregated/{kind}", maxResults=500, **({"pageToken": page} if page else {}))
        for scope in answer.get("items", {}).values():
            found += scope.get(kind, [])
        page = answer.get("nextPageToken", "")
        if not page:
            return found


def _all(api: Any, path: str) -> list[dict[str, Any]]:
    rows, page = [], ""
    while True:
        answer = api.get(path, maxResults=500, **({"pageToken": page} if page else {}))
        rows += answer.get("items", [])
        page = answer.get("nextPageToken", "")
        if not page:
            return rows
