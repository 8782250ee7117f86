"""The project: quotas of its clouds, and the metadata that all its machines share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gcelib import naming
from gcelib.errors import Unsupported
from gcelib.server import metadata, quotas
from gcelib.server.collection import Collection, Rendered
from gcelib.server.context import Context
from gcelib.server.operations.plan import Step, Work
from gcelib.server.times import EPOCH


class Projects(Collection):
    """Shared metadata is kept in gcelib's store; new machines get its SSH keys."""

    name, kind = "projects", "project"
    refusals: ClassVar[Mapping[str, str]] = {
        "moveInstance": "a machine stays in its zone. Make an image of its boot disk (compute.images.insert), and a "
        "new machine of that image in the other zone.",
        "moveDisk": "a disk stays in its zone, and so do its snapshots. Make a disk in the other zone and copy the "
        "contents over the network, or offer an image file of it to compute.images.insert.",
    }

    def get(self, ctx: Context) -> Rendered:
        """The project as GCE shows it."""
        common = metadata.common(ctx)
        return {
            "kind": "compute#project",
            "id": naming.number("", "project", ctx.tenancy),
            "creationTimestamp": EPOCH,
            "name": ctx.project,
            "description": ", ".join(f"{cloud.name} ({cloud.provider})" for cloud in ctx.view.clouds),
            "commonInstanceMetadata": metadata.render(common),
            "quotas": quotas.of(ctx.view, quotas.GLOBAL),
            "selfLink": ctx.link(),
        }

    def set_usage_export_bucket(self, ctx: Context) -> Work:
        """Take "no bucket", which is how it is; any is refused."""
        if ctx.body.get("bucketName"):
            clouds = ", ".join(f"'{cloud.name}'" for cloud in ctx.view.clouds)
            raise Unsupported(
                f"{ctx.method.id} is not offered on cloud {clouds}: it writes no usage reports into buckets. Quotas "
                "and their use are in compute.projects.get.", field="resource.bucketName",
            )
        number = naming.number("", "project", ctx.tenancy)
        return Work("setUsageExportBucket", ctx.project, [], target_id=number)

    def set_common_instance_metadata(self, ctx: Context) -> Work:
        """Replace the shared metadata; 412 when a fingerprint was sent that no longer holds."""
        items = metadata.checked(ctx.body, metadata.common(ctx), "resource")
        args: dict[str, Any] = {
            "place": metadata.place(ctx), "kind": "project", "id": ctx.tenancy, "data": {"metadata": items},
        }
        step = Step("metadata", "", "notes", "merge", args)
        return Work(
            "setMetadata" if ctx.method.name == "setMetadata" else "setCommonInstanceMetadata",
            ctx.project, [step], main="metadata", target_id=naming.number("", "project", ctx.tenancy),
        )
