"""One request's memo over the project's clouds: each backend list is fetched at most once, named once."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cachetools

from gcelib import naming
from gcelib.config import Config, keys
from gcelib.drivers.base import Cloud
from gcelib.errors import Fault, Forbidden, NotFound, Unauthenticated, Unsupported
from gcelib.models import Image, Network, Node, Size, Snapshot, Volume, VolumeType, Vpc, Zone
from gcelib.server import labels
from gcelib.server.directory import Directory, Found
from gcelib.store.notes import Notes

ORNAMENTS = frozenset({"quotas", "vpcs", "routes", "guards"})
"""Facets without which all else can be shown: left out where the account's role keeps them from it."""


MOST_ROWS = 32_000
"""How many rendered rows are kept at most, in at most 32 lists: a client's every spelling of our host has its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one cloud answered: its rows, or the fault that kept them from us."""

    cloud: Cloud
    rows: Sequence[Any]
    fault: Fault | None = None


class Shelf:
    """Directories made from lists that are still the cached ones: naming ten thousand things is done once."""

    def __init__(self, size: int = 256) -> None:
        self._lock = threading.Lock()
        self._kept: cachetools.LRUCache[Any, tuple[Any, Any]] = cachetools.LRUCache(size)
        self._rows: cachetools.LRUCache[Any, tuple[Mapping[str, Any], Any]] = cachetools.LRUCache(
            MOST_ROWS, getsizeof=lambda kept: max(MOST_ROWS // 32, len(kept[1].rows))
        )
        self.pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="view")

    def rows(self, key: Any) -> tuple[Mapping[str, Any], Any] | None:
        """What was rendered under this key: the sources it was made from, and itself."""
        with self._lock:
            return self._rows.get(key)

    def keep_rows(self, key: Any, sources: Mapping[str, Any], value: Any) -> None:
        """Keep what was rendered from these sources."""
        if len(value.rows) <= MOST_ROWS:
            with self._lock:
                self._rows[key] = (sources, value)

    def made(self, key: Any, sources: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """`make()`, or what it gave the last time if that was for exactly these source objects."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and _same(kept[0], sources):
            return kept[1]
        value = make()
        with self._lock:
            self._kept[key] = (sources, value)
        return value

    def side_by_side(self, fetch: Callable[[Cloud], Part], clouds: Sequence[Cloud]) -> list[Part]:
        """`fetch` of every cloud at once, in the clouds' order; what the request's context says holds in each."""
        running = [self.pool.submit(contextvars.copy_context().run, fetch, cloud) for cloud in clouds]
        return [each.result() for each in running]

    def close(self) -> None:
        """End the pool's threads."""
        self.pool.shutdown(wait=False, cancel_futures=True)


class View:
    """What the project holds, under GCE's names. Lists leave out clouds that fail: `faults` says which."""

    def __init__(
        self, clouds: Sequence[Cloud], config: Config, notes: Notes, shelf: Shelf, tenancy: str = ""
    ) -> None:
        self.clouds = tuple(clouds)
        self._tenancy = tenancy
        self.faults: dict[str, Fault] = {}
        self._config = config
        self._notes = notes
        self._shelf = shelf
        self._memo: dict[str, Any] = {}
        self._looked = {"config."}

    def parts(self, facet: str, verb: str = "list") -> list[Part]:
        """One facet's list of every cloud that has the facet, fetched side by side.

        Raises the fault when no cloud could answer; with several clouds, one's fault is kept in `faults`.
        """
        memo = f"{facet}.{verb}"
        self._looked.add(memo)
        if memo not in self._memo:
            able = [cloud for cloud in self.clouds if getattr(cloud, facet) is not None]
            fetch: Callable[[Cloud], Part] = lambda cloud: _fetch(cloud, facet, verb)  # noqa: E731
            several = len(able) > 1
            parts = self._shelf.side_by_side(fetch, able) if several else [fetch(cloud) for cloud in able]
            faults = [part.fault for part in parts if part.fault]
            if faults and len(faults) == len(parts):
                raise faults[0]
            self.faults.update({part.cloud.name: part.fault for part in parts if part.fault})
            self._memo[memo] = [part for part in parts if not part.fault]
        found: list[Part] = self._memo[memo]
        return found

    def note(self, kind: str) -> Mapping[tuple[str, str], dict[str, Any]]:
        """What the store adds to things of one kind, by (cloud, backend id)."""
        read: Callable[[], Any] = lambda: {  # noqa: E731
            (cloud.name, id): data for cloud in self.clouds for id, data in self.notes_at(cloud.name, kind).items()
        }
        found: Mapping[tuple[str, str], dict[str, Any]] = self.memo(f"notes.{kind}", read)
        return found

    def notes_at(self, place: str, kind: str) -> Mapping[str, dict[str, Any]]:
        """What the store keeps in one place for things of one kind, by id."""
        self._looked.add("notes.")
        place = keys.place(self._tenancy, place)
        found: Mapping[str, dict[str, Any]] = self.memo(f"notes {place} {kind}", lambda: self._notes.all(place, kind))
        return found

    def rendered(self, key: Any, make: Callable[[], Any]) -> Any:
        """`make()`, or what it gave an earlier request for this key, if nothing that it looked at has changed.

        `make` may look at the clouds and the notes through this view only. Nothing is kept of a partial answer.
        """
        kept = self._shelf.rows(key)
        if kept is not None and all(_same(self._source(name), source) for name, source in kept[0].items()):
            return kept[1]
        value = make()
        if not self.faults:
            self._shelf.keep_rows(key, {name: self._source(name) for name in self._looked}, value)
        return value

    def _source(self, name: str) -> tuple[Any, ...]:
        """What stands behind a name in `_looked`, as objects that are others when it has changed."""
        facet, _, verb = name.partition(".")
        if facet == "config":
            return (self._config,)
        if facet == "notes":
            return (self._notes.version,)
        return tuple(part.rows for part in self.parts(facet, verb))

    def memo(self, key: str, make: Callable[[], Any]) -> Any:
        """`make()`, once for this request."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]

    def cloud(self, name: str) -> Cloud:
        """The project's cloud of this name."""
        return next(cloud for cloud in self.clouds if cloud.name == name)

    @property
    def zones(self) -> Directory[Zone]:
        """Zones under their GCE names; `Found.zone` is "" so that they are looked up by name alone."""
        found: Directory[Zone] = self._directory(
            "zones", ("zones",), lambda parts: labels.name_zones(self._config, parts[0])
        )
        return found

    def zone(self, ref: str, project: str) -> Found[Zone]:
        """The zone a path or a body names. Raises NotFound in GCE's words."""
        found = self.zones.match(ref)
        if found is None:
            if self.faults:
                raise next(iter(self.faults.values()))
            raise NotFound(f"The resource 'projects/{project}/zones/{ref}' was not found")
        return found

    def zone_names(self) -> Mapping[tuple[str, str], str]:
        """(cloud, backend id) -> GCE name of the zone."""
        read: Callable[[], Any] = lambda: {(zone.cloud.name, zone.model.id): zone.name for zone in self.zones}  # noqa: E731
        found: Mapping[tuple[str, str], str] = self.memo("zone_names", read)
        return found

    @property
    def regions(self) -> dict[str, list[Found[Zone]]]:
        """Region names with their zones, in the zones' order."""
        regions: dict[str, list[Found[Zone]]] = {}
        for zone in self.zones:
            regions.setdefault(naming.region_of(zone.name), []).append(zone)
        return regions

    @property
    def sizes(self) -> Directory[Size]:
        """Machine sizes; `zone` is "", `zone_ids` of the model says where."""
        make = lambda parts: labels.per_cloud(parts[0], labels.size_hints)  # noqa: E731
        found: Directory[Size] = self._directory("sizes", ("sizes",), make)
        return found

    @property
    def images(self) -> Directory[Image]:
        """Images; of several with one name each carries its size, else the start of its id."""
        make = lambda parts: labels.per_cloud(parts[0], labels.image_hints)  # noqa: E731
        found: Directory[Image] = self._directory("images", ("images",), make)
        return found

    @property
    def nodes(self) -> Directory[Node]:
        """Machines by zone; where a cloud gives them names of its own, under those that were asked for."""
        zones = self.zone_names()
        asked = {key: note["name"] for key, note in self.note("node").items() if note.get("name")}
        if asked:
            given = lambda cloud, node: asked.get((cloud.name, node.id))  # noqa: E731
            named: Callable[[], Any] = lambda: Directory(labels.per_zone(zones, self.parts("nodes"), given))  # noqa: E731
            directory: Directory[Node] = self.memo("directory.nodes", named)
            return directory
        make = lambda parts: labels.per_zone(zones, parts[0])  # noqa: E731
        found: Directory[Node] = self._directory("nodes", ("nodes", "zones"), make)
        return found

    @property
    def snapshots(self) -> Directory[Snapshot]:
        """Snapshots of disks."""
        make = lambda parts: labels.per_cloud(parts[0])  # noqa: E731
        found: Directory[Snapshot] = self._directory("snapshots", ("snapshots",), make)
        return found

    @property
    def networks(self) -> Directory[Network]:
        """Networks by zone: one GCE network may be several of these, one a zone, under one name."""
        zones = self.zone_names()
        make = lambda parts: labels.per_zone(zones, parts[0], labels.default_name)  # noqa: E731
        found: Directory[Network] = self._directory("networks", ("networks", "zones"), make)
        return found

    @property
    def volumes(self) -> Directory[Volume]:
        """Disks by zone; a boot disk has its machine's name, or the one that was asked for it."""
        nodes, zones = self.nodes, self.zone_names()

        def make(parts: list[list[Part]]) -> list[Found[Any]]:
            shown = [
                Part(part.cloud, [row for row in part.rows if not labels.is_orphan(nodes, part.cloud, row)])
                for part in parts[0]
            ]
            return labels.per_zone(zones, shown, lambda cloud, volume: labels.boot_name(nodes, cloud, volume))

        found: Directory[Volume] = self._directory("volumes", ("volumes", "nodes", "zones"), make)
        return found

    @property
    def volume_types(self) -> Directory[VolumeType]:
        """Kinds of disk."""
        read: Callable[[], Any] = lambda: Directory(labels.per_cloud(self.parts("volumes", "types")))  # noqa: E731
        found: Directory[VolumeType] = self.memo("volume_types", read)
        return found

    @property
    def vpcs(self) -> Directory[Vpc]:
        """Private clouds by zone."""
        zones = self.zone_names()
        make = lambda parts: labels.per_zone(zones, parts[0])  # noqa: E731
        found: Directory[Vpc] = self._directory("vpcs", ("vpcs", "zones"), make)
        return found

    def _directory(self, kind: str, facets: tuple[str, ...], make: Callable[[list[list[Part]]], Any]) -> Any:
        memo = f"directory.{kind}"
        if memo not in self._memo:
            parts = [self.parts(facet) for facet in facets]
            sources = tuple(part.rows for group in parts for part in group)
            self._memo[memo] = self._shelf.made((kind, *map(id, self.clouds)), sources, lambda: Directory(make(parts)))
        return self._memo[memo]


def _same(now: tuple[Any, ...], then: tuple[Any, ...]) -> bool:
    """Whether these are the very same objects; versions are compared by value."""
    if len(now) != len(then):
        return False
    return all(a is b or (isinstance(a, int) and a == b) for a, b in zip(now, then, strict=True))


def _fetch(cloud: Cloud, facet: str, verb: str) -> Part:
    try:
        return Part(cloud, getattr(getattr(cloud, facet), verb)())
    except Unauthenticated:
        raise
    except Fault as fault:
        if facet in ORNAMENTS and isinstance(fault, Forbidden | Unsupported):
            return Part(cloud, ())
        return Part(cloud, (), fault)
