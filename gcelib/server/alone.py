"""One machine asked for by its name where the list of all is not at hand, found as the list would have it.

What a name means is a matter of all that have one like it. Where a question for one name cannot settle that, the
functions here raise `Undecided`, and the list has to be asked for.
"""

from __future__ import annotations

from gcelib import naming
from gcelib.drivers.base import able
from gcelib.models import Node, Volume, Zone
from gcelib.server import labels
from gcelib.server.directory import Found
from gcelib.server.view import View

NODES, VOLUMES = "nodes.list", "volumes.list"


class Undecided(Exception):
    """Only the whole list can tell."""


def node(view: View, zone: Found[Zone], ref: str) -> Found[Node] | None:
    """What `view.nodes.match(ref, zone.name)` gives. Raises Undecided, and the faults of the zone's cloud."""
    cloud = zone.cloud
    if view.known(NODES) or cloud.nodes is None or not (able(cloud, "nodes", "find") and cloud.traits.host_names):
        raise Undecided
    if not naming.is_host_name(ref) or naming.is_uuid(ref):
        raise Undecided
    found = [row for row in view.one(cloud, "nodes", "find", ref) if row.zone_id == zone.model.id]
    if len(found) > 1 or (not found and naming.may_have_suffix(ref)) or _renamed(view, zone):
        raise Undecided
    return Found(cloud, found[0], naming.slug(found[0].name), zone.name) if found else None


def disks(view: View, item: Found[Node]) -> list[Found[Volume]]:
    """The disks of a machine, as `view.volumes` has them. Raises Undecided for a machine with more than a boot disk
    of its own name, and the faults of its cloud."""
    cloud = item.cloud
    if view.known(NODES) or cloud.volumes is None or not able(cloud, "volumes", "of"):
        raise Undecided
    if item.model.tags.get(labels.BOOT_DISK_TAG) or not cloud.traits.host_names:
        raise Undecided
    rows = _listed(view, item) if view.known(VOLUMES) else view.one(cloud, "volumes", "of", item.model.id)
    if any(not row.boot or row.zone_id != item.model.zone_id for row in rows) or len(rows) > 1:
        raise Undecided
    return [Found(cloud, row, item.name, item.zone) for row in rows]


def _listed(view: View, item: Found[Node]) -> list[Volume]:
    """The machine's disks out of the list of all."""
    return [
        row for part in view.parts("volumes") if part.cloud is item.cloud for row in part.rows
        if row.node_id == item.model.id
    ]


def _renamed(view: View, zone: Found[Zone]) -> bool:
    """Whether machines of the zone's cloud have names that it does not know of."""
    return any(note.get("name") for (cloud, _), note in view.note("node").items() if cloud == zone.cloud.name)
