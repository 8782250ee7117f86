"""Neutron's security groups: allowances only, whose tags are kept with their group."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gcelib.drivers.generic.effects import Effects, Seen, reached
from gcelib.drivers.openstack import rules
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import Facet
from gcelib.drivers.openstack.markers import decoded
from gcelib.drivers.openstack.records import GroupRow, PortRow, RuleRow
from gcelib.errors import Exists, InUse, NotFound
from gcelib.models import Group, Job


class Firewalls(Facet):
    """Groups and rules. Both directions can be allowed; what leaves is allowed unless those rules are removed."""

    name = "firewalls"

    def __init__(self, api: Api, effects: Effects) -> None:
        super().__init__(api, effects)
        # Machines that bring a new tag at once want one group of it, and Neutron takes a name any number of times.
        self._making = threading.Lock()

    def list(self) -> Sequence[Group]:
        """The project's groups with their rules and the machines in them."""
        rows = self.rows()
        names = {row.id: row.name or row.id for row in rows}
        members: dict[str, list[str]] = {}
        for port in self.api.rows("network", "/v2.0/ports", "ports", PortRow, project_id=self.api.me().project_id):
            for id in port.security_groups or ():
                members.setdefault(id, []).append(port.device_id or "")
        return [self._group(row, names, members.get(row.id, ())) for row in rows]

    def rows(self) -> Sequence[GroupRow]:
        """Neutron's own, the oldest first."""
        project = self.api.me().project_id
        rows = self.api.rows("network", "/v2.0/security-groups", "security_groups", GroupRow, project_id=project)
        return sorted(rows, key=lambda row: (str(row.created_at or ""), row.id))

    def create_group(self, *, key: str, name: str, description: str = "", network_id: str = "") -> Job:
        """Make a group that lets nothing in. The project's group of this name, if it has one, is as good: Neutron would
        make another."""
        body = {"name": name, "description": description}
        with self._making:
            there = self._named(name) or self._made(name, body)
        return self.done(there)

    def _made(self, name: str, body: Mapping[str, Any]) -> str:
        """Make a group. Where another process made one at the same time, both take the older one."""
        id = str(self.api.make("network", "/v2.0/security-groups", "security_group", body)["id"])
        oldest = self._named(name) or id
        if oldest != id:
            with contextlib.suppress(InUse):
                self.api.remove("network", f"/v2.0/security-groups/{id}")
        return oldest

    def destroy_group(self, *, key: str, id: str) -> Job:
        """Delete a group; one already gone is done. Raises InUse while machines are in it."""
        self.api.remove("network", f"/v2.0/security-groups/{id}")
        return self.done(id)

    def allow(
        self, *, key: str, group_id: str, direction: str, protocol: str, first_port: int | None = None,
        last_port: int | None = None, icmp_type: int = -1, icmp_code: int = -1, cidrs: Sequence[str] = (),
        group_names: Sequence[str] = (),
    ) -> Job:
        """Make one rule for each source; one that is there already is wanted as well, and was not made."""
        args = {"group_id": group_id, "direction": direction, "protocol": protocol, "first_port": first_port,
                "last_port": last_port, "icmp_type": icmp_type, "icmp_code": icmp_code, "cidrs": [*cidrs],
                "group_names": [*group_names]}
        made: list[str] = []
        for body in self._wanted(args):
            try:
                rule = self.api.make("network", "/v2.0/security-group-rules", "security_group_rule", body)
            except Exists:
                continue
            made.append(str(rule["id"]))
        return self.done(group_id, rule_ids=self._there(args) or made, made_ids=made)

    def revoke(
        self, *, key: str, direction: str, rule_id: str = "", rule_ids: Sequence[str] = (), claim: str = "",
        claims: str = "",
    ) -> Job:
        """Remove rules; those already gone are done.

        With `claim`, a tag, a rule that carries another tag beginning with `claims` as well only loses this one: that
        is looked at when the tag is gone, so of several who leave at once the last removes it.
        """
        for id in [*([rule_id] if rule_id else []), *rule_ids]:
            if not claim or self._unclaimed(id, claim, claims):
                self.api.remove("network", f"/v2.0/security-group-rules/{id}")
        return self.done(rule_id or next(iter(rule_ids), ""))

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Go on with what was broken off in the middle: every rule is made or removed once."""
        if verb not in ("allow", "revoke"):
            return self.seen(verb, args, target)
        job = getattr(self, verb)(key="", **args)
        return reached(True, job.target, **{name: value for name, value in job.result.items() if name != "id"})

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """What the groups say about a change."""
        if verb == "create_group":
            made = self._named(str(args["name"]))
            return reached(bool(made), made)
        if verb == "destroy_group":
            return reached(all(row.id != target for row in self.rows()), target)
        if verb == "allow":
            found = self._there(args)
            whole = len(found) == len([*self._wanted(args)])
            # What an attempt made whose answer was lost cannot be told from what was there: nothing is taken back.
            return reached(whole, str(args["group_id"]), rule_ids=found, made_ids=[])
        left = {*args.get("rule_ids", ()), *filter(None, [args.get("rule_id")])}
        gone = not any(rule.id in left for row in self.rows() for rule in row.security_group_rules)
        return reached(gone, str(args.get("rule_id") or next(iter(args.get("rule_ids", ())), "")))

    def _named(self, name: str) -> str:
        """The id of the group of this name, the oldest of several; "" for none."""
        return next((row.id for row in self.rows() if row.name == name), "")

    def _wanted(self, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Every rule that is asked for, as Neutron has it. Raises NotFound for a group that is not there."""
        ids = {row.name: row.id for row in self.rows()} if args.get("group_names") else {}
        for name in args.get("group_names", ()):
            if name not in ids:
                raise NotFound(f"{self.at} has no security group '{name}' any more.")
            yield rules.body(args, group=ids[name])
        for cidr in args.get("cidrs", ()):
            yield rules.body(args, cidr=cidr)

    def _there(self, args: Mapping[str, Any]) -> Sequence[str]:
        """The ids of those rules asked for that are there."""
        group = next((row for row in self.rows() if row.id == args["group_id"]), None)
        known = {rules.key(rule): rule.id for rule in (group.security_group_rules if group else ())}
        keys = (rules.key_of(body) for body in self._wanted(args))
        return list(dict.fromkeys(known[each] for each in keys if each in known))

    def _unclaimed(self, id: str, claim: str, claims: str) -> bool:
        """Take a rule's claim away; whether nobody has another."""
        owner = self._owner(id)
        if owner is None:
            return True
        for tag in rules.marks(owner.tags or (), id, claim):
            self.api.remove("network", f"/v2.0/security-groups/{owner.id}/tags/{rules.quoted(tag)}")
        after = self._owner(id)
        left = rules.tags_of(decoded(after.tags or ()), id) if after else {}
        return not any(each.startswith(claims) for each in left)

    def _owner(self, rule_id: str) -> GroupRow | None:
        return next((row for row in self.rows() if any(each.id == rule_id for each in row.security_group_rules)), None)

    def _group(self, row: GroupRow, names: Mapping[str, str], nodes: Sequence[str]) -> Group:
        kept = decoded(row.tags or ())
        found = tuple(
            rules.rule_of(rule, names, rules.tags_of(kept, rule.id)) for rule in self._sorted(row.security_group_rules)
        )
        own = {key: value for key, value in kept.items() if not key.startswith(rules.MARK)}
        return Group(row.id, row.name or row.id, row.description or "", found, tuple(filter(None, nodes)), own)

    def _sorted(self, found: Sequence[RuleRow]) -> Sequence[RuleRow]:
        return sorted(found, key=lambda rule: rule.id)
