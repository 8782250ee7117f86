"""Target pools and target instances: kept here, and on the clouds as far as forwarding rules lead to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib import naming
from gcelib.errors import InUse, Invalid, Missing, Unsupported
from gcelib.models import Node
from gcelib.server import balancing, metadata
from gcelib.server.balancing import Rule
from gcelib.server.context import Context
from gcelib.server.directory import Found

POOL, SINGLE, CHECK = "targetPool", "targetInstance", "httpHealthCheck"
MEMBER = "member "
"""A field of a pool's note for each machine that joined or left since it was made, named by this and the machine's
path: when it joined, False where it left. So machines come and go by themselves.
"""
SPREAD = "NONE"
AFFINITIES = {SPREAD: "spread", "CLIENT_IP": "source", "CLIENT_IP_PROTO": "source"}
"""GCE's session affinities that clouds can keep, with the balancers' word."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A target pool with the rules that lead to it. One that was made elsewhere has no `note`."""

    name: str
    region: str
    note: Mapping[str, Any]
    rules: tuple[Rule, ...]

    @property
    def path(self) -> str:
        """Below the project."""
        return f"regions/{self.region}/targetPools/{self.name}"

    @property
    def ours(self) -> bool:
        """Whether it was made here."""
        return "created" in self.note

    @property
    def checks(self) -> Sequence[str]:
        """The names of its health checks."""
        return list(self.note.get("healthChecks", ()))

    @property
    def affinity(self) -> str:
        """GCE's word."""
        algorithm = self.rules[0].first.algorithm if self.rules else "spread"
        return str(self.note.get("sessionAffinity") or (SPREAD if algorithm == "spread" else "CLIENT_IP"))


def pools(ctx: Context) -> Mapping[tuple[str, str], Pool]:
    """Every pool by (region, name)."""
    found: Mapping[tuple[str, str], Pool] = ctx.view.memo("target pools", lambda: _pools(ctx))
    return found


def new_name(ctx: Context) -> str:
    """The name in a body of one of these kinds, of which GCE's document does not say that it must be there."""
    if not ctx.body.get("name"):
        raise Missing("Required field 'resource.name' not specified", field="resource.name")
    return str(ctx.body["name"])


def members(ctx: Context, pool: Pool) -> list[Found[Node]]:
    """The machines of a pool: those that were put into it and that every rule has, and those put there elsewhere."""
    noted = [node for path in _put(pool.note) if (node := machine(ctx, path)) is not None]
    if not pool.rules:
        return noted
    there = [{(rule.cloud.name, id) for id in rule.node_ids} for rule in pool.rules]
    shared = set.intersection(*there)
    kept = [node for node in noted if (node.cloud.name, node.model.id) in shared]
    known = {(node.cloud.name, node.model.id) for node in kept}
    others = [ctx.view.nodes.by_id(cloud, id) for cloud, id in sorted(shared - known)]
    return [*kept, *(node for node in others if node is not None)]


def joined(nodes: Sequence[Found[Node]], when: float) -> dict[str, Any]:
    """The fields of a pool's note after which these machines are in it."""
    return {MEMBER + path_of(node): when for node in nodes}


def left(pool: Pool, nodes: Sequence[Found[Node]]) -> dict[str, Any]:
    """The fields of its note after which they are not."""
    first = pool.note.get("instances", ())
    return {MEMBER + path: False if path in first else None for path in map(path_of, nodes)}


def _put(note: Mapping[str, Any]) -> list[str]:
    """The paths of the machines that were put into a pool, those it was made with first, the others as they came."""
    since = {key.removeprefix(MEMBER): when for key, when in note.items() if key.startswith(MEMBER)}
    first = [path for path in note.get("instances", ()) if since.get(path) is not False]
    later = sorted((path for path, when in since.items() if when), key=lambda path: (since[path], path))
    return list(dict.fromkeys([*first, *later]))


def machine(ctx: Context, path: str) -> Found[Node] | None:
    """The machine at "zones/Z/instances/N"."""
    _, zone, _, name = path.split("/")
    return next((node for node in ctx.view.nodes if (node.zone, node.name) == (zone, name)), None)


def path_of(node: Found[Node]) -> str:
    """The machine's path below the project."""
    return f"zones/{node.zone}/instances/{node.name}"


def machine_at(ctx: Context, link: str, field: str, region: str = "") -> Found[Node]:
    """The machine a link in a body means. Raises Invalid for none, or one of another region."""
    ref = ctx.ref(link, "instances", field)
    zone = ref.scope.partition("/")[2]
    found = ctx.view.nodes.match(ref.name, ctx.view.zone(zone, ctx.project).name) if zone else None
    if found is None:
        raise Invalid(f"Invalid value for field '{field}': '{link}'. The referenced instance resource cannot be found.",
                      field=field)
    if region and naming.region_of(found.zone) != region:
        raise Invalid(f"Invalid value for field '{field}': '{link}'. The instance is not in region '{region}'.",
                      field=field)
    return found


def checked_affinity(ctx: Context, sent: str) -> str:
    """The session affinity asked for. Raises Unsupported for one no cloud here keeps."""
    affinity = sent or SPREAD
    if affinity not in AFFINITIES:
        clouds = ", ".join(f"'{cloud.name}'" for cloud in ctx.view.clouds)
        raise Unsupported(
            f"{ctx.method.id} with field 'resource.sessionAffinity' = '{affinity}' is not offered on cloud {clouds}: "
            "its "
            f"balancers know {', '.join(AFFINITIES)}.", field="resource.sessionAffinity",
        )
    return affinity


def singles(ctx: Context) -> Mapping[str, Mapping[str, Any]]:
    """Target instances by "ZONE/NAME"."""
    return ctx.view.notes_at(metadata.place(ctx), SINGLE)


def refuse_led_to(ctx: Context, what: str, path: str) -> None:
    """Raise InUse while a forwarding rule leads to this target."""
    for rule in balancing.rules_to(ctx, path):
        raise InUse(
            f"The {what} resource 'projects/{ctx.project}/{path}' is already being used by "
            f"'projects/{ctx.project}/regions/{rule.region}/forwardingRules/{rule.name}'"
        )


def refuse_outside(node: Found[Node], cloud: str, network_id: str, field: str) -> None:
    """Raise Invalid for a machine that a rule on an address of this network cannot reach."""
    if node.cloud.name != cloud or all(nic.network_id != network_id for nic in node.model.nics):
        raise Invalid(
            f"Invalid value for field '{field}': instance '{node.name}' has no interface in the network of the "
            "forwarding "
            f"rule's address, and a balancer of cloud '{cloud}' reaches machines of one network only.", field=field,
        )


def _pools(ctx: Context) -> Mapping[tuple[str, str], Pool]:
    found: dict[tuple[str, str], Pool] = {}
    by_target: dict[str, list[Rule]] = {}
    for rule in balancing.rules(ctx).values():
        by_target.setdefault(rule.target, []).append(rule)
    for id, note in sorted(ctx.view.notes_at(metadata.place(ctx), POOL).items()):
        # A note without this is what a change left that came after the pool's end.
        if "created" not in note:
            continue
        region, _, name = id.partition("/")
        rules = tuple(by_target.get(f"regions/{region}/targetPools/{name}", ()))
        found[region, name] = Pool(name, region, note, rules)
    for rule in balancing.rules(ctx).values():
        if not rule.ours:
            found.setdefault((rule.region, rule.name), Pool(rule.name, rule.region, {}, (rule,)))
    return found
