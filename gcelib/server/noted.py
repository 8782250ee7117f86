"""Firewalls that are notes, because the rules that carry them out have no names: checked, and turned into steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.errors import Invalid, Unsupported
from gcelib.models import Network
from gcelib.server import guards, metadata, rules
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step

SPOKEN = ("tcp", "udp", "icmp", "all")
"""The protocols that rules on addresses know."""


def checked(body: Mapping[str, Any], parts: Sequence[Found[Network]]) -> dict[str, Any]:
    """The firewall with its defaults filled in.

    Raises Invalid, and Unsupported naming the field that rules on these networks' public addresses and exits cannot
    say.
    """
    egress = body.get("direction", "INGRESS") == "EGRESS"
    clouds = ", ".join(sorted({f"'{part.cloud.name}'" for part in parts}))
    _refuse(body, parts, clouds, egress)
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
        "targetTags": list(body.get("targetTags") or []),
        ranges: list(body.get(ranges) or [rules.ANYWHERE]),
        field: [dict(entry) for entry in body[field]],
    }
    _check_rules(definition, field, ranges, clouds)
    return definition


def _refuse(body: Mapping[str, Any], parts: Sequence[Found[Network]], clouds: str, egress: bool) -> None:
    inward = "its networks' rules only let in, at a machine's public address, from address ranges"
    outward = "what leaves its networks is let through or kept in for the whole network, by address range"
    why = outward if egress else inward
    wishes = {name: bool(body.get(name)) for name in ("sourceTags", "sourceServiceAccounts", "targetServiceAccounts")}
    wishes["logConfig"] = bool((body.get("logConfig") or {}).get("enable"))
    wishes |= {name: bool(body.get(name)) for name in (("targetTags",) if egress else ("denied", "destinationRanges"))}
    if egress and body.get("sourceRanges"):
        wishes["sourceRanges"] = True
    opens = {part.model.egress_open for part in parts}
    if egress and True in opens and body.get("allowed"):
        why, wishes["allowed"] = "everything may leave this network, and rules only say what may not", True
    if egress and False in opens and body.get("denied"):
        why, wishes["denied"] = "nothing may leave this network, and rules only say what may", True
    for field, refused in wishes.items():
        if refused:
            raise Unsupported(f"Field 'resource.{field}' is not offered on cloud {clouds}: {why}.",
                              field=f"resource.{field}")


def _check_rules(definition: Mapping[str, Any], field: str, ranges: str, clouds: str) -> None:
    """Raise Invalid and Unsupported for protocols, ports and ranges that no rule can have."""
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
        if rule.protocol not in SPOKEN:
            path = f"resource.{field}[].IPProtocol"
            raise Unsupported(f"Field '{path}' with protocol '{rule.protocol}' is not offered on cloud {clouds}: its "
                              f"networks' rules know {', '.join(SPOKEN)}.", field=path)


def change(
    ctx: Context, verb: str, name: str, network: str, definition: Mapping[str, Any] | None, created: float
) -> list[Step]:
    """The steps that make the firewall what `definition` says, None for nothing: the note, and the rules."""
    there = guards.definitions(ctx, network)
    wanted = {each: said for each, said in there.items() if each != name}
    where = {"place": metadata.place(ctx), "kind": "firewall", "id": name}
    if definition is None:
        rest = guards.steps_for_network(ctx, network, [*wanted.values()])
        return [*rest, Step("note", "", "notes", "delete", where)]
    note = {"definition": dict(definition), "created": created, "network": network}
    before = {"definition": there.get(name), "created": created, "network": network}
    undo = Step("un-note", "", "notes", "delete", where)
    if verb != "insert":
        undo = Step("old note", "", "notes", "put", {**where, "data": before})
    steps = [Step("note", "", "notes", "put", {**where, "data": note}, undo=undo)]
    return [*steps, *guards.steps_for_network(ctx, network, [*wanted.values(), definition])]
