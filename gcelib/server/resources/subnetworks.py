"""Subnetworks: tiers of a zone's private cloud, isolated networks, or what an auto network shows in each region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from gcelib import naming
from gcelib.errors import Exists, Invalid, Missing, Refused, Unsupported
from gcelib.models import Zone
from gcelib.server import addresses, fingerprint, late, networks, permissions, subnets, unmet
from gcelib.server.abilities import possible
from gcelib.server.collection import Collection, Rendered, missing, region_name, scope_of
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.networks import AUTO, CUSTOM, Shown, Subnet
from gcelib.server.operations.plan import Step, Work
from gcelib.server.ranges import range_of
from gcelib.server.times import rfc3339

PLAIN = {"purpose": "PRIVATE", "stackType": "IPV4_ONLY", "privateIpv6GoogleAccess": "DISABLE_GOOGLE_ACCESS"}
"""What every subnetwork is."""
WISHES: unmet.Wishes = {
    "privateIpGoogleAccess": bool, "enableFlowLogs": bool, "secondaryIpRanges": bool, "ipv6AccessType": bool,
    "logConfig": lambda value: bool(value.get("enable")), "role": bool, "reservedInternalRange": bool,
    "externalIpv6Prefix": bool, "ipCollection": bool, "allowSubnetCidrRoutesOverlap": bool, "params": bool,
    "purpose": lambda value: value not in ("PRIVATE", "PRIVATE_RFC_1918"), "resolveSubnetMask": bool,
    "stackType": lambda value: value != PLAIN["stackType"],
    "privateIpv6GoogleAccess": lambda value: value != PLAIN["privateIpv6GoogleAccess"],
}
UNCHANGING = ("name", "description", "ipCidrRange")


class Subnetworks(Collection):
    """One of GCE's is one of the cloud's networks in each zone of its region."""

    name, kind = "subnetworks", "subnetwork"
    looks = ("zones.list", "networks.list", "vpcs.list")
    refusals: ClassVar[Mapping[str, str]] = {
        "expandIpCidrRange": "a cloud's network keeps the range it was made with. Make another subnetwork.",
    }

    def scopes(self, ctx: Context) -> Sequence[str]:
        return [f"regions/{region}" for region in ctx.view.regions]

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        found = ((f"regions/{subnet.region}", subnet) for subnet in networks.subnets(ctx))
        return ((where, subnet) for where, subnet in found if scope in ("", where))

    def find(self, ctx: Context, scope: str, ref: str) -> Subnet:
        for subnet in networks.subnets(ctx):
            known = (subnet.name, _number(subnet), *(part.model.id for part in subnet.parts))
            if scope == f"regions/{subnet.region}" and ref in known:
                return subnet
        raise missing(ctx, scope, self.name, ref)

    def render(self, ctx: Context, scope: str, item: Subnet) -> Rendered:
        first = item.parts[0].model
        shown: Rendered = {
            "id": _number(item),
            "name": item.name,
            "description": networks.said(ctx.view, item.parts[0], "description"),
            "network": ctx.link("global", "networks", item.network),
            "ipCidrRange": first.cidr,
            "region": ctx.link("regions", item.region),
            "privateIpGoogleAccess": False,
            **PLAIN,
        }
        if first.gateway:
            shown["gatewayAddress"] = first.gateway
        if first.created:
            shown["creationTimestamp"] = rfc3339(first.created)
        shown["fingerprint"] = fingerprint.fingerprint(shown)
        return shown

    def insert(self, ctx: Context) -> Work:
        """Make it in every zone of the region whose accounts have networks of their own."""
        region, name = region_name(ctx, ctx.params["region"]), ctx.body.get("name", "")
        if not name:
            raise Missing("Required field 'resource.name' not specified", field="resource.name")
        network = _network(ctx)
        wanted = range_of(ctx.body.get("ipCidrRange", ""), "resource.ipCidrRange")
        wish = subnets.Wish(network.name, region, name, str(wanted), ctx.body.get("description", ""))
        where = f"projects/{ctx.project}/regions/{region}/subnetworks/{name}"
        zones = subnets.zones(ctx.view, region)
        if not zones:
            there = {zone.cloud.name: zone.cloud for zone in ctx.view.regions[region]}
            clouds = ", ".join(f"'{name}'" for name in sorted(there))
            raise Unsupported(f"{ctx.method.id} is not offered on cloud {clouds} in region '{region}': "
                              f"{networks.why_none([*there.values()])}. Choose a region where they are made.")
        if any(ctx.view.networks.match(name, zone.name) for zone in zones):
            raise Exists(f"The resource '{where}' already exists")
        for zone in networks.apart(zones):
            unmet.refuse(ctx, zone.cloud, ctx.body, WISHES, "networks", "resource")
        steps, places = subnets.making(ctx, wish), sorted({zone.cloud.name for zone in zones})
        warnings = _unguarded(zones, steps)
        main = next(step.name for step in steps if step.facet == "networks")
        if subnets.begins(steps):
            # Another may be about to make the private cloud that both are to be in. What cannot be is refused now.
            possible(ctx, Work("insert", where, steps))
            steps = [late.subnetwork(asdict(wish), places[0] if len(places) == 1 else "")]
            main = steps[0].name
        # Firewalls may be there already: they guard it before a machine is in it.
        steps += [late.network(network.name, cloud) for cloud in places]
        return Work("insert", where.removeprefix("projects/"), steps, main=main, warnings=warnings)

    def delete(self, ctx: Context) -> Work:
        """Delete it in every zone, if no machine, address or rule is in it; a private cloud stays for the next one."""
        item = self.find(ctx, scope_of(ctx), ctx.params["subnetwork"])
        path = f"{ctx.project}/regions/{item.region}/subnetworks/{item.name}"
        if item.mode == AUTO:
            raise Invalid(f"Subnetwork 'projects/{path}' belongs to a network in auto mode and goes with it: delete "
                          f"network '{item.network}'.")
        shared = next((part for part in item.parts if not part.model.own), None)
        if shared:
            raise Refused(f"Subnetwork '{item.name}' is not the project's own in zone '{shared.zone}' of cloud "
                          f"'{shared.cloud.name}': only its operator can delete it.")
        networks.unused(ctx, item.parts, f"subnetwork resource 'projects/{path}'")
        addresses.refuse_lost(ctx, item.parts, f"subnetwork resource 'projects/{path}'")
        steps = networks.dropping(item.parts)
        return Work("delete", path, steps, main=steps[0].name, target_id=_number(item))

    def patch(self, ctx: Context) -> Work:
        """Nothing of a subnetwork can change: what is as it is already is taken, everything else refused."""
        item = self.find(ctx, scope_of(ctx), ctx.params["subnetwork"])
        shown = self.render(ctx, "", item)
        fingerprint.check(ctx.body.get("fingerprint"), shown["fingerprint"], "resource.fingerprint")
        unmet.refuse(ctx, item.parts[0].cloud, ctx.body, WISHES, "networks", "resource")
        for field in UNCHANGING:
            if field in ctx.body and ctx.body[field] != shown.get(field, ""):
                raise Invalid(f"Invalid value for field 'resource.{field}': '{ctx.body[field]}'. It cannot be changed.",
                              field=f"resource.{field}")
        return _unchanged(ctx, item, "patch")

    def set_private_ip_google_access(self, ctx: Context) -> Work:
        """It is off, and stays so."""
        item = self.find(ctx, scope_of(ctx), ctx.params["subnetwork"])
        unmet.refuse(ctx, item.parts[0].cloud, ctx.body, WISHES, "networks", "resource")
        return _unchanged(ctx, item, "setPrivateIpGoogleAccess")

    def list_usable(self, ctx: Context) -> Rendered:
        """Those the caller may put machines into: all of them."""
        # They have no names, by which pages are cut.
        rows = [(f"{scope}/{item.name}", self._usable(ctx, item)) for scope, item in self.rows(ctx, "")]
        found = self._page(ctx, rows)
        path = "aggregated/subnetworks/listUsable"
        answer: Rendered = {
            "kind": "compute#usableSubnetworksAggregatedList", "id": f"projects/{ctx.project}/{path}",
            "selfLink": ctx.link(path), "items": [item for _, item in found.items],
        }
        return {**answer, **({"nextPageToken": found.next_token} if found.next_token else {})}

    def _usable(self, ctx: Context, item: Subnet) -> Rendered:
        return {
            "subnetwork": ctx.link("regions", item.region, "subnetworks", item.name),
            "network": ctx.link("global", "networks", item.network),
            "ipCidrRange": item.parts[0].model.cidr, "purpose": PLAIN["purpose"], "stackType": PLAIN["stackType"],
        }

    def test_iam_permissions(self, ctx: Context) -> Rendered:
        """Those of the permissions asked about that the caller has on it."""
        self.find(ctx, scope_of(ctx), ctx.params["resource"])
        return permissions.held(ctx)


def _number(item: Subnet) -> str:
    return naming.number(item.parts[0].cloud.name, "subnetwork", item.parts[0].model.id)


def _unchanged(ctx: Context, item: Subnet, verb: str) -> Work:
    path = f"{ctx.project}/regions/{item.region}/subnetworks/{item.name}"
    return Work(verb, path, [], target_id=_number(item))


def _network(ctx: Context) -> Shown:
    """The network it is to be in. Raises Missing and Invalid for one that is not in custom mode."""
    field = "resource.network"
    if not ctx.body.get("network"):
        raise Missing(f"Required field '{field}' not specified", field=field)
    found = networks.find(ctx, ctx.ref(ctx.body["network"], "networks", field).name)
    if found is None:
        raise Invalid(f"Invalid value for field '{field}': '{ctx.body['network']}'. The referenced network resource "
                      "cannot be found.", field=field)
    if found.mode != CUSTOM:
        raise Invalid(f"Invalid value for field '{field}': '{ctx.body['network']}'. Network '{found.name}' is in "
                      f"{found.mode} mode; only one in custom mode gets further subnetworks.", field=field)
    return found


def _unguarded(zones: Sequence[Found[Zone]], steps: Sequence[Step]) -> list[tuple[str, str]]:
    """The warning that a tier of a private cloud has no list, because the account's role keeps it from them."""
    if not any("vpc_id" in step.args and "acl_id" not in step.args for step in steps if step.facet == "networks"):
        return []
    clouds = ", ".join(sorted({f"'{zone.cloud.name}'" for zone in zones}))
    return [("NOT_CRITICAL_ERROR", f"The subnetwork is in a private cloud of {clouds}, whose access lists the account "
             "may not see: firewalls do not change who may reach its machines.")]
