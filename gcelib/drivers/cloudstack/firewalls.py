"""CloudStack's security groups: allowances only, one rule per source."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from gcelib.drivers import faults
from gcelib.drivers.cloudstack import records, wire
from gcelib.drivers.cloudstack.client import indexed
from gcelib.drivers.cloudstack.facet import Facet, gone, reached
from gcelib.drivers.cloudstack.jobs import Seen, Token, job_id
from gcelib.errors import Invalid, Refused, Unsupported
from gcelib.models import Group, GroupRule, Job, JobState

NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp"}
NAMES = {"esp": "50", "ah": "51", "sctp": "132", "ipip": "4", "gre": "47"}
"""Protocols that CloudStack knows by number only."""
LAST_PORT = 65535


class Firewalls(Facet):
    """listSecurityGroups and its commands. Directions are "ingress" and "egress"."""

    name = "firewalls"
    jobbed = frozenset({"allow"})

    def list(self) -> Sequence[Group]:
        """The account's groups with their rules."""
        return [_group(row) for row in self._rows()]

    def find(self, name: str) -> Sequence[Group]:
        """The account's group of this name."""
        return [_group(row) for row in self._rows(securitygroupname=name) if row.name == name]

    def create_group(self, *, key: str, name: str, description: str = "") -> Job:
        """createSecurityGroup: with no rule in it. The account's group of this name, if it has one, is as good."""
        try:
            fields = self.client.change("createSecurityGroup", name=name, description=description)
        except Refused as fault:
            there = self._named(name) if faults.cloud_code(fault) == 431 else ""
            if there:
                return self.done(there)
            raise
        try:
            made = wire.one(bytes(fields["securitygroup"]), records.GroupRow).id
        except (KeyError, faults.Garbled):
            made = ""
        return self.done(made or self._named(name))

    def destroy_group(self, *, key: str, id: str) -> Job:
        """deleteSecurityGroup; one already gone is done. Raises InUse while machines are in it."""
        return self.settle("destroy_group", "deleteSecurityGroup", {"id": id}, id, id=id)

    def allow(
        self,
        *,
        key: str,
        group_id: str,
        direction: str,
        protocol: str,
        first_port: int | None = None,
        last_port: int | None = None,
        icmp_type: int = -1,
        icmp_code: int = -1,
        cidrs: Sequence[str] = (),
        group_names: Sequence[str] = (),
    ) -> Job:
        """authorizeSecurityGroupIngress or …Egress. Raises Invalid for a bad protocol or direction."""
        spoken = spoken_protocol(protocol)
        args: dict[str, Any] = {
            "group_id": group_id, "direction": _direction(direction), "protocol": spoken,
            "cidrs": [*cidrs], "group_names": [*group_names],
        }  # fmt: skip
        params: dict[str, Any] = {}
        if spoken in ("tcp", "udp"):
            first, last = _ports(first_port, last_port)
            args |= {"first_port": first, "last_port": last}
            params = {"startport": first, "endport": last}
        elif spoken == "icmp":
            args |= {"icmp_type": icmp_type, "icmp_code": icmp_code}
            params = {"icmptype": icmp_type, "icmpcode": icmp_code}
        return self.send(
            "allow", _command("authorize", direction), args, key=key, target=group_id,
            securitygroupid=group_id, protocol=spoken, cidrlist=cidrs, **params,
            **self._sources(group_id, group_names),
        )  # fmt: skip

    def revoke(
        self, *, key: str, direction: str, rule_id: str = "", rule_ids: Sequence[str] = (), claim: str = "",
        claims: str = "",
    ) -> Job:
        """revokeSecurityGroupIngress or …Egress, one rule after the other; those already gone are left out.

        With `claim`, a tag, a rule that carries another tag beginning with `claims` as well only loses this one.
        That is looked at now, and once more when the tag is gone: of several who leave at once the last revokes.
        """
        left, ours = [*([rule_id] if rule_id else []), *rule_ids], job_id(key)
        tags = self._rule_tags() if claim else {}
        while left:
            first = left[0]
            args = {"rule_ids": left, "direction": _direction(direction)}
            args |= {"claim": claim, "claims": claims} if claim else {}
            mine, others = _claimed(tags.get(first, ()), claim, claims)
            job = self.done(first)
            if mine and others:
                job = self.send(
                    "revoke", "deleteTags", args | {"leaving": True}, key=job_id(key, f"{first} {claim}"), target=first,
                    then=ours, resourcetype="SecurityGroupRule", resourceids=[first],
                    **indexed("tags", [{"key": claim}]),
                )  # fmt: skip
            elif not others and (first in tags or not claim):
                job = self.send(
                    "revoke", _command("revoke", direction), args, key=job_id(key, first), target=first, id=first,
                    then=ours if left[1:] else "",
                )  # fmt: skip
            if job.state is JobState.RUNNING:
                return job
            left = left[1:]
        return self.done(rule_id)

    def second_part(self, token: Token) -> Job:
        """The next of several rules, or the same one once more when it has lost a tag."""
        args = token.args
        left = args["rule_ids"] if args.get("leaving") else args["rule_ids"][1:]
        return self.revoke(
            key=token.then, direction=args["direction"], rule_ids=left, claim=args.get("claim", ""),
            claims=args.get("claims", ""),
        )  # fmt: skip

    def part_seen(self, token: Token) -> bool:
        """Whether the first of several rules is gone, or has lost the tag it was to lose, whoever saw to it."""
        tags = self._rule_tags().get(token.args["rule_ids"][0])
        return tags is None or (bool(token.args.get("leaving")) and token.args["claim"] not in tags)

    def result(self, verb: str, args: Mapping[str, Any], target: str, row: records.JobRow) -> dict[str, object]:
        """For `allow` the ids of all rules wanted, and of the new ones: the job names only those."""
        if verb != "allow":
            return {"id": target}
        seen = self.seen(verb, args, target)
        found = seen.result if seen is not None else {"id": target, "rule_ids": []}
        return {**found, "made_ids": _made(row)}

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the groups say about the change."""
        if verb == "create_group":
            made = self._named(str(args["name"]))
            return reached(bool(made), made)
        if verb == "destroy_group":
            return gone(any(row.id == target for row in self._rows()), target)
        if verb == "revoke":
            asked = [target] if target else [str(args.get("rule_id", "")), *args.get("rule_ids", ())]
            tags = self._rule_tags()
            left = [id for id in asked if id in tags and not _left_behind(tags[id], args)]
            return gone(bool(left), target)
        found = [self._matching(args, cidr=cidr) for cidr in args.get("cidrs", ())]
        found += [self._matching(args, group=name) for name in args.get("group_names", ())]
        return reached(bool(found) and all(found), str(args["group_id"]), rule_ids=found, made_ids=[])

    def _rule_tags(self) -> dict[str, Collection[str]]:
        """The tags of every rule there is, by its id."""
        return {rule.id: rule.tags for group in self.list() for rule in group.rules}

    def _matching(self, args: Mapping[str, Any], *, cidr: str = "", group: str = "") -> str:
        """The id of the rule wanted; "" when it is not there."""
        for row in self._rows(id=str(args["group_id"])):
            for rule in _group(row).rules:
                if _same(rule, args) and _same_source(rule, cidr, group):
                    return rule.id
        return ""

    def _rows(self, **filters: str) -> Sequence[records.GroupRow]:
        return self.client.rows("listSecurityGroups", "securitygroup", records.GroupRow, **filters)

    def _named(self, name: str) -> str:
        rows = self._rows(securitygroupname=name)
        return next((row.id for row in rows if row.name.casefold() == name.casefold()), "")

    def _sources(self, group_id: str, names: Sequence[str]) -> dict[str, str]:
        """CloudStack wants the account beside each group's name."""
        if not names:
            return {}
        account = next((row.account for row in self._rows(id=group_id) if row.account), "")
        if not account:
            raise Unsupported(
                f"{self.client.at}: groups of one of the cloud's own projects cannot be sources of a rule;"
                " name address ranges instead."
            )
        return indexed("usersecuritygrouplist", [{"group": name, "account": account} for name in names])


