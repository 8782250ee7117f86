"""The whole store is lost: nothing on the cloud is, and what does not come back is what docs/backup.md says."""

from __future__ import annotations

import shutil
from typing import Any

from tests.api import Api
from tests.conftest import Launch
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
LISTS = (HERE, "zones/ch-gv2/disks", "zones/de-adv1/disks", "global/firewalls", "global/networks", "global/images",
         "regions/de/addresses", "global/httpHealthChecks", "global/instanceTemplates", "regions/de/targetPools")
CHANGED = {HERE: {"metadata", "fingerprint"}, "global/firewalls": {"creationTimestamp"}}
"""What else of a thing does not come back."""


def shown(api: Api) -> dict[str, dict[str, Any]]:
    """Every thing of these lists, by list and name."""
    return {path: {item["name"]: item for item in api.get(path).get("items", [])} for path in LISTS}


def test_everything_on_the_cloud_is_there_and_what_is_lost_is_what_the_page_says(launch: Launch) -> None:
    live, cloud = launch()
    api = live.api()
    metadata = {"items": [{"key": "note", "value": "x" * 300}]}
    template = {"name": "shape", "properties": {key: value for key, value in machine("x").items() if key != "name"}}
    template["properties"]["machineType"] = "micro"  # type: ignore[index]
    rule = {"network": "global/networks/default", "sourceRanges": ["10.0.0.0/8"],
            "allowed": [{"IPProtocol": "tcp", "ports": ["80"]}]}
    for path, body in (
        (HERE, machine("kept", labels={"env": "prod"}, description="Short", metadata=metadata)),
        ("zones/ch-gv2/disks", {"name": "data", "sizeGb": "5", "labels": {"env": "prod"}}),
        ("global/firewalls", {"name": "web", **rule}),
        ("regions/de/addresses", {"name": "front"}),
        ("global/httpHealthChecks", {"name": "alive"}),
        ("regions/de/targetPools", {"name": "pool"}),
        ("global/instanceTemplates", template),
    ):
        api.change("POST", path, body)
    before, machines = shown(api), cloud.world.machines()
    live.stop()
    shutil.rmtree(live.home / "state")
    live.key_file.unlink()
    live.token = ""
    live.start()
    api = live.api()
    after = shown(api)
    lost = {path: sorted(rows.keys() - after[path].keys()) for path, rows in before.items()}
    assert {path: names for path, names in lost.items() if names} == {
        "global/httpHealthChecks": ["alive"], "regions/de/targetPools": ["pool"], "global/instanceTemplates": ["shape"],
    }
    for path, rows in after.items():
        for name, item in rows.items():
            changed = {key for key in item.keys() | before[path][name].keys()
                       if item.get(key) != before[path][name].get(key)}
            assert changed <= CHANGED.get(path, set()), (path, name, changed)
    assert after[HERE]["kept"]["metadata"].get("items") is None
    assert cloud.world.machines() == machines
