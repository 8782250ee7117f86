"""Firewalls that are notes, because the rules that carry them out have no names: checked, and turned into steps.

They are what guards isolated networks, by rules on addresses and exits, and private clouds, by access lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.errors import Invalid, Refused, Unsupported
from gcelib.models import Network
from gcelib.server import access_lists, guards, late, metadata, rules
from gcelib.server.context import Context, Ground
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step

ADDRESSES, LISTS = "addresses", "acl"
KINDS = (ADDRESSES, LISTS)
"""What guards networks whose firewalls are notes."""
SPOKEN = ("tcp", "udp", "icmp", "all")
"""The protocols that rules on addresses know; access lists know others by number."""


def checked(body: Mapping[str, Any], kinds: frozenset[str], clouds: str, opens: frozenset[bool]) -> dict[str, Any]:
    """The firewall with its defaults filled in. `kinds` are of KINDS, `opens` says what may leave without a rule.

    Raises Invalid, and Unsupported naming the field that what guards these networks cannot say.
    """
    egress = body.get("direction", "INGRESS") == "EGRESS"
    for kind in sorted(kinds):
        _refuse(body, kind, opens, clouds, egress)
    field = "denied" if body.get("denied") else "allowed"
    ranges = "destinationRanges" if egress else "sourceRanges"
    if not body.get(field) or (body.get("denied") and body.get("allowed")):
        raise Invalid("Exactly one of fields 'resource.allowed' and 'resource.denied' must be specified.",
                      field="resource.allowed")
    definition: dict[str, Any] = {
        "description": body.get("description", ""),
        "priority": rules.priority_of(body),
        "direction": "EGRESS" if egress else "INGRESS",
        "disabled": bool(body.get("disabled")),
        "sourceRanges": [], "destinationRanges": [], "sourceTags": [], "allowed": [], "denied": [],
        "targetTags": rules.tags_of(body, "targetTags"),
        ranges: list(body.get(ranges) or [rules.ANYWHERE]),
        field: [dict(entry) for entry in body[field]],
    }
    _check_rules(definition, field, ranges, clouds, SPOKEN if ADDRESSES in kinds else ())
    return definition


def _refuse(body: Mapping[str, Any], kind: str, opens: frozenset[bool], clouds: str, egress: bool) -> None:
    never = ["sourceTags", "sourceServiceAccounts", "targetServiceAccounts", *(["sourceRanges"] if egress else [])]
    why = ("an access list stands before a whole subnetwork there: it tells apart the ranges of the other side, and "
           "none of the machines behind it")
    if kind == LISTS:
        never += ["targetTags"] if egress else ["targetTags", "destinationRanges"]
    else:
        never += ["targetTags"] if egress else ["denied", "destinationRanges"]
        inward = "its networks' rules only let in, at a machine's public address, from address ranges"
        outward = "what leaves its networks is let through or kept in for the whole network, by address range"
        why = outward if egress else inward
        if egress and True in opens and body.get("allowed"):
            why, never = "everything may leave this network, and rules only say what may not", [*never, "allowed"]
        if egress and False in opens and body.get("denied"):
            why, never = "nothing may leave this network, and rules only say what may", [*never, "denied"]
    wishes = {name: bool(body.get(name)) for name in never}
    wishes["logConfig"] = bool((body.get("logConfig") or {}).get("enable"))
    for field, refused in wishes.items():
        if refused:
            raise Unsupported(f"Field 'resource.{field}' is not offered on cloud {clouds}: {why}.",
                              field=f"resource.{field}")


def _check_rules(
    definition: Mapping[str, Any], field: str, ranges: str, clouds: str, spoken: Sequence[str]
) -> None:
    """Raise Invalid and Unsupported for protocols, ports and ranges that no rule can have; `spoken` none: any."""
    for index, text in enumerate(definition[ranges]):
        if ":" in text:
            path = f"resource.{ranges}[{index}]"
            raise Unsupported(f"Field '{path}' with '{text}' is not offered on cloud {clouds}: its networks' rules are "
                              "about IPv4.", field=path)
    try:
        found = rules.expand({**definition, "allowed": definition[field], "sourceRanges": definition[ranges]}, {})
    except Invalid as fault:
        words = fault.message.replace("resource.allowed", f"resource.{field}").replace("resource.sourceRanges",
                                                                                      f"resource.{ranges}")
        raise Invalid(words, field=fault.field.replace("allowed", field).replace("sourceRanges", ranges)) from fault
    for rule in sorted(found):
        if spoken and rule.protocol not in spoken:
            path = f"resource.{field}[].IPProtocol"
            raise Unsupported(f"Field '{path}' with protocol '{rule.protocol}' is not offered on cloud {clouds}: its "
                              f"networks' rules know {', '.join(spoken)}.", field=path)


def refuse_elsewhere(ctx: Context, parts: Sequence[Found[Network]]) -> None:
    """Raise Refused where a tier's list was made elsewhere: ours would have to take its place."""
    for part in parts:
        name = access_lists.elsewhere(ctx.view, part) if part.model.guard == LISTS else ""
        if name:
            raise Refused(
                f"Subnetwork '{part.name}' is guarded by access list '{name}' of cloud '{part.cloud.name}', which was "
                "made outside gcelib and is left as it is: a firewall would have to replace it. Change that list where "
                f"it was made, or put list '{access_lists.NAME}' before the subnetwork there.",
                field="resource.network",
            )


def steps(ground: Ground, network: str, cloud: str = "", wanted: guards.Definitions | None = None) -> list[Step]:
    """The steps after which a GCE network is guarded as its firewalls say; `wanted` if not those there are."""
    found = [*guards.definitions(ground, network).values()] if wanted is None else wanted
    return [*guards.steps(ground, network, found, cloud), *access_lists.steps(ground, network, found, cloud)]


def change(
    ctx: Context, verb: str, name: str, network: str, definition: Mapping[str, Any] | None, created: float
) -> list[Step]:
    """The steps that make the firewall what `definition` says, None for nothing: the note, and the rules."""
    there = guards.definitions(ctx, network)
    rest = [said for each, said in there.items() if each != name]
    _bound(ctx, network, [*rest, *([definition] if definition else [])])
    where = {"place": metadata.place(ctx), "kind": "firewall", "id": name}
    before = {"definition": there.get(name), "created": created, "network": network}
    back = Step("old note", "", "notes", "put", {**where, "data": before})
    if definition is None:
        return [Step("note", "", "notes", "delete", where, undo=back), late.network(network)]
    note = {"definition": dict(definition), "created": created, "network": network}
    undo = Step("un-note", "", "notes", "delete", where) if verb == "insert" else back
    return [Step("note", "", "notes", "put", {**where, "data": note}, undo=undo), late.network(network)]


def _bound(ctx: Context, network: str, wanted: guards.Definitions) -> None:
    """Raise Invalid for a change that would be more calls to the cloud than one operation is good for."""
    count = sum(step.facet in ("guards", "acls") for step in steps(ctx, network, wanted=wanted))
    if count > rules.MOST:
        raise Invalid(
            f"Invalid value for field 'resource.allowed': on network '{network}' this changes {count} rules of the "
            f"cloud, one for each protocol or range of ports on each public address, and at most {rules.MOST} are "
            "changed at once. Join ports to ranges, or name target tags that fewer machines have.",
            field="resource.allowed",
        )
