"""Disks: the cloud's volumes; a boot disk has the name of its machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from gcelib import naming
from gcelib.errors import Invalid, Missing, NotReady, Unsupported
from gcelib.models import Volume, VolumeState
from gcelib.server import copies, disks, fingerprint, kinds_of_disk, remarks, unmet
from gcelib.server.collection import Known, Rendered, Zonal, scope_of
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import EPOCH, rfc3339

STATUS = {
    VolumeState.CREATING: "CREATING", VolumeState.READY: "READY", VolumeState.DELETING: "DELETING",
    VolumeState.FAILED: "FAILED",
}

REFUSED: unmet.Wishes = {
    "diskEncryptionKey": bool, "sourceImageEncryptionKey": bool, "sourceSnapshotEncryptionKey": bool,
    "sourceInstantSnapshot": bool, "sourceStorageObject": bool, "sourceMachineImage": bool, "replicaZones": bool,
    "resourcePolicies": bool, "provisionedIops": bool, "provisionedThroughput": bool, "storagePool": bool,
    "asyncPrimaryDisk": bool, "enableConfidentialCompute": bool,
    "accessMode": lambda value: value != "READ_WRITE_SINGLE", "architecture": lambda value: value == "ARM64",
}
IGNORED = ("licenses", "guestOsFeatures")
POLICIES = "it has no resource policies. Make snapshots from your own scheduler (compute.disks.createSnapshot)."
REPLICAS = "it replicates no disks. Make snapshots (compute.disks.createSnapshot)."
CHANGEABLE = frozenset({"sizeGb", "labels", "labelFingerprint", "description"})
KNOWN: Known = {
    "id": lambda ctx, item: naming.number(item.cloud.name, "volume", item.model.id),
    "creationTimestamp": lambda ctx, item: rfc3339(item.model.created),
    "name": lambda ctx, item: item.name,
    "status": lambda ctx, item: STATUS[item.model.state],
}
"""What a list of all disks may be put in order by or filtered by without rendering each."""


class Disks(Zonal):
    """Sizes in GB are the cloud's, rounded up."""

    name, kind = "disks", "disk"
    known = KNOWN
    looks = ("zones.list", "nodes.list", "volumes.list", "images.list")
    refusals: ClassVar[Mapping[str, str]] = {
        "addResourcePolicies": POLICIES,
        "removeResourcePolicies": POLICIES,
        "startAsyncReplication": REPLICAS,
        "stopAsyncReplication": REPLICAS,
        "stopGroupAsyncReplication": REPLICAS,
        "updateKmsKey": "it takes no keys for its disks.",
        "bulkInsert": "it makes disks one by one. Use compute.disks.insert.",
    }

    def directory(self, ctx: Context) -> Directory[Volume]:
        return ctx.view.volumes

    def render(self, ctx: Context, scope: str, item: Found[Volume]) -> Rendered:
        disk = item.model
        note = self._note(ctx, item)
        labels = remarks.labels_of(disk.tags, note)
        shown: Rendered = {
            **{name: tell(ctx, item) for name, tell in self.known.items()},
            "description": remarks.said_of("description", disk.tags, note),
            "sizeGb": str(disk.size_gb),
            "zone": ctx.link(scope),
            "type": ctx.link(scope, "diskTypes", self._type(ctx, item)),
            "labelFingerprint": fingerprint.fingerprint(labels),
            "physicalBlockSizeBytes": "4096",
        }
        if labels:
            shown["labels"] = labels
        shown.update(self._origin(ctx, item))
        if disk.attached and disk.node_id:
            shown["lastAttachTimestamp"] = rfc3339(disk.attached)
        node = disks.user_of(ctx, item)
        if node is not None:
            shown["users"] = [ctx.link("zones", node.zone, "instances", node.name)]
        return {key: value for key, value in shown.items() if value != EPOCH or key == "creationTimestamp"}

    def insert(self, ctx: Context) -> Work:
        """A new disk: blank, or a copy of a snapshot or another disk."""
        zone = ctx.view.zone(ctx.params["zone"], ctx.project)
        body = ctx.body
        unmet.refuse(ctx, zone.cloud, body, REFUSED, "disks", "resource")
        if not zone.model.up:
            raise NotReady(f"Zone '{zone.name}' of cloud '{zone.cloud.name}' is closed by its operator.")
        sources = [name for name in ("sourceImage", "sourceSnapshot", "sourceDisk") if body.get(name)]
        if len(sources) > 1:
            raise Invalid(f"Invalid value for field 'resource.{sources[1]}': a disk has one source, and "
                          f"'{sources[0]}' is given as well.", field=f"resource.{sources[1]}")
        wish = disks.Wish(
            name=body["name"], path="resource", size_gb=int(body.get("sizeGb") or 0), type=body.get("type", ""),
            image=ctx.query.get("sourceImage", "") or body.get("sourceImage", ""),
            image_field="sourceImage" if ctx.query.get("sourceImage") else "resource.sourceImage",
            snapshot=body.get("sourceSnapshot", ""), disk=body.get("sourceDisk", ""),
        )
        labels = remarks.check_labels(body.get("labels") or {})
        said = {"description": body.get("description", "")}
        steps = disks.creation(ctx, zone, wish, "disk", labels, said)
        target = f"{ctx.project}/zones/{zone.name}/disks/{wish.name}"
        warnings = unmet.ignored(zone.cloud, body, IGNORED, "trait of disks")
        return Work("insert", target, steps, main="disk", target_kind="volume", warnings=warnings)

    def delete(self, ctx: Context) -> Work:
        """Raises InUse for one that is attached; its snapshots stay."""
        found = self._named(ctx)
        if found.model.node_id:
            raise disks.used(ctx, found)
        steps = [Step("destroy", found.cloud.name, "volumes", "destroy", {"id": found.model.id})]
        if self._note(ctx, found):
            where = {"place": found.cloud.name, "kind": "volume", "id": found.model.id}
            steps.append(Step("un-note", "", "notes", "delete", where))
        return _of(ctx, found, "delete", steps)

    def resize(self, ctx: Context) -> Work:
        """Make the disk larger; one of this size stays as it is."""
        if not ctx.body.get("sizeGb"):
            raise Missing("Required field 'resource.sizeGb' not specified", field="resource.sizeGb")
        found = self._named(ctx)
        return _of(ctx, found, "resizeDisk", _larger(ctx, found, int(ctx.body["sizeGb"])))

    def set_labels(self, ctx: Context) -> Work:
        """Replace the labels."""
        found = self._named(ctx)
        return _of(ctx, found, "setLabels", remarks.relabelled(self._subject(ctx, found), ctx.body))

    def update(self, ctx: Context) -> Work:
        """Change size, labels or description. Raises Unsupported for any other field sent."""
        found = self._named(ctx)
        body = {name: value for name, value in ctx.body.items() if name in _asked(ctx)}
        shown = self.show(ctx, f"zones/{found.zone}", found)
        for name in sorted(_asked(ctx) - CHANGEABLE - shown.keys() - ctx.body.keys()):
            raise Invalid(f"Invalid value for field 'updateMask': '{name}'. It names no field that was sent, and none "
                          "that a disk has.", field="updateMask")
        for name, value in body.items():
            if name not in CHANGEABLE and value != shown.get(name):
                raise Unsupported(
                    f"compute.disks.update with field 'resource.{name}' is not offered on cloud '{found.cloud.name}': "
                    "size, labels and description of a disk can be changed there.", field=f"resource.{name}",
                )
        steps: list[Step] = []
        if body.get("sizeGb"):
            steps += _larger(ctx, found, int(body["sizeGb"]))
        subject = self._subject(ctx, found)
        if "labels" in body:
            fingerprint.check(body.get("labelFingerprint"), shown["labelFingerprint"], "resource.labelFingerprint")
            steps += remarks.labelled(subject, remarks.check_labels(body["labels"]))
        if "description" in body:
            steps += remarks.restated(subject, {"description": body["description"]})
        return _of(ctx, found, "update", steps)

    def create_snapshot(self, ctx: Context) -> Work:
        """Copy the disk as it is now; the operation's target is the disk."""
        found = self._named(ctx)
        steps = copies.creation(ctx, found, ctx.body)
        return _of(ctx, found, "createSnapshot", steps)

    def _named(self, ctx: Context) -> Found[Volume]:
        found: Found[Volume] = self.find(ctx, scope_of(ctx), ctx.params[ctx.method.order[-1]])
        return found

    def _note(self, ctx: Context, item: Found[Volume]) -> Mapping[str, Any]:
        return ctx.view.note("volume").get((item.cloud.name, item.model.id), {})

    def _subject(self, ctx: Context, item: Found[Volume]) -> remarks.Subject:
        return remarks.Subject(item.cloud, "volume", item.model.id, item.model.tags, self._note(ctx, item))

    def _type(self, ctx: Context, item: Found[Volume]) -> str:
        kind = kinds_of_disk.kind_of(ctx, item)
        said = remarks.said_of("type", item.model.tags, self._note(ctx, item))
        return str(said) or (kind.name if kind else kinds_of_disk.STANDARD)

    def _origin(self, ctx: Context, item: Found[Volume]) -> Rendered:
        """What the disk was made of; the name of a snapshot that is gone is kept with the disk."""
        disk, note = item.model, self._note(ctx, item)
        image = ctx.view.images.by_id(item.cloud.name, disk.image_id) if disk.image_id else None
        if image is not None:
            number = naming.number(item.cloud.name, "image", disk.image_id)
            return {"sourceImage": ctx.link("global", "images", image.name), "sourceImageId": number}
        source = str(remarks.said_of("source", disk.tags, note))
        if source:
            zone, _, name = source.partition("/")
            return {"sourceDisk": ctx.link("zones", zone, "disks", name)}
        if not disk.snapshot_id:
            return {}
        snapshot = ctx.view.snapshots.by_id(item.cloud.name, disk.snapshot_id)
        name = snapshot.name if snapshot else str(remarks.said_of("snapshot", disk.tags, note))
        shown: Rendered = {"sourceSnapshotId": naming.number(item.cloud.name, "snapshot", disk.snapshot_id)}
        if name:
            shown["sourceSnapshot"] = ctx.link("global", "snapshots", name)
        return shown


