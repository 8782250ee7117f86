"""Target pools: machines that forwarding rules share out traffic among."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, Invalid, Missing, Refused, Unsupported
from gcelib.models import Node, NodeState
from gcelib.server import balancing, late, metadata, pools
from gcelib.server.collection import Collection, Rendered, missing, scope_of
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.numbered import numbered
from gcelib.server.operations.plan import Step, Work
from gcelib.server.pools import Pool
from gcelib.server.times import EPOCH, from_seconds

Warnings = list[tuple[str, str]]


class TargetPools(Collection):
    """One that no rule leads to waits as a note; one with rules has the machines that are behind them."""

    name, kind = "targetPools", "targetPool"
    looks = ("zones.list", "balancers.list")

    def scopes(self, ctx: Context) -> Sequence[str]:
        return [f"regions/{name}" for name in ctx.view.regions]

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (
            (where, pool) for pool in pools.pools(ctx).values() if scope in ("", where := f"regions/{pool.region}")
        )

    def find(self, ctx: Context, scope: str, ref: str) -> Pool:
        region, there = scope.partition("/")[2], pools.pools(ctx)
        here = (pool for pool in there.values() if pool.region == region)
        found = there.get((region, ref)) or numbered(ref, here, lambda pool: _number(ctx, pool))
        if found is None:
            raise missing(ctx, scope, self.name, ref)
        return found

    def render(self, ctx: Context, scope: str, item: Pool) -> Rendered:
        note = item.note
        shown: Rendered = {
            "id": _number(ctx, item),
            "creationTimestamp": from_seconds(note["created"]) if item.ours else EPOCH,
            "name": item.name,
            "description": note.get("description", ""),
            "region": ctx.link(scope),
            "sessionAffinity": item.affinity,
            "instances": [ctx.link(pools.path_of(node)) for node in pools.members(ctx, item)],
            "healthChecks": [ctx.link("global", "httpHealthChecks", name) for name in item.checks],
        }
        return {key: value for key, value in shown.items() if value != []}

    def insert(self, ctx: Context) -> Work:
        """Keep it until a forwarding rule leads to it."""
        region, name, body = scope_of(ctx).partition("/")[2], pools.new_name(ctx), ctx.body
        if (region, name) in pools.pools(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/regions/{region}/targetPools/{name}' already exists")
        if body.get("backupPool") or body.get("failoverRatio"):
            raise _no_backup(ctx, region)
        nodes = [
            pools.machine_at(ctx, link, f"resource.instances[{index}]", region)
            for index, link in enumerate(body.get("instances") or [])
        ]
        checks, warnings = _checks(ctx, region, body.get("healthChecks") or [], "resource.healthChecks", ())
        note = {
            "description": body.get("description", ""), "created": ctx.services.now(), "healthChecks": checks,
            "sessionAffinity": pools.checked_affinity(ctx, body.get("sessionAffinity", "")),
            "instances": list(dict.fromkeys(map(pools.path_of, nodes))),
        }
        where = balancing.where(ctx, pools.POOL, balancing.note_id(region, name))
        return _of(ctx, Pool(name, region, {}, ()), "insert",
                   [Step("note", "", "notes", "put", {**where, "data": note})], warnings)

    def delete(self, ctx: Context) -> Work:
        """Forget it. Raises InUse while a forwarding rule leads to it."""
        pool = self._named(ctx)
        pools.refuse_led_to(ctx, "target_pool", pool.path)
        where = balancing.where(ctx, pools.POOL, balancing.note_id(pool.region, pool.name))
        return _of(ctx, _ours(pool), "delete", [Step("note", "", "notes", "delete", where)])

    def add_instance(self, ctx: Context) -> Work:
        """Put machines into the pool, and behind the rules that lead to it."""
        pool = _ours(self._named(ctx))
        nodes = _instances(ctx, pool.region)
        for rule in pool.rules:
            for node in nodes:
                pools.refuse_outside(node, rule.cloud.name, rule.first.network_id, "resource.instances")
        note = _note(ctx, pool, pools.joined(nodes, ctx.services.now()))
        steps = [*_moves(pool, nodes, "assign", "remove"), note, *_guarded(ctx, pool)]
        return _of(ctx, pool, "addInstance", steps)

    def remove_instance(self, ctx: Context) -> Work:
        """Take machines out of the pool, and from behind its rules; one that is not in it is no mistake."""
        pool = _ours(self._named(ctx))
        nodes = _instances(ctx, pool.region)
        note = _note(ctx, pool, pools.left(pool, nodes))
        steps = [*_moves(pool, nodes, "remove", "assign"), note, *_guarded(ctx, pool)]
        return _of(ctx, pool, "removeInstance", steps)

    def add_health_check(self, ctx: Context) -> Work:
        """Keep the check with the pool."""
        pool = _ours(self._named(ctx))
        links = [each.get("healthCheck", "") for each in ctx.body.get("healthChecks") or []]
        checks, warnings = _checks(ctx, pool.region, links, "resource.healthChecks", pool.checks)
        return _of(ctx, pool, "addHealthCheck", [_note(ctx, pool, {"healthChecks": checks})], warnings)

    def remove_health_check(self, ctx: Context) -> Work:
        """Forget the check of the pool."""
        pool = _ours(self._named(ctx))
        links = [each.get("healthCheck", "") for each in ctx.body.get("healthChecks") or []]
        gone = {ctx.ref(link, "httpHealthChecks", "resource.healthChecks").name for link in links}
        kept = [name for name in pool.checks if name not in gone]
        return _of(ctx, pool, "removeHealthCheck", [_note(ctx, pool, {"healthChecks": kept})])

    def set_backup(self, ctx: Context) -> Work:
        """Take "no backup". Raises Unsupported for one."""
        pool = _ours(self._named(ctx))
        if ctx.body.get("target") or ctx.query.get("failoverRatio"):
            raise _no_backup(ctx, pool.region)
        return _of(ctx, pool, "setBackup", [])

    def get_health(self, ctx: Context) -> Rendered:
        """Whether the machine runs, for each address that leads to it: no cloud here asks the machine itself."""
        pool = self._named(ctx)
        if not ctx.body.get("instance"):
            raise Missing("Required field 'resource.instance' not specified", field="resource.instance")
        node = pools.machine_at(ctx, ctx.body["instance"], "resource.instance", pool.region)
        if pools.path_of(node) not in map(pools.path_of, pools.members(ctx, pool)):
            raise Invalid(f"Invalid value for field 'resource.instance': '{ctx.body['instance']}'. The instance is "
                          "not in "
                          f"target pool '{pool.name}'.", field="resource.instance")
        state = "HEALTHY" if node.model.state is NodeState.RUNNING else "UNHEALTHY"
        status = {"instance": ctx.link(pools.path_of(node)), "healthState": state}
        found = [{**status, "ipAddress": ip} for ip in sorted({rule.first.ip for rule in pool.rules})]
        return {"kind": "compute#targetPoolInstanceHealth", "healthStatus": found or [status]}

    def _named(self, ctx: Context) -> Pool:
        return self.find(ctx, scope_of(ctx), ctx.params["targetPool"])


def _of(ctx: Context, pool: Pool, verb: str, steps: list[Step], warnings: Warnings | None = None) -> Work:
    main, number = steps[0].name if steps else "", _number(ctx, pool)
    return Work(verb, f"{ctx.project}/{pool.path}", steps, main=main, target_id=number, warnings=warnings or ())


def _number(ctx: Context, pool: Pool) -> str:
    return naming.number("", "targetPool", f"{ctx.tenancy} {pool.region} {pool.name}")


def _ours(pool: Pool) -> Pool:
    if not pool.ours:
        raise Refused(
            f"Target pool '{pool.name}' is a load balancer of cloud '{pool.rules[0].cloud.name}' that was made outside "
            "gcelib; it is left as it is. Change it where it was made."
        )
    return pool


def _instances(ctx: Context, region: str) -> list[Found[Node]]:
    sent = ctx.body.get("instances") or []
    if not sent:
        raise Missing("Required field 'resource.instances' not specified", field="resource.instances")
    return [
        pools.machine_at(ctx, each.get("instance", ""), f"resource.instances[{index}].instance", region)
        for index, each in enumerate(sent)
    ]


def _moves(pool: Pool, nodes: Sequence[Found[Node]], verb: str, back: str) -> Iterable[Step]:
    """Steps that change who is behind every port of every rule."""
    for rule in pool.rules:
        for balancer in rule.balancers:
            ids = [node.model.id for node in nodes if (node.model.id in balancer.node_ids) == (verb == "remove")]
            if ids:
                args = {"id": balancer.id, "node_ids": ids}
                label = f"{verb} {rule.name} {balancer.port}"
                undo = Step(f"undo {label}", rule.cloud.name, "balancers", back, args)
                yield Step(label, rule.cloud.name, "balancers", verb, args, undo=undo)


def _guarded(ctx: Context, pool: Pool) -> list[Step]:
    """The steps that open and shut the addresses of its rules as firewalls say for the machines then behind them."""
    found = (ctx.view.networks.by_id(rule.cloud.name, rule.first.network_id) for rule in pool.rules)
    return late.around(ctx.view, found)


def _note(ctx: Context, pool: Pool, data: Mapping[str, Any]) -> Step:
    where = balancing.where(ctx, pools.POOL, balancing.note_id(pool.region, pool.name))
    return Step("note", "", "notes", "merge", {**where, "data": dict(data)})


def _checks(
    ctx: Context, region: str, links: Sequence[str], field: str, there: Sequence[str]
) -> tuple[list[str], Warnings]:
    """The names of a pool's checks with these added, and what they are good for. Raises Invalid."""
    names = list(there)
    for index, link in enumerate(links):
        name = ctx.ref(link, "httpHealthChecks", f"{field}[{index}]").name
        if name not in ctx.view.notes_at(metadata.place(ctx), pools.CHECK):
            raise Invalid(f"Invalid value for field '{field}[{index}]': '{link}'. The referenced httpHealthCheck "
                          "resource "
                          "cannot be found.", field=f"{field}[{index}]")
        if name not in names:
            names.append(name)
    if len(names) > 1:
        raise Invalid(f"Invalid value for field '{field}': a target pool has at most one health check, and this one "
                      "would "
                      f"have {', '.join(names)}.", field=field)
    why = (f"Field 'healthChecks' is kept and has no effect: on cloud {_clouds(ctx, region)} balancers ask machines "
           "nothing, and getHealth tells which machines run.")
    return names, [("FIELD_VALUE_OVERRIDEN", why)] if links else []


def _no_backup(ctx: Context, region: str) -> Unsupported:
    return Unsupported(
        f"{ctx.method.id} with a backup pool is not offered on cloud {_clouds(ctx, region)}: its balancers ask "
        "machines "
        "nothing, so they cannot tell when a pool fails. Put the machines into one pool.", field="resource.backupPool",
    )


def _clouds(ctx: Context, region: str) -> str:
    return ", ".join(f"'{name}'" for name in sorted({zone.cloud.name for zone in ctx.view.regions.get(region, ())}))
