"""The names of a project's zones: each is given once and kept, whichever clouds happen to answer later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gcelib import naming
from gcelib.config import Config
from gcelib.models import Zone

KIND = "zones"
"""What the store calls them: one note a project."""

Key = tuple[str, str]
"""(cloud, the cloud's id of the zone)"""


@dataclass(frozen=True, slots=True)
class Place:
    """A zone as it was last seen, and its GCE name. `said` is what the configuration said of its name then.

    `gone`: its cloud no longer has it. Its name stays its own, for it may come back.
    """

    zone: Zone
    label: str
    said: str = ""
    gone: bool = False


Places = Mapping[Key, Place]


@dataclass(slots=True)
class _Labels:
    """The names that are taken, and whose they are; `wished` are those that the configuration gives."""

    taken: dict[str, Key] = field(default_factory=dict)
    wished: dict[str, str] = field(default_factory=dict)

    def take(self, key: Key, wish: str) -> str:
        """The wish, else a name with the cloud's own in front, else one with a hash of the id behind."""
        cloud, id = key
        plain = naming.slug(f"{cloud}-{wish}")
        for label in (wish, plain, naming.with_suffix(plain, naming.number(cloud, "zone", id)[:8])):
            if self.taken.get(label, key) == key and self.wished.get(label, cloud) == cloud:
                self.taken[label] = key
                return label
        raise AssertionError(f"two zones have the number of {key}")


def assigned(config: Config, clouds: Sequence[str], answers: Mapping[str, Sequence[Zone]], known: Places) -> Places:
    """The places of a project whose clouds, in this order, answered so; a silent cloud's are as they are `known`.

    A name that the configuration gives comes first, then one that was given before while the configuration says the
    same of it, then the cloud's own. Of two that would be called the same the later one has its cloud's name in
    front.
    """
    found = {key: place for key, place in known.items() if key[0] in clouds}
    seen: dict[Key, Zone] = {(cloud, zone.id): zone for cloud in clouds for zone in answers.get(cloud, ())}
    for key, place in known.items():
        if key[0] in clouds and key not in seen:
            seen[key] = place.zone
    said = {key: _said(config, key[0], zone) for key, zone in seen.items()}
    labels = _Labels(wished={naming.zone_label("", given=given): cloud for cloud in reversed(clouds)
                             for given in config.clouds[cloud].zones.values()})
    named: dict[Key, str] = {}
    for key in sorted(seen, key=lambda key: _turn(said[key], known.get(key))):
        before = known.get(key)
        kept = before is not None and before.said == said[key]
        named[key] = labels.take(key, before.label if before and kept else _label(config, key[0], seen[key]))
    for key, zone in seen.items():
        gone = key[0] in answers and all(each.id != key[1] for each in answers[key[0]])
        found[key] = Place(zone, named[key], said[key], gone)
    return found


def in_order(
    places: Places, clouds: Sequence[str], answers: Mapping[str, Sequence[Zone]]
) -> Iterator[tuple[str, Place]]:
    """(cloud, place) of every zone that is there: in the order its cloud gave them, a silent cloud's as remembered."""
    for cloud in clouds:
        if cloud in answers:
            yield from ((cloud, places[cloud, zone.id]) for zone in answers[cloud])
        else:
            yield from ((cloud, place) for (of, _), place in places.items() if of == cloud and not place.gone)


def to_data(places: Places) -> dict[str, Any]:
    """Places as JSON values, for storing."""
    rows = [{"cloud": cloud, **msgspec.to_builtins(place)} for (cloud, _), place in places.items()]
    return {"zones": rows}


def from_data(data: Mapping[str, Any]) -> Places:
    """The places that `to_data` described, by this gcelib or another."""
    return {
        (row["cloud"], row["zone"]["id"]): Place(
            msgspec.convert(row["zone"], Zone), row["label"], row.get("said", ""), bool(row.get("gone")),
        )
        for row in data.get("zones", ())
    }


def _given(config: Config, cloud: str, zone: Zone) -> str:
    settings = config.clouds[cloud]
    return settings.zones.get(zone.name) or settings.zones.get(zone.id) or ""


def _said(config: Config, cloud: str, zone: Zone) -> str:
    """What the configuration says of a zone's name: when that changes, the name does."""
    given = _given(config, cloud, zone)
    return f"zone {given}" if given else f"region {config.clouds[cloud].region}"


def _label(config: Config, cloud: str, zone: Zone) -> str:
    region = config.clouds[cloud].region or zone.region
    return naming.zone_label(zone.name, given=_given(config, cloud, zone), region=region)


def _turn(said: str, place: Place | None) -> int:
    """Who chooses first: what the configuration names, what has its name already, then the others."""
    if said.startswith("zone "):
        return 0
    return 1 if place is not None and place.said == said else 2
