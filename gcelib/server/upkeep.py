"""What is tidied once an hour, and what counts as gone: asked of every cloud of every configured project."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from gcelib.config import Config
from gcelib.drivers.base import Cloud
from gcelib.drivers.projects import Projects
from gcelib.server.groups import machine_of
from gcelib.server.operations.janitor import Janitor
from gcelib.store.notes import Notes
from gcelib.store.operations import Operations

FACETS = {"node": "nodes", "volume": "volumes", "image": "images", "network": "networks", "snapshot": "snapshots",
          "address": "addresses"}
"""Kind of note -> the facet that lists such things; notes of other kinds belong to no cloud."""


def janitor(
    config: Callable[[], Config], projects: Callable[[], Projects], own: Callable[[str], Cloud | None],
    operations: Operations, notes: Notes,
) -> Janitor:
    """The one that runs every hour. `own` gives the cloud of a caller's tenancy, None for other names."""

    def clouds() -> list[Cloud]:
        opened = (projects().open(name) for name, row in config().projects.items() if _is_ours(name, row.credentials))
        return list({id(cloud): cloud for project in opened for cloud in project.clouds}.values())

    return Janitor(
        operations, notes, present=lambda place, kind: _present(clouds(), own, place, kind), clouds=clouds,
        machine_of=machine_of,
    )


def _is_ours(name: str, credentials: str) -> bool:
    return credentials == "cloud" and name != "*"


def _present(
    clouds: Iterable[Cloud], own: Callable[[str], Cloud | None], place: str, kind: str
) -> Collection[str] | None:
    """The ids of a kind in a cloud, over all the projects that see it; None where nobody can say."""
    facet = FACETS.get(kind)
    callers = own(place) if facet and not place.startswith("project:") else None
    seeing = [callers] if callers else [cloud for cloud in clouds if cloud.name == place]
    seen = [cloud for cloud in seeing if facet and getattr(cloud, facet) is not None]
    if facet is None or not seen:
        return None
    return {thing.id for cloud in seen for thing in getattr(cloud, facet).list()}
