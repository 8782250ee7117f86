"""Firewalls: rules in the security groups of the network, or of the tags they are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, Invalid, Refused, Unsupported
from gcelib.models import GroupRule
from gcelib.server import groups, guarding, metadata, networks, noted, rules
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.firewalls import Firewall, firewalls, note_of, render
from gcelib.server.guarding import Key
from gcelib.server.operations.plan import Step, Work

CHANGEABLE = ("description", "priority", "allowed", "sourceRanges", "sourceTags", "targetTags", "denied", "direction",
              "disabled", "logConfig", "destinationRanges", "sourceServiceAccounts", "targetServiceAccounts")


class Firewalls(Collection):
    """What the groups cannot say is refused by field; groups made elsewhere are shown and left alone."""

    name, kind = "firewalls", "firewall"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", firewall) for firewall in firewalls(ctx).values())

    def find(self, ctx: Context, scope: str, ref: str) -> Firewall:
        found = firewalls(ctx).get(ref)
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
        return _change(ctx, "delete", found.name, found.network, found.rules, None, 0.0)

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
        if parts and all(part.model.guard == "addresses" for part in parts):
            return _noted(ctx, verb, found, noted.checked(body, parts), created)
        clouds = _clouds(ctx, found.network)
        definition = rules.checked(body, ", ".join(f"'{cloud}'" for cloud in clouds))
        return _change(ctx, verb, found.name, found.network, found.rules, definition, created)


def _noted(ctx: Context, verb: str, found: Firewall, definition: Mapping[str, Any] | None, created: float) -> Work:
    """The work that changes a firewall which is a note."""
    steps = noted.change(ctx, verb, found.name, found.network, definition, created)
    number = naming.number("", "firewall", f"{ctx.tenancy} {found.name}")
    target = f"{ctx.project}/global/firewalls/{found.name}"
    return Work(verb, target, steps, main=steps[0].name, target_id=number, alone=True)


def _change(
    ctx: Context, verb: str, name: str, network: str, before: Mapping[Key, GroupRule],
    definition: Mapping[str, Any] | None, created: float,
) -> Work:
    """The work that turns the rules of a firewall into what `definition` says, None for nothing.

    New rules are made before old ones go, so that what stays allowed is never shut in between.
    """
    steps: list[Step] = []
    wanted: set[Key] = set()
    where = {"place": metadata.place(ctx), "kind": "firewall", "id": name}
    for cloud_name in _clouds(ctx, network) if definition else ():
        assert definition is not None
        wanted |= _allow(ctx, cloud_name, name, network, definition, before, steps)
    if definition is not None:
        note = {"definition": dict(definition), "created": created}
        undo = Step("un-note", "", "notes", "delete", where) if verb == "insert" else None
        steps.append(Step("note", "", "notes", "put", {**where, "data": note}, undo=undo))
    for key, rule in before.items():
        if key not in wanted:
            steps.append(guarding.withdraw(name, key, rule))
    if definition is None:
        steps.append(Step("note", "", "notes", "delete", where))
    target = f"{ctx.project}/global/firewalls/{name}"
    number = naming.number("", "firewall", f"{ctx.tenancy} {name}")
    return Work(verb, target, steps, main=steps[0].name, target_id=number, warnings=_unguarded(ctx, network, verb),
                alone=True)


def _allow(
    ctx: Context, cloud_name: str, name: str, network: str, definition: Mapping[str, Any],
    before: Mapping[Key, GroupRule], steps: list[Step],
) -> set[Key]:
    """Steps for the rules that are not there yet on one cloud; gives all the keys the firewall then has there."""
    cloud = ctx.view.cloud(cloud_name)
    late = guarding.latecomers(ctx.view, cloud, network)
    wanted = guarding.wanted(cloud, network, definition, late)
    names = [*guarding.groups_of(cloud, network, definition), *sorted({group for _, group, _ in wanted})]
    made, ids = groups.ensure(ctx.view, cloud, network, names)
    steps += made
    steps += guarding.allow(name, wanted - before.keys(), dict(zip(dict.fromkeys(names), ids, strict=True)))
    return wanted


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in CHANGEABLE if key in body}


def _ours(found: Firewall) -> Firewall:
    if not found.ours:
        raise Refused(
            f"Firewall '{found.name}' is a security group of cloud '{found.cloud}' that was made outside gcelib; "
            "it is left as it is. Change it where it was made."
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
    parts = [part for part in ctx.view.networks if networks.network_name(ctx.view, part) == network]
    clouds = sorted({part.cloud.name for part in parts if part.model.grouped and part.cloud.firewalls is not None})
    if not clouds:
        where = ", ".join(sorted({f"'{part.cloud.name}'" for part in parts or ctx.view.zones}))
        why = "gcelib does not write the access lists of private clouds" if parts else "it has no subnetwork yet"
        if any(part.model.guard == "" for part in parts):
            why = "the cloud guards its machines in no way"
        raise Unsupported(f"{ctx.method.id} is not offered on cloud {where} for network '{network}': {why}.",
                          field="resource.network")
    return clouds


def _unguarded(ctx: Context, network: str, verb: str) -> list[tuple[str, str]]:
    zones = sorted(part.zone for part in ctx.view.networks if part.name == network and not part.model.grouped)
    if not zones or verb == "delete":
        return []
    return [("NOT_CRITICAL_ERROR", f"Network '{network}' has no security groups in {', '.join(zones)}: "
             "this firewall opens nothing there.")]
