"""The methods that change how a machine is set up."""

from __future__ import annotations

from collections.abc import Sequence

from gcelib.models import Node
from gcelib.server.collection import Zonal, scope_of
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import labelling, reshape, tagging
from gcelib.server.resources.instances.power import of


class Settings(Zonal):
    """Each change is planned in a file of its theme beside this one."""

    def set_metadata(self, ctx: Context) -> Work:
        """Replace the metadata."""
        item = self.named(ctx)
        steps, warnings = labelling.metadata_steps(ctx, item, ctx.body)
        return _work(ctx, item, steps, warnings)

    def set_tags(self, ctx: Context) -> Work:
        """Replace the network tags."""
        item = self.named(ctx)
        return _work(ctx, item, tagging.tags_steps(ctx, item, ctx.body))

    def set_labels(self, ctx: Context) -> Work:
        """Replace the labels."""
        item = self.named(ctx)
        return _work(ctx, item, labelling.labels_steps(ctx, item))

    def set_scheduling(self, ctx: Context) -> Work:
        """Keep the wish; one for another kind of machine is refused."""
        item = self.named(ctx)
        steps, warnings = labelling.scheduling_steps(ctx, item, ctx.body)
        return _work(ctx, item, steps, warnings)

    def set_service_account(self, ctx: Context) -> Work:
        """Take "no account"; any other is refused."""
        item = self.named(ctx)
        labelling.service_account(ctx, item)
        return _work(ctx, item, [])

    def set_name(self, ctx: Context) -> Work:
        """Give a stopped machine another name."""
        item = self.named(ctx)
        return _work(ctx, item, labelling.name_steps(ctx, item))

    def set_machine_type(self, ctx: Context) -> Work:
        """Give a stopped machine another size."""
        item = self.named(ctx)
        return _work(ctx, item, reshape.size_steps(ctx, item, ctx.body.get("machineType", "")))

    def set_machine_resources(self, ctx: Context) -> Work:
        """Take "no accelerators"; any is refused."""
        item = self.named(ctx)
        reshape.resources(ctx, item)
        return _work(ctx, item, [])

    def named(self, ctx: Context) -> Found[Node]:
        """The machine the path names. Raises NotFound."""
        found: Found[Node] = self.find(ctx, scope_of(ctx), ctx.params[ctx.method.order[-1]])
        return found


def _work(
    ctx: Context, item: Found[Node], steps: Sequence[Step], warnings: Sequence[tuple[str, str]] = ()
) -> Work:
    return of(ctx, item, ctx.method.name, [*steps], warnings)
