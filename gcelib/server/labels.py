"""GCE names for what clouds hold: things that are in a zone, and things that are not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.models import Image, Network, Node, Size, Volume
from gcelib.naming import Named
from gcelib.server.directory import Directory, Found

BOOT_DISK_TAG = "gcelib-disk"


Given = Callable[[Cloud, Any], str | None]
"""The name a thing has whatever its own is; None for its own."""
Names = Mapping[str, Mapping[str, str]]
"""The same by cloud and backend id; what is not in it has its own."""


class Part(Protocol):
    """What one cloud answered."""

    @property
    def cloud(self) -> Cloud: ...

    @property
    def rows(self) -> Sequence[Any]: ...


def per_zone(
    zones: Mapping[tuple[str, str], str],
    parts: Sequence[Part],
    given: Given | None = None,
    named: Sequence[Names] = (),
) -> list[Found[Any]]:
    """Things of every cloud named within their zones; those in a zone that is not shown are left out.

    `zones` maps (cloud, zone id) to the zone's GCE name; `given` is the name a thing has whatever its own is. `named`
    says the same: what a later one of them says holds before what the others do.
    """
    found: list[Found[Any]] = []
    for part in parts:
        rows: dict[str, list[Any]] = {}
        for model in part.rows:
            rows.setdefault(model.zone_id, []).append(model)
        for zone_id, models in rows.items():
            zone = zones.get((part.cloud.name, zone_id))
            if zone is None:
                continue
            wishes: dict[str, str] = {}
            models.reverse()
            if given is not None:
                wishes = {name: model.id for model in models if (name := given(part.cloud, model))}
            for each in named:
                if said := each.get(part.cloud.name):
                    wishes |= {name: model.id for model in models if (name := said.get(model.id))}
            models.reverse()
            reserved = {id: name for name, id in wishes.items()}
            others = [Named(model.id, model.name) for model in models if model.id not in reserved]
            names, cloud = naming.labels(others, reserved), part.cloud
            found += [Found(cloud, model, names[model.id], zone) for model in models]
    return found


def size_hints(size: Size) -> tuple[str, ...]:
    """What may tell sizes of one name apart."""
    return (f"{size.cpus}cpu", f"{size.ram_mb}mb")


def per_cloud(
    parts: Sequence[Part], hints: Callable[[Any], tuple[str, ...]] = lambda model: ()
) -> list[Found[Any]]:
    """Things of every cloud that are in no zone, named within their cloud."""
    found: list[Found[Any]] = []
    for part in parts:
        names = naming.labels(Named(model.id, model.name, hints(model)) for model in part.rows)
        found.extend(Found(part.cloud, model, names[model.id]) for model in part.rows)
    return found


def image_hints(image: Image) -> tuple[str, ...]:
    """What tells images of one name apart: their size, as the cloud or its text says it."""
    said = re.search(r"(\d+)\s*GB", image.description, re.IGNORECASE)
    return (f"{image.size_gb}gb" if image.size_gb else "", f"{said[1]}gb" if said else "")


def default_name(cloud: Cloud, network: Network) -> str | None:
    """The name of the network that a zone's machines join when they name none."""
    return "default" if network.default else None


def attached(parts: Sequence[Part]) -> dict[tuple[str, str], list[Volume]]:
    """(cloud, machine's backend id) -> its disks, as the cloud has them."""
    found: dict[tuple[str, str], list[Volume]] = {}
    for part in parts:
        cloud = part.cloud.name
        for volume in part.rows:
            if volume.node_id:
                found.setdefault((cloud, volume.node_id), []).append(volume)
    return found


def disks(nodes: Directory[Node], parts: Sequence[Part]) -> tuple[list[list[Volume]], Sequence[Names]]:
    """(each part's disks that are shown, what boot disks are called: by what was asked for, by their machines' names).

    The boot disk of a machine that is no longer shown is left out: it goes when that one is purged.
    """
    shown: list[list[Volume]] = []
    asked: dict[str, dict[str, str]] = {}
    own: dict[str, dict[str, str]] = {}
    for part in parts:
        cloud, rows = part.cloud.name, list[Volume]()
        given, theirs = asked.setdefault(cloud, {}), own.setdefault(cloud, {})
        for volume in part.rows:
            if volume.boot:
                node = nodes.by_id(cloud, volume.node_id)
                if node is None:
                    continue
                name = node.model.tags.get(BOOT_DISK_TAG)
                (given if name else theirs)[volume.id] = name or node.name
            rows.append(volume)
        shown.append(rows)
    return shown, (asked, own)
