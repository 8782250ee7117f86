"""Forwarding rules: a port, or a few, of a public address, shared out among the machines of a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, Refused, Stale, Unsupported
from gcelib.models import Address, Network
from gcelib.server import addresses, balancing, fingerprint, forwarding, late, pools, remarks
from gcelib.server.balancing import Rule
from gcelib.server.collection import Collection, Rendered, missing, scope_of
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.numbered import numbered
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import EPOCH, from_seconds

Place = tuple[Found[Address] | None, Found[Network]]
UNLISTED = ("The rule lets everybody in: a private cloud's router takes its connections itself, and the access list "
            "that carries out firewalls there stands behind it, before the machines.")
CHANGEABLE = frozenset({"labels", "labelFingerprint", "fingerprint", "description"})


class ForwardingRules(Collection):
    """Each port is a load-balancing rule on the cloud. Rules made elsewhere are shown and left as they are."""

    name, kind = "forwardingRules", "forwardingRule"
    looks = ("zones.list", "balancers.list")

    def scopes(self, ctx: Context) -> Sequence[str]:
        return ["global", *(f"regions/{name}" for name in ctx.view.regions)]

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        found = sorted(balancing.rules(ctx).items())
        return ((where, rule) for _, rule in found if scope in ("", where := f"regions/{rule.region}"))

    def find(self, ctx: Context, scope: str, ref: str) -> Rule:
        region, there = scope.partition("/")[2], balancing.rules(ctx)
        here = (rule for rule in there.values() if rule.region == region)
        found = there.get((region, ref)) or numbered(ref, here, lambda rule: _number(ctx, region, rule.name))
        if found is None:
            raise missing(ctx, scope, self.name, ref)
        return found

    def render(self, ctx: Context, scope: str, item: Rule) -> Rendered:
        note = item.note
        labels = dict(note.get("labels", {}))
        shown: Rendered = {
            "id": _number(ctx, item.region, item.name),
            "creationTimestamp": from_seconds(note["created"]) if item.ours else EPOCH,
            "name": item.name,
            "description": note.get("description", ""),
            "region": ctx.link(scope),
            "IPAddress": item.first.ip,
            "IPProtocol": item.first.protocol.upper() if item.first.protocol in ("tcp", "udp") else "TCP",
            "portRange": forwarding.normal(*item.ports),
            "target": ctx.link(item.target),
            "loadBalancingScheme": forwarding.EXTERNAL,
            "networkTier": addresses.PREMIUM,
            "labelFingerprint": fingerprint.fingerprint(labels),
        }
        if labels:
            shown["labels"] = labels
        shown["fingerprint"] = fingerprint.fingerprint(shown)
        return shown

    def insert(self, ctx: Context) -> Work:
        """Share the ports of an address out among the machines the target has."""
        region, body = scope_of(ctx).partition("/")[2], ctx.body
        name = pools.new_name(ctx)
        if (region, name) in balancing.rules(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/regions/{region}/forwardingRules/{name}' already "
                         "exists")
        forwarding.checked(ctx, region, body)
        first, last = forwarding.ports(body.get("portRange", ""))
        target = forwarding.target(ctx, body.get("target", ""), region)
        address, network, warnings = forwarding.place(ctx, region, body.get("IPAddress", ""), target.nodes)
        protocol = body.get("IPProtocol", "TCP").lower()
        if address is not None:
            forwarding.refuse_taken_ports(ctx, address, protocol, first, last)
        note = {
            "cloud": network.cloud.name, "target": target.path, "description": body.get("description", ""),
            "labels": remarks.check_labels(body.get("labels") or {}), "created": ctx.services.now(),
        }
        steps = _before(ctx, name, region, (address, network), note)
        steps += _balancers(name, (address, network), protocol, range(first, last + 1), target)
        steps += late.around(ctx.view, [network])
        if network.model.guard == "acl":
            warnings = [*warnings, ("NOT_CRITICAL_ERROR", UNLISTED)]
        path = f"{ctx.project}/regions/{region}/forwardingRules/{name}"
        return Work("insert", path, steps, main=steps[0].name, target_id=_number(ctx, region, name), warnings=warnings)

    def delete(self, ctx: Context) -> Work:
        """Take it down; an address of its own is given back, a reserved one stays."""
        rule = _ours(self._named(ctx, "forwardingRule"))
        cloud = rule.cloud.name
        steps = [
            Step(f"balancer {each.port}", cloud, "balancers", "destroy", {"id": each.id}) for each in rule.balancers
        ]
        steps.append(Step("note", "", "notes", "delete", _where(ctx, rule.region, rule.name)))
        address = addresses.addresses(ctx).by_id(cloud, rule.first.address_id)
        if address is not None and len(balancing.rules_on(ctx, address)) == 1:
            steps += _left(ctx, address)
        return _of(ctx, rule, "delete", [*steps, *_guarded(ctx, rule)])

    def set_target(self, ctx: Context) -> Work:
        """Lead to another target: its machines are put behind the rule, then those of the old one are taken away.

        Where the target wants clients to stay with one machine and the old one did not, or the other way round, the
        balancers are told so first.
        """
        rule = _ours(self._named(ctx, "forwardingRule"))
        target = forwarding.target(ctx, ctx.body.get("target", ""), rule.region)
        for node in target.nodes:
            pools.refuse_outside(node, rule.cloud.name, rule.first.network_id, "resource.target")
        more, less = forwarding.moves(rule, target.nodes)
        steps = [*_choosing(rule, target.algorithm), *_moved(rule, more, "assign", "remove")]
        steps += _moved(rule, less, "remove", "assign")
        where = _where(ctx, rule.region, rule.name)
        steps.append(Step("note", "", "notes", "merge", {**where, "data": {"target": target.path}}))
        return _of(ctx, rule, "setTarget", [*steps, *_guarded(ctx, rule)])

    def set_labels(self, ctx: Context) -> Work:
        """Replace the labels. Raises Stale without the fingerprint of those it has."""
        rule = _ours(self._named(ctx, "resource"))
        if not ctx.body.get("labelFingerprint"):
            raise Stale("Labels fingerprint either invalid or resource labels have changed: none was sent.",
                        field="resource.labelFingerprint")
        return _of(ctx, rule, "setLabels", [_relabelled(ctx, rule, {})])

    def patch(self, ctx: Context) -> Work:
        """Change labels or description. Raises Unsupported for any other field that would change."""
        rule = _ours(self._named(ctx, "forwardingRule"))
        shown = self.show(ctx, f"regions/{rule.region}", rule)
        for field, value in ctx.body.items():
            if field not in CHANGEABLE and value != shown.get(field):
                raise Unsupported(
                    f"{ctx.method.id} with field 'resource.{field}' is not offered on cloud '{rule.cloud.name}': "
                    "labels and "
                    "description of a forwarding rule can be changed there, and its target with setTarget.",
                    field=f"resource.{field}",
                )
        fingerprint.check(ctx.body.get("fingerprint"), shown["fingerprint"], "resource.fingerprint")
        said = {name: ctx.body[name] for name in ("description",) if name in ctx.body}
        steps = [_relabelled(ctx, rule, said)] if said or "labels" in ctx.body else []
        return _of(ctx, rule, "patch", steps)

    def _named(self, ctx: Context, parameter: str) -> Rule:
        return self.find(ctx, scope_of(ctx), ctx.params[parameter])


def _before(ctx: Context, name: str, region: str, place: Place, note: Mapping[str, Any]) -> list[Step]:
    """Steps for the address, where the rule has its own, and for what is kept of the rule."""
    address, network = place
    steps: list[Step] = []
    if address is None:
        steps = addresses.acquisition(ctx, network, {}, {addresses.EPHEMERAL: "true"})
    where = _where(ctx, region, name)
    undo = Step("un-note rule", "", "notes", "delete", where)
    data = {**note, "address": _address_id(address)}
    return [*steps, Step("note rule", "", "notes", "put", {**where, "data": data}, undo=undo)]


def _balancers(
    name: str, place: Place, protocol: str, ports: Iterable[int], target: forwarding.Target
) -> Iterable[Step]:
    address, network = place
    cloud = network.cloud.name
    for port in ports:
        label = f"balancer {port}"
        args = {
            "name": name, "address_id": _address_id(address), "network_id": network.model.id, "protocol": protocol,
            "port": port, "algorithm": target.algorithm, "submitted": "$now",
        }
        undo = Step(f"drop {label}", cloud, "balancers", "destroy", {"id": {"$ref": f"{label}.target"}})
        yield Step(label, cloud, "balancers", "create", args, undo=undo)
        if target.nodes:
            behind = {"id": {"$ref": f"{label}.target"}, "node_ids": [node.model.id for node in target.nodes]}
            yield Step(f"assign {port}", cloud, "balancers", "assign", behind)


def _guarded(ctx: Context, rule: Rule) -> list[Step]:
    """The step that opens and shuts the rule's address as firewalls say for the machines then behind it."""
    return late.around(ctx.view, [ctx.view.networks.by_id(rule.cloud.name, rule.first.network_id)])


