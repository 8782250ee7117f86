"""Tags: EC2 keeps them on everything under its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.ec2.facet import Facet
from gcelib.drivers.ec2.wire import text
from gcelib.drivers.generic.effects import Seen, reached
from gcelib.errors import NotFound
from gcelib.models import Job

AT_ONCE = 1000
"""How many things one call may tag."""
SOON = 15
"""Seconds within which EC2 knows a thing that it has made."""


class Tags(Facet):
    """CreateTags replaces the values of keys that are there; DeleteTags takes keys that are not."""

    name = "tags"

    def set(self, *, key: str, kind: str, ids: Sequence[str], tags: Mapping[str, str]) -> Job:
        """Set these tags on every id; one that EC2 has just made it may not know yet, and is told again of.

        Raises NotFound for a rule that is gone: nobody may count on it.
        """
        args, first = {"kind": kind, "ids": [*ids], "tags": dict(tags)}, ids[0] if ids else ""
        return self.done(first) if self._sent(args) else self.watch("set", args, first, SOON)

    def remove(self, *, key: str, kind: str, ids: Sequence[str], keys: Sequence[str]) -> Job:
        """Take these keys from every id."""
        for start in range(0, len(ids), AT_ONCE):
            self.client.change("DeleteTags", ResourceId=list(ids[start:start + AT_ONCE]),
                               Tag=[{"Key": each} for each in keys])
        return self.done(ids[0] if ids else "")

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """See whether it is as was said; say it again to an EC2 that did not know a thing before."""
        seen = self.seen(verb, args, target)
        return reached(True, target) if seen is None and verb == "set" and self._sent(args) else seen

    def _sent(self, args: Mapping[str, Any]) -> bool:
        ids, pairs = args["ids"], [{"Key": each, "Value": value} for each, value in args["tags"].items()]
        try:
            for start in range(0, len(ids), AT_ONCE):
                self.client.change("CreateTags", ResourceId=list(ids[start:start + AT_ONCE]), Tag=pairs)
        except NotFound:
            if args["kind"] == "rule":
                raise
            return False
        return True

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether every thing has, or has no more, what was said."""
        ids = list(args["ids"])
        wanted = [{"Name": "resource-id", "Value": ids}]
        found = self.client.list("DescribeTags", "tagSet", size=AT_ONCE, Filter=wanted) if ids else []
        there = {(text(row, "resourceId"), text(row, "key")): text(row, "value") for row in found}
        first = ids[0] if ids else ""
        if verb == "remove":
            return reached(not any((id, each) in there for id in ids for each in args["keys"]), first)
        return reached(all(there.get((id, each)) == value for id in ids for each, value in args["tags"].items()), first)
