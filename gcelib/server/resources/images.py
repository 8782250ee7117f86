"""Images: the cloud's templates, the project's own and the public ones, and families of those with one name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from gcelib import naming
from gcelib.errors import Exists, Forbidden, Unsupported
from gcelib.models import Image, ImageState
from gcelib.server import fingerprint, origins, remarks
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.images import deprecation, family_of, in_family, merged
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import rfc3339

STATUS = {ImageState.READY: "READY", ImageState.PENDING: "PENDING", ImageState.FAILED: "FAILED"}
ENDS = ("deprecated", "obsolete", "deleted")
CHANGEABLE = frozenset({"family", "description", "labels", "labelFingerprint", "deprecated"})

Parts = Sequence[Found[Image]]


class Images(Collection):
    """An image of the same name in several clouds is one image here."""

    name, kind = "images", "image"
    looks = ("images.list",)

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", parts) for parts in merged(ctx).values())

    def find(self, ctx: Context, scope: str, ref: str) -> Parts:
        shown = merged(ctx)
        if ref in shown:
            return shown[ref]
        found = ctx.view.images.match(ref)
        if found is None or found.name not in shown:
            raise missing(ctx, "global", self.name, ref)
        return shown[found.name]

    def get_from_family(self, ctx: Context) -> Rendered:
        """The newest image of a family."""
        return self.show(ctx, "global", in_family(ctx, ctx.params["family"]))

    def render(self, ctx: Context, scope: str, item: Parts) -> Rendered:
        found = item[0]
        image, note = found.model, self._note(ctx, found)
        labels = remarks.labels_of(image.tags, note)
        shown: Rendered = {
            "id": naming.number(found.cloud.name, "image", image.id),
            "creationTimestamp": rfc3339(image.created),
            "name": found.name,
            "description": remarks.said_of("description", image.tags, note) or _description(image),
            "sourceType": "RAW",
            "status": STATUS[image.state],
            "archiveSizeBytes": str(image.archive_bytes),
            "diskSizeGb": str(image.size_gb),
            "labelFingerprint": fingerprint.fingerprint(labels),
        }
        family, end = family_of(ctx, found), deprecation(ctx, found)
        if family:
            shown["family"] = family
        if labels:
            shown["labels"] = labels
        if end:
            shown["deprecated"] = {**end, **({"replacement": ctx.links.at(end["replacement"])}
                                             if end.get("replacement") else {})}
        return shown | origins.shown(ctx, image.tags, note)

    def insert(self, ctx: Context) -> Work:
        """Make an image of a disk, of a snapshot, or of a file that the clouds fetch."""
        name = ctx.body["name"]
        if name in merged(ctx):
            raise Exists(f"The resource 'projects/{ctx.project}/global/images/{name}' already exists")
        labels = remarks.check_labels(ctx.body.get("labels") or {})
        said = {"description": ctx.body.get("description", ""), "family": _family(ctx.body)}
        if ctx.body.get("deprecated"):
            said["deprecated"] = _end(ctx, ctx.body["deprecated"], "resource.deprecated")
        steps: list[Step] = []
        for origin in origins.chosen(ctx):
            label = f"image {origin.cloud.name}"
            undo = Step(f"drop {label}", origin.cloud.name, "images", "destroy", {"id": {"$ref": f"{label}.target"}})
            args = {"name": name, "description": said["description"], "submitted": "$now", **origin.args}
            steps.append(Step(label, origin.cloud.name, "images", origin.verb, args, undo=undo, early=True, weight=5))
            steps += remarks.steps(origin.cloud, "image", label, labels, {**said, **origin.said})
        target = f"{ctx.project}/global/images/{name}"
        return Work("insert", target, steps, main=steps[0].name, target_kind="image", warnings=origins.ignored(ctx))

    def delete(self, ctx: Context) -> Work:
        """Delete the image on every cloud; machines made of it go on. Raises Forbidden for a public one."""
        parts = self._own(ctx)
        steps: list[Step] = []
        for part in parts:
            cloud, id = part.cloud.name, part.model.id
            steps.append(Step(f"destroy {cloud}", cloud, "images", "destroy", {"id": id}))
            if self._note(ctx, part):
                where = {"place": cloud, "kind": "image", "id": id}
                steps.append(Step(f"un-note {cloud}", "", "notes", "delete", where))
        return _of(ctx, parts, "delete", steps)

    def deprecate(self, ctx: Context) -> Work:
        """Say that the image is to be used no more, or, as ACTIVE, that it is."""
        parts = self._own(ctx)
        return _of(ctx, parts, "deprecate", self._said(ctx, parts, {"deprecated": _end(ctx, ctx.body, "resource")}))

    def patch(self, ctx: Context) -> Work:
        """Change description, family, labels or deprecation. Raises Unsupported for any other field that differs."""
        parts, body = self._own(ctx), ctx.body
        shown = self.show(ctx, "global", parts)
        for field, value in body.items():
            if field not in CHANGEABLE and value != shown.get(field):
                raise Unsupported(
                    f"compute.images.patch with field 'resource.{field}' is not offered on cloud "
                    f"'{parts[0].cloud.name}': description, family, labels and deprecation of an image can be changed.",
                    field=f"resource.{field}",
                )
        said: dict[str, Any] = {}
        if "description" in body:
            said["description"] = body["description"]
        if "family" in body:
            said["family"] = _family(body)
        if "deprecated" in body:
            said["deprecated"] = _end(ctx, body["deprecated"], "resource.deprecated")
        steps = self._said(ctx, parts, said)
        if "labels" in body:
            fingerprint.check(body.get("labelFingerprint"), shown["labelFingerprint"], "resource.labelFingerprint")
            labels = remarks.check_labels(body["labels"])
            for part in parts:
                steps += _marked(part, remarks.labelled(self._subject(ctx, part), labels))
        return _of(ctx, parts, "patch", steps)

    def set_labels(self, ctx: Context) -> Work:
        """Replace the labels."""
        parts = self._own(ctx)
        steps = [
            step for part in parts for step in _marked(part, remarks.relabelled(self._subject(ctx, part), ctx.body))
        ]
        return _of(ctx, parts, "setLabels", steps)

    def _own(self, ctx: Context) -> Parts:
        """The image the path names. Raises Forbidden for one that is not the project's own."""
        parts = self.find(ctx, "global", ctx.params[ctx.method.order[-1]])
        for part in parts:
            if not part.model.own:
                raise Forbidden(
                    f"Image '{part.name}' is offered by the operator of cloud '{part.cloud.name}' and is not the "
                    f"project's own: {ctx.method.id} is for images that the project made."
                )
        return parts

    def _note(self, ctx: Context, item: Found[Image]) -> Mapping[str, Any]:
        return ctx.view.note("image").get((item.cloud.name, item.model.id), {})

    def _subject(self, ctx: Context, item: Found[Image]) -> remarks.Subject:
        return remarks.Subject(item.cloud, "image", item.model.id, item.model.tags, self._note(ctx, item))

    def _said(self, ctx: Context, parts: Parts, said: Mapping[str, Any]) -> list[Step]:
        """The steps that keep this with the image on every cloud."""
        return [step for part in parts for step in _marked(part, remarks.restated(self._subject(ctx, part), said))]


