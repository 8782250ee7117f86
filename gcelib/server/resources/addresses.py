"""Addresses: the public ones the account has reserved; those of a machine's own, or ephemeral, are shown with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from gcelib import naming
from gcelib.errors import Invalid, Refused
from gcelib.models import Address
from gcelib.server import addresses, balancing, fingerprint, remarks, unmet
from gcelib.server.collection import Collection, Rendered, missing, scope_of
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import rfc3339

REFUSED: unmet.Wishes = {
    "ipVersion": lambda value: value == "IPV6", "addressType": lambda value: value == "INTERNAL",
    "purpose": bool, "subnetwork": bool, "prefixLength": bool, "ipv6EndpointType": bool, "ipCollection": bool,
}


class Addresses(Collection):
    """One that was taken outside gcelib has its digits for a name, until `insert` with `address` gives it another."""

    name, kind = "addresses", "address"
    looks = ("zones.list", "addresses.list")
    refusals: ClassVar[Mapping[str, str]] = {
        "move": "an address belongs to the account whose project this is, and cannot be given to another.",
    }

    def scopes(self, ctx: Context) -> Sequence[str]:
        return ["global", *(f"regions/{name}" for name in ctx.view.regions)]

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (
            (where, item) for item in addresses.addresses(ctx)
            if scope in ("", where := f"regions/{item.zone}") and not addresses.ephemeral(ctx, item)
        )

    def find(self, ctx: Context, scope: str, ref: str) -> Found[Address]:
        found = addresses.addresses(ctx).match(ref, scope.partition("/")[2])
        if found is None or addresses.ephemeral(ctx, found):
            raise missing(ctx, scope, self.name, ref)
        return found

    def render(self, ctx: Context, scope: str, item: Found[Address]) -> Rendered:
        address, note = item.model, addresses.note_of(ctx, item)
        labels = remarks.labels_of(address.tags, note)
        users = _users(ctx, item)
        shown: Rendered = {
            "id": naming.number(item.cloud.name, "address", address.id),
            "creationTimestamp": rfc3339(address.created),
            "name": item.name,
            "description": remarks.said_of("description", address.tags, note),
            "address": address.ip,
            "addressType": "EXTERNAL",
            "networkTier": addresses.PREMIUM,
            "status": "IN_USE" if users or address.node_id or address.held else "RESERVED",
            "region": ctx.link(scope),
            "labelFingerprint": fingerprint.fingerprint(labels),
        }
        if labels:
            shown["labels"] = labels
        if users:
            shown["users"] = [ctx.link(path) for path in users]
        if address.source_nat:
            shown["purpose"] = "NAT_AUTO"
        return shown

    def insert(self, ctx: Context) -> Work:
        """Take an address, or give a name to one the account has and nobody has named."""
        region, body = scope_of(ctx).partition("/")[2], ctx.body
        name, field = body["name"], "resource.address"
        addresses.refuse_taken(ctx, region, name)
        ip = addresses.checked_ip(body.get("address", ""), field)
        labels = remarks.check_labels(body.get("labels") or {})
        said = {"name": name, "description": body.get("description", "")}
        there = addresses.at(ctx, ip, region) if ip else None
        if there is not None:
            return self._named(ctx, there, said, labels)
        network, warnings = addresses.reservable(ctx, region, body.get("network", ""))
        unmet.refuse(ctx, network.cloud, body, REFUSED, "public addresses", "resource")
        addresses.refuse_tier(ctx, network.cloud.name, body.get("networkTier", ""), "resource.networkTier")
        steps = addresses.acquisition(ctx, network, labels, said, ip=ip)
        target = f"{ctx.project}/regions/{region}/addresses/{name}"
        return Work("insert", target, steps, main="address", target_kind="address", warnings=warnings)

    def delete(self, ctx: Context) -> Work:
        """Give it back. Raises InUse while something uses it."""
        found = self._of_path(ctx)
        if found.model.source_nat:
            raise Refused(
                f"Address '{found.name}' is what the machines of a network of cloud '{found.cloud.name}' are seen as "
                "from "
                "outside: it goes with that network."
            )
        addresses.refuse_used(ctx, found, _users(ctx, found))
        steps = [Step("release", found.cloud.name, "addresses", "release", {"id": found.model.id})]
        if addresses.note_of(ctx, found):
            where = {"place": found.cloud.name, "kind": "address", "id": found.model.id}
            steps.append(Step("un-note", "", "notes", "delete", where))
        return _of(ctx, found, "delete", steps)

    def set_labels(self, ctx: Context) -> Work:
        """Replace the labels."""
        found = self._of_path(ctx)
        return _of(ctx, found, "setLabels", remarks.relabelled(addresses.subject(ctx, found), ctx.body))

    def _named(self, ctx: Context, item: Found[Address], said: dict[str, Any], labels: dict[str, str]) -> Work:
        if addresses.given_name(ctx, item) or item.model.source_nat:
            raise Invalid(
                f"Invalid value for field 'resource.address': '{item.model.ip}'. Specified IP address is already "
                "reserved: "
                f"it is '{item.name}'.", field="resource.address",
            )
        unmet.refuse(ctx, item.cloud, ctx.body, REFUSED, "public addresses", "resource")
        about = addresses.subject(ctx, item)
        steps = [*remarks.restated(about, {**said, addresses.EPHEMERAL: ""}), *remarks.labelled(about, labels)]
        target = f"{ctx.project}/regions/{item.zone}/addresses/{said['name']}"
        number = naming.number(item.cloud.name, "address", item.model.id)
        return Work("insert", target, steps, main=steps[0].name, target_id=number)

    def _of_path(self, ctx: Context) -> Found[Address]:
        return self.find(ctx, scope_of(ctx), ctx.params[ctx.method.order[-1]])


def _users(ctx: Context, item: Found[Address]) -> list[str]:
    return [*addresses.users(ctx, item), *balancing.rules_on(ctx, item)]


def _of(ctx: Context, item: Found[Address], verb: str, steps: Sequence[Step]) -> Work:
    """A work on an address that is there."""
    return Work(
        verb, f"{ctx.project}/regions/{item.zone}/addresses/{item.name}", steps, main=steps[0].name if steps else "",
        target_id=naming.number(item.cloud.name, "address", item.model.id),
    )
