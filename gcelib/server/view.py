"""One request's memo over the project's clouds: each backend list is fetched at most once, named once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gcelib import naming
from gcelib.config import Config, keys
from gcelib.drivers.base import Cloud
from gcelib.errors import Fault, NotFound
from gcelib.models import Image, Network, Node, Size, Snapshot, Volume, VolumeType, Vpc, Zone
from gcelib.server import labels, places
from gcelib.server.agreement import catch_up
from gcelib.server.directory import Directory, Found
from gcelib.server.gathering import Part
from gcelib.server.questions import Questions
from gcelib.server.shelf import Shelf, Sources, same
from gcelib.store.notes import Notes


class View:
    """What the project holds, under GCE's names. Lists leave out clouds that fail: `faults` says which."""

    def __init__(
        self, clouds: Sequence[Cloud], config: Config, notes: Notes, shelf: Shelf, tenancy: str = "", *,
        lenient: bool = False,
    ) -> None:
        self.clouds = tuple(clouds)
        self._tenancy = tenancy
        self.faults: dict[str, Fault] = {}
        self._config = config
        self._notes = notes
        self.shelf = shelf
        self._memo: dict[str, Any] = {}
        self._questions = Questions(self.clouds, shelf.gathering, lenient=lenient)
        self.stale = self._questions.stale
        self.ahead, self.known, self.one = self._questions.ahead, self._questions.known, self._questions.one
        self._looked = self._questions.looked
        self._looked.add("config.")
        self._likely: Sequence[str] = ()
        self._standing: Sources | None = None
        self._version = catch_up(self.clouds, tenancy, notes)

    def parts(self, facet: str, verb: str = "list") -> list[Part]:
        """One facet's list of every cloud that has the facet, asked side by side.

        Raises the fault of a cloud that the request needs, or when no cloud of the project could answer; that of
        another is kept in `faults`, and its part left out.
        """
        parts = self._asked(facet, verb)
        if facet != "zones":
            self._questions.insist(parts)
        if self.faults and len(self.faults) == len(self.clouds):
            fault = next((part.fault for part in parts if part.fault), None)
            if fault is not None:
                raise fault
        return [part for part in parts if not part.fault]

    def need(self, *clouds: str) -> None:
        """The request cannot be answered without these clouds. Raises the fault of one that has failed already.

        Their zones may be known though they do not answer.
        """
        self._questions.need(clouds)

    @property
    def missing(self) -> Mapping[str, Fault]:
        """The clouds that could not be looked at and that might matter: none where those that do are known."""
        return {} if self._questions.needed else self.faults

    def _asked(self, facet: str, verb: str = "list") -> list[Part]:
        """What every cloud that has the facet answered, failures too."""
        name = f"{facet}.{verb}"
        self._looked.add(name)
        if name not in self._questions.answers:
            parts = self._questions.answer(name)
            self.faults = {part.cloud.name: part.fault for part in parts if part.fault} | self.faults
        return self._questions.answers[name]

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
        read = lambda: self.shelf.notes((place, kind), self._version, lambda: self._notes.all(place, kind))  # noqa: E731
        found: Mapping[str, dict[str, Any]] = self.memo(f"notes {place} {kind}", read)
        return found

    def rendered(
        self, key: Any, make: Callable[[], Any], use: Callable[[Any], Any], looks: Sequence[str] = ()
    ) -> Any:
        """`use` of `make()`, or of what that gave a request before for this key, if nothing it looked at has changed.

        Both may look at the clouds and the notes through this view only, mostly at the lists of `looks`. Nothing is
        kept of a partial answer; what `use` adds to a value that others have is to be kept while the view is `sound`.
        """
        sources, value = self.shelf.rows(key) or (Sources(), None)
        self._likely = (*looks, *sources.lists)
        if not sources or not self._stand(sources):
            self.ahead(self._likely)
            sources, value = Sources(), make()
        self._standing = sources or None
        answer = use(value)
        if not self.faults and not self._questions.partial and not self._looked <= sources.keys():
            looked = {name: self._source(name) for name in self._looked}
            self.shelf.keep_rows(key, Sources(sources, looked), value, sources or None)
        return answer

    @property
    def sound(self) -> bool:
        """Whether others may see what is made now: no cloud was missing, and it is kept with all it was made of."""
        whole = not self.faults and not self._questions.partial
        return whole and (self._standing is None or self._looked <= self._standing.keys())

    def _stand(self, sources: Sources) -> bool:
        """Whether all of these are what stands behind their names now; lists that are remembered need no asking."""
        if not all(same(self._source(name), sources[name]) for name in sources.others):
            return False
        if sources.remembered(self.clouds):
            return True
        self.ahead(self._likely)
        return all(same(self._source(name), sources[name]) for name in sources.lists)

    def _source(self, name: str) -> tuple[Any, ...]:
        """What stands behind a name in `_looked`, as objects that are others when it has changed."""
        facet, _, verb = name.partition(".")
        if verb:
            return tuple(part.rows for part in self.parts(facet, verb))
        return ({"config": self._config, "notes": self._version}.get(facet) if facet != "places" else self._places(),)

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
        """Zones under their GCE names, those of a silent cloud as they were last; `Found.zone` is ""."""
        found: Directory[Zone] = self.memo("directory.zones", self._zones)
        return found

    def _zones(self) -> Directory[Zone]:
        self._looked.add("places.")
        parts, known = self._asked("zones"), self._places()
        answers = {part.cloud.name: part.rows for part in parts if not part.fault}
        sources = (known, *(answers.get(cloud.name) for cloud in self.clouds))
        key = ("zones", self._tenancy, *map(id, self.clouds))
        found: Directory[Zone] = self.shelf.made(key, sources, lambda: self._named(answers, known))
        if not len(found):
            self.parts("zones")
        return found

    def _named(self, answers: Mapping[str, Sequence[Zone]], known: places.Places) -> Directory[Zone]:
        names = [cloud.name for cloud in self.clouds]
        given = places.assigned(self._config, names, answers, known)
        if given != known and self._remembers:
            # Assigned again from what is stored now: another process may have been faster.
            change: Callable[[Any], Any] = lambda data: places.to_data(  # noqa: E731
                places.assigned(self._config, names, answers, places.from_data(data)))
            where = f"project:{self._tenancy}"
            given = places.from_data(self._notes.change(where, places.KIND, self._tenancy, change))
        there = places.in_order(given, names, answers)
        return Directory(Found(self.cloud(cloud), place.zone, place.label) for cloud, place in there)

    def _places(self) -> places.Places:
        """The names that the project's zones were given."""
        if not self._remembers:
            return {}
        key = ("places", self._tenancy)
        last = self.shelf.last(key)

        def read() -> places.Places:
            found = places.from_data(self._notes.get(f"project:{self._tenancy}", places.KIND, self._tenancy) or {})
            return last if last == found else found

        found: places.Places = self.shelf.made(key, (self._version,), read)
        return found

    @property
    def _remembers(self) -> bool:
        """Whether zones' names are kept: a caller's own account is on one cloud, where none can be taken by another."""
        return bool(self._tenancy) and keys.MARK not in self._tenancy

    def zone(self, ref: str, project: str) -> Found[Zone]:
        """The zone a path or a body names, whose cloud is needed from now on. Raises NotFound in GCE's words."""
        found = self.zones.match(ref)
        if found is None:
            if self.faults:
                raise next(iter(self.faults.values()))
            raise NotFound(f"The resource 'projects/{project}/zones/{ref}' was not found")
        self.need(found.cloud.name)
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
        return self._directory("sizes", ("sizes",), lambda parts: labels.per_cloud(parts[0], labels.size_hints))

    @property
    def images(self) -> Directory[Image]:
        """Images; of several with one name each carries its size, else the start of its id."""
        make = lambda parts: labels.per_cloud(parts[0], labels.image_hints)  # noqa: E731
        return self._directory("images", ("images",), make, merged=True)

    @property
    def nodes(self) -> Directory[Node]:
        """Machines by zone; where a cloud gives them names of its own, under those that were asked for."""
        found: Directory[Node] = self.memo("directory.nodes", self._nodes)
        return found

    def _nodes(self) -> Directory[Node]:
        zones = self.zone_names()
        kept = {cloud.name: self.notes_at(cloud.name, "node") for cloud in self.clouds}
        asked = {name: {id: note["name"] for id, note in kept[name].items() if note.get("name")} for name in kept}
        notes = tuple(kept.values()) if any(asked.values()) else ()
        make = lambda parts: labels.per_zone(zones, parts[0], named=(asked,))  # noqa: E731
        found: Directory[Node] = self._directory("nodes", ("nodes", "zones"), make, notes)
        return found

    @property
    def snapshots(self) -> Directory[Snapshot]:
        """Snapshots of disks."""
        return self._directory("snapshots", ("snapshots",), lambda parts: labels.per_cloud(parts[0]))

    @property
    def networks(self) -> Directory[Network]:
        """Networks by zone: one GCE network may be several of these, one a zone, under one name."""
        zones = self.zone_names()
        make = lambda parts: labels.per_zone(zones, parts[0], labels.default_name)  # noqa: E731
        return self._directory("networks", ("networks", "zones"), make)

    @property
    def volumes(self) -> Directory[Volume]:
        """Disks by zone; a boot disk has its machine's name, or the one that was asked for it."""
        nodes, zones = self.nodes, self.zone_names()

        def make(parts: list[list[Part]]) -> list[Found[Any]]:
            rows, named = labels.disks(nodes, parts[0])
            shown = [Part(part.cloud, each) for part, each in zip(parts[0], rows, strict=True)]
            return labels.per_zone(zones, shown, named=named)

        return self._directory("volumes", ("volumes", "nodes", "zones"), make)

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
        return self._directory("vpcs", ("vpcs", "zones"), lambda parts: labels.per_zone(zones, parts[0]))

    def _directory(
        self, kind: str, facets: tuple[str, ...], make: Callable[[list[list[Part]]], Any], more: tuple[Any, ...] = (),
        *, merged: bool = False,
    ) -> Directory[Any]:
        """The directory of these facets' parts and of `more`; "zones" and "nodes" behind the first are directories."""
        memo = f"directory.{kind}"
        if memo not in self._memo:
            first, *others = facets
            parts = [self.parts(first)]
            named = [self.zones if facet == "zones" else self.nodes for facet in others]
            sources = (*(part.rows for part in parts[0]), *named, *more)
            key = (kind, self._tenancy, *map(id, self.clouds))
            self._memo[memo] = self.shelf.made(key, sources, lambda: Directory(make(parts), merged=merged))
        found: Directory[Any] = self._memo[memo]
        return found
