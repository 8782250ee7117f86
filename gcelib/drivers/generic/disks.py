"""Disks and their copies of any libcloud driver; a machine's own disk is shown as its boot disk."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from gcelib.drivers.generic.effects import Effects, Seen, reached, under_way
from gcelib.drivers.generic.facet import Facet
from gcelib.drivers.generic.nodes import APPEARS, Nodes
from gcelib.drivers.generic.offers import Sizes
from gcelib.drivers.generic.places import Zones, by_any_name
from gcelib.drivers.generic.reading import extra_of, first, may_be, node_id, snapshot_of, volume_of
from gcelib.drivers.profile import Profile
from gcelib.errors import Fault, NotFound, Refused, TooMany, Unavailable, Unsupported
from gcelib.models import Job, JobState, Node, Snapshot, Volume, VolumeState, VolumeType

LOG = logging.getLogger(__name__)
BOOT = "boot-of:"
"""What the id of a machine's own disk begins with: no volume of the cloud's."""
NODE_KEYS = ("instance_id", "attached_to_instance", "linode_id", "server_id", "node_id")


class Volumes(Facet):
    """list_volumes, and for every machine the disk it boots from."""

    name = "volumes"
    once = frozenset({"create"})
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "list": ("list_nodes",), "types": ("list_nodes",), "create": ("create_volume", "list_volumes"),
        "attach": ("attach_volume", "list_volumes"), "detach": ("detach_volume", "list_volumes"),
        "resize": ("resize_volume", "list_volumes"), "destroy": ("destroy_volume", "list_volumes"),
    }

    def __init__(self, zones: Zones, nodes: Nodes, sizes: Sizes, effects: Effects) -> None:
        super().__init__(zones.door, effects)
        self._zones, self._nodes, self._sizes = zones, nodes, sizes
        nodes.disks = self

    def list(self) -> Sequence[Volume]:
        """Boot disks first, then the cloud's volumes."""
        disks = self.data_disks()
        booted = {disk.node_id for disk in disks if disk.boot}
        return [*self.boot_disks([node for node in self._nodes.list() if node.id not in booted]), *disks]

    def types(self) -> Sequence[VolumeType]:
        """One kind of disk where disks can be made; its size is chosen."""
        if not self.door.kind.has("create_volume"):
            return []
        return [VolumeType("standard", "standard", description="The cloud's own kind of disk")]

    def boot_disks(self, nodes: Sequence[Node]) -> Sequence[Volume]:
        """What machines boot from, where that is no volume of the cloud's."""
        kind = self.door.kind
        sizes = {each.id: each.root_gb for each in self._sizes.list()} if kind.has("list_sizes") else {}
        return [
            Volume(BOOT + node.id, node.name, max(1, sizes.get(node.size_id, 0)), VolumeState.READY, node.zone_id,
                   boot=True, node_id=node.id, node_name=node.name, image_id=node.image_id, created=node.created)
            for node in nodes
        ]

    def data_disks(self) -> Sequence[Volume]:
        """The cloud's volumes."""
        if not self.door.kind.has("list_volumes"):
            return []
        try:
            objects = self.objects()
        except Unsupported:
            # The driver has the call, and it only says that it cannot.
            return []
        zones, profile = by_any_name(self._zones.list()), self.door.kind.profile
        found = self.models(lambda each: volume_of(each, profile, zones, self.user(each)), objects)
        held = held_by(self._nodes.objects(), profile) if found else {}
        return [
            replace(disk, node_id=held[disk.name][0], boot=held[disk.name][1]) if disk.name in held else disk
            for disk in found
        ]

    def objects(self) -> Sequence[Any]:
        """libcloud's own objects."""
        return self.door.rows("list_volumes")

    def user(self, volume: Any) -> str:
        """The id of the machine a volume is attached to; "" for none."""
        extra = extra_of(volume)
        attached = extra.get("attachments") or extra.get("droplet_ids") or []
        if isinstance(attached, Sequence) and not isinstance(attached, str) and attached:
            entry = attached[0]
            return first(entry, ("server_id", "serverId", "id")) if isinstance(entry, Mapping) else str(entry or "")
        return first(extra, NODE_KEYS)

    def object(self, id: str) -> Any:
        """libcloud's object of one volume. Raises NotFound, and Refused for a machine's own disk."""
        if id.startswith(BOOT):
            raise Refused(f"{self.door.at}: this disk is part of its machine, and cannot be changed or copied alone.")
        found = next((each for each in self.objects() if str(each.id) == id), None)
        if found is None:
            raise NotFound(f"{self.door.at} has no disk '{id}' any more.")
        return found

    def create(self, *, key: str, name: str, zone_id: str, type_id: str = "", size_gb: int = 0,
               snapshot_id: str = "", submitted: str = "") -> Job:
        """create_volume, blank: the base API does not say which drivers copy snapshots."""
        if snapshot_id:
            raise Refused(f"{self.door.at}: disks start blank there; libcloud's driver makes none of a snapshot.")
        wanted = {"size": size_gb, "name": name}
        location = self._zones.location(zone_id)
        made = self.door.make("create_volume", **wanted, **({} if location is None else {"location": location}))
        args = {"name": name, "zone_id": zone_id, "submitted": submitted}
        return self.watch("create", args, told(made), 0 if told(made) else APPEARS)

    def attach(self, *, key: str, id: str, node_id: str, device: int = 0) -> Job:
        """attach_volume."""
        self.door.change("attach_volume", self._nodes.object(node_id), self.object(id))
        return self.watch("attach", {"id": id, "node_id": node_id}, id)

    def detach(self, *, key: str, id: str, node_id: str = "") -> Job:
        """detach_volume; one that is not attached is done, and so is one that another machine than `node_id` has."""
        volume = self.object(id)
        holder = next((disk.node_id for disk in self.data_disks() if disk.id == id), "")
        if node_id and holder not in ("", node_id):
            return self.done(id)
        if holder:
            self.door.change("detach_volume", volume, ex_node=self._nodes.object(holder))
        return self.watch("detach", {"id": id}, id)

    def resize(self, *, key: str, id: str, size_gb: int, type_id: str = "") -> Job:
        """Make it larger."""
        self.door.change("resize_volume", self.object(id), size_gb)
        return self.watch("resize", {"id": id, "size_gb": size_gb}, id)

    def destroy(self, *, key: str, id: str) -> Job:
        """destroy_volume; one already gone is done."""
        volume = next((each for each in self.objects() if str(each.id) == id), None)
        if volume is not None:
            self.gone("destroy_volume", volume)
        return self.watch("destroy", {"id": id}, id)

    def discarded(self, id: str, node_id: str) -> bool:
        """Delete a disk that goes with a machine; False while that still has it.

        One that another machine has by now, or that the cloud does not delete, stays, and is shown.
        """
        found = next((each for each in self.objects() if str(each.id) == id), None)
        user = "" if found is None else self.user(found)
        if found is None or user:
            return user != node_id
        try:
            self.gone("destroy_volume", found)
        except (Unavailable, TooMany):
            raise
        except Fault as fault:
            LOG.warning("%s: disk '%s' stays, its machine is gone: %s", self.door.at, id, fault)
        return True

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the disk as it is now."""
        sought = target or (self._born(args) if verb == "create" else "")
        found = next((each for each in self.data_disks() if each.id == sought), None)
        if verb == "destroy":
            return reached(found is None, target)
        if found is None:
            return None
        if verb == "create":
            return self._made(found)
        there = {
            "attach": found.node_id == args.get("node_id"), "detach": not found.node_id,
            "resize": found.size_gb >= int(args.get("size_gb", 0)),
        }[verb]
        return reached(there, target)

    def _born(self, args: Mapping[str, Any]) -> str:
        """The id of a disk that was asked for, by its name; "" when it is not there."""
        profile, zones = self.door.kind.profile, by_any_name(self._zones.list())
        return next((str(each.id) for each in self.objects() if may_be(each, args, profile, zones)), "")

    def _made(self, disk: Volume) -> Seen:
        if disk.state is VolumeState.FAILED:
            return Seen(JobState.FAILED, disk.id, error=Refused(f"{self.door.at} could not make the disk."))
        return reached(disk.state is VolumeState.READY, disk.id) or under_way(disk.id)


def told(made: Any) -> str:
    """The id of what a driver says it has made; "" for an answer that has none."""
    id = getattr(made, "id", None)
    return "" if id in (None, "") else str(id)


def held_by(nodes: Sequence[Any], profile: Profile) -> Mapping[str, tuple[str, bool]]:
    """Disks that machines say they have, by name: the machine's id, and whether it boots from it."""
    return {
        str(disk["source"]).rpartition("/")[2]: (node_id(node, profile), bool(disk.get("boot")))
        for node in nodes for disk in listed(extra_of(node).get("disks"))
        if isinstance(disk, Mapping) and disk.get("source")
    }


