"""Instance groups of the unmanaged kind: a name for machines of a zone that somebody else made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gcelib import naming
from gcelib.errors import Exists, Invalid, Missing
from gcelib.models import Node
from gcelib.server import fingerprint, instance_groups, networks
from gcelib.server.collection import Collection, Rendered, missing, scope_of
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.instance_groups import MEMBER, Group
from gcelib.server.machine_states import STATUS
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import from_seconds

MOST_MEMBERS = 2000
LAST_PORT = 65535


class InstanceGroups(Collection):
    """Members are machines that are there; one that is deleted is none any more."""

    name, kind = instance_groups.COLLECTION, instance_groups.KIND

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        found = instance_groups.groups(ctx).values()
        return ((where, group) for group in found if scope in ("", where := f"zones/{group.zone.name}"))

    def find(self, ctx: Context, scope: str, ref: str) -> Group:
        zone = ctx.view.zone(scope.partition("/")[2], ctx.project)
        found = instance_groups.groups(ctx)
        if zone.cloud.name in ctx.view.faults:
            raise ctx.view.faults[zone.cloud.name]
        here = [group for group in found.values() if group.zone.name == zone.name]
        group = found.get((zone.name, ref)) or next((each for each in here if _number(ctx, each) == ref), None)
        if group is None:
            raise missing(ctx, scope, self.name, ref)
        return group

    def render(self, ctx: Context, scope: str, item: Group) -> Rendered:
        network = item.network(ctx)
        shown: Rendered = {
            "id": _number(ctx, item),
            "creationTimestamp": from_seconds(item.note["created"]),
            "name": item.name,
            "description": item.note.get("description", ""),
            "fingerprint": fingerprint.fingerprint(item.ports),
            "zone": ctx.link(scope),
            "size": len(item.members),
        }
        if item.ports:
            shown["namedPorts"] = item.ports
        if network:
            shown["network"] = ctx.link("global", "networks", network)
        return shown

    def insert(self, ctx: Context) -> Work:
        """A new group, without members."""
        zone, name = ctx.view.zone(ctx.params["zone"], ctx.project), ctx.body["name"]
        if (zone.name, name) in instance_groups.groups(ctx):
            path = f"projects/{ctx.project}/zones/{zone.name}/instanceGroups/{name}"
            raise Exists(f"The resource '{path}' already exists")
        note = {
            "description": ctx.body.get("description", ""), "created": ctx.services.now(),
            "namedPorts": _ports(ctx.body.get("namedPorts") or []), "network": _network(ctx),
        }
        return _work(ctx, Group(name, zone, note, ()), "insert", "put", note, alone=True)

    def delete(self, ctx: Context) -> Work:
        """Forget the group; its machines stay."""
        return _work(ctx, self._named(ctx), "delete", "delete", alone=True)

    def add_instances(self, ctx: Context) -> Work:
        """Let machines of the zone be members. Raises Invalid for one that is, is elsewhere or in another network."""
        group = self._named(ctx)
        there = {node.model.id for node in group.members}
        network, new = group.network(ctx), dict[str, Any]()
        for field, node in _meant(ctx, group):
            if node.model.id in there:
                raise Invalid(f"Invalid value for field '{field}': '{node.name}'. The instance is already a member of "
                              f"'{_path(ctx, group)}'.", field=field)
            own = instance_groups.network_of(ctx, node)
            network = network or own
            if own != network:
                raise Invalid(f"Invalid value for field '{field}': '{node.name}'. The instance is in network '{own}', "
                              f"the members of '{group.name}' are in '{network}'.", field=field)
            new[MEMBER + node.model.id] = ctx.services.now()
        if len(there) + len(new) > MOST_MEMBERS:
            raise Invalid(f"Invalid value for field 'instances': the group would have {len(there) + len(new)} members. "
                          f"At most {MOST_MEMBERS} are allowed.", field="instances")
        return _work(ctx, group, "addInstances", "merge", new)

    def remove_instances(self, ctx: Context) -> Work:
        """Let machines be members no longer. Raises Invalid for one that is none."""
        group = self._named(ctx)
        there = {node.model.id for node in group.members}
        gone: dict[str, Any] = {}
        for field, node in _meant(ctx, group):
            if node.model.id not in there:
                raise Invalid(f"Invalid value for field '{field}': '{node.name}'. The instance is not a member of "
                              f"'{_path(ctx, group)}'.", field=field)
            gone[MEMBER + node.model.id] = None
        return _work(ctx, group, "removeInstances", "merge", gone)

    def list_instances(self, ctx: Context) -> Rendered:
        """One page of the members, by name."""
        group, scope = self._named(ctx), scope_of(ctx)
        ports = {"namedPorts": group.ports} if group.ports else {}
        links = {node.name: ctx.link(scope, "instances", node.name) for node in group.members}
        # gcloud's --regexp asks for `instance eq NAMES`: an instance is its link only to a filter that has a slash.
        shown = links if "/" in ctx.query.get("filter", "") else {name: name for name in links}
        rows = [
            (node.name, {"instance": shown[node.name], "status": status, **ports})
            for node in group.members if (status := STATUS[node.model.state])
        ]
        if ctx.body.get("instanceState") == "RUNNING":
            rows = [(name, row) for name, row in rows if row["status"] == "RUNNING"]
        found = self._page(ctx, rows)
        path = f"{scope}/instanceGroups/{group.name}/listInstances"
        answer: Rendered = {"kind": "compute#instanceGroupsListInstances", "id": f"projects/{ctx.project}/{path}",
                            "selfLink": ctx.link(path)}
        if found.items:
            answer["items"] = [{**row, "instance": links[name]} for name, row in found.items]
        if found.next_token:
            answer["nextPageToken"] = found.next_token
        return answer

    def set_named_ports(self, ctx: Context) -> Work:
        """Replace the named ports; 412 when a fingerprint was sent that no longer holds."""
        group = self._named(ctx)
        fingerprint.check(ctx.body.get("fingerprint"), fingerprint.fingerprint(group.ports), "fingerprint")
        data = {"namedPorts": _ports(ctx.body.get("namedPorts") or [])}
        return _work(ctx, group, "setNamedPorts", "merge", data, alone=True)

    def _named(self, ctx: Context) -> Group:
        return self.find(ctx, scope_of(ctx), ctx.params["instanceGroup"])


def _meant(ctx: Context, group: Group) -> list[tuple[str, Found[Node]]]:
    """(field, machine) for every instance of the request. Raises Missing, and Invalid for one that is not there."""
    found: list[tuple[str, Found[Node]]] = []
    for index, sent in enumerate(ctx.body.get("instances") or []):
        field, link = f"instances[{index}].instance", sent.get("instance", "")
        if not link:
            raise Missing(f"Required field '{field}' not specified", field=field)
        ref = ctx.ref(link, "instances", field)
        zone = ref.scope.partition("/")[2]
        if zone and ctx.view.zone(zone, ctx.project).name != group.zone.name:
            raise Invalid(f"Invalid value for field '{field}': '{link}'. The instance is of zone '{zone}', the group "
                          f"of '{group.zone.name}'.", field=field)
        node = ctx.view.nodes.match(ref.name, group.zone.name)
        if node is None:
            raise Invalid(f"Invalid value for field '{field}': '{link}'. The referenced instance resource cannot be "
                          "found.", field=field)
        found.append((field, node))
    if not found:
        raise Missing("Required field 'instances' not specified", field="instances")
    return found


def _ports(sent: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The named ports, if GCE would take them. Raises Invalid naming the field."""
    for index, each in enumerate(sent):
        name, port = each.get("name", ""), each.get("port", 0)
        if not naming.is_label(name):
            raise Invalid(f"Invalid value for field 'resource.namedPorts[{index}].name': '{name}'. Must be a match of "
                          f"regex '{naming.LABEL_PATTERN}'", field=f"resource.namedPorts[{index}].name")
        if not 1 <= port <= LAST_PORT:
            raise Invalid(f"Invalid value for field 'resource.namedPorts[{index}].port': '{port}'. Must be between 1 "
                          f"and {LAST_PORT}.", field=f"resource.namedPorts[{index}].port")
    return [{"name": each["name"], "port": each["port"]} for each in sent]


