"""The project's public addresses under their GCE names: by region, each with what uses it."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, Forbidden, InUse, Invalid, Unsupported
from gcelib.models import Address, Network
from gcelib.server import balancing, labels, remarks
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found
from gcelib.server.networks import network_name
from gcelib.server.operations.plan import Step

EPHEMERAL = "ephemeral"
"""The remark on an address that goes when what it was taken for lets go of it."""

PREMIUM = "PREMIUM"


def addresses(ctx: Context) -> Directory[Address]:
    """Every address, ephemeral ones too; `Found.zone` is the region."""
    found: Directory[Address] = ctx.view.memo("addresses", lambda: _directory(ctx))
    return found


def note_of(ctx: Context, item: Found[Address]) -> Mapping[str, Any]:
    """What the store keeps of an address."""
    return ctx.view.note("address").get((item.cloud.name, item.model.id), {})


def subject(ctx: Context, item: Found[Address]) -> remarks.Subject:
    """The address with all that is kept of it."""
    return remarks.Subject(item.cloud, "address", item.model.id, item.model.tags, note_of(ctx, item))


def ephemeral(ctx: Context, item: Found[Address]) -> bool:
    """Whether it is nobody's reserved one."""
    return bool(remarks.said_of(EPHEMERAL, item.model.tags, note_of(ctx, item)))


def given_name(ctx: Context, item: Found[Address]) -> str:
    """The name it was given here; "" for one that was taken elsewhere, or is ephemeral."""
    return str(remarks.said_of("name", item.model.tags, note_of(ctx, item)))


def at(ctx: Context, ip: str, region: str) -> Found[Address] | None:
    """The address with these digits in a region."""
    return next((item for item in addresses(ctx) if item.model.ip == ip and item.zone == region), None)


def checked_ip(text: str, field: str) -> str:
    """The address in its usual spelling, "" for none. Raises Invalid for what is no IPv4 address."""
    try:
        return str(ipaddress.IPv4Address(text)) if text else ""
    except ValueError:
        raise Invalid(f"Invalid value for field '{field}': '{text}'. Must be an IPv4 address.", field=field) from None


def reservable(ctx: Context, region: str, link: str = "") -> tuple[Found[Network], list[tuple[str, str]]]:
    """The network a new address of the region is for, and a warning where that was our choice.

    GCE's addresses are a region's, a cloud's may be one network's: that is the one named, else `default`, else the
    only one, else the oldest. Raises Unsupported where accounts take no addresses, Invalid for a wrong `link`.
    """
    here = [item for item in ctx.view.networks if naming.region_of(item.zone) == region and item.model.nat]
    if not here:
        raise Unsupported(
            f"{ctx.method.id} is not offered on cloud {_clouds(ctx, region)} in region '{region}': accounts have no "
            "network there that public addresses are taken for. Where machines have public addresses of their own, "
            "they need none; else make a network first."
        )
    if link:
        name = ctx.ref(link, "networks", "resource.network").name
        named = [
            item for item in here
            if name in (item.name, item.model.name, item.model.id, network_name(ctx.view, item))
        ]
        if not named:
            names = ", ".join(sorted({network_name(ctx.view, item) for item in here}))
            raise Invalid(f"Invalid value for field 'resource.network': '{link}'. Networks of the region with public "
                          f"addresses: {names}.", field="resource.network")
        return named[0], []
    defaults = [item for item in here if item.name == "default"]
    if defaults or len(here) == 1:
        return (defaults or here)[0], []
    chosen = min(here, key=lambda item: (str(item.model.created or ""), item.name))
    others = ", ".join(sorted(item.name for item in here if item is not chosen))
    why = (f"On cloud '{chosen.cloud.name}' an address is for one network: this one is for '{chosen.name}'. Name "
           "another "
           f"one in field 'network' ({others}).")
    return chosen, [("NOT_CRITICAL_ERROR", why)]


def acquisition(
    ctx: Context, network: Found[Network], labels: Mapping[str, str], said: Mapping[str, Any], *, ip: str = "",
    after: Sequence[Any] = (),
) -> list[Step]:
    """Steps that take an address for a network, as step "address", and keep what is said of it.

    `after` are references to results that must be there first.
    """
    cloud, model = network.cloud, network.model
    known: list[Any] = [item.model.id for item in addresses(ctx) if item.model.network_id in ("", model.id)]
    # Ids that are none of an address's do no harm among the known ones, and make the step wait.
    args = {"zone_id": model.zone_id, "network_id": model.id, "ip": ip, "known": [*known, *after], "submitted": "$now"}
    undo = Step("release address", cloud.name, "addresses", "release", {"id": {"$ref": "address.target"}})
    kept = remarks.steps(cloud, "address", "address", labels, said)
    # What an address is called is all that tells it from others: one that cannot be marked is given back.
    return [
        Step("address", cloud.name, "addresses", "acquire", args, undo=undo),
        *(replace(step, optional=False) for step in kept),
    ]


