"""Images: the cloud's templates, the project's own and the public ones, and families of those with one name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gcelib import naming
from gcelib.models import Image, ImageState
from gcelib.server import fingerprint, remarks
from gcelib.server.collection import Collection, Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.images import family_of, in_family, merged
from gcelib.server.times import rfc3339

STATUS = {ImageState.READY: "READY", ImageState.PENDING: "PENDING", ImageState.FAILED: "FAILED"}


class Images(Collection):
    """An image of the same name in several clouds is one image here."""

    name, kind = "images", "image"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return (("global", parts) for parts in merged(ctx).values())

    def find(self, ctx: Context, scope: str, ref: str) -> Sequence[Found[Image]]:
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

    def render(self, ctx: Context, scope: str, item: Sequence[Found[Image]]) -> Rendered:
        found = item[0]
        image = found.model
        note = ctx.view.note("image").get((found.cloud.name, image.id), {})
        labels = remarks.labels_of(image.tags, note)
        shown: Rendered = {
            "id": naming.number(found.cloud.name, "image", image.id),
            "creationTimestamp": rfc3339(image.created),
            "name": found.name,
            "description": remarks.said_of("description", image.tags, note) or image.description or image.name,
            "sourceType": "RAW",
            "status": STATUS[image.state],
            "archiveSizeBytes": str(image.archive_bytes),
            "diskSizeGb": str(image.size_gb),
            "family": family_of(ctx, found),
            "labelFingerprint": fingerprint.fingerprint(labels),
        }
        if labels:
            shown["labels"] = labels
        return shown
