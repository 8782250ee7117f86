"""One machine asked for by its name where the list of all is not at hand, found as the list would have it.

What a name means is a matter of all that have one like it. Where a question for one name cannot settle that, the
functions here raise `Undecided`, and the list has to be asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gcelib import naming
from gcelib.drivers.base import Cloud, able
from gcelib.drivers.lists import before
from gcelib.models import Node, Volume, Zone
from gcelib.server import labels
from gcelib.server.directory import Found
from gcelib.server.view import View

Attached = Mapping[tuple[str, str], list[Volume]]
NODES, VOLUMES = "nodes.list", "volumes.list"
FEW = 500
"""So many machines and disks are listed in two calls, and then known for a while: no more than to ask for one name."""


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


def looks_for(view: View, name: str) -> list[str]:
    """What will be asked for to know whether a name is free for a machine and its boot disk: lists that are short or at
    hand, else what has the name."""
    clouds = [cloud for cloud in view.clouds if cloud.nodes is not None and cloud.volumes is not None]
    if len(view.clouds) > 1 or not all(_apart(view, cloud, name) for cloud in clouds):
        return [NODES, VOLUMES]
    return [f"nodes.find {name}", f"nodes.tagged {labels.BOOT_DISK_TAG}={name}", f"volumes.find {name}"]


def is_disk(view: View, zone: Found[Zone], name: str) -> bool:
    """Whether a disk of the zone has this name, as `view.volumes` would have it. Raises Undecided, and the faults of
    the zone's cloud."""
    cloud, id = zone.cloud, zone.model.id
    if not _apart(view, cloud, name):
        raise Undecided
    tagged = view.one(cloud, "nodes", "tagged", f"{labels.BOOT_DISK_TAG}={name}")
    own = [row for row in view.one(cloud, "volumes", "find", name) if row.zone_id == id and not row.boot]
    if len(own) > 1:
        raise Undecided
    machine = node(view, zone, name)
    named = machine is not None and not machine.model.tags.get(labels.BOOT_DISK_TAG)
    return bool(own) or named or any(row.zone_id == id for row in tagged)


def _apart(view: View, cloud: Cloud, name: str) -> bool:
    """Whether what has a name is asked for in place of long lists of machines and disks."""
    if view.known(NODES):
        # The list would be looked at in any case: what was asked besides it would be for nothing.
        return False
    if not (able(cloud, "nodes", "tagged") and able(cloud, "volumes", "find") and cloud.traits.host_names):
        return False
    if not naming.is_label(name) or naming.is_uuid(name) or naming.may_have_suffix(name):
        return False
    if all(len(before(cloud, facet)) <= FEW for facet in ("nodes", "volumes")):
        return False
    # Letters that a label leaves out stand within the words that disks are found by.
    strange = (row.name for row in before(cloud, "volumes") if not row.name.isascii())
    return not any(naming.slug(each) == name for each in strange)


def disks(view: View, item: Found[Node]) -> list[Found[Volume]]:
    """The disks of a machine, as `view.volumes` has them; where the list of machines or of disks is at hand, out of the
    list of disks. Raises Undecided for a machine with more than a boot disk of its own name, and the faults of its
    cloud."""
    cloud = item.cloud
    if item.model.tags.get(labels.BOOT_DISK_TAG) or not cloud.traits.host_names:
        raise Undecided
    attached: Attached | None = view.memo("attached", lambda: _attached(view))
    if attached is not None:
        rows: Sequence[Volume] = attached.get((cloud.name, item.model.id), ())
    elif cloud.volumes is None or not able(cloud, "volumes", "of"):
        raise Undecided
    else:
        rows = view.one(cloud, "volumes", "of", item.model.id)
    if not rows:
        return []
    row = rows[0]
    if len(rows) > 1 or not row.boot or row.zone_id != item.model.zone_id:
        raise Undecided
    return [Found(cloud, row, item.name, item.zone)]


def _attached(view: View) -> Attached | None:
    """Every machine's disks as the clouds have them, put together once for the machines of all pages; None where no
    list of them is at hand."""
    if not (view.known(NODES) or view.known(VOLUMES)):
        return None
    parts = view.parts("volumes")
    key, sources = ("attached", *map(id, view.clouds)), tuple(part.rows for part in parts)
    found: Attached = view.shelf.made(key, sources, lambda: labels.attached(parts))
    return found


def _renamed(view: View, zone: Found[Zone]) -> bool:
    """Whether machines of the zone's cloud have names that it does not know of."""
    return any(note.get("name") for (cloud, _), note in view.note("node").items() if cloud == zone.cloud.name)
