"""Many machines by one request: all are made, or none."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gcelib import naming
from gcelib.errors import Invalid, Missing
from gcelib.server import alone, templates
from gcelib.server.context import Context
from gcelib.server.operations.parts import SEPARATOR
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import create

MOST = 100
SHARED = "group "
"""Steps of this name make what several machines need; they are made once."""


def insert(ctx: Context) -> Work:
    """One work for all the machines. Raises what an insert of one raises, Invalid or Missing for names and number."""
    # Many names are looked up in one list.
    ctx.view.ahead((alone.NODES, alone.VOLUMES), least=1)
    zone = ctx.view.zone(ctx.params["zone"], ctx.project)
    properties: Mapping[str, Any] = ctx.body.get("instanceProperties") or {}
    template = ctx.body.get("sourceInstanceTemplate", "")
    if template:
        properties = templates.filled(ctx, template, properties, "resource.sourceInstanceTemplate")
    steps: list[Step] = []
    warnings: list[tuple[str, str]] = []
    main = ""
    for name in _names(ctx, zone.name):
        work = create.insert(replace(ctx, body={**properties, "name": name}))
        steps += _once(steps, [_marked(step, name + SEPARATOR) for step in work.steps])
        main = main or name + SEPARATOR + work.main
        warnings += [pair for pair in work.warnings if pair not in warnings]
    return Work("bulkInsert", f"{ctx.project}/zones/{zone.name}", steps, main=main, warnings=warnings,
                target_id=naming.number(zone.cloud.name, "zone", zone.model.id), group=str(uuid.uuid4()))


def _names(ctx: Context, zone: str) -> list[str]:
    """The names of the machines wanted."""
    body = ctx.body
    given = [value.get("name") or key for key, value in (body.get("perInstanceProperties") or {}).items()]
    pattern = body.get("namePattern", "")
    count = int(body.get("count") or len(given))
    least = int(body.get("minCount") or count)
    if not given and not pattern:
        raise Missing("Required field 'resource.namePattern' not specified: give it or 'perInstanceProperties'.",
                      field="resource.namePattern")
    if not 1 <= count <= MOST:
        raise Invalid(f"Invalid value for field 'resource.count': '{count}'. Must be between 1 and {MOST}.",
                      field="resource.count")
    if least != count:
        raise Invalid(f"Invalid value for field 'resource.minCount': '{least}'. All {count} machines are made or none: "
                      "leave it out.", field="resource.minCount")
    if given and (pattern or len(given) != count or len(set(given)) != count):
        raise Invalid("Invalid value for field 'resource.perInstanceProperties': it names each machine once, "
                      "in place of 'namePattern'.", field="resource.perInstanceProperties")
    return given or _numbered(ctx, zone, pattern, count)


def _numbered(ctx: Context, zone: str, pattern: str, count: int) -> list[str]:
    """Names with running numbers in place of the pattern's `#`, after the highest that is there."""
    found = re.fullmatch(r"([^#]*)(#{1,18})([^#]*)", pattern)
    if found is None:
        raise Invalid(f"Invalid value for field 'resource.namePattern': '{pattern}'. It holds one run of up to 18 '#'.",
                      field="resource.namePattern")
    before, width, after = found[1], len(found[2]), found[3]
    there = re.compile(f"{re.escape(before)}([0-9]{{{width}}}){re.escape(after)}\\Z")
    used = [int(match[1]) for item in ctx.view.nodes if item.zone == zone and (match := there.match(item.name))]
    first = max(used, default=0) + 1
    names = [f"{before}{number:0{width}d}{after}" for number in range(first, first + count)]
    if first + count > 10**width or not all(naming.is_label(name) for name in names):
        raise Invalid(f"Invalid value for field 'resource.namePattern': '{pattern}'. It gives no {count} free names "
                      f"that match regex '{naming.LABEL_PATTERN}'.", field="resource.namePattern")
    return names


def _once(there: Sequence[Step], more: Sequence[Step]) -> list[Step]:
    known = {step.name for step in there}
    return [step for step in more if step.name not in known]


def _marked(step: Step, mark: str) -> Step:
    """A step under a name of its machine's own, with its references; one that is shared stays as it is."""
    name = step.name if step.name.startswith(SHARED) else mark + step.name
    undo = _marked(step.undo, mark) if step.undo is not None else None
    args: dict[str, Any] = _remarked(step.args, mark)
    return replace(step, name=name, args=args, undo=undo)


def _remarked(value: Any, mark: str) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"$ref"} and not str(value["$ref"]).startswith(SHARED):
            return {"$ref": mark + str(value["$ref"])}
        return {key: _remarked(each, mark) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_remarked(each, mark) for each in value]
    return value
