"""The cloud's books against gcelib's: machines, disks, operations."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from gcelib import naming
from tests.conftest import portal
from tests.replicas.site import Site

STATES = {"Running": "RUNNING", "Stopped": "TERMINATED", "Starting": "STAGING", "Stopping": "STOPPING",
          "Error": "TERMINATED"}
GONE = ("Destroyed", "Expunging")
SECONDS = 180.0


def differences(site: Site) -> list[str]:
    """A line for everything that is not as it should be, once what is under way has had three minutes to end."""
    until = time.monotonic() + SECONDS
    rows = _operations(site)
    while any(row["status"] != "DONE" for row in rows) and time.monotonic() < until:
        time.sleep(1)
        rows = _operations(site)
    found = [f"operation {row['name']} ({row['operationType']} {row['targetLink']}) is {row['status']}"
             for row in rows if row["status"] != "DONE"]
    machines = [row for row in site.cloud.world.machines() if row["state"] not in GONE and row["account"] == "demo"]
    found += [f"machine {name} is there {times} times" for name, times in
              Counter(row["name"] for row in machines).items() if times > 1]
    wanted = {naming.number("sim", "node", row["id"]): (row["name"], STATES.get(row["state"], row["state"]))
              for row in machines}
    # The system disk of a destroyed machine goes with it, when the cloud expunges both.
    gone = {row["id"] for row in site.cloud.world.machines() if row["state"] in GONE}
    volumes = {naming.number("sim", "volume", row["id"]): row["name"]
               for row in portal(site.cloud).listVolumes(fetch_list=True, listall=True)
               if row.get("virtualmachineid") not in gone}
    for live in site.replicas:
        api = live.api()
        until_fresh = time.monotonic() + 15
        while True:
            shown = {row["id"]: (row["name"], row["status"]) for row in _all(api, "zones/ch-gv2/instances")}
            disks = {row["id"] for row in _all(api, "zones/ch-gv2/disks")}
            if (shown == wanted and disks == set(volumes)) or time.monotonic() > until_fresh:
                break
            time.sleep(1)
        found += [f"{live.url}: the cloud has {wanted.get(id)}, gcelib shows {shown.get(id)}"
                  for id in wanted.keys() | shown.keys() if wanted.get(id) != shown.get(id)]
        found += [f"{live.url}: disk {volumes.get(id, id)} is on one side only" for id in disks ^ volumes.keys()]
    return found + _untrue(rows, {row["name"] for row in machines})


def _untrue(rows: list[dict[str, Any]], there: set[str]) -> list[str]:
    """Machines whose operations say something else than what is: the last insert or delete that was done decides."""
    last: dict[str, str] = {}
    unsure = set()
    for row in sorted(rows, key=lambda row: row["insertTime"]):
        name = row["targetLink"].rpartition("/")[2]
        if "/instances/" not in row["targetLink"] or row["operationType"] not in ("insert", "delete"):
            continue
        if "error" not in row:
            last[name] = row["operationType"]
        else:
            unsure.add(name)
    return [f"{name}: the last operation that was done is {verb}, and the machine is {'' if name in there else 'not '}"
            "there" for name, verb in last.items() if name not in unsure and (verb == "insert") != (name in there)]


def _operations(site: Site) -> list[dict[str, Any]]:
    return _all(site.replicas[0].api(), "zones/ch-gv2/operations")


def _all(api: Any, path: str) -> list[dict[str, Any]]:
    rows, page = [], ""
    while True:
        answer = api.get(path, maxResults=500, **({"pageToken": page} if page else {}))
        rows += answer.get("items", [])
        page = answer.get("nextPageToken", "")
        if not page:
            return rows
