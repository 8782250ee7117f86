"""Key-value pairs on things: metadata of servers, volumes and snapshots, properties of images, Neutron's tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers.generic.effects import Effects, Seen, reached
from gcelib.drivers.openstack import markers, rules, servers
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import Facet
from gcelib.drivers.openstack.firewalls import Firewalls
from gcelib.drivers.openstack.images import OURS
from gcelib.drivers.openstack.snapshots import COPY
from gcelib.drivers.openstack.tagging import IMAGE_LABEL
from gcelib.errors import Invalid, NotFound
from gcelib.models import Job

META: Mapping[str, tuple[str, str]] = {
    "node": ("compute", "/servers"), "volume": ("volume", "/volumes"), "snapshot": ("volume", "/snapshots"),
}
"""Kind -> the service and the path of things that have metadata."""
TAGGED: Mapping[str, tuple[str, str]] = {
    "network": ("/v2.0/networks", "network"), "group": ("/v2.0/security-groups", "security_group"),
    "address": ("/v2.0/floatingips", "floatingip"),
}
"""Kind -> the path of Neutron's things that have tags, and what one is called."""
PATCH = "application/openstack-images-v2.1-json-patch"
Pairs = Mapping[str, str | None]
"""What is to be kept under each key; None for what is to go."""


