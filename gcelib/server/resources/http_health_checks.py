"""HTTP health checks: kept for the pools that name them. No cloud here sends their requests; `getHealth` says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, InUse, Invalid
from gcelib.server import metadata, pools
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.numbered import numbered
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import from_seconds

NOTE = pools.CHECK
DEFAULTS: Mapping[str, Any] = {
    "port": 80, "requestPath": "/", "checkIntervalSec": 5, "timeoutSec": 5, "healthyThreshold": 2,
    "unhealthyThreshold": 2,
}
BOUNDS = {
    "port": (1, 65535), "checkIntervalSec": (1, 300), "timeoutSec": (1, 300), "healthyThreshold": (1, 10),
    "unhealthyThreshold": (1, 10),
}
TEXTS = ("description", "host")


class HttpHealthChecks(Collection):
    """What was sent reads back, with GCE's defaults for the rest."""

    name, kind = "httpHealthChecks", "httpHealthCheck"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", pair) for pair in sorted(ctx.view.notes_at(metadata.place(ctx), NOTE).items()))

    def find(self, ctx: Context, scope: str, ref: str) -> tuple[str, Mapping[str, Any]]:
        there = ctx.view.notes_at(metadata.place(ctx), NOTE)
        name = ref if ref in there else numbered(ref, there, lambda each: _number(ctx, each))
        if name is None:
            raise missing(ctx, "global", self.name, ref)
        return name, there[name]

    def render(self, ctx: Context, scope: str, item: tuple[str, Mapping[str, Any]]) -> Rendered:
        name, note = item
        return {
            "id": _number(ctx, name), "creationTimestamp": from_seconds(note["created"]), "name": name,
            "description": "", **note["check"],
        }

    def insert(self, ctx: Context) -> Work:
        """Keep it."""
        name = pools.new_name(ctx)
        if name in ctx.view.notes_at(metadata.place(ctx), NOTE):
            raise Exists(f"The resource 'projects/{ctx.project}/global/httpHealthChecks/{name}' already exists")
        return _kept(ctx, "insert", name, _checked({**DEFAULTS, **_fields(ctx.body)}), ctx.services.now())

    def patch(self, ctx: Context) -> Work:
        """Change the fields sent, leave the others."""
        name, note = self.find(ctx, "global", ctx.params["httpHealthCheck"])
        return _kept(ctx, "patch", name, _checked({**note["check"], **_fields(ctx.body)}), note["created"])

    def update(self, ctx: Context) -> Work:
        """Replace it; what is not sent takes its default."""
        name, note = self.find(ctx, "global", ctx.params["httpHealthCheck"])
        return _kept(ctx, "update", name, _checked({**DEFAULTS, **_fields(ctx.body)}), note["created"])

    def delete(self, ctx: Context) -> Work:
        """Forget it. Raises InUse while a pool names it."""
        name, _ = self.find(ctx, "global", ctx.params["httpHealthCheck"])
        for pool in pools.pools(ctx).values():
            if name in pool.checks:
                raise InUse(
                    f"The http_health_check resource 'projects/{ctx.project}/global/httpHealthChecks/{name}' is "
                    "already "
                    f"being used by 'projects/{ctx.project}/{pool.path}'"
                )
        steps = [Step("note", "", "notes", "delete", {"place": metadata.place(ctx), "kind": NOTE, "id": name})]
        return _of(ctx, "delete", name, steps)


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in (*DEFAULTS, *TEXTS) if key in body}


def _checked(check: dict[str, Any]) -> dict[str, Any]:
    """Raises Invalid naming the field that GCE would not take."""
    for field, (low, high) in BOUNDS.items():
        if not low <= check[field] <= high:
            raise Invalid(f"Invalid value for field 'resource.{field}': '{check[field]}'. Must be between {low} and "
                          f"{high}.", field=f"resource.{field}")
    if check["timeoutSec"] > check["checkIntervalSec"]:
        raise Invalid(f"Invalid value for field 'resource.timeoutSec': '{check['timeoutSec']}'. Must not be greater "
                      "than "
                      f"checkIntervalSec, {check['checkIntervalSec']}.", field="resource.timeoutSec")
    if not str(check["requestPath"]).startswith("/"):
        raise Invalid(f"Invalid value for field 'resource.requestPath': '{check['requestPath']}'. Must start with '/'.",
                      field="resource.requestPath")
    return check


def _kept(ctx: Context, verb: str, name: str, check: Mapping[str, Any], created: float) -> Work:
    where = {"place": metadata.place(ctx), "kind": NOTE, "id": name}
    return _of(ctx, verb, name, [
        Step("note", "", "notes", "put", {**where, "data": {"check": dict(check), "created": created}})
    ])


def _of(ctx: Context, verb: str, name: str, steps: list[Step]) -> Work:
    target = f"{ctx.project}/global/httpHealthChecks/{name}"
    return Work(verb, target, steps, main="note", target_id=_number(ctx, name), alone=True)


def _number(ctx: Context, name: str) -> str:
    return naming.number("", "httpHealthCheck", f"{ctx.tenancy} {name}")
