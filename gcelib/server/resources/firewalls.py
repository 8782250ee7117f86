"""Firewalls: rules in security groups, on addresses, and in access lists, as the network is guarded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gcelib.errors import Exists, Invalid, Refused, Unsupported
from gcelib.models import Network
from gcelib.server import grouped, late, networks, noted, rules
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.firewalls import Firewall, firewalls, note_of, number, render
from gcelib.server.numbered import numbered
from gcelib.server.operations.plan import Step, Work

CHANGEABLE = ("description", "priority", "allowed", "sourceRanges", "sourceTags", "targetTags", "denied", "direction",
              "disabled", "logConfig", "destinationRanges", "sourceServiceAccounts", "targetServiceAccounts")


class Firewalls(Collection):
    """What the clouds' rules cannot say is refused by field; rules made elsewhere are shown and left alone."""

    name, kind = "firewalls", "firewall"
    looks = ("zones.list", "networks.list", "firewalls.list")

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", firewall) for firewall in firewalls(ctx).values())

    def find(self, ctx: Context, scope: str, ref: str) -> Firewall:
        there = firewalls(ctx)
        found = there.get(ref) or numbered(ref, there.values(), lambda each: number(ctx, each))
        if found is None:
            raise missing(ctx, "global", self.name, ref)
        return found

    def render(self, ctx: Context, scope: str, item: Firewall) -> Rendered:
        return render(ctx, item)

    def insert(self, ctx: Context) -> Work:
        """Allow what it says, on every cloud that has the network."""
        name = ctx.body["name"]
        if name in firewalls(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/global/firewalls/{name}' already exists")
        network = _network(ctx, ctx.body.get("network", "global/networks/default"))
        return self._changed(ctx, "insert", Firewall(name, network, True), ctx.body, ctx.services.now())

    def delete(self, ctx: Context) -> Work:
        """Take back its rules; those that another firewall wants too stay for that one."""
        found = _ours(self.find(ctx, "global", ctx.params["firewall"]))
        if found.noted is not None:
            return _noted(ctx, "delete", found, None, 0.0)
        return _grouped(ctx, "delete", found, None, 0.0)

    def patch(self, ctx: Context) -> Work:
        """Change the fields sent, leave the others."""
        found = _ours(self.find(ctx, "global", ctx.params["firewall"]))
        before = found.definition(note_of(ctx, found.name))
        return self._replace(ctx, "patch", found, {**before, **_fields(ctx.body)})

    def update(self, ctx: Context) -> Work:
        """Replace the firewall; what is not sent takes its default."""
        found = _ours(self.find(ctx, "global", ctx.params["firewall"]))
        return self._replace(ctx, "update", found, _fields(ctx.body))

    def _replace(self, ctx: Context, verb: str, found: Firewall, body: Mapping[str, Any]) -> Work:
        if "network" in ctx.body and _network(ctx, ctx.body["network"]) != found.network:
            raise Invalid("Invalid value for field 'resource.network': a firewall stays on its network.",
                          field="resource.network")
        if ctx.body.get("name", found.name) != found.name:
            raise Invalid("Invalid value for field 'resource.name': a firewall keeps its name.", field="resource.name")
        created = note_of(ctx, found.name).get("created", ctx.services.now())
        return self._changed(ctx, verb, found, body, created)

    def _changed(
        self, ctx: Context, verb: str, found: Firewall, body: Mapping[str, Any], created: float
    ) -> Work:
        parts = [part for part in ctx.view.networks if networks.network_name(ctx.view, part) == found.network]
        kinds = _kinds(ctx, found.network, parts)
        if kinds:
            names = ", ".join(sorted({f"'{part.cloud.name}'" for part in parts or ctx.view.zones}))
            opens = frozenset(part.model.egress_open for part in parts if part.model.guard == noted.ADDRESSES)
            definition = noted.checked(body, kinds, names, opens)
            noted.refuse_elsewhere(ctx, parts)
            return _noted(ctx, verb, found, definition, created)
        clouds = _clouds(ctx, found.network)
        definition = rules.checked(body, ", ".join(f"'{cloud}'" for cloud in clouds))
        return _grouped(ctx, verb, found, definition, created)


def _noted(ctx: Context, verb: str, found: Firewall, definition: Mapping[str, Any] | None, created: float) -> Work:
    """The work that changes a firewall which is a note."""
    return _work(ctx, verb, found, noted.change(ctx, verb, found.name, found.network, definition, created))


def _kinds(ctx: Context, network: str, parts: Sequence[Found[Network]]) -> frozenset[str]:
    """What guards a network whose firewalls are notes; empty for one that is guarded otherwise, or in no way.

    One in custom mode without a subnetwork will be private clouds, where the clouds offer them.
    """
    if parts:
        kinds = frozenset(part.model.guard for part in parts)
        return kinds if kinds.issubset(noted.KINDS) else frozenset()
    offered = {part.cloud.name for part in ctx.view.parts("vpcs", "types") if part.rows}
    zones = {zone.cloud.name for zone in ctx.view.zones if zone.model.own_networks}
    shown = networks.networks(ctx).get(network)
    waits = shown is not None and shown.mode == networks.CUSTOM and bool(zones) and zones <= offered
    return frozenset({noted.LISTS}) if waits else frozenset()


def _grouped(
    ctx: Context, verb: str, found: Firewall, definition: Mapping[str, Any] | None, created: float
) -> Work:
    """The work that changes a firewall whose rules are in security groups."""
    step = late.groups(verb, found.name, found.network, definition, created)
    return _work(ctx, verb, found, [step], _unguarded(ctx, found.network, verb))


def _work(
    ctx: Context, verb: str, found: Firewall, steps: Sequence[Step], warnings: Sequence[tuple[str, str]] = ()
) -> Work:
    target = f"{ctx.project}/global/firewalls/{found.name}"
    # What the request waits for is the first thing a cloud does.
    return Work(verb, target, steps, main=steps[-1].name, target_id=number(ctx, found), warnings=warnings, alone=True)


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in CHANGEABLE if key in body}


