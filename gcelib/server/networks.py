"""GCE's networks and subnetworks, told from the clouds' networks and private clouds.

A network in `custom` mode is a private cloud in each zone it has subnetworks in, its subnetworks that one's tiers;
where a cloud has no private clouds, it is one isolated network a zone, which says whose subnetwork it is. One in
`auto` mode is an isolated network in each zone, shown with one subnetwork of its own name a region. Every other
network is `legacy`: one range, no subnetworks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gcelib import naming
from gcelib.drivers.base import Cloud, able
from gcelib.errors import InUse, Invalid, NotFound
from gcelib.models import Network, Vpc, Zone
from gcelib.server import metadata, remarks
from gcelib.server.context import Context, Ground
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step
from gcelib.server.view import View

AUTO, CUSTOM, LEGACY = "auto", "custom", "legacy"
KIND = "custom-network"
"""What the store calls networks in custom mode: it has their descriptions, and those without a subnetwork yet."""


@dataclass(slots=True)
class Shown:
    """One GCE network: the clouds' networks that are it, or its subnetworks; and its private clouds."""

    name: str
    mode: str
    parts: list[Found[Network]] = field(default_factory=list)
    vpcs: list[Found[Vpc]] = field(default_factory=list)
    note: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subnet:
    """One GCE subnetwork: the clouds' networks that are it, one in each of its region's zones that has it."""

    name: str
    region: str
    network: str
    mode: str
    parts: tuple[Found[Network], ...]


def said(view: View, part: Found[Network], name: str) -> str:
    """What was kept on a cloud's network under a name."""
    note = view.note("network").get((part.cloud.name, part.model.id), {})
    return str(remarks.said_of(name, part.model.tags, note))


def network_name(view: View, part: Found[Network]) -> str:
    """The GCE network that a cloud's network is, or is a subnetwork of."""
    if part.model.vpc_id:
        vpc = view.vpcs.by_id(part.cloud.name, part.model.vpc_id)
        return vpc.name if vpc else naming.slug(part.model.vpc_name or part.model.vpc_id)
    return said(view, part, "network") or part.name


def mode_of(view: View, part: Found[Network]) -> str:
    """The mode of the GCE network it is, or is a subnetwork of."""
    if part.model.vpc_id or said(view, part, "network"):
        return CUSTOM
    return AUTO if said(view, part, "mode") == AUTO else LEGACY


def networks(ctx: Ground) -> dict[str, Shown]:
    """Every GCE network by its name."""
    made: dict[str, Shown] = ctx.view.memo("gce networks", lambda: _networks(ctx))
    return made


def _networks(ctx: Ground) -> dict[str, Shown]:
    shown: dict[str, Shown] = {}
    for part in ctx.view.networks:
        name = network_name(ctx.view, part)
        shown.setdefault(name, Shown(name, mode_of(ctx.view, part))).parts.append(part)
    for vpc in ctx.view.vpcs:
        shown.setdefault(vpc.name, Shown(vpc.name, CUSTOM)).vpcs.append(vpc)
    for name, note in ctx.view.notes_at(metadata.place(ctx), KIND).items():
        shown.setdefault(name, Shown(name, CUSTOM)).note = note
    return shown


def subnets(ctx: Context) -> list[Subnet]:
    """Every subnetwork, in the order of the networks."""
    found: dict[tuple[str, str], list[Found[Network]]] = {}
    for shown in networks(ctx).values():
        for part in shown.parts if shown.mode != LEGACY else ():
            found.setdefault((naming.region_of(part.zone), part.name), []).append(part)
    return [
        Subnet(name, region, network_name(ctx.view, parts[0]), mode_of(ctx.view, parts[0]), tuple(parts))
        for (region, name), parts in found.items()
    ]


def find(ctx: Context, ref: str) -> Shown | None:
    """The network a reference means: its GCE name, or the name or an id of a cloud's network that is it."""
    shown = networks(ctx)
    if ref in shown:
        return shown[ref]
    for zone in ctx.view.zones:
        part = ctx.view.networks.match(ref, zone.name)
        if part is not None and mode_of(ctx.view, part) != CUSTOM:
            return shown[network_name(ctx.view, part)]
    return next((each for each in shown.values() if ref == number(ctx, each.name)), None)