def _network(ctx: Context) -> str:
    """The name of the network the members are to be in, "" for that of the first. Raises Invalid for none there."""
    link = ctx.body.get("network", "")
    if not link:
        return ""
    name = ctx.ref(link, "networks", "resource.network").name
    if name not in networks.networks(ctx):
        raise Invalid(f"Invalid value for field 'resource.network': '{link}'. The referenced network resource cannot "
                      "be found.", field="resource.network")
    return name


def _number(ctx: Context, group: Group) -> str:
    thing = f"{group.zone.model.id} {group.name} {group.note['created']}"
    return naming.number(group.zone.cloud.name, instance_groups.KIND, f"{ctx.tenancy} {thing}")


def _path(ctx: Context, group: Group) -> str:
    return f"projects/{ctx.project}/zones/{group.zone.name}/instanceGroups/{group.name}"


def _work(
    ctx: Context, group: Group, verb: str, write: str, data: Mapping[str, Any] | None = None, *, alone: bool = False
) -> Work:
    """A work of one step: its note written so."""
    where = instance_groups.where(ctx, group.zone, group.name)
    step = Step("note", "", "notes", write, where if data is None else {**where, "data": data})
    target = _path(ctx, group).removeprefix("projects/")
    return Work(verb, target, [step], main="note", target_id=_number(ctx, group), alone=alone)
