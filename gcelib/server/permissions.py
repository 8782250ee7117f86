"""testIamPermissions: which IAM permissions a caller has, out of the table of roles."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from gcelib.auth import policy
from gcelib.server import discovery
from gcelib.server.context import Context


def held(ctx: Context) -> dict[str, Any]:
    """GCE's TestPermissionsResponse: those asked about that are of this collection and that the caller has."""
    collection = ctx.method.collection
    methods = _methods()[collection]
    kept = [
        permission
        for permission in dict.fromkeys(ctx.body.get("permissions", ()))
        if permission.rpartition(".")[0] == f"compute.{collection}"
        and policy.permitted(ctx.caller, permission, methods, ctx.tenancy)
    ]
    return {"permissions": kept} if kept else {}


@functools.cache
def _methods() -> Mapping[str, frozenset[str]]:
    """Collection -> the names of all its methods in GCE, served here or not."""
    resources = discovery.load()["resources"]
    return {name: frozenset(each.get("methods", ())) for name, each in resources.items()}
