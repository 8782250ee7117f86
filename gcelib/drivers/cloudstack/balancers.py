"""CloudStack's load balancer rules: one public port each, and the machines behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers import faults
from gcelib.drivers.beside import side_by_side
from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.client import BAD_PARAMETER
from gcelib.drivers.cloudstack.facet import Facet, gone, reached
from gcelib.drivers.cloudstack.jobs import Seen
from gcelib.errors import Refused
from gcelib.models import Balancer, Job, JobState

ALGORITHMS = {"spread": "roundrobin", "source": "source"}
SPREAD = frozenset({"roundrobin", "leastconn"})


class Balancers(Facet):
    """listLoadBalancerRules and its commands. CloudStack's routers look at no health of machines."""

    name = "balancers"
    jobbed = frozenset({"destroy", "assign", "remove", "choose"})

    def list(self) -> Sequence[Balancer]:
        """Every rule with its machines: one call, and another for each rule, several at a time."""
        rows = [row for row in self._rows() if row.state != "Deleting"]
        found: dict[str, Sequence[str]] = {}

        def look(row: records.BalancerRow) -> None:
            try:
                found[row.id] = self._members(row.id)
            except Refused as fault:
                # It went while the others were looked at.
                if faults.cloud_code(fault) != BAD_PARAMETER:
                    raise

        side_by_side(look, rows, self.client.at_once, "members")
        return [_balancer(row, found[row.id]) for row in rows if row.id in found]

    def create(
        self, *, key: str, name: str, address_id: str, network_id: str, protocol: str, port: int,
        algorithm: str = "spread", description: str = "", submitted: str = "",
    ) -> Job:
        """createLoadBalancerRule, from the port to the same one of the machines."""
        args = {"name": name, "address_id": address_id, "protocol": protocol, "port": port, "submitted": submitted}
        return self.make(
            "create", "createLoadBalancerRule", args, name=name, description=description, publicipid=address_id,
            networkid=network_id, protocol=protocol, publicport=port, privateport=port,
            algorithm=ALGORITHMS[algorithm], openfirewall=False,
        )  # fmt: skip

    def destroy(self, *, key: str, id: str) -> Job:
        """deleteLoadBalancerRule."""
        return self.send("destroy", "deleteLoadBalancerRule", {"id": id}, key=key, target=id, id=id)

    def assign(self, *, key: str, id: str, node_ids: Sequence[str]) -> Job:
        """assignToLoadBalancerRule for those not behind it yet; CloudStack refuses the others."""
        return self._change("assign", "assignToLoadBalancerRule", key, id, node_ids, there=False)

    def remove(self, *, key: str, id: str, node_ids: Sequence[str]) -> Job:
        """removeFromLoadBalancerRule for those behind it."""
        return self._change("remove", "removeFromLoadBalancerRule", key, id, node_ids, there=True)

    def choose(self, *, key: str, id: str, algorithm: str) -> Job:
        """updateLoadBalancerRule."""
        args = {"id": id, "algorithm": algorithm}
        return self.send("choose", "updateLoadBalancerRule", args, key=key, target=id, id=id,
                         algorithm=ALGORITHMS[algorithm])  # fmt: skip

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the rule's row, or the list of its machines, says about the change."""
        rows = self._rows()
        if verb == "create":
            return _created(rows, args, target)
        if verb == "destroy":
            return gone(any(row.id == target for row in rows), target)
        if not any(row.id == target for row in rows):
            return gone(verb in ("assign", "choose"), target)
        if verb == "choose":
            return reached(any(row.id == target and _algorithm(row) == args["algorithm"] for row in rows), target)
        members = self._members(target)
        return reached(all((id in members) == (verb == "assign") for id in args["node_ids"]), target)

    def _change(self, verb: str, command: str, key: str, id: str, node_ids: Sequence[str], *, there: bool) -> Job:
        if not node_ids:
            return self.done(id)
        members = self._members(id)
        moved = [node for node in node_ids if (node in members) == there]
        if not moved:
            return self.done(id)
        args = {"id": id, "node_ids": [*node_ids]}
        return self.send(verb, command, args, key=key, target=id, id=id, virtualmachineids=moved)

    def _rows(self) -> Sequence[records.BalancerRow]:
        return self.client.rows("listLoadBalancerRules", "loadbalancerrule", records.BalancerRow)

    def _members(self, id: str) -> Sequence[str]:
        rows = self.client.rows(
            "listLoadBalancerRuleInstances", "loadbalancerruleinstance", records.MemberRow, id=id,
        )
        return [row.id for row in rows]


def _balancer(row: records.BalancerRow, members: Sequence[str]) -> Balancer:
    return Balancer(
        id=row.id,
        name=row.name or row.id,
        address_id=row.publicipid,
        ip=row.publicip,
        port=row.publicport,
        protocol=row.protocol.lower() or "tcp",
        algorithm=_algorithm(row),
        zone_id=row.zoneid,
        network_id=row.networkid,
        node_ids=tuple(sorted(members)),
        description=row.description,
        tags=row.pairs,
    )


def _algorithm(row: records.BalancerRow) -> str:
    return "spread" if row.algorithm in SPREAD else row.algorithm


def _created(rows: Sequence[records.BalancerRow], args: Mapping[str, Any], target: str) -> Seen | None:
    """The rule an earlier attempt made: an address has at most one rule for a port."""
    port = (args["address_id"], args["port"], args["protocol"])
    found = [
        row for row in rows
        if row.id == target or (
            not target and row.name == args["name"]
            and (row.publicipid, row.publicport, row.protocol.lower() or "tcp") == port
        )
    ]
    if not found:
        return None
    state = JobState.RUNNING if found[0].busy else JobState.DONE
    return Seen(state, found[0].id, {"id": found[0].id}, job=found[0].jobid if found[0].busy else "")
