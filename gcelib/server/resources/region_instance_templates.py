"""Regional instance templates: none, for a template here is for every region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NoReturn

from gcelib.server import templates
from gcelib.server.collection import Collection, missing, scope_of
from gcelib.server.context import Context


class RegionInstanceTemplates(Collection):
    """An empty list; what would make one is refused."""

    name, kind = "regionInstanceTemplates", templates.KIND
    refusals: ClassVar[Mapping[str, str]] = {
        "insert": "templates are kept for all regions. Use compute.instanceTemplates.insert."
    }

    @property
    def word(self) -> str:
        return templates.COLLECTION

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return ()

    def find(self, ctx: Context, scope: str, ref: str) -> NoReturn:
        raise missing(ctx, scope, self.word, ref)

    def delete(self, ctx: Context) -> NoReturn:
        """Raises NotFound."""
        self.find(ctx, scope_of(ctx), ctx.params["instanceTemplate"])
