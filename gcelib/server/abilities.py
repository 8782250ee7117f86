"""A change that a cloud cannot carry out is refused before anything of it is begun."""

from __future__ import annotations

from dataclasses import replace

from gcelib.drivers.base import Cloud, able
from gcelib.errors import Unsupported
from gcelib.server.context import Context
from gcelib.server.operations.plan import Work


def needed(ctx: Context, cloud: Cloud, facet: str, verb: str) -> None:
    """Raises Unsupported naming method, cloud and what is missing when the cloud cannot do this."""
    if not able(cloud, facet, verb):
        why = cloud.why_not(facet, verb)
        raise Unsupported(f"{ctx.method.id} is not offered on cloud '{cloud.name}' ({cloud.provider}): {why}.")


def possible(ctx: Context, work: Work) -> Work:
    """The work without the optional steps its clouds cannot do, which become warnings.

    Raises Unsupported naming method, cloud and what is missing when a step that is needed cannot be done.
    """
    steps, warnings = [], list(work.warnings)
    for step in work.steps:
        cloud = ctx.view.cloud(step.cloud) if step.cloud else None
        if cloud is None or able(cloud, step.facet, step.verb):
            steps.append(step)
            continue
        if not step.optional:
            needed(ctx, cloud, step.facet, step.verb)
        why = cloud.why_not(step.facet, step.verb)
        warnings.append(("FIELD_VALUE_OVERRIDEN", f"Cloud '{cloud.name}' did not {step.name}: {why}."))
    return replace(work, steps=steps, warnings=warnings)
