"""Global addresses: no cloud here has one that is reached everywhere, and none is pretended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NoReturn

from gcelib.server.collection import Collection, missing
from gcelib.server.context import Context

WHY = "every public address there belongs to one zone. Reserve one in a region, with compute.addresses.insert."


class GlobalAddresses(Collection):
    """An empty list; what would make one is refused."""

    name, kind = "globalAddresses", "address"
    refusals: ClassVar[Mapping[str, str]] = {"insert": WHY, "move": WHY}

    @property
    def word(self) -> str:
        return "addresses"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return ()

    def find(self, ctx: Context, scope: str, ref: str) -> NoReturn:
        raise missing(ctx, "global", self.word, ref)

    def delete(self, ctx: Context) -> NoReturn:
        """Raises NotFound."""
        self.find(ctx, "global", ctx.params["address"])

    def set_labels(self, ctx: Context) -> NoReturn:
        """Raises NotFound."""
        self.find(ctx, "global", ctx.params["resource"])
