"""Snapshots: copies of disks, under names that hold for the whole project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from gcelib import naming
from gcelib.errors import Missing, NotReady
from gcelib.models import Snapshot, VolumeState
from gcelib.server import copies, disks, fingerprint, remarks
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import rfc3339

STATUS = {
    VolumeState.CREATING: "CREATING", VolumeState.READY: "READY", VolumeState.DELETING: "DELETING",
    VolumeState.FAILED: "FAILED",
}


class Snapshots(Collection):
    """Each is in one cloud, that of its disk."""

    name, kind = "snapshots", "snapshot"
    looks = ("snapshots.list",)
    refusals: ClassVar[Mapping[str, str]] = {"updateKmsKey": "it takes no keys for its snapshots."}

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", item) for item in ctx.view.snapshots)

    def find(self, ctx: Context, scope: str, ref: str) -> Found[Snapshot]:
        found = ctx.view.snapshots.match(ref)
        if found is None:
            raise missing(ctx, "global", self.name, ref)
        return found

    def render(self, ctx: Context, scope: str, item: Found[Snapshot]) -> Rendered:
        copy, note = item.model, self._note(ctx, item)
        labels = remarks.labels_of(copy.tags, note)
        shown: Rendered = {
            "id": naming.number(item.cloud.name, "snapshot", copy.id),
            "creationTimestamp": rfc3339(copy.created),
            "name": item.name,
            "description": remarks.said_of("description", copy.tags, note),
            "status": STATUS[copy.state],
            "diskSizeGb": str(copy.size_gb),
            "storageBytes": str(copy.stored_bytes),
            "storageBytesStatus": "UP_TO_DATE" if copy.state is VolumeState.READY else "UPDATING",
            "snapshotType": "STANDARD",
            "labelFingerprint": fingerprint.fingerprint(labels),
        }
        if labels:
            shown["labels"] = labels
        return shown | self._origin(ctx, item)

    def insert(self, ctx: Context) -> Work:
        """Copy a disk as it is now."""
        if not ctx.body.get("sourceDisk"):
            raise Missing("Required field 'resource.sourceDisk' not specified", field="resource.sourceDisk")
        disk = disks.named(ctx, ctx.body["sourceDisk"], "resource.sourceDisk")
        steps = copies.creation(ctx, disk, ctx.body)
        target = f"{ctx.project}/global/snapshots/{ctx.body['name']}"
        return Work("insert", target, steps, main="snapshot", target_kind="snapshot")

    def delete(self, ctx: Context) -> Work:
        """Delete the copy; disks and images made of it stay. Raises NotReady for one still being made."""
        found = self._named(ctx)
        if found.model.state not in (VolumeState.READY, VolumeState.FAILED):
            raise NotReady(f"The resource 'projects/{ctx.project}/global/snapshots/{found.name}' is not ready: its "
                           f"status is {found.model.state.value}.")
        steps = [Step("destroy", found.cloud.name, "snapshots", "destroy", {"id": found.model.id})]
        if self._note(ctx, found):
            where = {"place": found.cloud.name, "kind": "snapshot", "id": found.model.id}
            steps.append(Step("un-note", "", "notes", "delete", where))
        return _of(ctx, found, "delete", steps)

    def set_labels(self, ctx: Context) -> Work:
        """Replace the labels."""
        found = self._named(ctx)
        subject = remarks.Subject(found.cloud, "snapshot", found.model.id, found.model.tags, self._note(ctx, found))
        return _of(ctx, found, "setLabels", remarks.relabelled(subject, ctx.body))

    def _named(self, ctx: Context) -> Found[Snapshot]:
        return self.find(ctx, "global", ctx.params[ctx.method.order[-1]])

    def _note(self, ctx: Context, item: Found[Snapshot]) -> Mapping[str, Any]:
        return ctx.view.note("snapshot").get((item.cloud.name, item.model.id), {})

    def _origin(self, ctx: Context, item: Found[Snapshot]) -> Rendered:
        """The disk it is a copy of: as it is called now, else as it was called when it was copied."""
        copy = item.model
        if not copy.volume_id:
            return {}
        disk = ctx.view.volumes.by_id(item.cloud.name, copy.volume_id)
        zone, _, name = str(remarks.said_of("source", copy.tags, self._note(ctx, item))).partition("/")
        if disk is not None:
            zone, name = disk.zone, disk.name
        zone = zone or ctx.view.zone_names().get((item.cloud.name, copy.zone_id), "")
        shown: Rendered = {"sourceDiskId": naming.number(item.cloud.name, "volume", copy.volume_id)}
        if zone:
            shown["sourceDisk"] = ctx.link("zones", zone, "disks", name or naming.slug(copy.volume_name))
        return shown


def _of(ctx: Context, item: Found[Snapshot], verb: str, steps: list[Step]) -> Work:
    """A work on a snapshot that is there."""
    return Work(
        verb, f"{ctx.project}/global/snapshots/{item.name}", steps, main=steps[0].name if steps else "",
        target_id=naming.number(item.cloud.name, "snapshot", item.model.id),
    )
