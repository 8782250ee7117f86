"""Instance templates: properties of machines, kept as notes of the project, and what a new machine takes of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gcelib.server import metadata
from gcelib.server.collection import missing
from gcelib.server.context import Context

KIND = "instanceTemplate"
COLLECTION = "instanceTemplates"


@dataclass(frozen=True, slots=True)
class Template:
    """One as it is kept: `note` has `properties` as they were sent, `description` and `created`."""

    name: str
    note: Mapping[str, Any]


def templates(ctx: Context) -> dict[str, Template]:
    """Every template of the project by its name."""
    kept = ctx.view.notes_at(metadata.place(ctx), KIND)
    return {name: Template(name, note) for name, note in sorted(kept.items())}


def filled(ctx: Context, link: str, sent: Mapping[str, Any], field: str) -> dict[str, Any]:
    """What was sent for a machine, with what it leaves out taken from the template a link names.

    A list that was sent stands in place of the template's. Of what has named parts (labels, metadata, scheduling)
    those sent stand in place of the template's of the same names. Raises NotFound, and Invalid for a link to
    something else.
    """
    ref = ctx.ref(link, COLLECTION, field)
    found = templates(ctx).get(ref.name)
    if found is None or ref.scope not in ("", "global"):
        raise missing(ctx, ref.scope or "global", COLLECTION, ref.name)
    properties = found.note["properties"]
    merged = {name: _over(properties.get(name), value) for name, value in sent.items()}
    return {**properties, **merged}


def _over(below: Any, value: Any) -> Any:
    """A value of the request over the template's; an empty list or map says nothing."""
    if value in ([], {}) and below:
        return below
    if not (isinstance(value, Mapping) and isinstance(below, Mapping)):
        return value
    both = {**below, **value}
    if "items" in both and all(isinstance(item, Mapping) for item in both["items"]):
        items = {item.get("key"): item for item in [*below.get("items", ()), *value.get("items", ())]}
        both["items"] = list(items.values())
    return both
