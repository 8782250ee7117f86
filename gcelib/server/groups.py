"""Which security groups carry a network's rules, a tag's rules and a machine's own, and what they are called.

One group per network, one per target tag on it, one private group per machine. A group made elsewhere is
shown as it is and never changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gcelib.drivers.base import Cloud, able
from gcelib.models import Group, Node
from gcelib.server import networks, remarks
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step
from gcelib.server.view import View

MARK = "gcelib:"
FEW = 2


def network_group(cloud: Cloud, network: str) -> str:
    """The group of a whole network: the cloud's own default group for `default`."""
    return cloud.traits.default_group if network == "default" and cloud.traits.default_group else f"{MARK}{network}"


def tag_group(network: str, tag: str) -> str:
    """The group of the machines on `network` that carry `tag`."""
    return f"{MARK}{network}:tag:{tag}"


def private_group(network: str, machine: str) -> str:
    """A new name for one machine's own group; machines come and go under one name, their groups do not."""
    return f"{MARK}{network}:vm:{machine}:{secrets.token_hex(4)}"


def is_private(group: str) -> bool:
    """Whether this is one machine's own group."""
    return group.startswith(MARK) and ":vm:" in group


def machine_of(group: str) -> str | None:
    """The machine's name in the name of a private group; None for any other group."""
    return group.rpartition(":")[0].rpartition(":vm:")[2] if is_private(group) else None


def tag_of(group: str, network: str) -> str:
    """The tag a group carries on `network`, "" when it is no tag's group."""
    prefix = tag_group(network, "")
    return group.removeprefix(prefix) if group.startswith(prefix) else ""


def groups_by_name(view: View, cloud: Cloud) -> Mapping[str, Group]:
    """The cloud's groups by name; of several of one name the first."""
    found: dict[str, Group] = {}
    for part in view.parts("firewalls"):
        for group in part.rows if part.cloud is cloud else ():
            found.setdefault(group.name, group)
    return found


def _there(view: View, cloud: Cloud, names: Sequence[str]) -> Mapping[str, Group]:
    """Those of these names that there are; a few are asked for by name, for every machine has a group of its own."""
    if view.known("firewalls.list") or len(names) > FEW or not able(cloud, "firewalls", "find"):
        return groups_by_name(view, cloud)
    return {group.name: group for name in names for group in view.one(cloud, "firewalls", "find", name)}


def names_by_id(view: View, cloud: Cloud) -> Mapping[str, str]:
    """The names of the cloud's groups by id."""
    read: Callable[[], Any] = lambda: {group.id: name for name, group in groups_by_name(view, cloud).items()}  # noqa: E731
    found: Mapping[str, str] = view.memo(f"group names of {cloud.name}", read)
    return found


def network_tags(item: Found[Node], note: Mapping[str, Any]) -> list[str]:
    """The network tags the machine was given."""
    said = remarks.said_of("tags", item.model.tags, note)
    return [tag for tag in said.split(",") if tag] if isinstance(said, str) else list(said)


def ensure(view: View, cloud: Cloud, network: str, names: Iterable[str]) -> tuple[list[Step], list[Any]]:
    """(steps that make the missing ones of a network, an id or a reference to one for each name, in order)."""
    wanted = [*dict.fromkeys(names)]
    there = _there(view, cloud, wanted)
    steps: list[Step] = []
    ids: list[Any] = []
    for name in wanted:
        if name in there:
            ids.append(there[name].id)
            continue
        label = f"group {name} of {cloud.name}"
        args = {"name": name, "description": "Kept by gcelib", **where(view, cloud, network)}
        steps.append(Step(label, cloud.name, "firewalls", "create_group", args))
        ids.append({"$ref": f"{label}.target"})
    return steps, ids


def where(view: View, cloud: Cloud, network: str) -> dict[str, str]:
    """What the making of a group says of its network, on a cloud whose groups are of one."""
    if not cloud.traits.groups_of_networks:
        return {}
    parts = (part for part in view.networks if part.cloud is cloud and networks.network_name(view, part) == network)
    found = next(parts, None)
    return {} if found is None else {"network_id": found.model.id}


def for_machine(
    view: View, cloud: Cloud, network: str, machine: str, tags: Sequence[str]
) -> tuple[list[Step], list[Any]]:
    """The groups a new machine joins: its network's, one for each of its tags, and where it cannot join others while
    it runs, its own."""
    names = [network_group(cloud, network), *(tag_group(network, tag) for tag in tags)]
    steps, ids = ensure(view, cloud, network, names)
    if cloud.traits.change_groups_running:
        return steps, ids
    args = {"name": private_group(network, machine), "description": f"Kept by gcelib for machine {machine}",
            **where(view, cloud, network)}
    # A machine that is taken back holds it for a while yet; the janitor clears it away then.
    drop = {"id": {"$ref": "own group.target"}}
    undo = Step("drop own group", cloud.name, "firewalls", "destroy_group", drop, optional=True)
    steps.append(Step("own group", cloud.name, "firewalls", "create_group", args, undo=undo))
    return steps, [*ids, {"$ref": "own group.target"}]