def number(ctx: Context, name: str) -> str:
    """A network's numeric id."""
    return naming.number("", "network", f"{ctx.tenancy} {name}")


def joined(ctx: Context, zone: Found[Zone], ref: str, *, subnetwork: bool, field: str) -> Found[Network] | None:
    """What a machine in `zone` joins when it asks for this network or subnetwork; None: the cloud makes its own.

    `default` is the zone's shared network; in a zone of own networks it is the one called so, else the only one
    there. Raises NotFound, and Invalid naming the candidates when several could be meant.
    """
    here = [item for item in ctx.view.networks if item.zone == zone.name]
    if not subnetwork:
        of_it = [item for item in here if network_name(ctx.view, item) == ref]
        if len(of_it) > 1:
            names = ", ".join(sorted(item.name for item in of_it))
            raise Invalid(
                f"Invalid value for field '{field}.subnetwork': ''. Network '{ref}' has several subnetworks in zone "
                f"'{zone.name}': {names}. Name one of them.", field=f"{field}.subnetwork",
            )
        if of_it:
            return of_it[0]
    found = ctx.view.networks.match(ref, zone.name)
    if found is not None and (subnetwork or mode_of(ctx.view, found) != CUSTOM):
        return found
    names = ", ".join(sorted(item.name for item in here)) or "none"
    if ref != "default" or not zone.model.own_networks:
        raise NotFound(f"Network '{ref}' is not in zone '{zone.name}'; networks there: {names}.")
    if len(here) > 1:
        raise Invalid(
            f"Zone '{zone.name}' has no network 'default' and several others: {names}. Name one of them.",
            field=f"{field}.network",
        )
    return here[0] if here else None


def why_none(clouds: Sequence[Cloud]) -> str:
    """Why none of these clouds makes a network: a sentence's second half."""
    if any(able(cloud, "networks", "create") for cloud in clouds):
        return "accounts have no networks of their own in its zones"
    return "; ".join(dict.fromkeys(cloud.why_not("networks", "create") for cloud in clouds))


def making(label: str, zone: Found[Zone], args: Mapping[str, Any], said: Mapping[str, str]) -> list[Step]:
    """The steps that make a cloud's network and keep what was said of it; without that it would read back otherwise."""
    undo = Step(f"drop {label}", zone.cloud.name, "networks", "destroy", {"id": {"$ref": f"{label}.target"}})
    step = Step(label, zone.cloud.name, "networks", "create", args, undo=undo)
    return [step, *kept(zone.cloud, "network", label, said)]


def kept(cloud: Cloud, kind: str, label: str, said: Mapping[str, str]) -> list[Step]:
    """The steps that keep what was said of the thing that step `label` makes, and fail where it cannot be kept."""
    return [replace(each, optional=False) for each in remarks.steps(cloud, kind, label, {}, said)]


def dropping(parts: Iterable[Found[Network]]) -> list[Step]:
    """The steps that delete clouds' networks, each once however many zones it reaches."""
    once = {(part.cloud.name, part.model.id): part for part in reversed([*parts])}
    return [
        Step(f"network {part.zone} {part.name}", part.cloud.name, "networks", "destroy", {"id": part.model.id})
        for part in reversed(once.values())
    ]


def apart(zones: Iterable[Found[Zone]]) -> list[Found[Zone]]:
    """Those of these zones in which a network has to be made so that all have it: of a cloud whose networks reach
    every zone, the first."""
    once = {
        (zone.cloud.name, "" if zone.cloud.traits.spanning_networks else zone.name): zone
        for zone in reversed([*zones])
    }
    return [*reversed(once.values())]


def unused(ctx: Context, parts: Iterable[Found[Network]], what: str) -> None:
    """Raise InUse naming a machine that is in one of these networks."""
    ids = {(part.cloud.name, part.model.id) for part in parts}
    nics = ((node, nic) for node in ctx.view.nodes for nic in node.model.nics)
    user = next((node for node, nic in nics if (node.cloud.name, nic.network_id) in ids), None)
    if user is not None:
        raise InUse(f"The {what} is already being used by "
                    f"'projects/{ctx.project}/zones/{user.zone}/instances/{user.name}'")
