"""Bodies the tests send."""

from __future__ import annotations

from typing import Any

UBUNTU = "global/images/linux-ubuntu-12-04-lts-64-bit-10gb"


def machine(name: str, zone: str = "ch-gv2", **fields: Any) -> dict[str, Any]:
    """An instance as a client asks for one."""
    body: dict[str, Any] = {
        "name": name,
        "machineType": f"zones/{zone}/machineTypes/micro",
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": UBUNTU}}],
        "networkInterfaces": [{"network": "global/networks/default"}],
    }
    return {**body, **fields}
