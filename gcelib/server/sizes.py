"""Which sizes a zone has, and which one a machine type's name means there."""

from __future__ import annotations

import re

from msgspec.structs import replace

from gcelib.errors import Invalid, NotFound
from gcelib.models import Size, Zone
from gcelib.server.collection import missing
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found

CUSTOM = re.compile(r"(?:(?P<series>[a-z][-a-z0-9]*)-)?custom-(?P<cpus>[0-9]{1,4})-(?P<ram>[0-9]{1,8})\Z")


def in_zone(size: Found[Size], zone: Found[Zone]) -> bool:
    """Whether machines of this size can be made in the zone."""
    return size.cloud.name == zone.cloud.name and (size.model.zone_ids is None or zone.model.id in size.model.zone_ids)


def machine_type(ctx: Context, zone: Found[Zone], ref: str) -> Found[Size]:
    """The size `ref` means in the zone: by name, backend name or id, or `custom-CPUS-MB`.

    Raises NotFound, and Invalid when a custom one is outside every open size's bounds.
    """
    here = [size for size in ctx.view.sizes if in_zone(size, zone)]
    found = Directory(here).match(ref)
    if found is not None and found.model.custom is None:
        return found
    wish = CUSTOM.match(ref)
    open_sizes = [size for size in here if size.model.custom]
    if found is not None and wish is None:
        raise NotFound(
            f"{missing(ctx, 'zones', zone.name, 'machineTypes', ref).message}: size '{found.model.name}' of cloud"
            f" '{zone.cloud.name}' leaves CPUs and memory open. Name both, as in 'custom-2-4096'."
        )
    if wish is None or not open_sizes:
        raise missing(ctx, "zones", zone.name, "machineTypes", ref)
    cpus, ram = int(wish["cpus"]), int(wish["ram"])
    for size in open_sizes:
        bounds = size.model.custom
        assert bounds is not None
        if bounds.min_cpus <= cpus <= bounds.max_cpus and bounds.min_ram_mb <= ram <= bounds.max_ram_mb:
            return replace(size, name=ref, model=replace(size.model, cpus=cpus, ram_mb=ram, custom=bounds))
    said = "; ".join(
        f"{size.model.name}: {b.min_cpus} to {b.max_cpus} CPUs, {b.min_ram_mb} to {b.max_ram_mb} MB"
        for size in open_sizes
        if (b := size.model.custom)
    )
    raise Invalid(
        f"Machine type '{ref}' is outside what cloud '{zone.cloud.name}' leaves open ({said}).",
        field="resource.machineType",
    )
