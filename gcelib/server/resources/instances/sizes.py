"""Which size a machine type link in a body means."""

from __future__ import annotations

from gcelib.errors import Invalid
from gcelib.models import Size, Zone
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.sizes import machine_type


def size_for(ctx: Context, zone: Found[Zone], link: str) -> Found[Size]:
    """The size in the machine's own zone. Raises Invalid for one of another zone, NotFound for none."""
    ref = ctx.ref(link, "machineTypes", "resource.machineType")
    named = ref.scope.partition("/")[2]
    if named and ctx.view.zone(named, ctx.project).name != zone.name:
        raise Invalid(
            f"Invalid value for field 'resource.machineType': '{link}'. It is of zone '{named}', the instance of "
            f"'{zone.name}'.",
            field="resource.machineType",
        )
    return machine_type(ctx, zone, ref.name)
