"""CloudStack's resource tags: replacing a value is two jobs, because a key that is there cannot be set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.cloudstack import records
from gcelib.drivers.cloudstack.client import indexed
from gcelib.drivers.cloudstack.facet import Facet, reached
from gcelib.drivers.cloudstack.jobs import Seen, Token, job_id
from gcelib.errors import Invalid
from gcelib.models import Job

KINDS: dict[str, str] = {
    "node": "UserVm",
    "volume": "Volume",
    "snapshot": "Snapshot",
    "image": "Template",
    "network": "Network",
    "group": "SecurityGroup",
    "rule": "SecurityGroupRule",
    "address": "PublicIpAddress",
    "vpc": "Vpc",
    "route": "StaticRoute",
    "guard": "FirewallRule",
    "entry": "NetworkACL",
    "balancer": "LoadBalancer",
}
CLEARING = "clear"
"""The part of the job id for the removal that goes before setting."""
FEW = 5


class Tags(Facet):
    """createTags, deleteTags and listTags."""

    name = "tags"
    jobbed = frozenset({"set", "remove"})

    def set(self, *, key: str, kind: str, ids: Sequence[str], tags: Mapping[str, str]) -> Job:
        """Set these tags on every id; keys with another value are removed first. Raises Invalid for a kind.

        Nothing is sent when everything is as wanted.
        """
        there = self._there(_kind(kind), ids)
        changed = {
            name: value for name, value in tags.items() if any(there[id].get(name) != value for id in ids)
        }
        args = {"kind": kind, "ids": [*ids], "tags": dict(tags), "changed": changed}
        if not ids or not changed:
            return self.done(ids[0] if ids else "")
        stale = [name for name in changed if any(name in there[id] for id in ids)]
        if not stale:
            return self._create(args, key)
        ours = job_id(key, CLEARING)
        fields = self.client.change(
            "deleteTags", customjobid=ours, resourcetype=_kind(kind), resourceids=ids,
            **indexed("tags", [{"key": name} for name in stale]),
        )  # fmt: skip
        job = self.job_of("deleteTags", fields)
        return self.jobs.begun(self.token("set", args, ids[0], job=job, then=job_id(key)))

    def remove(self, *, key: str, kind: str, ids: Sequence[str], keys: Sequence[str]) -> Job:
        """Remove these keys from every id; those not there are left out. Raises Invalid for a kind."""
        there = self._there(_kind(kind), ids)
        present = [name for name in keys if any(name in there[id] for id in ids)]
        if not present:
            return self.done(ids[0] if ids else "")
        args = {"kind": kind, "ids": [*ids], "keys": [*keys]}
        return self.send(
            "remove", "deleteTags", args, key=key, target=ids[0], resourcetype=_kind(kind), resourceids=ids,
            **indexed("tags", [{"key": name} for name in present]),
        )  # fmt: skip

    def job_parts(self, verb: str) -> Sequence[tuple[str, bool]]:
        """Setting may be a removal and a creation."""
        return (("", False), (CLEARING, True)) if verb == "set" else (("", False),)

    def part_seen(self, token: Token) -> bool:
        """Whether no tag stands in the way any more, whoever removed it."""
        there = self._there(_kind(token.args["kind"]), token.args["ids"])
        changed = token.args.get("changed", token.args["tags"])
        return not any(name in tags for tags in there.values() for name in changed)

    def second_part(self, token: Token) -> Job:
        """Set the tags after those in the way were removed."""
        args = token.args
        if "changed" not in args:
            # Found again after a lost answer: what is left to do is told by looking.
            return self.set(key=token.then, kind=args["kind"], ids=args["ids"], tags=args["tags"])
        return self._create(args, token.then)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether all tags are as wanted."""
        there = self._there(_kind(str(args["kind"])), args["ids"])
        if verb == "set":
            wanted = args["tags"].items()
            right = all(there[id].get(name) == value for id in args["ids"] for name, value in wanted)
        else:
            right = not any(name in there[id] for id in args["ids"] for name in args["keys"])
        return reached(right, str(args["ids"][0]) if args["ids"] else "")

    def _create(self, args: Mapping[str, Any], key: str) -> Job:
        pairs = [{"key": name, "value": value} for name, value in args["changed"].items()]
        ids = args["ids"]
        return self.send(
            "set", "createTags", args, key=key, target=ids[0], resourcetype=_kind(args["kind"]),
            resourceids=ids, **indexed("tags", pairs),
        )  # fmt: skip

    def _there(self, resource: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The tags of each id now; for many ids all tags of their kind are read at once."""
        there: dict[str, dict[str, str]] = {id: {} for id in ids}
        filters = [{"resourceid": id} for id in ids] if len(ids) <= FEW else [{}]
        for chosen in filters:
            for row in self.client.rows("listTags", "tag", records.Tag, resourcetype=resource, **chosen):
                owner = row.resourceid or chosen.get("resourceid", "")
                if owner in there:
                    there[owner][row.key] = row.value
        return there


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise Invalid(f"CloudStack keeps no tags on a {kind}.", field="labels")
    return KINDS[kind]
