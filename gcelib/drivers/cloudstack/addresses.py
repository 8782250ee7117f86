"""CloudStack's public addresses, and the static NAT with which one stands for a machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.facet import Facet, gone, reached, text_of
from gcelib.drivers.cloudstack.jobs import Seen, Token, job_id
from gcelib.models import Address, Job, JobState

HIDDEN = frozenset({"Releasing", "Free"})


class _Service(records.Row, frozen=True, kw_only=True):
    name: str = ""


class _Place(records.Row, frozen=True, kw_only=True):
    """A network, as far as addresses are concerned."""

    vpcid: str = ""
    service: tuple[_Service, ...] = ()


class Addresses(Facet):
    """listPublicIpAddresses and its commands."""

    name = "addresses"
    jobbed = frozenset({"release", "disable_nat"})
    once = frozenset({"acquire"})

    def list(self) -> Sequence[Address]:
        """The addresses the account holds; in a basic zone there are none."""
        return [
            Address(
                id=row.id,
                ip=row.ipaddress,
                zone_id=row.zoneid,
                network_id=row.associatednetworkid,
                node_id=row.virtualmachineid,
                source_nat=row.issourcenat,
                created=wire.time_of(row.allocated),
                tags=row.pairs,
            )
            for row in self._rows()
            if row.state not in HIDDEN
        ]

    def acquire(
        self, *, key: str, zone_id: str, network_id: str, ip: str = "", known: Sequence[str] = (), submitted: str = ""
    ) -> Job:
        """associateIpAddress; releases that do not know its `ipaddress` give any address.

        The first address of a network becomes its router's own, which can stand for no machine: where a network
        without machines has none yet, that one is taken before.
        """
        args = {"network_id": network_id, "zone_id": zone_id, "ip": ip, "known": [*known], "submitted": submitted}
        if not self._wants_router(network_id):
            return self.make("acquire", "associateIpAddress", args, networkid=network_id, ipaddress=ip)
        fields = self.client.change("associateIpAddress", networkid=network_id)
        args["first"] = text_of(fields, "id")
        job = self.job_of("associateIpAddress", fields)
        return self.jobs.begun(self.token("acquire", args, "", job=job, then=job_id(key)))

    def part_seen(self, token: Token) -> bool:
        """Whether the network's router has its address."""
        return not self._wants_router(str(token.args["network_id"]))

    def second_part(self, token: Token) -> Job:
        """Take the address after the router's own; where another's became that meanwhile, the first one is it."""
        network, ip = token.args["network_id"], token.args["ip"]
        mine = (row for row in self._rows() if row.id == token.args.get("first") and row.state not in HIDDEN)
        if (first := next(mine, None)) is not None and not first.issourcenat:
            if ip in ("", first.ipaddress):
                return self.done(first.id)
            self.client.change("disassociateIpAddress", id=first.id)
        return self.make("acquire", "associateIpAddress", token.args, networkid=network, ipaddress=ip)

    def release(self, *, key: str, id: str) -> Job:
        """disassociateIpAddress; its static NAT, rules and tags go with it."""
        return self.send("release", "disassociateIpAddress", {"id": id}, key=key, target=id, id=id)

    def enable_nat(self, *, key: str, id: str, node_id: str, network_id: str, ip: str = "") -> Job:
        """enableStaticNat, which opens no port."""
        args = {"id": id, "node_id": node_id}
        return self.settle(
            "enable_nat", "enableStaticNat", args, id, ipaddressid=id, virtualmachineid=node_id, networkid=network_id,
            vmguestip=ip,
        )  # fmt: skip

    def disable_nat(self, *, key: str, id: str) -> Job:
        """disableStaticNat; one that stands for nothing is done."""
        return self.send("disable_nat", "disableStaticNat", {"id": id}, key=key, target=id, ipaddressid=id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the address's row says about the change."""
        rows = self._rows()
        if verb == "acquire":
            young = rows if target else [row for row in rows if self.young(row.allocated, args)]
            return _acquired(young, args, target)
        row = next((row for row in rows if row.id == target and row.state != "Free"), None)
        if verb == "release":
            return gone(row is not None, target)
        if row is None:
            return gone(verb == "enable_nat", target)
        if verb == "enable_nat":
            return reached(row.isstaticnat and row.virtualmachineid == args["node_id"], target)
        return reached(not row.isstaticnat, target)

    def _wants_router(self, network_id: str) -> bool:
        networks = self.client.rows("listNetworks", "network", _Place, id=network_id)
        routed = any(each.name == "SourceNat" for row in networks for each in row.service if not row.vpcid)
        return routed and not any(
            row.issourcenat and row.associatednetworkid == network_id and row.state not in HIDDEN
            for row in self._rows()
        )

    def _rows(self) -> Sequence[records.AddressRow]:
        return self.client.rows("listPublicIpAddresses", "publicipaddress", records.AddressRow)


def _acquired(rows: Sequence[records.AddressRow], args: Mapping[str, Any], target: str) -> Seen | None:
    """The address an earlier attempt took: the only one in its network that is new, unnamed and unused."""
    if target:
        found = [row for row in rows if row.id == target]
    else:
        found = [row for row in rows if row.id not in args.get("known", ()) and _fresh(row, args)]
    if len(found) != 1:
        return None
    state = JobState.RUNNING if found[0].state == "Allocating" else JobState.DONE
    return Seen(state, found[0].id, {"id": found[0].id}, job=found[0].jobid if found[0].busy else "")


def _fresh(row: records.AddressRow, args: Mapping[str, Any]) -> bool:
    # The cloud enters the network only when it has got so far.
    there = row.associatednetworkid == args["network_id"] or (
        row.state == "Allocating" and not row.associatednetworkid and row.zoneid == args.get("zone_id", ""))
    wanted = there and args.get("ip", "") in ("", row.ipaddress)
    idle = not (row.issourcenat or row.isstaticnat or row.pairs or row.state in HIDDEN)
    return wanted and idle
