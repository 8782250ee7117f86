"""Operations in their three scopes: what became of every change, for 14 days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gcelib.errors import NotFound
from gcelib.server.collection import Collection, Rendered, scope_of
from gcelib.server.context import Context
from gcelib.server.operations import render
from gcelib.server.operations.parts import part, parts
from gcelib.store.records import Record

LONGEST_WAIT = 120.0
"""Seconds; GCE's own limit, after which the operation is answered as it is."""


class _Operations(Collection):
    kind = "operation"
    kept = False
    word = "operations"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        records = ctx.services.operations.list(ctx.tenancy, scope or None)
        return ((each.scope, each) for record in records for each in (record, *parts(record)))

    def find(self, ctx: Context, scope: str, ref: str) -> Record:
        try:
            return ctx.services.runner.get(ctx.tenancy, scope, ref)
        except NotFound as missing:
            whole, _, number = ref.rpartition("-")
            found = self._part(ctx, scope, whole, ref) if number.isdecimal() else None
            if found is None:
                # An operation of its own may end in digits, too: what is not there is the name that was asked for.
                raise missing from None
            return found

    def _part(self, ctx: Context, scope: str, whole: str, ref: str) -> Record | None:
        try:
            return part(ctx.services.runner.get(ctx.tenancy, scope, whole), ref)
        except NotFound:
            return None

    def show(self, ctx: Context, scope: str, item: Record) -> Rendered:
        return render.render(item, ctx.render_path)

    def wait(self, ctx: Context) -> Rendered:
        """The operation once it is DONE, or as it is after two minutes; at once when too many are waiting."""
        runner = ctx.services.runner
        return render.render(
            runner.wait(ctx.tenancy, scope_of(ctx), ctx.params["operation"], LONGEST_WAIT), ctx.render_path
        )

    def delete(self, ctx: Context) -> None:
        """Forget a finished operation."""
        ctx.services.operations.delete(ctx.tenancy, scope_of(ctx), ctx.params["operation"])


class ZoneOperations(_Operations):
    """Of changes to what is in a zone."""

    name = "zoneOperations"


class RegionOperations(_Operations):
    """Of changes to what is in a region."""

    name = "regionOperations"


class GlobalOperations(_Operations):
    """Of changes to what is global; its aggregated list shows every scope's."""

    name = "globalOperations"

    def scopes(self, ctx: Context) -> Sequence[str]:
        """The zones, the regions, and the global scope."""
        regions = [f"regions/{name}" for name in ctx.view.regions]
        return ["global", *regions, *super().scopes(ctx)]