def _left(ctx: Context, address: Found[Address]) -> list[Step]:
    """Steps for an address after its last rule: an ephemeral one is given back."""
    cloud, model = address.cloud.name, address.model
    if not addresses.ephemeral(ctx, address):
        return []
    steps = [Step("release", cloud, "addresses", "release", {"id": model.id})]
    if addresses.note_of(ctx, address):
        where = {"place": cloud, "kind": "address", "id": model.id}
        steps.append(Step("un-note", "", "notes", "delete", where))
    return steps


def _address_id(address: Found[Address] | None) -> Any:
    return address.model.id if address else {"$ref": "address.target"}


def _choosing(rule: Rule, algorithm: str) -> Iterable[Step]:
    cloud = rule.cloud.name
    for each in rule.balancers:
        if each.algorithm != algorithm:
            args, before = {"id": each.id, "algorithm": algorithm}, {"id": each.id, "algorithm": each.algorithm}
            undo = Step(f"undo choose {each.id}", cloud, "balancers", "choose", before)
            yield Step(f"choose {each.id}", cloud, "balancers", "choose", args, undo=undo)


def _moved(rule: Rule, nodes: Mapping[str, Sequence[str]], verb: str, back: str) -> Iterable[Step]:
    for id, moved in nodes.items():
        if moved:
            args = {"id": id, "node_ids": list(moved)}
            undo = Step(f"undo {verb} {id}", rule.cloud.name, "balancers", back, args)
            yield Step(f"{verb} {id}", rule.cloud.name, "balancers", verb, args, undo=undo)


