"""Target instances: a machine that forwarding rules lead to alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, Invalid, Missing
from gcelib.server import balancing, pools
from gcelib.server.collection import Collection, Rendered, missing, scope_of
from gcelib.server.context import Context
from gcelib.server.numbered import numbered
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import from_seconds

Item = tuple[str, Mapping[str, Any]]


class TargetInstances(Collection):
    """Kept here; a rule that leads to one is a balancer with one machine."""

    name, kind = "targetInstances", "targetInstance"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        for id, note in sorted(pools.singles(ctx).items()):
            zone, _, name = id.partition("/")
            if scope in ("", f"zones/{zone}"):
                yield f"zones/{zone}", (name, note)

    def find(self, ctx: Context, scope: str, ref: str) -> Item:
        here = {name: note for _, (name, note) in self.rows(ctx, scope)}
        name = ref if ref in here else numbered(ref, here, lambda each: _number(ctx, scope, each))
        if name is None:
            raise missing(ctx, scope, self.name, ref)
        return name, here[name]

    def render(self, ctx: Context, scope: str, item: Item) -> Rendered:
        name, note = item
        return {
            "id": _number(ctx, scope, name), "creationTimestamp": from_seconds(note["created"]), "name": name,
            "description": note.get("description", ""), "zone": ctx.link(scope), "natPolicy": "NO_NAT",
            "instance": ctx.link(note["instance"]),
        }

    def insert(self, ctx: Context) -> Work:
        """Keep it. Raises Invalid for a machine that is not in the zone."""
        scope, name, field = scope_of(ctx), pools.new_name(ctx), "resource.instance"
        if balancing.note_id(scope.partition("/")[2], name) in pools.singles(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/{scope}/targetInstances/{name}' already exists")
        if not ctx.body.get("instance"):
            raise Missing(f"Required field '{field}' not specified", field=field)
        node = pools.machine_at(ctx, ctx.body["instance"], field)
        if f"zones/{node.zone}" != scope:
            raise Invalid(f"Invalid value for field '{field}': '{ctx.body['instance']}'. The instance is in zone "
                          f"'{node.zone}'.", field=field)
        note = {
            "instance": pools.path_of(node), "description": ctx.body.get("description", ""),
            "created": ctx.services.now(),
        }
        return _of(ctx, scope, "insert", name, "put", {"data": note})

    def delete(self, ctx: Context) -> Work:
        """Forget it. Raises InUse while a forwarding rule leads to it."""
        scope = scope_of(ctx)
        name, _ = self.find(ctx, scope, ctx.params["targetInstance"])
        pools.refuse_led_to(ctx, "target_instance", f"{scope}/targetInstances/{name}")
        return _of(ctx, scope, "delete", name, "delete", {})


def _of(ctx: Context, scope: str, verb: str, name: str, how: str, data: Mapping[str, Any]) -> Work:
    where = balancing.where(ctx, pools.SINGLE, balancing.note_id(scope.partition("/")[2], name))
    steps = [Step("note", "", "notes", how, {**where, **data})]
    target = f"{ctx.project}/{scope}/targetInstances/{name}"
    return Work(verb, target, steps, main="note", target_id=_number(ctx, scope, name))


def _number(ctx: Context, scope: str, name: str) -> str:
    return naming.number("", "targetInstance", f"{ctx.tenancy} {scope} {name}")