def _claimed(tags: Collection[str], claim: str, claims: str) -> tuple[bool, bool]:
    """Whether a rule with these tags carries the claim, and whether it carries any other of that kind."""
    return bool(claim) and claim in tags, bool(claim) and any(t.startswith(claims) and t != claim for t in tags)


def _left_behind(tags: Collection[str], args: Mapping[str, Any]) -> bool:
    """Whether a rule that is still there is there for others only."""
    return _claimed(tags, str(args.get("claim", "")), str(args.get("claims", ""))) == (False, True)


def _made(row: records.JobRow) -> list[str]:
    """The rules that an authorisation made, out of its job's result."""
    try:
        fields: wire.Fields = msgspec.json.decode(row.jobresult, type=dict[str, msgspec.Raw])
        group = wire.one(bytes(fields["securitygroup"]), records.GroupRow)
    except (KeyError, faults.Garbled, *wire.BROKEN):
        return []
    return [rule.ruleid for rule in (*group.ingressrule, *group.egressrule) if rule.ruleid]


def spoken_protocol(protocol: str) -> str:
    """The protocol as CloudStack says it: tcp, udp, icmp, all or a number. Raises Invalid."""
    text = protocol.casefold()
    text = NAMES.get(NUMBERS.get(text, text), NUMBERS.get(text, text))
    if text in ("tcp", "udp", "icmp", "all") or (text.isdigit() and int(text) <= 255):
        return text
    raise Invalid(f"'{protocol}' is no protocol that a security group can name.", field="allowed.IPProtocol")