class Tags(Facet):
    """Each pair is set or removed by itself, so that nobody else's is touched."""

    name = "tags"

    def __init__(self, api: Api, effects: Effects, firewalls: Firewalls) -> None:
        super().__init__(api, effects)
        self._firewalls = firewalls

    def set(self, *, key: str, kind: str, ids: Sequence[str], tags: Mapping[str, str]) -> Job:
        """Set these tags on every id, replacing the values of keys that are there. Raises Invalid for a kind."""
        args = {"kind": kind, "ids": [*ids], "tags": dict(tags)}
        return self._changed("set", args)

    def remove(self, *, key: str, kind: str, ids: Sequence[str], keys: Sequence[str]) -> Job:
        """Remove these keys from every id; those not there are done."""
        return self._changed("remove", {"kind": kind, "ids": [*ids], "keys": [*keys]})

    def send(self, verb: str, args: Mapping[str, Any], target: str) -> None:
        """Write every pair that is not as it is to be."""
        kind, wanted = str(args["kind"]), wanted_of(verb, args)
        if kind == "rule":
            self._send_rules(args["ids"], wanted)
            return
        for id in args["ids"]:
            there = self._kept(kind, id)
            changed = {name: value for name, value in wanted.items() if there.get(name) != value}
            if changed:
                self._write(kind, id, changed)

    def settling(self, verb: str, args: Mapping[str, Any], target: str) -> bool:
        """Whether a machine is on its way: Nova takes no metadata then."""
        if args["kind"] != "node":
            return False
        rows = [servers.server(self.api, id) for id in args["ids"]]
        return any(row is not None and servers.busy(row) for row in rows)

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """See whether all is as wanted; send what could not be taken before."""
        seen = self.seen(verb, args, target)
        return seen if seen is not None else self.sent_on(verb, args, target)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Whether all is as wanted."""
        kind, wanted, first = str(args["kind"]), wanted_of(verb, args), next(iter(args["ids"]), "")
        if kind == "rule":
            kept = self._rule_tags()
            right = all(self._right(kept.get(id), wanted) for id in args["ids"])
        else:
            right = all(self._right(self._found(kind, id), wanted) for id in args["ids"])
        return reached(right, first)

    def _changed(self, verb: str, args: Mapping[str, Any]) -> Job:
        first = next(iter(args["ids"]), "")
        return self.done(first) if self.sent(verb, args, first) else self.watch(verb, args, first)

    def _right(self, there: Mapping[str, str] | None, wanted: Pairs) -> bool:
        if there is None:
            return all(value is None for value in wanted.values())
        return all(there.get(name) == value for name, value in wanted.items())

    def _kept(self, kind: str, id: str) -> Mapping[str, str]:
        found = self._found(kind, id)
        if found is None:
            raise NotFound(f"{self.at} has no {kind} '{id}' any more.")
        return found

    def _found(self, kind: str, id: str) -> Mapping[str, str] | None:
        """What is kept on one thing now; None when it is not there. Raises Invalid for a kind without tags."""
        if kind in META and not id.startswith(COPY):
            service, path = META[kind]
            answer = self.api.find(service, f"{path}/{id}/metadata")
            return None if answer is None else self.api.inside(answer, "metadata")
        if kind in ("image", "snapshot"):
            row = self.api.find("image", f"/v2/images/{id.removeprefix(COPY)}")
            return None if row is None else {
                name.removeprefix(IMAGE_LABEL): str(value) for name, value in row.items() if name.startswith(OURS)
            }
        if kind in TAGGED:
            path, word = TAGGED[kind]
            answer = self.api.find("network", f"{path}/{id}")
            return None if answer is None else markers.decoded(marks_of(self.api.inside(answer, word)))
        raise Invalid(f"OpenStack keeps no tags on a {kind}.", field="labels")

    def _write(self, kind: str, id: str, changed: Pairs) -> None:
        if kind in TAGGED:
            path, word = TAGGED[kind]
            there = marks_of(self.api.inside(self.api.get("network", f"{path}/{id}"), word))
            self._mark(f"{path}/{id}", there, changed)
        elif kind == "image" or id.startswith(COPY):
            self._patch(id.removeprefix(COPY), changed)
        else:
            service, path = META[kind]
            new = {name: value for name, value in changed.items() if value is not None}
            if new:
                self.api.change("POST", service, f"{path}/{id}/metadata", {"metadata": new})
            for name in changed.keys() - new.keys():
                self.api.remove(service, f"{path}/{id}/metadata/{rules.quoted(name)}")

    def _patch(self, id: str, changed: Pairs) -> None:
        there = self.api.get("image", f"/v2/images/{id}")
        changes: list[dict[str, str]] = []
        for name, value in changed.items():
            field = name if name.startswith(OURS) else IMAGE_LABEL + name
            path = "/" + field.replace("~", "~0").replace("/", "~1")
            if value is not None:
                changes.append({"op": "replace" if field in there else "add", "path": path, "value": value})
            elif field in there:
                changes.append({"op": "remove", "path": path})
        if changes:
            self.api.change("PATCH", "image", f"/v2/images/{id}", changes, Content_Type=PATCH)

    def _mark(self, path: str, there: Sequence[str], changed: Pairs) -> None:
        add, take = markers.change(there, changed)
        for tag in add:
            self.api.change("PUT", "network", f"{path}/tags/{rules.quoted(tag)}")
        for tag in take:
            self.api.remove("network", f"{path}/tags/{rules.quoted(tag)}")

    def _send_rules(self, ids: Sequence[str], wanted: Pairs) -> None:
        """A rule's tags are its group's. Raises NotFound for a rule that is gone: nobody may count on it."""
        owners = {rule.id: row for row in self._firewalls.rows() for rule in row.security_group_rules}
        for id in ids:
            if id not in owners:
                raise NotFound(f"{self.at} has no rule '{id}' any more.")
            group = owners[id]
            marked = {rules.mark_of(id) + name: value for name, value in wanted.items()}
            self._mark(f"/v2.0/security-groups/{group.id}", group.tags or (), marked)

    def _rule_tags(self) -> Mapping[str, Mapping[str, str]]:
        return {
            rule.id: rules.tags_of(markers.decoded(row.tags or ()), rule.id)
            for row in self._firewalls.rows() for rule in row.security_group_rules
        }


def marks_of(row: Mapping[str, Any]) -> Sequence[str]:
    """Neutron's tags of a thing."""
    told = row.get("tags")
    return [tag for tag in told if isinstance(tag, str)] if isinstance(told, list) else []


def wanted_of(verb: str, args: Mapping[str, Any]) -> Pairs:
    """What is to be kept under each key after a change."""
    return dict(args["tags"]) if verb == "set" else dict.fromkeys(args["keys"])