def refuse_taken(ctx: Context, region: str, name: str) -> None:
    """Raise Exists where a reserved address of the region has this name."""
    found = next((item for item in addresses(ctx) if item.zone == region and item.name == name), None)
    if found is not None and not ephemeral(ctx, found):
        raise Exists(f"The resource 'projects/{ctx.project}/regions/{region}/addresses/{name}' already exists")


def refuse_used(ctx: Context, item: Found[Address], users: Sequence[str]) -> None:
    """Raise InUse for an address that something uses; `users` are paths below the project."""
    if item.model.held:
        raise InUse(
            f"The address resource 'projects/{ctx.project}/regions/{item.zone}/addresses/{item.name}' is already being "
            f"used on cloud '{item.cloud.name}' by '{item.model.held}', which is no machine: a balancer, or a gateway. "
            "Take it away there first."
        )
    if users:
        raise InUse(
            f"The address resource 'projects/{ctx.project}/regions/{item.zone}/addresses/{item.name}' is already being "
            f"used by 'projects/{ctx.project}/{users[0]}'"
        )


def users(ctx: Context, item: Found[Address]) -> list[str]:
    """Paths below the project of what uses an address: a machine, or the network whose way out it is."""
    model, cloud = item.model, item.cloud.name
    node = ctx.view.nodes.by_id(cloud, model.node_id) if model.node_id else None
    found = [f"zones/{node.zone}/instances/{node.name}"] if node else []
    network = ctx.view.networks.by_id(cloud, model.network_id) if model.source_nat else None
    return [*found, f"global/networks/{network_name(ctx.view, network)}"] if network else found


def refuse_lost(ctx: Context, parts: Sequence[Found[Network]], what: str) -> None:
    """Raise InUse naming what clouds would give back with these networks: reserved addresses, and forwarding rules."""
    ids = {(part.cloud.name, part.model.id) for part in parts if part.model.nat or part.model.balanced}
    try:
        kept = _kept_in(ctx, ids) if ids else []
    except (Forbidden, Unsupported):
        # Who is kept from addresses, or from balancers, has reserved none.
        kept = []
    if kept:
        raise InUse(f"The {what} is already being used by 'projects/{ctx.project}/{kept[0]}', which would go with it: "
                    "delete that first.")


def _kept_in(ctx: Context, ids: Collection[tuple[str, str]]) -> list[str]:
    """Paths below the project of the reserved addresses and the forwarding rules of (cloud, network id) pairs."""
    found = [
        f"regions/{rule.region}/forwardingRules/{rule.name}" for rule in balancing.rules(ctx).values()
        if rule.ours and (rule.cloud.name, rule.first.network_id) in ids
    ]
    return found + [
        f"regions/{item.zone}/addresses/{item.name}" for item in addresses(ctx)
        if (item.cloud.name, item.model.network_id) in ids and not (item.model.source_nat or ephemeral(ctx, item))
    ]


def refuse_tier(ctx: Context, cloud: str, tier: str, field: str) -> None:
    """Raise Unsupported for a network tier that is not the only one."""
    if tier not in ("", PREMIUM):
        raise Unsupported(f"{ctx.method.id} with field '{field}' is not offered on cloud '{cloud}': its addresses have "
                          f"one network tier, which is shown as {PREMIUM}. Leave the field out.", field=field)


def _directory(ctx: Context) -> Directory[Address]:
    parts = ctx.view.parts("addresses")
    notes = ctx.view.note("address")
    regions = {place: naming.region_of(zone) for place, zone in ctx.view.zone_names().items()}

    def name(cloud: Any, model: Address) -> str:
        said = str(remarks.said_of("name", model.tags, notes.get((cloud.name, model.id), {})))
        return said if naming.is_label(said) else "ip-" + model.ip.replace(".", "-").replace(":", "-")

    return Directory(labels.per_zone(regions, parts, name))


def _clouds(ctx: Context, region: str) -> str:
    found = {zone.cloud.name for zone in ctx.view.regions.get(region, ())}
    return ", ".join(f"'{name}'" for name in sorted(found))
