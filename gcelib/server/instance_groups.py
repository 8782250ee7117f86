"""Unmanaged instance groups: notes of the project, whose members are machines that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib import naming
from gcelib.models import Node, Zone
from gcelib.server import metadata, networks
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step

KIND = "instanceGroup"
COLLECTION = "instanceGroups"
MEMBER = "member "
"""A field of the note for each member, named by this and the machine's id: members come and go by themselves."""


@dataclass(frozen=True, slots=True)
class Group:
    """One as it is kept, with those of its machines that are there."""

    name: str
    zone: Found[Zone]
    note: Mapping[str, Any]
    members: Sequence[Found[Node]]

    @property
    def ports(self) -> list[dict[str, Any]]:
        """Its named ports."""
        return list(self.note.get("namedPorts", ()))

    def network(self, ctx: Context) -> str:
        """The GCE network its members are in; "" while neither it nor a member says."""
        said = str(self.note.get("network", ""))
        return said or next((network for node in self.members if (network := network_of(ctx, node))), "")


def groups(ctx: Context) -> dict[tuple[str, str], Group]:
    """Every group by zone and name; those of clouds that do not answer are left out."""
    found: dict[tuple[str, str], Group] = ctx.view.memo("instance groups", lambda: _groups(ctx))
    return found


def _groups(ctx: Context) -> dict[tuple[str, str], Group]:
    notes, zones = ctx.view.notes_at(metadata.place(ctx), KIND), ctx.view.zones
    found: dict[tuple[str, str], Group] = {}
    for id, note in sorted(notes.items()):
        cloud, _, rest = id.partition("/")
        zone_id, _, name = rest.rpartition("/")
        zone = zones.by_id(cloud, zone_id)
        # A note without this is what a change left that came after the group's end.
        if zone is None or cloud in ctx.view.faults or "created" not in note:
            continue
        there = (ctx.view.nodes.by_id(cloud, key.removeprefix(MEMBER)) for key in note if key.startswith(MEMBER))
        members = [node for node in there if node is not None and node.zone == zone.name]
        found[zone.name, name] = Group(name, zone, note, sorted(members, key=lambda node: node.name))
    return found


def network_of(ctx: Context, item: Found[Node]) -> str:
    """The GCE network of a machine's first interface, "" for none."""
    if not item.model.nics:
        return ""
    nic = item.model.nics[0]
    part = ctx.view.networks.by_id(item.cloud.name, nic.network_id)
    return networks.network_name(ctx.view, part) if part else naming.slug(nic.network_name or nic.network_id)


def where(ctx: Context, zone: Found[Zone], name: str) -> dict[str, Any]:
    """Where a group's note is kept."""
    return {"place": metadata.place(ctx), "kind": KIND, "id": f"{zone.cloud.name}/{zone.model.id}/{name}"}


def holding(ctx: Context, item: Found[Node]) -> list[Group]:
    """The groups a machine is in."""
    key = MEMBER + item.model.id
    return [group for group in groups(ctx).values() if key in group.note and group.zone.name == item.zone]


def leaving(ctx: Context, item: Found[Node]) -> list[Step]:
    """Steps that take a machine which is being deleted out of its groups."""
    data = {MEMBER + item.model.id: None}
    return [
        Step(f"leave group {group.name}", "", "notes", "merge", {**where(ctx, group.zone, group.name), "data": data},
             optional=True)
        for group in holding(ctx, item)
    ]
