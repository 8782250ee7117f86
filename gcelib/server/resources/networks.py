"""Networks in all of GCE's modes: legacy, auto, and custom; `default` is a zone's shared one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from gcelib.errors import Exists, InUse, Invalid, Refused, Unsupported
from gcelib.models import Zone
from gcelib.server import addresses, firewalls, guards, metadata, networks, unmet
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.networks import AUTO, CUSTOM, LEGACY, Shown
from gcelib.server.operations.plan import Step, Work
from gcelib.server.ranges import legacy_range
from gcelib.server.times import from_seconds, rfc3339

ENFORCED = "AFTER_CLASSIC_FIREWALL"
WISHES: unmet.Wishes = {
    "mtu": bool, "enableUlaInternalIpv6": bool, "internalIpv6Range": bool, "networkProfile": bool, "params": bool,
    "networkFirewallPolicyEnforcementOrder": lambda value: value != ENFORCED,
    "routingConfig": lambda value: value.get("routingMode", "REGIONAL") != "REGIONAL" or len(value) > 1,
}
UNCHANGING = ("name", "description", "IPv4Range", "autoCreateSubnetworks")


class Networks(Collection):
    """One of GCE's is one of the cloud's, or a private cloud, in each zone that has it."""

    name, kind = "networks", "network"
    looks = ("zones.list", "networks.list", "vpcs.list")
    refusals: ClassVar[Mapping[str, str]] = {
        "switchToCustomMode": "the network of a zone does not become a private cloud. Make a network with "
        "--subnet-mode=custom instead.",
    }

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", shown) for shown in networks.networks(ctx).values())

    def find(self, ctx: Context, scope: str, ref: str) -> Shown:
        found = networks.find(ctx, ref)
        if found is None:
            raise missing(ctx, "global", self.name, ref)
        return found

    def render(self, ctx: Context, scope: str, item: Shown) -> Rendered:
        shown: Rendered = {
            "id": networks.number(ctx, item.name),
            "name": item.name,
            "description": _description(ctx, item),
            "routingConfig": {"routingMode": "REGIONAL"},
            "networkFirewallPolicyEnforcementOrder": ENFORCED,
        }
        made = [part.model.created for part in item.parts if part.model.created]
        made += [vpc.model.created for vpc in item.vpcs if vpc.model.created]
        if "created" in item.note:
            shown["creationTimestamp"] = from_seconds(item.note["created"])
        elif made:
            shown["creationTimestamp"] = rfc3339(min(made))
        if item.mode != LEGACY:
            below = [each for each in networks.subnets(ctx) if each.network == item.name]
            links = [ctx.link("regions", each.region, "subnetworks", each.name) for each in below]
            return {**shown, "autoCreateSubnetworks": item.mode == AUTO, **({"subnetworks": links} if links else {})}
        first = item.parts[0].model
        plain = {"IPv4Range": first.cidr, "gatewayIPv4": first.gateway}
        return {**shown, **{name: value for name, value in plain.items() if value}}

    def insert(self, ctx: Context) -> Work:
        """Make the network in every zone whose accounts have networks of their own.

        One in custom mode is only noted: its subnetworks make it.
        """
        name, auto = ctx.body["name"], ctx.body.get("autoCreateSubnetworks")
        if name in networks.networks(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/global/networks/{name}' already exists")
        cidr, gateway = legacy_range(ctx)
        zones = _zones(ctx)
        for cloud in {zone.cloud.name: zone.cloud for zone in zones}.values():
            unmet.refuse(ctx, cloud, ctx.body, WISHES, "networks", "resource")
        if auto is False:
            note = {"description": ctx.body.get("description", ""), "created": ctx.services.now()}
            where = {"place": metadata.place(ctx), "kind": networks.KIND, "id": name}
            return _work(ctx, "insert", name, [Step("note", "", "notes", "put", {**where, "data": note})])
        said = {"description": ctx.body.get("description", ""), "mode": AUTO if auto else ""}
        steps: list[Step] = []
        for zone in networks.apart(zones):
            args = {"name": name, "zone_id": zone.model.id, "description": said["description"], "cidr": cidr,
                    "gateway": gateway}  # fmt: skip
            steps += networks.making(f"network {zone.name}", zone, args, said)
        return _work(ctx, "insert", name, steps)

    def delete(self, ctx: Context) -> Work:
        """Delete the network in every zone that has it, if no machine, subnetwork, address or rule uses it."""
        item = self.find(ctx, "global", ctx.params["network"])
        path = f"projects/{ctx.project}/global/networks/{item.name}"
        if item.mode == CUSTOM and item.parts:
            below = next(each for each in networks.subnets(ctx) if each.network == item.name)
            raise InUse(f"The network resource '{path}' is already being used by "
                        f"'projects/{ctx.project}/regions/{below.region}/subnetworks/{below.name}'")
        if guarding := next(iter(guards.definitions(ctx, item.name)), ""):
            raise InUse(f"The network resource '{path}' is already being used by "
                        f"'projects/{ctx.project}/global/firewalls/{guarding}'")
        shared = next((part for part in item.parts if not part.model.own), None)
        if shared:
            raise Refused(
                f"Network '{item.name}' is not the project's own in zone '{shared.zone}' of cloud "
                f"'{shared.cloud.name}': only its operator can delete it."
            )
        networks.unused(ctx, item.parts, f"network resource '{path}'")
        addresses.refuse_lost(ctx, item.parts, f"network resource '{path}'")
        steps = networks.dropping(item.parts)
        steps += [Step(f"vpc {vpc.zone}", vpc.cloud.name, "vpcs", "destroy", {"id": vpc.model.id}) for vpc in item.vpcs]
        if item.note:
            where = {"place": metadata.place(ctx), "kind": networks.KIND, "id": item.name}
            steps.append(Step("note", "", "notes", "delete", where))
        return _work(ctx, "delete", item.name, steps)

    def patch(self, ctx: Context) -> Work:
        """Nothing of a network can change: what is as it is already is taken, everything else refused."""
        item = self.find(ctx, "global", ctx.params["network"])
        clouds = {part.cloud.name: part.cloud for part in item.parts} or {
            zone.cloud.name: zone.cloud for zone in _zones(ctx)}
        shown = self.render(ctx, "global", item)
        for cloud in clouds.values():
            unmet.refuse(ctx, cloud, ctx.body, WISHES, "networks", "resource")
        for field in UNCHANGING:
            if field in ctx.body and ctx.body[field] != shown.get(field, ""):
                raise Invalid(f"Invalid value for field 'resource.{field}': '{ctx.body[field]}'. It cannot be changed.",
                              field=f"resource.{field}")
        return _work(ctx, "patch", item.name, [])

    def get_effective_firewalls(self, ctx: Context) -> Rendered:
        """The firewalls of this network."""
        item = self.find(ctx, "global", ctx.params["network"])
        found = [each for each in firewalls.firewalls(ctx).values() if each.network == item.name]
        shown = [
            {"kind": "compute#firewall", **firewalls.render(ctx, each),
             "selfLink": ctx.link("global", "firewalls", each.name)} for each in found
        ]
        return {"firewalls": shown} if shown else {}


def _description(ctx: Context, item: Shown) -> str:
    """What was said of it; of one that has another name on its cloud, which."""
    if item.note or not item.parts or item.mode == CUSTOM:
        vpc = item.vpcs[0].model.description if item.vpcs else ""
        return str(item.note.get("description", vpc))
    said = networks.said(ctx.view, item.parts[0], "description")
    renamed = any(part.name != part.model.name for part in item.parts)
    return said or (", ".join(f"{part.zone}: {part.model.name}" for part in item.parts) if renamed else "")


def _zones(ctx: Context) -> list[Found[Zone]]:
    """The zones that get a new network. Raises Unsupported when there are none."""
    zones = [zone for zone in ctx.view.zones if zone.model.own_networks and zone.model.up]
    if not zones:
        clouds = ", ".join(f"'{cloud.name}'" for cloud in ctx.view.clouds)
        raise Unsupported(f"{ctx.method.id} is not offered on cloud {clouds}: {networks.why_none(ctx.view.clouds)}. "
                          "Machines there join the network 'default'.")
    return zones


def _work(ctx: Context, verb: str, name: str, steps: list[Step]) -> Work:
    main = steps[0].name if steps else ""
    return Work(verb, f"{ctx.project}/global/networks/{name}", steps, main=main, target_id=networks.number(ctx, name))
