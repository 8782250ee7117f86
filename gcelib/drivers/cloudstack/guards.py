"""CloudStack's firewall rules: on the public addresses of isolated networks, and on what leaves these networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.facet import Facet, gone, reached
from gcelib.drivers.cloudstack.jobs import Seen, Token, job_id
from gcelib.drivers.cloudstack.network_rows import ranges
from gcelib.errors import Invalid
from gcelib.models import Guard, Job, JobState

COMMANDS = {"address": ("listFirewallRules", "createFirewallRule", "deleteFirewallRule"),
            "egress": ("listEgressFirewallRules", "createEgressFirewallRule", "deleteEgressFirewallRule")}  # fmt: skip
"""Place -> the commands that list, make and remove its rules."""
PLACES = {"address": "ipaddressid", "egress": "networkid"}
HIDDEN = frozenset({"Deleting", "Revoke"})


class GuardRow(records.Tagged, frozen=True, kw_only=True):
    """A rule: ranges are one text with commas, ports are numbers."""

    protocol: str = ""
    startport: int | None = None
    endport: int | None = None
    cidrlist: str = ""
    destcidrlist: str = ""
    ipaddressid: str = ""
    networkid: str = ""
    state: str = ""


class Guards(Facet):
    """listFirewallRules, listEgressFirewallRules and their commands."""

    name = "guards"
    jobbed = frozenset({"destroy"})

    def list(self) -> Sequence[Guard]:
        """The rules of every place."""
        return [_guard(place, row) for place in COMMANDS for row in self._rows(place)]

    def create(
        self, *, key: str, place: str, place_id: str, protocol: str, first_port: int | None = None,
        last_port: int | None = None, cidrs: Sequence[str] = (), to_cidrs: Sequence[str] = (),
    ) -> Job:
        """createFirewallRule or createEgressFirewallRule: one rule for all the ranges."""
        args = {
            "place": place, "place_id": place_id, "protocol": protocol, "first_port": first_port,
            "last_port": last_port, "cidrs": [*cidrs], "to_cidrs": [*to_cidrs],
        }  # fmt: skip
        there = self.seen("create", args, "")
        if there is not None:
            return self.done(there.target)
        ports = {"startport": first_port, "endport": last_port} if first_port is not None else {}
        icmp = {"icmptype": -1, "icmpcode": -1} if protocol == "icmp" else {}
        return self.make(
            "create", COMMANDS[_place(place)][1], args, **{PLACES[place]: place_id}, protocol=protocol,
            cidrlist=cidrs, **({"destcidrlist": to_cidrs} if to_cidrs else {}), **ports, **icmp,
        )  # fmt: skip

    def destroy(self, *, key: str, ids: Sequence[str]) -> Job:
        """deleteFirewallRule or deleteEgressFirewallRule, one rule after the other."""
        there = {guard.id: guard.place for guard in self.list()} if ids else {}
        left = [id for id in ids if id in there]
        if not left:
            return self.done(ids[0] if ids else "")
        first, ours = left[0], job_id(key)
        return self.send(
            "destroy", COMMANDS[there[first]][2], {"ids": left}, key=job_id(key, first), target=first, id=first,
            then=ours if left[1:] else "",
        )  # fmt: skip

    def second_part(self, token: Token) -> Job:
        """The next of several rules."""
        return self.destroy(key=token.then, ids=token.args["ids"][1:])

    def part_seen(self, token: Token) -> bool:
        """Whether the first of several rules is gone, whoever removed it."""
        return all(guard.id != token.args["ids"][0] for guard in self.list())

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the lists say about the change."""
        if verb == "destroy":
            asked = {target} if target else set(args.get("ids", ()))
            return gone(any(guard.id in asked for guard in self.list()), target)
        for row in self._rows(str(args["place"])):
            if row.id == target if target else _same(_guard(str(args["place"]), row), args):
                busy = row.state == "Add" and row.busy
                state = JobState.RUNNING if busy else JobState.DONE
                return Seen(state, row.id, {"id": row.id}, job=row.jobid if busy else "")
        return reached(False, "")

    def _rows(self, place: str) -> Iterable[GuardRow]:
        rows = self.client.rows(COMMANDS[_place(place)][0], "firewallrule", GuardRow)
        return (row for row in rows if row.state not in HIDDEN)


def _place(place: str) -> str:
    if place not in COMMANDS:
        raise Invalid(f"CloudStack has no rules on a '{place}'.")
    return place


def _guard(place: str, row: GuardRow) -> Guard:
    ported = row.protocol.casefold() in ("tcp", "udp") and row.startport is not None
    return Guard(
        id=row.id,
        place=place,
        place_id=row.ipaddressid if place == "address" else row.networkid,
        protocol=row.protocol.casefold(),
        first_port=row.startport if ported else None,
        last_port=(row.endport or row.startport) if ported else None,
        cidrs=ranges(row.cidrlist.split(",")),
        to_cidrs=ranges(row.destcidrlist.split(",")),
        tags=row.pairs,
    )


def _same(guard: Guard, args: Mapping[str, Any]) -> bool:
    wanted = (args["place_id"], args["protocol"], args["first_port"], args["last_port"], ranges(args["cidrs"]))
    there = (guard.place_id, guard.protocol, guard.first_port, guard.last_port, guard.cidrs)
    return there == wanted and (not args["to_cidrs"] or guard.to_cidrs == ranges(args["to_cidrs"]))
