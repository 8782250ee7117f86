"""Which images a project shows, what family each is of, and which image a link in a request means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gcelib import naming
from gcelib.drivers.base import Cloud
from gcelib.errors import Invalid, NotFound
from gcelib.models import Image, ImageState, Zone
from gcelib.server import remarks
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found

Parts = Sequence[Found[Image]]


def merged(ctx: Context) -> dict[str, list[Found[Image]]]:
    """Image name -> the image in each cloud that has it; an image project shows what its families name."""
    shown: dict[str, list[Found[Image]]] = {}
    for found in ctx.view.images:
        if ctx.families is None or family_of(ctx, found):
            shown.setdefault(found.name, []).append(found)
    return shown


def family_of(ctx: Context, found: Found[Image]) -> str:
    """The family of an image: what the image project says, its tag, else the slug of the name it shares.

    An image that the project made for itself is of the family it was given, or of none.
    """
    if ctx.families is not None:
        image = found.model
        names = {image.id, image.name, image.name.casefold(), found.name}
        return next((family for family, of in ctx.families.items() if {of, of.casefold()} & names), "")
    said = str(remarks.said_of("family", found.model.tags, _note_of(ctx, found)))
    if said or (found.model.own and not found.model.public):
        return said
    return naming.slug(found.model.name)


def deprecation(ctx: Context, found: Found[Image]) -> dict[str, str]:
    """What was said about an image's end: `state`, dates, and in `replacement` a path; {} for one in use."""
    said = str(remarks.said_of("deprecated", found.model.tags, _note_of(ctx, found)))
    shown: dict[str, str] = msgspec.json.decode(said) if said else {}
    return shown


def _note_of(ctx: Context, found: Found[Image]) -> Mapping[str, Any]:
    return ctx.view.note("image").get((found.cloud.name, found.model.id), {})


def in_family(ctx: Context, family: str) -> Parts:
    """The newest ready image of a family. Raises NotFound in GCE's words."""
    candidates = [
        parts
        for parts in merged(ctx).values()
        if family_of(ctx, parts[0]) == family and _current(ctx, parts[0])
    ]
    if not candidates:
        raise NotFound(f"The resource 'projects/{ctx.project}/global/images/family/{family}' was not found")
    return max(candidates, key=lambda parts: _age(parts[0]))


def bootable(ctx: Context, zone: Found[Zone], link: str, field: str) -> Found[Image]:
    """The image a link in a body means, for a machine in `zone`.

    Takes names and families, of the project or of an image project. Raises NotFound, and Invalid for an
    ambiguous name, one that is not ready, or one that is not in the zone.
    """
    ref = ctx.ref(link, "images", field)
    where, families = _images_of(ctx, ref.project)
    family = ref.name.removeprefix("family/")
    if family != ref.name:
        found = _newest(ctx, where, families, family, zone.cloud)
    else:
        here = [image for image in where if image.cloud.name == zone.cloud.name]
        found = Directory(here).match(ref.name) or Directory(where, merged=True).match(ref.name)
    if found is None:
        raise NotFound(f"The resource 'projects/{ref.project}/global/images/{ref.name}' was not found")
    twin = next((image for image in where if image.name == found.name and image.cloud.name == zone.cloud.name), None)
    if twin is None or (twin.model.zone_ids is not None and zone.model.id not in twin.model.zone_ids):
        raise Invalid(
            f"Image '{found.name}' is not in zone '{zone.name}'; it is in {_places(ctx, where, found)}.", field=field
        )
    if twin.model.state is not ImageState.READY:
        state = twin.model.status_text or twin.model.state.value
        raise Invalid(f"Image '{found.name}' is not ready on cloud '{zone.cloud.name}': {state}.", field=field)
    _check_end(ctx, twin, f"projects/{ref.project}/global/images/{found.name}", field)
    return twin


def _check_end(ctx: Context, image: Found[Image], path: str, field: str) -> None:
    """Warn of a deprecated image. Raises Invalid for one that is obsolete or deleted, as GCE does."""
    end = deprecation(ctx, image)
    if not end:
        return
    instead = f" A suggested replacement is '{end['replacement']}'." if end.get("replacement") else ""
    words = f"The resource '{path}' is {end['state'].lower()}.{instead}"
    if end["state"] != "DEPRECATED":
        raise Invalid(words, field=field)
    ctx.warnings.append(("DEPRECATED_RESOURCE_USED", words))


def _current(ctx: Context, image: Found[Image]) -> bool:
    """Whether a family may be taken to mean this image."""
    return image.model.state is ImageState.READY and not deprecation(ctx, image)


def _images_of(ctx: Context, project: str) -> tuple[Parts, dict[str, str] | None]:
    """The images of the named project as far as this project's clouds have them."""
    offered = ctx.services.config.image_projects.get(project)
    if offered is None:
        own = {ctx.project, ctx.tenancy, *ctx.aliases}
        return (list(ctx.view.images) if project in own or not project else []), None
    names = {name.casefold() for name in offered.families.values()}
    shown = [
        image
        for image in ctx.view.images
        if image.cloud.name == offered.cloud
        and {image.model.id, image.model.name.casefold(), image.name} & (names | set(offered.families.values()))
    ]
    return shown, dict(offered.families)


def _newest(
    ctx: Context, where: Parts, families: dict[str, str] | None, family: str, cloud: Cloud
) -> Found[Image] | None:
    if families is not None:
        of = families.get(family, "")
        members = [i for i in where if of.casefold() in (i.model.id, i.model.name.casefold(), i.name)]
    else:
        members = [image for image in where if family_of(ctx, image) == family]
    ready = [image for image in members if _current(ctx, image) and image.cloud.name == cloud.name]
    return max(ready, key=_age, default=None)


def _places(ctx: Context, where: Parts, found: Found[Image]) -> str:
    """The zones that have an image of this name, as words; with several clouds, of which cloud they are."""
    twins = [image for image in where if image.name == found.name]
    zones: dict[str, list[str]] = {}
    for zone in ctx.view.zones:
        for twin in twins:
            if zone.cloud is twin.cloud and (twin.model.zone_ids is None or zone.model.id in twin.model.zone_ids):
                zones.setdefault(zone.cloud.name, []).append(zone.name)
    several = len(ctx.view.clouds) > 1
    told = [", ".join(names) + (f" of cloud '{cloud}'" if several else "") for cloud, names in zones.items()]
    return "; ".join(told) or "no zone of this project"


def _age(found: Found[Image]) -> tuple[str, int, str]:
    """What the newest image is told by; of those made at one time the smallest counts as newest."""
    return str(found.model.created or ""), -found.model.size_gb, found.name
