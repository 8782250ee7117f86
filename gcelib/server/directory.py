"""Things of one kind under their GCE names, looked up by name, by the backend's own name or by its id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.errors import Invalid
from gcelib.models import Address, Image, Node, Size, Snapshot, Volume, Zone

NUMBERED: dict[type[Any], str] = {
    Zone: "zone", Size: "size", Image: "image", Node: "node", Volume: "volume", Snapshot: "snapshot",
    Address: "address",
}  # fmt: skip
"""Models whose numeric id, as GCE shows it, is made of this word and the backend's id."""


class Thing(Protocol):
    """What every model has."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...


M = TypeVar("M", bound=Thing)


class Found(msgspec.Struct, Generic[M], frozen=True, gc=False):
    """A thing of one cloud under its GCE name; `zone` is a zone's GCE name, "" where it is in none or all."""

    cloud: Cloud
    model: M
    name: str
    zone: str = ""


class Directory(Generic[M]):
    """All things of one kind, in the order given. A name is unique within its cloud and zone ("" counts as one).

    `merged`: things of one name on several clouds are one thing, which any of them stands for.
    """

    def __init__(self, items: Iterable[Found[M]], *, merged: bool = False) -> None:
        self.items = tuple(items)
        self._merged = merged
        self._names: dict[str, list[Found[M]]] | None = None
        self._made: dict[str, Any] = {}

    def __iter__(self) -> Iterator[Found[M]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def made(self, name: str, make: Callable[[Directory[M]], Any]) -> Any:
        """`make` of this directory, once for as long as it lives."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]

    def by_id(self, cloud: str, backend_id: str) -> Found[M] | None:
        """The thing with this backend id in this cloud."""
        # A list of machines asks for each of its disks.
        first, more = self._made.get("ids") or self.made("ids", _by_id)
        item = first.get(backend_id)
        if item is None or item.cloud.name == cloud:
            found: Found[M] | None = item
            return found
        return next((item for item in more.get(backend_id, ()) if item.cloud.name == cloud), None)

    def match(self, ref: str, zone: str = "") -> Found[M] | None:
        """The thing `ref` means in `zone`: its GCE name, else either of its ids, else its backend name in any case.

        Raises Invalid naming the candidates when the name belongs to several.
        """
        found: list[Found[M]] = _all_at((zone, ref), self.made("labels", _by_label))
        found = found or [item for item in _all_at(ref, self.made("ids", _by_id)) if item.zone == zone]
        found = found or [item for item in self._numbered(ref) if item.zone == zone]
        found = found or [item for item in self._by_name().get(ref.casefold(), ()) if item.zone == zone]
        found = found or [item for item in self._by_name().get(naming.slug(ref), ()) if item.zone == zone]
        if len(found) > 1 and not (self._merged and len({item.name for item in found}) == 1):
            names = ", ".join(sorted(self._told(item, found) for item in found))
            raise Invalid(f"'{ref}' is the name of several: {names}. Say which one you mean.")
        return found[0] if found else None

    def _told(self, item: Found[M], twins: Sequence[Found[M]]) -> str:
        """What tells a thing from its twins: its name, else its number and its cloud."""
        if sum(twin.name == item.name for twin in twins) == 1:
            return item.name
        kind = NUMBERED.get(type(item.model))
        number = naming.number(item.cloud.name, kind, item.model.id) if kind else item.model.id
        return f"{number} ('{item.name}' of cloud '{item.cloud.name}')"

    def _numbered(self, ref: str) -> Iterator[Found[M]]:
        """The thing whose numeric id this is; reckoned for every item, for hardly anybody asks by it."""
        if not (ref.isascii() and ref.isdigit()):
            return
        for item in self.items:
            kind = NUMBERED.get(type(item.model))
            if kind and naming.number(item.cloud.name, kind, item.model.id) == ref:
                yield item

    def _by_name(self) -> dict[str, list[Found[M]]]:
        """Items by their backend name in one letter case and by its slug; made at the first use."""
        if self._names is None:
            names: dict[str, list[Found[M]]] = defaultdict(list)
            for item in self.items:
                for key in {item.model.name.casefold(), naming.slug(item.model.name)}:
                    names[key].append(item)
            self._names = names
        return self._names


Index = tuple[dict[Any, Any], dict[Any, list[Any]]]
"""The first thing with each key, and the others with it: hardly anything has others."""


def _by_label(items: Directory[Any]) -> Index:
    return _indexed([(item.zone, item.name) for item in items], items)


def _by_id(items: Directory[Any]) -> Index:
    return _indexed([item.model.id for item in items], items)


def _indexed(keys: Sequence[Any], items: Directory[Any]) -> Index:
    first = dict(zip(keys, items, strict=True))
    more: dict[Any, list[Any]] = {}
    if len(first) == len(keys):
        return first, more
    first.clear()
    for key, item in zip(keys, items, strict=True):
        if first.setdefault(key, item) is not item:
            more.setdefault(key, []).append(item)
    return first, more


def _all_at(key: Any, index: Index) -> list[Any]:
    first, more = index
    return [first[key], *more.get(key, ())] if key in first else []
