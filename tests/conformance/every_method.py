"""Every method of GCE v1 called once on a cloud: served, or refused by name; never a 5xx, never HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gcelib.server.resources import offered, table
from tests.conformance.site import Site


def complaints(site: Site) -> Iterator[str]:
    """What is wrong with an answer, in words; nothing where all is well."""
    values = {"project": "demo", "zone": site.zone, "region": site.region}
    api, served = site.api, offered()
    for method in sorted(table().methods.values(), key=lambda method: method.id):
        path = re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], "nothing-here"), method.path)
        answer = api.call(method.verb, f"/compute/v1/{path}", {} if method.request else None)
        yield from wrong(method.id, answer.status, answer.data, method.id in served, site.cloud)


def wrong(id: str, status: int, data: Any, served: bool, cloud: str) -> Iterator[str]:
    """What is wrong with one answer."""
    error: Mapping[str, Any] = data.get("error", {}) if isinstance(data, Mapping) and status >= 400 else {}
    reason, message = (error["errors"][0]["reason"], error["message"]) if error else ("", "")
    if status >= 500 or (served and status not in (200, 400, 404)) or (not served and status != 400):
        yield f"{id}: {status} {data}"
    elif not served and reason != "unsupportedOperation":
        yield f"{id}: {reason} {message}"
    elif reason == "unsupportedOperation" and not (id in message and f"'{cloud}'" in message):
        yield f"{id}: refused without its name or its cloud's: {message}"