def _relabelled(ctx: Context, rule: Rule, said: Mapping[str, Any]) -> Step:
    """The step that keeps new labels, if any were sent, and what is said beside. Raises Stale, Invalid."""
    data = dict(said)
    if "labels" in ctx.body or ctx.method.name == "setLabels":
        current = fingerprint.fingerprint(dict(rule.note.get("labels", {})))
        fingerprint.check(ctx.body.get("labelFingerprint"), current, "resource.labelFingerprint")
        data["labels"] = remarks.check_labels(ctx.body.get("labels") or {})
    return Step("note", "", "notes", "merge", {**_where(ctx, rule.region, rule.name), "data": data})


def _where(ctx: Context, region: str, name: str) -> dict[str, str]:
    return balancing.where(ctx, balancing.NOTE, balancing.note_id(region, name))


def _ours(rule: Rule) -> Rule:
    if not rule.ours:
        raise Refused(
            f"Forwarding rule '{rule.name}' is a load balancer of cloud '{rule.cloud.name}' that was made outside "
            "gcelib; "
            "it is left as it is. Change it where it was made."
        )
    return rule


def _number(ctx: Context, region: str, name: str) -> str:
    return naming.number("", "forwardingRule", f"{ctx.tenancy} {region} {name}")


def _of(ctx: Context, rule: Rule, verb: str, steps: Sequence[Step]) -> Work:
    target = f"{ctx.project}/regions/{rule.region}/forwardingRules/{rule.name}"
    main = steps[0].name if steps else ""
    return Work(verb, target, steps, main=main, target_id=_number(ctx, rule.region, rule.name))