def _of(ctx: Context, item: Found[Volume], verb: str, steps: Sequence[Step]) -> Work:
    """A work on a disk that is there."""
    return Work(
        verb, f"{ctx.project}/zones/{item.zone}/disks/{item.name}", steps, main=steps[0].name if steps else "",
        target_id=naming.number(item.cloud.name, "volume", item.model.id),
    )


def _asked(ctx: Context) -> set[str]:
    """The fields a PATCH is about: those of its mask, else all that were sent."""
    masks = [ctx.query.get("updateMask", ""), *ctx.query.get("paths", ())]
    named = {part.strip().split(".")[0] for mask in masks for part in mask.split(",") if part.strip()}
    return (named | {"labelFingerprint"}) if named else set(ctx.body)


def _larger(ctx: Context, item: Found[Volume], size: int) -> list[Step]:
    """The step that enlarges a disk; none when it has this size. Raises Invalid for a size it cannot have."""
    field, disk = "resource.sizeGb", item.model
    if size < disk.size_gb:
        raise Invalid(
            f"Invalid value for field '{field}': '{size}'. A disk can only grow, and this one has {disk.size_gb} GB.",
            field=field,
        )
    if size == disk.size_gb:
        return []
    kind = kinds_of_disk.kind_of(ctx, item)
    args: dict[str, Any] = {"id": disk.id, "size_gb": size}
    if kind is not None and kind.model.size_gb:
        others = [
            each for each in ctx.view.volume_types
            if each.cloud.name == item.cloud.name and each.model.size_gb and kinds_of_disk.offered(each, disk.zone_id)
        ]
        wanted = next((each for each in others if each.model.size_gb == size), None)
        if wanted is None:
            offer = ", ".join(str(number) for number in sorted({each.model.size_gb for each in others}))
            raise Invalid(f"Invalid value for field '{field}': '{size}'. Disks of type '{kind.name}' can have one of "
                          f"these sizes in GB: {offer}.", field=field)
        args["type_id"] = wanted.model.id
    elif kind is not None and size > kind.model.max_gb:
        raise Invalid(f"Invalid value for field '{field}': '{size}'. Disks of type '{kind.name}' have at most "
                      f"{kind.model.max_gb} GB.", field=field)
    return [Step("resize", item.cloud.name, "volumes", "resize", args)]
