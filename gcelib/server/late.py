"""Steps that bring rules on clouds up to what firewalls say, planned when their turn comes: what a request puts down.

`planning` makes the steps of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gcelib.models import Network
from gcelib.server import networks
from gcelib.server.directory import Found
from gcelib.server.operations.plan import LATE, Step
from gcelib.server.view import View

NETWORK, GROUPS, MACHINE, SUBNETWORK = "network", "groups", "machine", "subnetwork"


def network(name: str, cloud: str = "") -> Step:
    """For the firewalls that are notes: after it a GCE network is guarded as they say, on one cloud or on all."""
    where = f" on {cloud}" if cloud else ""
    return Step(f"rules of {name}{where}", "", LATE, NETWORK, {"name": name, "cloud": cloud})


def subnetwork(wish: Mapping[str, str], cloud: str) -> Step:
    """For a subnetwork (`subnets.Wish`) that needs what its network has once in a zone; `cloud` is "" for several."""
    return Step(f"subnetwork {wish['name']}", "", LATE, SUBNETWORK, {"wish": dict(wish), "cloud": cloud})


def around(view: View, parts: Iterable[Found[Network] | None]) -> list[Step]:
    """The same for the networks that these are or are parts of, where a machine, a tag or an address changes rules."""
    found = {
        (networks.network_name(view, part), part.cloud.name)
        for part in parts if part is not None and part.model.guard == "addresses"
    }
    return [network(*each) for each in sorted(found)]


def groups(verb: str, name: str, network: str, definition: Mapping[str, Any] | None, created: float) -> Step:
    """For one firewall in security groups; without a definition its rules are taken back."""
    said = None if definition is None else dict(definition)
    args = {"verb": verb, "name": name, "network": network, "definition": said, "created": created}
    return Step(f"rules of {name}", "", LATE, GROUPS, args)


def machine(cloud: str, id: str) -> Step:
    """For the rules that stand in for groups a running machine has not joined."""
    return Step(f"rules for {id}", "", LATE, MACHINE, {"cloud": cloud, "id": id})
