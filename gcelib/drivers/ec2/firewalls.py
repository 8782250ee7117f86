"""Security groups of VPCs, and their rules, which EC2 gives ids and tags of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.ec2.client import named
from gcelib.drivers.ec2.facet import Facet
from gcelib.drivers.ec2.places import Networks, Vpcs
from gcelib.drivers.ec2.wire import Tree, number, part, tags, text
from gcelib.drivers.generic.effects import Seen, reached
from gcelib.errors import Exists, NotFound, Refused
from gcelib.models import Group, GroupRule, Job

ALL = "-1"
PAGE = 1000
NUMBERED = {"1": "icmp", "6": "tcp", "17": "udp", ALL: "all", "icmpv6": "58"}
"""What EC2 may call a protocol -> what gcelib calls it; others are numbers to both."""
SPANNED = frozenset({"tcp", "udp", "icmp", "58"})
"""The protocols whose ports, or types and codes, EC2 minds."""


class Firewalls(Facet):
    """A group is in one VPC; a rule has one source. Rules about lists of ranges that EC2 keeps by name are left out."""

    name = "firewalls"

    def __init__(self, networks: Networks, vpcs: Vpcs) -> None:
        super().__init__(networks.client, networks.effects, networks.settings)
        self._networks, self._vpcs = networks, vpcs

    def list(self) -> Sequence[Group]:
        """Every group; one of another VPC than the default one that may share its name has the VPC's id in it."""
        found = self._groups()
        main = self._vpcs.default(self._vpcs.rows())
        names = {text(row, "groupId"): _shown_name(row, main) for row in found}
        rules: dict[str, list[GroupRule]] = defaultdict(list)
        for row in self._rules():
            rule = rule_of(row, names)
            if rule is not None:
                rules[text(row, "groupId")].append(rule)
        return [
            Group(id, names[id], text(row, "groupDescription"), tuple(rules.get(id, ())), tags=tags(row),
                  vpc_id="" if text(row, "vpcId") == main else text(row, "vpcId"))
            for row in found if (id := text(row, "groupId"))
        ]

    def create_group(self, *, key: str, name: str, description: str = "", network_id: str = "") -> Job:
        """Make a group in the VPC of this subnet; the VPC's group of this name, if it has one, is as good."""
        vpc_id = self._networks.vpc_of(network_id) if network_id else self._vpcs.default(self._vpcs.rows())
        if not vpc_id:
            raise Refused(f"{self.client.at} has no VPC to make security group '{name}' in: the account has no default "
                          "one. Name one in the configuration: [clouds.NAME.options] vpc.")
        try:
            made = self.client.change(
                "CreateSecurityGroup", GroupName=name, GroupDescription=description or name, VpcId=vpc_id,
                TagSpecification=[named("security-group", "", key)],
            )
            id = self.client.made("CreateSecurityGroup", made, "groupId")
        except Exists:
            id = ""
        args = {"name": name, "vpc_id": vpc_id, "mark": key}
        # One that is new may not be seen yet, nor be used.
        there = self.seen("create_group", args, id)
        return self.done(there.target) if there is not None else self.watch("create_group", args, id)

    def destroy_group(self, *, key: str, id: str) -> Job:
        """Delete a group that no machine is in; one already gone is done."""
        try:
            self.client.change("DeleteSecurityGroup", GroupId=id)
        except NotFound:
            return self.done(id)
        return self.watch("destroy_group", {"id": id}, id)

    def allow(self, *, key: str, group_id: str, direction: str, protocol: str, first_port: int | None = None,
              last_port: int | None = None, icmp_type: int = -1, icmp_code: int = -1,
              cidrs: Sequence[str] = (), group_names: Sequence[str] = ()) -> Job:
        """Make those rules that are not there yet; EC2 would refuse all of them because of one that is.

        Done when all can be seen.
        """
        args: dict[str, Any] = {
            "group_id": group_id, "direction": direction, "protocol": protocol, "first_port": first_port,
            "last_port": last_port, "icmp_type": icmp_type, "icmp_code": icmp_code,
        }
        missing = [source for source, id in self._wanted(args, cidrs, group_names).items() if not id]
        made = self._authorized(args, missing) if missing else []
        args |= {"cidrs": [*cidrs], "group_names": [*group_names], "made": made}
        there = self.seen("allow", args, group_id)
        return self.watch("allow", args, group_id) if there is None else self.done(group_id, **there.result)

    def _authorized(self, args: Mapping[str, Any], sources: Sequence[str]) -> Sequence[str]:
        """Make rules for these sources: those of them for which it was us that did."""
        action = f"AuthorizeSecurityGroup{'Egress' if args['direction'] == 'egress' else 'Ingress'}"
        try:
            entry = {**_span(args), **_sources(sources)}
            self.client.change(action, GroupId=args["group_id"], IpPermissions=[entry])
        except Exists:
            # Somebody else made one of them meanwhile, because of which EC2 has made none.
            alone = [self._authorized(args, [each]) for each in sources] if len(sources) > 1 else []
            return [source for each in alone for source in each]
        return [*sources]

    def revoke(self, *, key: str, direction: str, rule_id: str = "", rule_ids: Sequence[str] = (), claim: str = "",
               claims: str = "") -> Job:
        """Remove rules; one that others claim as well only loses this claim."""
        asked = [id for id in (rule_id, *rule_ids) if id]
        gone: dict[str, list[str]] = defaultdict(list)
        for row in self._rules(asked):
            id, there = text(row, "securityGroupRuleId"), tags(row)
            mine, others = claim in there, any(each.startswith(claims) and each != claim for each in there)
            if claim and mine and others:
                self.client.change("DeleteTags", ResourceId=[id], Tag=[{"Key": claim}])
            elif not claim or (mine and not others):
                gone[text(row, "groupId")].append(id)
        action = "RevokeSecurityGroupEgress" if direction == "egress" else "RevokeSecurityGroupIngress"
        for group_id, ids in gone.items():
            try:
                self.client.change(action, GroupId=group_id, SecurityGroupRuleId=ids)
            except NotFound:
                continue
        return self.done(rule_id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the groups say about the change."""
        if verb == "create_group":
            found = self._made(args, target)
            return reached(True, text(found[0], "groupId")) if found else None
        if verb == "destroy_group":
            return reached(all(text(row, "groupId") != target for row in self._groups()), target)
        if verb == "revoke":
            asked = [id for id in (str(args.get("rule_id", "")), *args.get("rule_ids", ())) if id]
            claim, claims = str(args.get("claim", "")), str(args.get("claims", ""))
            left = [row for row in self._rules(asked) if not claim or claim in tags(row) or not any(
                each.startswith(claims) for each in tags(row))]
            return reached(not left, target)
        rules = self._wanted(args, args.get("cidrs", ()), args.get("group_names", ()))
        made = [rules.get(source, "") for source in args.get("made", ())]
        return reached(all(rules.values()), str(args["group_id"]), rule_ids=[*rules.values()], made_ids=made)

    def _made(self, args: Mapping[str, Any], id: str) -> Sequence[Tree]:
        """The group that a change made, or found there: of this id, else by the change's key, else by its name."""
        if id:
            return self.client.some("DescribeSecurityGroups", "securityGroupInfo", GroupId=[id])
        wanted = self.client.tagged(str(args["mark"]))
        found = self.client.list("DescribeSecurityGroups", "securityGroupInfo", Filter=wanted)
        return found or (self._groups_named(str(args["name"]), str(args["vpc_id"])) if args.get("vpc_id") else [])

    def _wanted(self, args: Mapping[str, Any], cidrs: Sequence[str], group_names: Sequence[str]) -> dict[str, str]:
        """The rules that are there of those wanted: the id by the source, "" where there is none."""
        ids = [self._named(name, self._vpc_of(str(args["group_id"]))) for name in group_names]
        there = {
            _source(row): text(row, "securityGroupRuleId")
            for row in self._rules(group_id=str(args["group_id"])) if _like(row, args)
        }
        return {source: there.get(source, "") for source in (*cidrs, *ids)}

    def _vpc_of(self, group_id: str) -> str:
        found = self.client.some("DescribeSecurityGroups", "securityGroupInfo", GroupId=[group_id])
        if not found:
            raise NotFound(f"{self.client.at} has no security group '{group_id}' any more.")
        return text(found[0], "vpcId")

    def _named(self, name: str, vpc_id: str) -> str:
        """The id of a VPC's group. Raises NotFound."""
        found = self._groups_named(name, vpc_id)
        if not found:
            raise NotFound(f"{self.client.at} has no security group '{name}' in VPC '{vpc_id}' any more.")
        return text(found[0], "groupId")

    def _groups_named(self, name: str, vpc_id: str) -> Sequence[Tree]:
        wanted = [{"Name": "group-name", "Value": [name]}, {"Name": "vpc-id", "Value": [vpc_id]}]
        return self.client.list("DescribeSecurityGroups", "securityGroupInfo", Filter=wanted)

    def _groups(self) -> Sequence[Tree]:
        return self.client.list("DescribeSecurityGroups", "securityGroupInfo", size=PAGE)

    def _rules(self, ids: Sequence[str] | None = None, group_id: str = "") -> Sequence[Tree]:
        """Rules of one group, or all; of those with these ids the ones that are still there."""
        if ids is not None and not ids:
            return []
        wanted = [{"Name": "group-id", "Value": [group_id]}] if group_id else []
        found = self.client.list("DescribeSecurityGroupRules", "securityGroupRuleSet", size=PAGE, Filter=wanted)
        return found if ids is None else [row for row in found if text(row, "securityGroupRuleId") in ids]


def _shown_name(row: Tree, main: str) -> str:
    name, vpc_id = text(row, "groupName"), text(row, "vpcId")
    return name if vpc_id in ("", main) or name.startswith("gcelib:") else f"{name} of {vpc_id}"


def rule_of(row: Tree, names: Mapping[str, str]) -> GroupRule | None:
    """A rule; None for one whose source is neither a range nor a group of the account."""
    group = names.get(text(part(row, "referencedGroupInfo"), "groupId"), "")
    cidr = text(row, "cidrIpv4") or text(row, "cidrIpv6")
    if not group and not cidr:
        return None
    protocol = NUMBERED.get(text(row, "ipProtocol"), text(row, "ipProtocol"))
    first, last = number(row, "fromPort"), number(row, "toPort")
    icmp = protocol in ("icmp", "icmpv6", "58")
    ported = protocol in ("tcp", "udp") and bool(text(row, "fromPort")) and first >= 0
    return GroupRule(
        text(row, "securityGroupRuleId"), "egress" if text(row, "isEgress") == "true" else "ingress", protocol,
        first if ported else None, last if ported else None,
        icmp_type=first if icmp else -1, icmp_code=last if icmp else -1, cidr=cidr, group_name=group, tags=tags(row),
    )


def _span(args: Mapping[str, Any]) -> dict[str, Any]:
    """Protocol and ports, or ICMP's type and code, as EC2 takes them."""
    protocol = str(args["protocol"])
    if protocol in ("tcp", "udp", "6", "17"):
        ports = [args.get("first_port"), args.get("last_port")]
        first, last = (bound if port is None else port for port, bound in zip(ports, (0, 65535), strict=True))
        return {"IpProtocol": protocol, "FromPort": first, "ToPort": last}
    if protocol == "icmp":
        return {"IpProtocol": protocol, "FromPort": args["icmp_type"], "ToPort": args["icmp_code"]}
    return {"IpProtocol": ALL if protocol == "all" else protocol, "FromPort": -1, "ToPort": -1}


def _sources(sources: Sequence[str]) -> dict[str, Any]:
    return {
        "IpRanges": [{"CidrIp": each} for each in sources if "/" in each and ":" not in each],
        "Ipv6Ranges": [{"CidrIpv6": each} for each in sources if ":" in each],
        "Groups": [{"GroupId": each} for each in sources if each.startswith("sg-")],
    }


def _source(row: Tree) -> str:
    return text(row, "cidrIpv4") or text(row, "cidrIpv6") or text(part(row, "referencedGroupInfo"), "groupId")


def _like(row: Tree, args: Mapping[str, Any]) -> bool:
    """Whether a rule says the same as is wanted, but for its source."""
    span = _span({"icmp_type": -1, "icmp_code": -1, **args})
    same = NUMBERED.get(text(row, "ipProtocol"), text(row, "ipProtocol")) == NUMBERED.get(
        span["IpProtocol"], span["IpProtocol"])
    egress = text(row, "isEgress") == "true"
    if not same or egress != (args["direction"] == "egress"):
        return False
    if NUMBERED.get(span["IpProtocol"], span["IpProtocol"]) not in SPANNED:
        return True
    if span["FromPort"] == -1 and not text(row, "fromPort"):
        return True
    return (number(row, "fromPort"), number(row, "toPort")) == (span["FromPort"], span["ToPort"])
