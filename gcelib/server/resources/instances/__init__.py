"""Instances: the machines of every cloud of the project."""

from __future__ import annotations

from typing import Any

from gcelib.models import Node
from gcelib.server import alone
from gcelib.server.collection import Rendered, missing
from gcelib.server.context import Context
from gcelib.server.directory import Directory, Found
from gcelib.server.operations.plan import Work
from gcelib.server.resources.instances import create, disks, power, remove, render
from gcelib.server.resources.instances.settings import Settings


class Instances(Settings):
    """Each verb's work is planned in a file of its theme beside this one."""

    name, kind = "instances", "instance"
    known = render.KNOWN
    looks = ("zones.list", "nodes.list", "volumes.list", "networks.list", "sizes.list")

    def get(self, ctx: Context) -> Any:
        """The one machine; where the list is not at hand it is asked for alone."""
        if ctx.view.known(alone.NODES):
            return super().get(ctx)
        return self._alone(ctx, ("zones.list", "networks.list", "sizes.list"))

    def find(self, ctx: Context, scope: str, ref: str) -> Any:
        try:
            found = alone.node(ctx.view, ctx.view.zone(scope.partition("/")[2], ctx.project), ref)
        except alone.Undecided:
            return super().find(ctx, scope, ref)
        if found is None:
            raise missing(ctx, scope, self.name, ref)
        return found

    def directory(self, ctx: Context) -> Directory[Node]:
        return ctx.view.nodes

    def render(self, ctx: Context, scope: str, item: Found[Node]) -> Rendered:
        return render.instance(ctx, item)

    def insert(self, ctx: Context) -> Work:
        """A new machine."""
        return create.insert(ctx)

    def delete(self, ctx: Context) -> Work:
        """Destroy the machine and free its name."""
        return remove.delete(ctx, self.named(ctx))

    def start(self, ctx: Context) -> Work:
        """Start a stopped machine; one that runs stays as it is."""
        return power.start(ctx, self.named(ctx))

    def stop(self, ctx: Context) -> Work:
        """Stop a running machine; one that is stopped stays as it is."""
        return power.stop(ctx, self.named(ctx))

    def reset(self, ctx: Context) -> Work:
        """Restart a running machine the hard way."""
        return power.reset(ctx, self.named(ctx))

    def attach_disk(self, ctx: Context) -> Work:
        """Attach a disk."""
        return disks.attach(ctx, self.named(ctx))

    def detach_disk(self, ctx: Context) -> Work:
        """Detach a data disk."""
        return disks.detach(ctx, self.named(ctx))

    def set_disk_auto_delete(self, ctx: Context) -> Work:
        """Say whether a disk goes with the machine."""
        return disks.set_auto_delete(ctx, self.named(ctx))

    def set_deletion_protection(self, ctx: Context) -> Work:
        """Keep the machine from being deleted, or let it be deleted again."""
        return remove.protect(ctx, self.named(ctx))
