"""Image family views: the newest image of a family, as gcloud asks for it on every `instances create`."""

from __future__ import annotations

from gcelib.server.collection import Collection, Rendered, scope_of
from gcelib.server.context import Context
from gcelib.server.images import in_family
from gcelib.server.resources.images import Images


class ImageFamilyViews(Collection):
    """`zones/-/imageFamilyViews/FAMILY`: any zone."""

    name, kind = "imageFamilyViews", "imageFamilyView"

    def get(self, ctx: Context) -> Rendered:
        """The view: the image in it."""
        if ctx.params["zone"] != "-":
            scope_of(ctx)
        image = Images().show(ctx, "global", in_family(ctx, ctx.params["family"]))
        return {"image": image}
