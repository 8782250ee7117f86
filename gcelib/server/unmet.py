"""Fields of a request that nobody here can carry out: refused by name, or said to have no effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gcelib.drivers.base import Cloud
from gcelib.errors import Unsupported
from gcelib.server.context import Context

Wishes = Mapping[str, Callable[[Any], bool]]
"""Field -> whether a value of it is a wish that matters: leaving it out would give something else."""


def refuse(ctx: Context, cloud: Cloud, body: Mapping[str, Any], wishes: Wishes, things: str, path: str) -> None:
    """Raise Unsupported naming the first of these fields that was sent with a value that matters.

    `things` is what the cloud's own have no such trait ("disks"), `path` where the body is ("resource").
    """
    for field, matters in wishes.items():
        value = body.get(field)
        if value is not None and matters(value):
            raise Unsupported(
                f"{ctx.method.id} with field '{path}.{field}' is not offered on cloud '{cloud.name}': its {things} "
                "have no such thing. Leave the field out.", field=f"{path}.{field}",
            )


def ignored(cloud: Cloud, body: Mapping[str, Any], fields: Iterable[str], things: str) -> list[tuple[str, str]]:
    """Warnings for fields that were sent and have no effect: the thing is the same without them."""
    return [
        ("FIELD_VALUE_OVERRIDEN", f"Field '{field}' has no effect: cloud '{cloud.name}' has no such {things}.")
        for field in fields
        if body.get(field)
    ]
