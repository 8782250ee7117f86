"""Managed instance groups: none are kept, by no cloud here, and what would make one is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NoReturn

from gcelib.server.collection import Collection, missing, scope_of
from gcelib.server.context import Context

WHY = (
    "nothing there keeps a group of machines at its size. Make machines with compute.instances.bulkInsert, from a "
    "template if you like, and put them into a group of the unmanaged kind with compute.instanceGroups.addInstances."
)


class InstanceGroupManagers(Collection):
    """An empty list: clients ask it to tell groups of the unmanaged kind from the others."""

    name, kind = "instanceGroupManagers", "instanceGroupManager"
    refusals: ClassVar[Mapping[str, str]] = {"insert": WHY}

    @property
    def word(self) -> str:
        return "instanceGroupManagers"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return ()

    def find(self, ctx: Context, scope: str, ref: str) -> NoReturn:
        raise missing(ctx, scope, self.word, ref)

    def delete(self, ctx: Context) -> NoReturn:
        """Raises NotFound."""
        self.find(ctx, scope_of(ctx), ctx.params["instanceGroupManager"])


class RegionInstanceGroupManagers(InstanceGroupManagers):
    """The same for regions."""

    name, kind = "regionInstanceGroupManagers", "regionInstanceGroupManager"


class RegionInstanceGroups(Collection):
    """An empty list: a group of the unmanaged kind is of one zone."""

    name, kind = "regionInstanceGroups", "regionInstanceGroup"

    @property
    def word(self) -> str:
        return "instanceGroups"

    def rows(self, ctx: Context, scope: str) -> Iterable[tuple[str, Any]]:
        return ()

    def find(self, ctx: Context, scope: str, ref: str) -> NoReturn:
        raise missing(ctx, scope, self.word, ref)
