"""One request's memo over the project's clouds: each backend list is fetched at most once, named once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cachetools

from gcelib import naming
from gcelib.config import Config
from gcelib.drivers.base import Cloud
from gcelib.errors import Fault, Invalid, NotFound, Unavailable
from gcelib.models import Image, Network, Node, Size, Snapshot, Volume, VolumeType, Zone
from gcelib.naming import Named
from gcelib.server.directory import Directory, Found
from gcelib.store.notes import Notes

BOOT_DISK_TAG = "gcelib-disk"


@dataclass(frozen=True, slots=True)
class Part:
    """What one cloud answered: its rows, or the fault that kept them from us."""

    cloud: Cloud
    rows: Sequence[Any]
    fault: Fault | None = None


class Shelf:
    """Directories made from lists that are still the cached ones: naming ten thousand things is done once."""

    def __init__(self, size: int = 256) -> None:
        self._kept: cachetools.LRUCache[Any, tuple[Any, Any]] = cachetools.LRUCache(size)
        self.pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="view")

    def made(self, kind: str, sources: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """`make()`, or what it gave before for exactly these source objects."""
        key = (kind, *map(id, sources))
        kept = self._kept.get(key)
        if kept is not None:
            return kept[1]
        value = make()
        self._kept[key] = (sources, value)
        return value

    def close(self) -> None:
        """End the pool's threads."""
        self.pool.shutdown(wait=False, cancel_futures=True)


class View:
    """What the project holds, under GCE's names. Lists leave out clouds that fail: `faults` says which."""

    def __init__(self, clouds: Sequence[Cloud], config: Config, notes: Notes, shelf: Shelf) -> None:
        self.clouds = tuple(clouds)
        self.faults: dict[str, Fault] = {}
        self._config = config
        self._notes = notes
        self._shelf = shelf
        self._memo: dict[str, Any] = {}

    def parts(self, facet: str, verb: str = "list") -> list[Part]:
        """One facet's list of every cloud that has the facet, fetched side by side.

        Raises the fault when no cloud could answer; with several clouds, one's fault is kept in `faults`.
        """
        memo = f"{facet}.{verb}"
        if memo not in self._memo:
            able = [cloud for cloud in self.clouds if getattr(cloud, facet) is not None]
            fetch: Callable[[Cloud], Part] = lambda cloud: _fetch(cloud, facet, verb)  # noqa: E731
            several = len(able) > 1
            parts = list(self._shelf.pool.map(fetch, able)) if several else [fetch(cloud) for cloud in able]
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
            (cloud.name, id): data for cloud in self.clouds for id, data in self._notes.all(cloud.name, kind).items()
        }
        found: Mapping[tuple[str, str], dict[str, Any]] = self.memo(f"notes.{kind}", read)
        return found

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
        found: Directory[Zone] = self._directory("zones", ("zones",), self._name_zones)
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
        hints: Callable[[Size], tuple[str, ...]] = lambda size: (f"{size.cpus}cpu", f"{size.ram_mb}mb")  # noqa: E731
        found: Directory[Size] = self._directory("sizes", ("sizes",), lambda parts: _per_cloud(parts[0], hints))
        return found

    @property
    def images(self) -> Directory[Image]:
        """Images; of several with one name each carries its size, else the start of its id."""
        make = lambda parts: _per_cloud(parts[0], _image_hints)  # noqa: E731
        found: Directory[Image] = self._directory("images", ("images",), make)
        return found

    @property
    def nodes(self) -> Directory[Node]:
        """Machines by zone."""
        self.zone_names()
        found: Directory[Node] = self._directory("nodes", ("nodes", "zones"), lambda parts: self._per_zone(parts[0]))
        return found

    @property
    def snapshots(self) -> Directory[Snapshot]:
        """Snapshots of disks."""
        make = lambda parts: _per_cloud(parts[0], lambda _: ())  # noqa: E731
        found: Directory[Snapshot] = self._directory("snapshots", ("snapshots",), make)
        return found

    @property
    def networks(self) -> Directory[Network]:
        """Networks by zone: one GCE network may be several of these, one a zone, under one name."""
        self.zone_names()
        make = lambda parts: self._per_zone(parts[0], _default_name)  # noqa: E731
        found: Directory[Network] = self._directory("networks", ("networks", "zones"), make)
        return found

    @property
    def volumes(self) -> Directory[Volume]:
        """Disks by zone; a boot disk has its machine's name, or the one that was asked for it."""
        nodes = self.nodes
        own: Callable[[Cloud, Volume], str | None] = lambda cloud, volume: _boot_name(nodes, cloud, volume)  # noqa: E731
        make = lambda parts: self._per_zone(_without_orphans(nodes, parts[0]), own)  # noqa: E731
        found: Directory[Volume] = self._directory("volumes", ("volumes", "nodes", "zones"), make)
        return found

    @property
    def volume_types(self) -> Directory[VolumeType]:
        """Kinds of disk."""
        read: Callable[[], Any] = lambda: Directory(_per_cloud(self.parts("volumes", "types"), lambda _: ()))  # noqa: E731
        found: Directory[VolumeType] = self.memo("volume_types", read)
        return found

    def network_in(self, zone: Found[Zone], ref: str) -> Found[Network] | None:
        """What a machine in `zone` joins when it asks for network `ref`; None: let the cloud make its own.

        `default` is the zone's shared network; in a zone of own networks it is the one called so, else the
        only one there. Raises NotFound, and Invalid naming the candidates when several could be meant.
        """
        found = self.networks.match(ref, zone.name)
        if found is not None:
            return found
        here = [item for item in self.networks if item.zone == zone.name]
        names = ", ".join(sorted(item.name for item in here)) or "none"
        if ref != "default" or not zone.model.own_networks:
            raise NotFound(f"Network '{ref}' is not in zone '{zone.name}'; networks there: {names}.")
        if len(here) > 1:
            raise Invalid(
                f"Zone '{zone.name}' has no network 'default' and several others: {names}. Name one of them.",
                field="resource.networkInterfaces[0].network",
            )
        return here[0] if here else None

    def _directory(self, kind: str, facets: tuple[str, ...], make: Callable[[list[list[Part]]], Any]) -> Any:
        memo = f"directory.{kind}"
        if memo not in self._memo:
            parts = [self.parts(facet) for facet in facets]
            sources = tuple(part.rows for group in parts for part in group)
            self._memo[memo] = self._shelf.made(kind, sources, lambda: Directory(make(parts)))
        return self._memo[memo]

    def _name_zones(self, parts: list[list[Part]]) -> list[Found[Zone]]:
        found: list[Found[Zone]] = []
        taken: set[str] = set()
        for part in parts[0]:
            config = self._config.clouds[part.cloud.name]
            for zone in part.rows:
                given = config.zones.get(zone.name) or config.zones.get(zone.id) or ""
                label = naming.zone_label(zone.name, given=given, region=config.region)
                if label in taken:
                    label = naming.slug(f"{part.cloud.name}-{label}")
                taken.add(label)
                found.append(Found(part.cloud, zone, label))
        return found

    def _per_zone(
        self, parts: Sequence[Part], given: Callable[[Cloud, Any], str | None] = lambda cloud, model: None
    ) -> list[Found[Any]]:
        """Things of every cloud named within their zones; those in a zone that is not shown are left out."""
        zones = self.zone_names()
        rows: dict[tuple[str, str], list[Any]] = {}
        for part in parts:
            for model in part.rows:
                rows.setdefault((part.cloud.name, model.zone_id), []).append(model)
        found: list[Found[Any]] = []
        for (cloud_name, zone_id), models in rows.items():
            zone, cloud = zones.get((cloud_name, zone_id)), self.cloud(cloud_name)
            if zone is None:
                continue
            wishes = {name: model.id for model in models if (name := given(cloud, model))}
            reserved = {id: name for name, id in wishes.items()}
            names = naming.labels((Named(model.id, model.name) for model in models), reserved)
            found.extend(Found(cloud, model, names[model.id], zone) for model in models)
        return found