def _direction(direction: str) -> str:
    text = direction.casefold()
    if text not in ("ingress", "egress"):
        raise Invalid(f"'{direction}' is no direction.", field="direction")
    return text


def _command(verb: str, direction: str) -> str:
    return f"{verb}SecurityGroup{_direction(direction).capitalize()}"


def _group(row: records.GroupRow) -> Group:
    rules = [_rule(rule, "ingress") for rule in row.ingressrule if rule.ruleid]
    rules += [_rule(rule, "egress") for rule in row.egressrule if rule.ruleid]
    return Group(
        id=row.id,
        name=row.name or row.id,
        description=row.description,
        rules=tuple(rules),
        node_ids=row.virtualmachineids,
        tags=row.pairs,
    )


def _rule(row: records.RuleRow, direction: str) -> GroupRule:
    protocol = NUMBERS.get(row.protocol.casefold(), row.protocol.casefold()) or "all"
    ported = protocol in ("tcp", "udp") and (row.startport, row.endport) not in ((0, LAST_PORT), (0, 0))
    return GroupRule(
        id=row.ruleid,
        direction=direction,
        protocol=protocol,
        first_port=row.startport if ported else None,
        last_port=row.endport if ported else None,
        icmp_type=row.icmptype if protocol == "icmp" else -1,
        icmp_code=row.icmpcode if protocol == "icmp" else -1,
        cidr=row.cidr,
        group_name=row.securitygroupname,
        tags={tag.key: tag.value for tag in row.tags if tag.key},
    )


def _ports(first: int | None, last: int | None) -> tuple[int, int]:
    """The range in numbers; without a first port all are meant, and 0-0 is CloudStack's word for that."""
    if first is None or (first, last) == (0, 0):
        return 0, LAST_PORT
    return first, first if last is None else last


def _same(rule: GroupRule, args: Mapping[str, Any]) -> bool:
    if (rule.direction, rule.protocol) != (_direction(args["direction"]), spoken_protocol(args["protocol"])):
        return False
    if rule.protocol in ("tcp", "udp"):
        there = (0, LAST_PORT) if rule.first_port is None else (rule.first_port, rule.last_port)
        return there == _ports(args.get("first_port"), args.get("last_port"))
    if rule.protocol == "icmp":
        wanted = (args.get("icmp_type", -1), args.get("icmp_code", -1))
        return (rule.icmp_type, rule.icmp_code) == wanted
    return True


def _same_source(rule: GroupRule, cidr: str, group: str) -> bool:
    if group:
        return rule.group_name == group
    try:
        return bool(rule.cidr) and ipaddress.ip_network(rule.cidr, strict=False) == ipaddress.ip_network(
            cidr, strict=False
        )
    except ValueError:
        return rule.cidr == cidr
