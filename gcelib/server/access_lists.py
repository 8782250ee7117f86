"""Firewalls in private clouds, where an access list stands before each tier and decides by numbers.

A network's list in a private cloud is gcelib's own, called `gcelib`; its tiers have it. A firewall is a note in the
store; each entry of the list is one protocol or range of ports of a firewall, numbered by its priority, and of two
with one priority the denying one comes first, as on GCE. Entries with other numbers, and other lists, were made
elsewhere: they are shown, and left as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gcelib.models import AccessList, AccessRule, Network, Vpc
from gcelib.server import networks, rules
from gcelib.server.context import Ground
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step
from gcelib.server.view import View

NAME = "gcelib"
EACH = 32_000
"""Numbers that each priority has, one half for what denies, the other for what allows."""
LAST = (65_536 + 1) * EACH
"""The number of the entry that lets out what no firewall keeps in; CloudStack would keep it in."""

Definitions = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One entry of a list without its number: ports -1 where there are none; `ranges` are the other side's."""

    priority: int
    allow: bool
    direction: str
    protocol: str
    first: int
    last: int
    ranges: tuple[str, ...]

    @property
    def numbers(self) -> tuple[int, int]:
        """The lowest and the highest number it may have."""
        low = (self.priority + 1) * EACH + (EACH // 2 if self.allow else 0)
        return low, low + EACH // 2 - 1


def lists(view: View, cloud: str) -> Sequence[AccessList]:
    """A cloud's lists; none where its users are kept from them."""
    return next((part.rows for part in view.parts("acls") if part.cloud.name == cloud), ())


def own_list(view: View, cloud: str, vpc_id: str) -> AccessList | None:
    """The list of ours in a private cloud."""
    return next((each for each in lists(view, cloud) if (each.name, each.vpc_id) == (NAME, vpc_id)), None)


def is_ours(acl: AccessList, rule: AccessRule) -> bool:
    """Whether an entry is one of a firewall's, or the last."""
    return acl.name == NAME and bool(acl.vpc_id) and EACH <= rule.number <= LAST


def elsewhere(view: View, part: Found[Network]) -> str:
    """The name of the list made elsewhere that stands before a tier; "" where it is ours or none."""
    if not part.model.acl_id:
        return ""
    there = {acl.id: acl for acl in lists(view, part.cloud.name)}.get(part.model.acl_id)
    if there is None:
        return part.model.acl_id
    return "" if there.name == NAME and there.vpc_id == part.model.vpc_id else there.name


def making(view: View, vpc: Any, cloud: str, label: str) -> tuple[list[Step], Any]:
    """(steps that make the list of a private cloud, its id or a reference to it); `vpc` may be a reference too.

    Nothing, and "", where the cloud has no lists for its users.
    """
    if not lists(view, cloud):
        return [], ""
    there = own_list(view, cloud, vpc) if isinstance(vpc, str) else None
    if there is not None:
        return [], there.id
    id = {"$ref": f"{label}.target"}
    undo = Step(f"drop {label}", cloud, "acls", "destroy", {"id": id})
    text = "Kept by gcelib: what firewalls say. Entries of your own have numbers below 32000."
    out = {"acl_id": id, "numbers": [LAST, LAST], "direction": "egress", "allow": True, "protocol": "all",
           "cidrs": [rules.ANYWHERE]}  # fmt: skip
    return [
        Step(label, cloud, "acls", "create", {"name": NAME, "vpc_id": vpc, "description": text}, undo=undo),
        Step(f"last of {label}", cloud, "acls", "add", out),
    ], id


def steps(ground: Ground, name: str, wanted: Definitions, cloud: str = "") -> list[Step]:
    """The steps after which every private cloud of a GCE network is guarded as these firewalls say.

    `cloud` is the only one looked at, if any is named. A tier that has no list is given ours.
    """
    view = ground.view
    found: list[Step] = []
    for vpc in view.vpcs:
        tiers = [part for part in view.networks if part.model.vpc_id == vpc.model.id and part.cloud is vpc.cloud]
        guarded = [part for part in tiers if part.model.guard == "acl"]
        if guarded and cloud in ("", vpc.cloud.name) and networks.network_name(view, guarded[0]) == name:
            found += _of_vpc(view, vpc, guarded, wanted)
    return found


def _of_vpc(view: View, vpc: Found[Vpc], tiers: Sequence[Found[Network]], wanted: Definitions) -> list[Step]:
    acl, cloud = own_list(view, vpc.cloud.name, vpc.model.id), vpc.cloud.name
    bare = [part for part in tiers if not part.model.acl_id]
    if acl is None and not (wanted and bare):
        return []
    made, id = making(view, vpc.model.id, cloud, f"list of {vpc.model.id}")
    if not id:
        return []
    there = {_entry(rule): rule for rule in acl.rules} if acl else {}
    wishes = entries(wanted)
    for number, entry in enumerate(sorted(wishes - there.keys())):
        label = f"entry {vpc.model.id} {number}"
        undo = Step(f"drop {label}", cloud, "acls", "remove", {"ids": [{"$ref": f"{label}.target"}]})
        made.append(Step(label, cloud, "acls", "add", {"acl_id": id, **_args(entry)}, undo=undo))
    for entry, rule in sorted(there.items()):
        if acl and is_ours(acl, rule) and rule.number != LAST and entry not in wishes:
            again = Step(f"entry {rule.id} again", cloud, "acls", "add", {"acl_id": id, **_args(entry)})
            made.append(Step(f"no entry {rule.id}", cloud, "acls", "remove", {"ids": [rule.id]}, undo=again))
    puts = ({"acl_id": id, "network_id": part.model.id} for part in bare if wanted)
    return [*made, *(Step(f"list before {args['network_id']}", cloud, "acls", "put", args) for args in puts)]


def entries(wanted: Definitions) -> set[Entry]:
    """The entries that firewalls amount to; those that are not in force have none."""
    found: set[Entry] = set()
    for each in wanted:
        if each["disabled"]:
            continue
        ingress, allow = each["direction"] == "INGRESS", not each["denied"]
        ranges = each["sourceRanges" if ingress else "destinationRanges"]
        sent = {"allowed": each["allowed" if allow else "denied"], "sourceRanges": ranges, "sourceTags": []}
        spans: dict[tuple[str, int, int], set[str]] = {}
        for rule in rules.expand(sent, {}):
            spans.setdefault((rule.protocol, *_ports(rule)), set()).add(rule.source)
        direction = "ingress" if ingress else "egress"
        found |= {Entry(each["priority"], allow, direction, *key, tuple(sorted(r))) for key, r in spans.items()}
    return found


def _ports(rule: rules.Rule) -> tuple[int, int]:
    """All ports are none named; a port 0 cannot be named, and nothing listens on it."""
    if rule.first < 0 or (rule.first, rule.last) == rules.FULL:
        return -1, -1
    return max(rule.first, 1), max(rule.last, 1)


def _entry(rule: AccessRule) -> Entry:
    ports = (-1, -1) if rule.first_port is None or rule.last_port is None else (rule.first_port, rule.last_port)
    protocol = rules.NUMBERS.get(rule.protocol, rule.protocol)
    return Entry(rule.number // EACH - 1, rule.allow, rule.direction, protocol, *ports, rule.cidrs)


def _args(entry: Entry) -> dict[str, Any]:
    args: dict[str, Any] = {"numbers": [*entry.numbers], "direction": entry.direction, "allow": entry.allow,
                            "protocol": entry.protocol, "cidrs": [*entry.ranges]}  # fmt: skip
    return args | ({"first_port": entry.first, "last_port": entry.last} if entry.first >= 0 else {})


def describe(rule: AccessRule) -> dict[str, Any]:
    """GCE's fields for an entry that was made elsewhere."""
    entry: dict[str, Any] = {"IPProtocol": rule.protocol}
    if rule.first_port is not None:
        same = rule.first_port == rule.last_port
        entry["ports"] = [str(rule.first_port) if same else f"{rule.first_port}-{rule.last_port}"]
    ranges = "sourceRanges" if rule.direction == "ingress" else "destinationRanges"
    return {
        "priority": min(rule.number, 65535), "direction": rule.direction.upper(), "disabled": False,
        "allowed" if rule.allow else "denied": [entry], ranges: [*rule.cidrs],
    }