def _marked(part: Found[Image], steps: Sequence[Step]) -> list[Step]:
    """Steps under names that tell them from those for the same image on another cloud."""
    return [replace(step, name=f"{step.name} {part.cloud.name}") for step in steps]


def _description(image: Image) -> str:
    """The cloud's own words; of an image the project made, only what was said of it."""
    if image.own and not image.public:
        return "" if image.description == image.name else image.description
    return image.description or image.name


def _family(body: Mapping[str, Any]) -> str:
    return origins.family(body.get("family", ""))


def _end(ctx: Context, status: Mapping[str, Any], path: str) -> str:
    """What is kept of a DeprecationStatus, "" for an image in use. Raises Invalid naming the field."""
    state = status.get("state") or "ACTIVE"
    if state == "ACTIVE":
        return ""
    kept = {"state": state}
    if status.get("replacement"):
        kept["replacement"] = ctx.ref(status["replacement"], "images", f"{path}.replacement").path
    kept |= {name: origins.moment(status[name], f"{path}.{name}") for name in ENDS if status.get(name)}
    return msgspec.json.encode(kept).decode()


def _of(ctx: Context, parts: Parts, verb: str, steps: list[Step]) -> Work:
    """A work on an image that is there."""
    number = naming.number(parts[0].cloud.name, "image", parts[0].model.id)
    target = f"{ctx.project}/global/images/{parts[0].name}"
    return Work(verb, target, steps, main=steps[0].name if steps else "", target_id=number)
