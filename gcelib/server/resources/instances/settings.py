"""The methods that change how a machine is set up."""

from __future__ import annotations

from collections.abc import Sequence

from gcelib.models import Node
from gcelib.server import instance_groups
from gcelib.server.collection import Rendered, Zonal, scope_of
from gcelib.server.context import Context
from gcelib.server.directory import Found
from gcelib.server.operations.plan import Step, Work
from gcelib.server.resources.instances import access, bulk, interfaces, labelling, questions, reshape, tagging, update
from gcelib.server.resources.instances.power import of
from gcelib.server.resources.instances.refusals import REFUSALS


class Settings(Zonal):
    """Each change is planned in a file of its theme beside this one."""

    refusals = REFUSALS

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

    def update(self, ctx: Context) -> Work:
        """Change what differs from the machine as it is."""
        return update.update(ctx, self.named(ctx))

    def bulk_insert(self, ctx: Context) -> Work:
        """Several new machines."""
        return bulk.insert(ctx)

    def list_referrers(self, ctx: Context) -> Rendered:
        """The instance groups that the machine is in, or with "-" any machine of the zone."""
        scope, name = scope_of(ctx), ctx.params["instance"]
        nodes = [item for item in ctx.view.nodes if f"zones/{item.zone}" == scope] if name == "-" else [self.named(ctx)]
        found = self._page(ctx, [
            (f"{item.name} {group.name}", {
                "kind": "compute#reference", "referenceType": "MEMBER_OF",
                "referrer": ctx.link(scope, instance_groups.COLLECTION, group.name),
                "target": ctx.link(scope, "instances", item.name),
            }) for item in nodes for group in instance_groups.holding(ctx, item)
        ])
        path = f"{scope}/instances/{name if name == '-' else nodes[0].name}/referrers"
        answer: Rendered = {"kind": "compute#instanceListReferrers", "id": f"projects/{ctx.project}/{path}",
                            "selfLink": ctx.link(path)}
        if found.items:
            answer["items"] = [row for _, row in found.items]
        if found.next_token:
            answer["nextPageToken"] = found.next_token
        return answer

    def get_effective_firewalls(self, ctx: Context) -> Rendered:
        """The firewalls that are for this machine."""
        return questions.effective_firewalls(ctx, self.named(ctx))

    def get_guest_attributes(self, ctx: Context) -> Rendered:
        """Raises NotFound: none are ever written."""
        raise questions.guest_attributes(ctx, self.named(ctx))

    def get_serial_port_output(self, ctx: Context) -> Rendered:
        """What the machine wrote to its serial port."""
        return questions.serial_output(ctx, self.named(ctx))

    def add_access_config(self, ctx: Context) -> Work:
        """Let a public address stand for an interface."""
        item = self.named(ctx)
        return _work(ctx, item, access.addition(ctx, item))

    def update_access_config(self, ctx: Context) -> Work:
        """Call an access config something else."""
        item = self.named(ctx)
        return _work(ctx, item, access.change(ctx, item))

    def delete_access_config(self, ctx: Context) -> Work:
        """Take an interface's public address from it."""
        item = self.named(ctx)
        return _work(ctx, item, access.removal(ctx, item))

    def add_network_interface(self, ctx: Context) -> Work:
        """Put a machine into one more network."""
        item = self.named(ctx)
        return _work(ctx, item, interfaces.addition(ctx, item))

    def delete_network_interface(self, ctx: Context) -> Work:
        """Take a machine out of a network."""
        item = self.named(ctx)
        return _work(ctx, item, interfaces.removal(ctx, item))

    def named(self, ctx: Context) -> Found[Node]:
        """The machine the path names. Raises NotFound."""
        name = next(ctx.params[each] for each in ("instance", "resource") if each in ctx.params)
        found: Found[Node] = self.find(ctx, scope_of(ctx), name)
        return found


def _work(
    ctx: Context, item: Found[Node], steps: Sequence[Step], warnings: Sequence[tuple[str, str]] = ()
) -> Work:
    return of(ctx, item, ctx.method.name, [*steps], warnings)