def listed(value: Any) -> Sequence[Any]:
    """A list that a driver tells; none for what is no list."""
    return value if isinstance(value, list | tuple) else ()


class Snapshots(Facet):
    """Copies of disks: those of all disks at once where the driver lists them so, else disk by disk."""

    name = "snapshots"
    once = frozenset({"create"})
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "list": ("list_volumes", "create_volume_snapshot"), "create": ("create_volume_snapshot", "list_volumes"),
        "destroy": ("destroy_volume_snapshot", "list_volumes"),
    }

    def __init__(self, volumes: Volumes, effects: Effects) -> None:
        super().__init__(volumes.door, effects)
        self._volumes = volumes

    def list(self) -> Sequence[Snapshot]:
        """Every copy."""
        return self.models(snapshot_of, self.objects())

    def objects(self) -> Sequence[Any]:
        """libcloud's own objects."""
        if self.door.kind.has("list_all_snapshots"):
            return self.door.rows("list_all_snapshots")
        volumes = self._volumes.objects()
        return [copy for volume in volumes for copy in self.door.rows("list_volume_snapshots", volume)]

    def create(self, *, key: str, name: str, volume_id: str, submitted: str = "") -> Job:
        """create_volume_snapshot."""
        made = self.door.make("create_volume_snapshot", self._volumes.object(volume_id), name=name)
        args = {"name": name, "volume_id": volume_id, "submitted": submitted}
        return self.watch("create", args, told(made), 0 if told(made) else APPEARS)

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a copy; one already gone is done."""
        found = next((each for each in self.objects() if str(each.id) == id), None)
        if found is not None:
            self.gone("destroy_volume_snapshot", found)
        return self.watch("destroy", {"id": id}, id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the copies there are now."""
        copies = self.list()
        if verb == "destroy":
            return reached(all(each.id != target for each in copies), target)
        found = next((each for each in copies if (each.id == target if target else self._may_be(each, args))), None)
        if found is None:
            return None
        if found.state is VolumeState.FAILED:
            return Seen(JobState.FAILED, found.id, error=Refused(f"{self.door.at} could not make the snapshot."))
        return reached(found.state is VolumeState.READY, found.id) or under_way(found.id)

    def _may_be(self, copy: Snapshot, args: Mapping[str, Any]) -> bool:
        """Whether a copy can be the one that was asked for: of its name, and of its disk if it tells."""
        return copy.name == args["name"] and copy.volume_id in ("", args.get("volume_id", copy.volume_id))
