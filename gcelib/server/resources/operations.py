"""Operations in their three scopes: what became of every change, for 14 days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gcelib.errors import NotFound, Unsupported
from gcelib.server.collection import Collection, Known, Rendered, scope_of
from gcelib.server.context import Context
from gcelib.server.operations import render
from gcelib.server.operations.parts import part, parts, whole
from gcelib.server.operations.resolve import stamp
from gcelib.server.rows import Row, Rows
from gcelib.store.records import Record

LONGEST_WAIT = 120.0
"""Seconds; GCE's own limit, after which the operation is answered as it is."""


KNOWN: Known = {
    "id": lambda ctx, item: item.number,
    "name": lambda ctx, item: item.name,
    "status": lambda ctx, item: item.status,
    "operationType": lambda ctx, item: item.verb,
    "insertTime": lambda ctx, item: stamp(item.insert_time),
}
"""What a list of all may be put in order by or filtered by without rendering each."""


class _Operations(Collection):
    kind = "operation"
    kept = False
    word = "operations"
    known = KNOWN

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        records = ctx.services.operations.list(ctx.tenancy, scope or None)
        return ((each.scope, each) for record in records for each in (record, *parts(record)))

    def _rows(self, ctx: Context, scope: str) -> Rows:
        """None is rendered that nobody sees: they are many."""
        return Rows(Row(where, each.name, each) for where, each in self.rows(ctx, scope))

    def find(self, ctx: Context, scope: str, ref: str) -> Record:
        try:
            return ctx.services.runner.get(ctx.tenancy, scope, ref)
        except NotFound as missing:
            found = self._part(ctx, scope, ref)
            if found is None:
                # An operation of its own may end in digits, too: what is not there is the name that was asked for.
                raise missing from None
            return found

    def _part(self, ctx: Context, scope: str, ref: str) -> Record | None:
        """The part of an operation that has this name or number."""
        if ref.isdecimal():
            some = (each for _, each in self.rows(ctx, scope) if each.name != whole(each))
            return next((each for each in some if each.number == ref), None)
        name, _, number = ref.rpartition("-")
        try:
            return part(ctx.services.runner.get(ctx.tenancy, scope, name), ref) if number.isdecimal() else None
        except NotFound:
            return None

    def show(self, ctx: Context, scope: str, item: Record) -> Rendered:
        return render.render(item, ctx.render_path)

    def wait(self, ctx: Context) -> Rendered:
        """The operation once it is DONE, or as it is after two minutes; at once when too many are waiting."""
        scope = scope_of(ctx)
        found = self.find(ctx, scope, ctx.params["operation"])
        record = ctx.services.runner.wait(ctx.tenancy, scope, whole(found), LONGEST_WAIT)
        return render.render(part(record, found.name) or record, ctx.render_path)

    def delete(self, ctx: Context) -> None:
        """Forget a finished operation. Raises Unsupported for a part of one."""
        scope = scope_of(ctx)
        found = self.find(ctx, scope, ctx.params["operation"])
        if found.name != whole(found):
            raise Unsupported(
                f"{ctx.method.id} is not offered for '{found.name}', which is a part of operation '{whole(found)}' and "
                "goes with it: delete that one."
            )
        ctx.services.operations.delete(ctx.tenancy, scope, found.name)


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
