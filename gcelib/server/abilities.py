"""A change that a cloud cannot carry out is refused before anything of it is begun."""

from __future__ import annotations

from dataclasses import replace

from gcelib.drivers.base import able
from gcelib.errors import Unsupported
from gcelib.server.context import Context
from gcelib.server.operations.plan import Work


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
        why = cloud.why_not(step.facet, step.verb)
        if not step.optional:
            raise Unsupported(f"{ctx.method.id} is not offered on cloud '{cloud.name}' ({cloud.provider}): {why}.")
        warnings.append(("FIELD_VALUE_OVERRIDEN", f"Cloud '{cloud.name}' did not {step.name}: {why}."))
    return replace(work, steps=steps, warnings=warnings)