def _fetch(cloud: Cloud, facet: str, verb: str) -> Part:
    try:
        return Part(cloud, getattr(getattr(cloud, facet), verb)())
    except Unavailable as fault:
        return Part(cloud, (), fault)


def _per_cloud(parts: Sequence[Part], hints: Callable[[Any], tuple[str, ...]]) -> list[Found[Any]]:
    found: list[Found[Any]] = []
    for part in parts:
        names = naming.labels(Named(model.id, model.name, hints(model)) for model in part.rows)
        found.extend(Found(part.cloud, model, names[model.id]) for model in part.rows)
    return found


def _image_hints(image: Image) -> tuple[str, ...]:
    said = re.search(r"(\d+)\s*GB", image.description, re.IGNORECASE)
    return (f"{image.size_gb}gb" if image.size_gb else "", f"{said[1]}gb" if said else "")


def _default_name(cloud: Cloud, network: Network) -> str | None:
    return "default" if network.default else None


def _boot_name(nodes: Directory[Node], cloud: Cloud, volume: Volume) -> str | None:
    node = nodes.by_id(cloud.name, volume.node_id) if volume.boot else None
    return (node.model.tags.get(BOOT_DISK_TAG) or node.name) if node else None


def _without_orphans(nodes: Directory[Node], parts: Sequence[Part]) -> list[Part]:
    """Boot disks of machines that are no longer shown are not shown either: they go when those are purged."""
    return [
        Part(part.cloud, [v for v in part.rows if not v.boot or nodes.by_id(part.cloud.name, v.node_id)])
        for part in parts
    ]
