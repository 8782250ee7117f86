"""Instance templates: kept as they were sent, and carried out when a machine is made of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from gcelib import naming
from gcelib.errors import Exists, Invalid, Missing, Unsupported
from gcelib.server import metadata, remarks, templates
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.operations.plan import Step, Work
from gcelib.server.templates import Template
from gcelib.server.times import from_seconds

NOBODY = "it keeps no policies of its own. Roles are given for the whole project, by gcelib's configuration."
FOREIGN = ("resourceManagerTags", "workloadIdentityConfig")
"""Properties that no field of an instance can take over."""


class InstanceTemplates(Collection):
    """What a zone's cloud cannot do is refused where a machine is made there: a template is for all of them."""

    name, kind = templates.COLLECTION, templates.KIND
    refusals: ClassVar[Mapping[str, str]] = {"getIamPolicy": NOBODY, "setIamPolicy": NOBODY}

    def scopes(self, ctx: Context) -> Sequence[str]:
        return ["global"]

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", template) for template in templates.templates(ctx).values())

    def find(self, ctx: Context, scope: str, ref: str) -> Template:
        kept = templates.templates(ctx)
        found = kept.get(ref) or next((each for each in kept.values() if _number(ctx, each) == ref), None)
        if found is None:
            raise missing(ctx, "global", self.name, ref)
        return found

    def render(self, ctx: Context, scope: str, item: Template) -> Rendered:
        properties = item.note["properties"]
        shown = dict(properties)
        shown["metadata"] = metadata.render((properties.get("metadata") or {}).get("items") or [])
        if "disks" in properties:
            shown["disks"] = [_disk(index, disk) for index, disk in enumerate(properties["disks"])]
        if "networkInterfaces" in properties:
            shown["networkInterfaces"] = [
                _nic(ctx, index, nic) for index, nic in enumerate(properties["networkInterfaces"])
            ]
        return {
            "id": _number(ctx, item),
            "creationTimestamp": from_seconds(item.note["created"]),
            "name": item.name,
            "description": item.note.get("description", ""),
            "properties": shown,
        }

    def insert(self, ctx: Context) -> Work:
        """Keep the properties. Raises Unsupported for what no machine could take over of them."""
        name = ctx.body["name"]
        if name in templates.templates(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/global/instanceTemplates/{name}' already exists")
        note = {
            "description": ctx.body.get("description", ""), "created": ctx.services.now(),
            "properties": _properties(ctx),
        }
        where = _where(ctx, name)
        return _work(ctx, Template(name, note), "insert", Step("note", "", "notes", "put", {**where, "data": note}))

    def delete(self, ctx: Context) -> Work:
        """Forget it; machines made of it stay as they are."""
        found = self.find(ctx, "global", ctx.params["instanceTemplate"])
        return _work(ctx, found, "delete", Step("note", "", "notes", "delete", _where(ctx, found.name)))


def _properties(ctx: Context) -> dict[str, Any]:
    """The properties sent, if GCE would take them."""
    clouds = ", ".join(f"'{cloud.name}'" for cloud in ctx.view.clouds)
    if ctx.body.get("sourceInstance"):
        raise Unsupported(
            f"{ctx.method.id} with field 'resource.sourceInstance' is not offered on cloud {clouds}: its machines "
            "cannot be copied with their disks into a template. Send 'properties', with an image for the boot disk.",
            field="resource.sourceInstance",
        )
    properties: dict[str, Any] = ctx.body.get("properties") or {}
    path = "resource.properties"
    for field in ("machineType", "disks"):
        if not properties.get(field):
            raise Missing(f"Required field '{path}.{field}' not specified", field=f"{path}.{field}")
    if "/" in properties["machineType"]:
        raise Invalid(
            f"Invalid value for field '{path}.machineType': '{properties['machineType']}'. A template is for every "
            "zone: give the name of the machine type alone.", field=f"{path}.machineType",
        )
    for field in FOREIGN:
        if properties.get(field):
            raise Unsupported(
                f"{ctx.method.id} with field '{path}.{field}' is not offered on cloud {clouds}: its machines have no "
                "such thing. Leave the field out.", field=f"{path}.{field}",
            )
    for index, nic in enumerate(properties.get("networkInterfaces") or []):
        _nic(ctx, index, nic)
    remarks.check_labels(properties.get("labels") or {}, f"{path}.labels")
    metadata.checked({"items": (properties.get("metadata") or {}).get("items")}, [], f"{path}.metadata")
    return properties


def _disk(index: int, sent: Mapping[str, Any]) -> Rendered:
    plain = {"kind": "compute#attachedDisk", "type": "PERSISTENT", "mode": "READ_WRITE", "index": index}
    return {**plain, "boot": False, "autoDelete": False, **sent}


def _nic(ctx: Context, index: int, sent: Mapping[str, Any]) -> Rendered:
    """An interface with its network's link as this client calls it. Raises Invalid for what is no link to one here."""
    shown = {"kind": "compute#networkInterface", "name": f"nic{index}", **sent}
    if sent.get("network"):
        ref = ctx.ref(sent["network"], "networks", f"resource.properties.networkInterfaces[{index}].network")
        shown["network"] = ctx.link("global", "networks", ref.name)
    return shown


def _number(ctx: Context, item: Template) -> str:
    return naming.number("", templates.KIND, f"{ctx.tenancy} {item.name} {item.note['created']}")


def _where(ctx: Context, name: str) -> dict[str, Any]:
    return {"place": metadata.place(ctx), "kind": templates.KIND, "id": name}


def _work(ctx: Context, item: Template, verb: str, step: Step) -> Work:
    target = f"{ctx.project}/global/instanceTemplates/{item.name}"
    return Work(verb, target, [step], main=step.name, target_id=_number(ctx, item), alone=True)
