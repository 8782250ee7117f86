"""Google's library for Node.js: pages, changes waited for, and errors, over every collection it has."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract import installed
from tests.live import Live

SCRIPT = Path(__file__).parent / "node_scripts" / "everything.js"
DONE = "DONE"
EMPTY = "NO_RESULTS_ON_PAGE"
ZONES = ("zones/ch-gv2", "zones/de-adv1", "zones/fr-sg1")

Said = dict[str, Any]


@pytest.fixture(scope="module")
def said(plain: Live) -> Said:
    """What each story of the script came to; skips where the library is not installed."""
    installed.skip_without(installed.has_node(os.environ["PATH"]), "Node.js with @google-cloud/compute")
    known = {**os.environ, **installed.environment(), "URL": plain.url, "GCELIB_TOKEN": plain.sign_in()}
    done = subprocess.run(["node", str(SCRIPT)], env=known, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found: Said = json.loads(done.stdout)
    broken = {name: story["broken"] for name, story in found.items() if "broken" in story}
    assert not broken, broken
    return found


def test_pages_follow_one_another_to_the_end(said: Said) -> None:
    found = said["lists"]
    assert (found["Zones"], found["Regions"], found["MachineTypes"], found["Images"]) == (3, 3, 7, 28)
    assert (found["DiskTypes"], found["Networks"], found["Instances"]) == (5, 2, 0)


def test_every_scope_is_in_an_aggregated_list(said: Said) -> None:
    found = said["aggregated"]
    for name in ("Disks", "Instances", "InstanceGroups", "TargetInstances"):
        assert found[name] == [f"{zone} {EMPTY}" for zone in ZONES], name
    for name in ("Subnetworks", "TargetPools"):
        assert found[name] == [f"regions/{region} {EMPTY}" for region in ("ch", "de", "fr")], name
    assert set(ZONES) <= set(found["MachineTypes"])


def test_filters_of_both_grammars_and_an_order(said: Said) -> None:
    assert said["filters"] == {"sizes": ["extra-large", "large"], "zones": ["de-adv1"], "newest": 28}


def test_a_machine_from_making_to_deleting(said: Said) -> None:
    found = said["machine"]
    assert [found[step] for step in ("made", "labelled", "stopped", "resized", "started")] == [DONE] * 5
    assert found["read"] == ["RUNNING", "prod", "web", "front", "4"]
    assert found["ip"].startswith("203.0.113.")
    assert found["after"] == ["RUNNING", "small", "test"]
    assert said["end"] == {"project": "demo", "quotas": True, "gone": DONE}


def test_disks_snapshots_and_images(said: Said) -> None:
    found = said["storage"]
    assert [found[step] for step in ("disk", "attached", "copied", "imaged", "detached", "grown")] == [DONE] * 6
    assert (found["copy"], found["image"]) == (["READY", "5", "node-data"], ["node-image", "READY"])
    assert (found["size"], found["gone"]) == ("8", [DONE] * 3)


def test_addresses_pools_and_forwarding_rules(said: Said) -> None:
    found = said["balancing"]
    assert [found[step] for step in ("address", "pool", "rule")] == [DONE] * 3
    assert (found["read"], found["health"], found["gone"]) == (["80-80", True, "node-pool"], "HEALTHY", [DONE] * 3)


def test_networks_subnetworks_routes_and_firewalls(said: Said) -> None:
    found = said["networks"]
    assert [found[step] for step in ("network", "tier", "route", "wall", "patched")] == [DONE] * 5
    assert (found["read"], found["ranges"]) == (["10.8.1.0/24", "node-net"], ["10.1.0.0/16"])
    assert found["gone"] == [DONE] * 4


def test_templates_and_groups(said: Said) -> None:
    assert said["groups"] == {"template": DONE, "size": "micro", "group": DONE, "added": DONE,
                              "members": ["by-node RUNNING"], "gone": [DONE] * 2}


def test_an_error_carries_its_code_and_the_servers_words(said: Said) -> None:
    found = {**said["errors"], "stale": said["machine"]["stale"]}
    expected = {"missing": (404, "notFound"), "taken": (409, "alreadyExists"), "wrong": (400, "invalid"),
                "refused": (400, "unsupportedOperation"), "stale": (412, "conditionNotMet")}
    for name, (code, reason) in expected.items():
        error = json.loads(found[name]["message"])["error"]
        assert (found[name]["code"], error["errors"][0]["reason"]) == (code, reason), name
    assert "instances/nobody' was not found" in found["missing"]["message"]