def _ours(found: Firewall) -> Firewall:
    if not found.ours:
        raise Refused(
            f"Firewall '{found.name}' is {found.origin[:1].lower()}{found.origin[1:]}, made outside gcelib; it is left "
            "as it is. Change it where it was made."
        )
    return found


def _network(ctx: Context, link: str) -> str:
    """The GCE name of the network a firewall is for. Raises Invalid when the project has none of that name."""
    ref = ctx.ref(link, "networks", "resource.network").name
    found = networks.find(ctx, ref)
    if found is None:
        raise Invalid(
            f"Invalid value for field 'resource.network': '{link}'. The referenced network resource cannot be found.",
            field="resource.network",
        )
    return found.name


def _clouds(ctx: Context, network: str) -> list[str]:
    """The clouds on which rules guard this network's machines. Raises Unsupported when none does."""
    clouds = grouped.clouds(ctx, network)
    if not clouds:
        parts = [part for part in ctx.view.networks if networks.network_name(ctx.view, part) == network]
        where = ", ".join(sorted({f"'{part.cloud.name}'" for part in parts or ctx.view.zones}))
        why = "the cloud guards its machines in no way" if parts else "it has no subnetwork yet"
        raise Unsupported(f"{ctx.method.id} is not offered on cloud {where} for network '{network}': {why}.",
                          field="resource.network")
    return clouds


def _unguarded(ctx: Context, network: str, verb: str) -> list[tuple[str, str]]:
    zones = sorted(part.zone for part in ctx.view.networks if part.name == network and not part.model.grouped)
    if not zones or verb == "delete":
        return []
    return [("NOT_CRITICAL_ERROR", f"Network '{network}' has no security groups in {', '.join(zones)}: "
             "this firewall opens nothing there.")]
