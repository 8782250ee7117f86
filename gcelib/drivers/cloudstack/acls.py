"""CloudStack's network ACL lists, which guard the tiers of its VPCs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers import faults
from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.client import BAD_PARAMETER
from gcelib.drivers.cloudstack.facet import Facet, gone, reached
from gcelib.drivers.cloudstack.jobs import Seen, Token, job_id
from gcelib.drivers.cloudstack.network_rows import NetworkRow, ranges
from gcelib.errors import Refused
from gcelib.models import AccessList, AccessRule, Job, JobState

HIDDEN = frozenset({"Deleting", "Revoke"})


class ListRow(records.Tagged, frozen=True, kw_only=True):
    """A list; those that everybody has name no VPC."""

    name: str = ""
    vpcid: str = ""


class ItemRow(records.Tagged, frozen=True, kw_only=True):
    """An item: ports are texts, ranges one text with commas."""

    aclid: str = ""
    number: int = 0
    protocol: str = "all"
    traffictype: str = ""
    action: str = ""
    startport: str = ""
    endport: str = ""
    cidrlist: str = ""
    state: str = ""


class Acls(Facet):
    """listNetworkACLLists, listNetworkACLs and their commands."""

    name = "acls"
    jobbed = frozenset({"destroy", "put", "remove"})

    def list(self) -> Sequence[AccessList]:
        """The lists of the account's VPCs and the two of everybody, each with its items in their order."""
        rules: dict[str, list[AccessRule]] = {}
        for row in sorted(self._items(), key=lambda row: row.number):
            rules.setdefault(row.aclid, []).append(_rule(row))
        return [AccessList(row.id, row.name, row.vpcid, tuple(rules.get(row.id, ()))) for row in self._lists()]

    def create(self, *, key: str, name: str, vpc_id: str, description: str = "") -> Job:
        """createNetworkACLList."""
        args = {"name": name, "vpc_id": vpc_id}
        there = self.seen("create", args, "")
        if there is not None:
            return self.done(there.target)
        return self.make(
            "create", "createNetworkACLList", args, name=name, vpcid=vpc_id, description=description or name
        )

    def destroy(self, *, key: str, id: str) -> Job:
        """deleteNetworkACLList."""
        return self.send("destroy", "deleteNetworkACLList", {"id": id}, key=key, target=id, id=id)

    def put(self, *, key: str, acl_id: str, network_id: str) -> Job:
        """replaceNetworkACLList."""
        args = {"acl_id": acl_id, "network_id": network_id}
        return self.send(
            "put", "replaceNetworkACLList", args, key=key, target=network_id, aclid=acl_id, networkid=network_id
        )

    def add(
        self, *, key: str, acl_id: str, numbers: Sequence[int], direction: str, allow: bool, protocol: str,
        first_port: int | None = None, last_port: int | None = None, cidrs: Sequence[str] = (),
    ) -> Job:
        """createNetworkACL: one item for all the ranges."""
        args = {
            "acl_id": acl_id, "numbers": [*numbers], "direction": direction, "allow": allow, "protocol": protocol,
            "first_port": first_port, "last_port": last_port, "cidrs": [*cidrs],
        }  # fmt: skip
        there = self.seen("add", args, "")
        if there is not None:
            return self.done(there.target)
        ports = {"startport": first_port, "endport": last_port} if first_port is not None else {}
        number = self._free(acl_id, numbers)
        while True:
            try:
                return self.make(
                    "add", "createNetworkACL", args, aclid=acl_id, number=number, traffictype=direction,
                    action="allow" if allow else "deny", protocol=protocol, cidrlist=cidrs, **ports,
                )  # fmt: skip
            except Refused as fault:
                # Somebody else may have just taken the number that was free.
                before, number = number, self._free(acl_id, numbers)
                if faults.cloud_code(fault) != BAD_PARAMETER or number == before:
                    raise

    def remove(self, *, key: str, ids: Sequence[str]) -> Job:
        """deleteNetworkACL, one item after the other."""
        there = {row.id for row in self._items()} if ids else set()
        left = [id for id in ids if id in there]
        if not left:
            return self.done(ids[0] if ids else "")
        first, ours = left[0], job_id(key)
        return self.send(
            "remove", "deleteNetworkACL", {"ids": left}, key=job_id(key, first), target=first, id=first,
            then=ours if left[1:] else "",
        )  # fmt: skip

    def second_part(self, token: Token) -> Job:
        """The next of several items."""
        return self.remove(key=token.then, ids=token.args["ids"][1:])

    def part_seen(self, token: Token) -> bool:
        """Whether the first of several items is gone, whoever removed it."""
        return all(row.id != token.args["ids"][0] for row in self._items())

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the lists, or the tier, say about the change."""
        if verb == "destroy":
            return gone(any(row.id == target for row in self._lists()), target)
        if verb == "remove":
            asked = {target} if target else set(args.get("ids", ()))
            return gone(any(row.id in asked for row in self._items()), target)
        if verb == "put":
            rows = self.client.rows("listNetworks", "network", NetworkRow, id=str(args["network_id"]))
            return reached(any(row.aclid == args["acl_id"] for row in rows), str(args["network_id"]))
        rows_of = self._lists() if verb == "create" else self._items(aclid=str(args["acl_id"]))
        fits = _named if verb == "create" else _same
        for row in rows_of:
            if row.id == target if target else fits(row, args):
                state = JobState.RUNNING if row.busy else JobState.DONE
                return Seen(state, row.id, {"id": row.id}, job=row.jobid if row.busy else "")
        return None

    def _free(self, acl_id: str, numbers: Sequence[int]) -> int:
        taken = {row.number for row in self.client.rows("listNetworkACLs", "networkacl", ItemRow, aclid=acl_id)}
        free = next((number for number in range(numbers[0], numbers[-1] + 1) if number not in taken), 0)
        if not free:
            raise Refused(f"{self.client.at}: no number from {numbers[0]} to {numbers[-1]} is free in list {acl_id}.")
        return free

    def _lists(self) -> Sequence[ListRow]:
        return self.client.rows("listNetworkACLLists", "networkacllist", ListRow)

    def _items(self, **filters: str) -> Sequence[ItemRow]:
        rows = self.client.rows("listNetworkACLs", "networkacl", ItemRow, **filters)
        return [row for row in rows if row.state not in HIDDEN]


def _rule(row: ItemRow) -> AccessRule:
    ported = row.protocol.casefold() in ("tcp", "udp") and row.startport.isdigit()
    return AccessRule(
        id=row.id,
        number=row.number,
        direction=row.traffictype.casefold() or "ingress",
        allow=row.action.casefold() != "deny",
        protocol=row.protocol.casefold(),
        first_port=int(row.startport) if ported else None,
        last_port=int(row.endport or row.startport) if ported else None,
        cidrs=ranges(row.cidrlist.split(",")),
        tags=row.pairs,
    )


def _named(row: Any, args: Mapping[str, Any]) -> bool:
    return (row.name, row.vpcid) == (args["name"], args["vpc_id"])


def _same(row: Any, args: Mapping[str, Any]) -> bool:
    rule, numbers = _rule(row), args["numbers"]
    there = (rule.direction, rule.allow, rule.protocol, rule.first_port, rule.last_port, rule.cidrs)
    names = ("direction", "allow", "protocol", "first_port", "last_port")
    wanted = (*(args.get(name) for name in names), ranges(args["cidrs"]))
    return numbers[0] <= rule.number <= numbers[-1] and there == wanted
