"""PUT on an instance: what differs from the machine as it is, done where it can be, refused by field where not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gcelib.errors import Unsupported
from gcelib.models import Node
from gcelib.server import fingerprint, remarks
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import labelling, remove, render, reshape, tagging
from gcelib.server.resources.instances.power import of

Planned = tuple[list[Step], list[tuple[str, str]]]
Planner = Callable[[Context, Found[Node], Any], Planned]

TOLD = frozenset({
    "kind", "id", "selfLink", "creationTimestamp", "status", "statusMessage", "fingerprint", "zone", "labelFingerprint",
    "lastStartTimestamp", "lastStopTimestamp", "lastSuspendedTimestamp", "cpuPlatform", "startRestricted",
    "resourceStatus", "satisfiesPzs", "satisfiesPzi", "params",
})
"""Fields that say how a machine is: a client sends them back as it got them."""


def update(ctx: Context, item: Found[Node]) -> Work:
    """Change the fields sent that differ; those not sent stay.

    Raises Stale for an old fingerprint, Unsupported naming a field that no update changes, and what the
    methods that change one thing raise.
    """
    shown = render.instance(ctx, item)
    fingerprint.check(ctx.body.get("fingerprint"), shown["fingerprint"], "resource.fingerprint")
    steps: list[Step] = []
    warnings: list[tuple[str, str]] = []
    for field, value in ctx.body.items():
        planner = PLANNERS.get(field)
        # What has parts of its own is compared by its planner: there a part left out is a part taken away.
        if field in TOLD or ((planner is None or not isinstance(value, dict)) and same(value, shown.get(field))):
            continue
        if planner is None:
            raise Unsupported(
                f"{ctx.method.id} is not offered on cloud '{item.cloud.name}' for field 'resource.{field}': an update "
                f"changes {', '.join(sorted(PLANNERS))}. Leave the field as it is.", field=f"resource.{field}",
            )
        made, said = planner(ctx, item, value)
        steps += made
        warnings += said
    return of(ctx, item, "update", steps, warnings)


def same(sent: Any, shown: Any) -> bool:
    """Whether a value sent says no more than what is shown: links in any form, fields left out, empty for none."""
    if isinstance(sent, Mapping):
        parts = shown if isinstance(shown, Mapping) else {}
        return all(key in TOLD or same(value, parts.get(key)) for key, value in sent.items())
    if isinstance(sent, list):
        rows = shown if isinstance(shown, list) else []
        return len(sent) == len(rows) and all(same(a, b) for a, b in zip(sent, rows, strict=True))
    if isinstance(sent, str) and isinstance(shown, str):
        return _tail(sent) == _tail(shown)
    return sent == shown or not (sent or shown)


def _tail(text: str) -> str:
    """A link without host and project, so that its forms are alike; any other text as it is."""
    _, found, path = text.rpartition("/projects/") if "://" in text else ("", "", text)
    if not found and text.startswith("projects/"):
        found, path = "projects/", text.removeprefix("projects/")
    return path.partition("/")[2] if found else path


def _labels(ctx: Context, item: Found[Node], value: Any) -> Planned:
    about = labelling.subject(ctx, item)
    current = fingerprint.fingerprint(remarks.labels_of(about.tags, about.note))
    fingerprint.check(ctx.body.get("labelFingerprint"), current, "resource.labelFingerprint")
    return remarks.labelled(about, remarks.check_labels(value)), []


def _metadata(ctx: Context, item: Found[Node], value: Any) -> Planned:
    return labelling.metadata_steps(ctx, item, value, "resource.metadata")


def _scheduling(ctx: Context, item: Found[Node], value: Any) -> Planned:
    return labelling.scheduling_steps(ctx, item, value, "resource.scheduling")


PLANNERS: Mapping[str, Planner] = {
    "description": lambda ctx, item, value: (labelling.described(ctx, item, value), []),
    "deletionProtection": lambda ctx, item, value: ([remove.protection(item, bool(value))], []),
    "labels": _labels,
    "machineType": lambda ctx, item, value: (reshape.size_steps(ctx, item, value), []),
    "metadata": _metadata,
    "scheduling": _scheduling,
    "tags": lambda ctx, item, value: (tagging.tags_steps(ctx, item, value, "resource.tags"), []),
}
"""Field -> what plans its change."""
