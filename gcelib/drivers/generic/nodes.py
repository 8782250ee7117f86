"""Machines of any libcloud driver: listed, made, started, stopped, reset, resized and destroyed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from msgspec.structs import replace

from gcelib.drivers.generic.effects import Effects, Seen, reached, under_way
from gcelib.drivers.generic.facet import Facet
from gcelib.drivers.generic.keypairs import KeyPairs
from gcelib.drivers.generic.offers import Images, Sizes
from gcelib.drivers.generic.places import Zones, by_any_name, network_id
from gcelib.drivers.generic.reading import bare, hidden, may_be, node_id, node_of
from gcelib.errors import Exists, Invalid, NotFound, Refused, Unavailable, Uncertain, Unsupported
from gcelib.models import Job, JobState, Node, NodeState, Zone

GOAL: Mapping[str, NodeState] = {"start": NodeState.RUNNING, "reset": NodeState.RUNNING, "stop": NodeState.STOPPED}
"""The state in which a change of a machine's power is over."""
MOVING = (NodeState.PROVISIONING, NodeState.STAGING, NodeState.STOPPING)
"""States that another one follows by itself."""
APPEARS = 60
"""Seconds within which a machine appears of which its driver's answer told nothing."""


class Disks(Protocol):
    """What goes with machines."""

    def discarded(self, id: str, node_id: str) -> bool: ...


class Nodes(Facet):
    """list_nodes and its kin. `disks` is set by those, which know machines."""

    name = "nodes"
    once = frozenset({"create"})
    needs: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "list": ("list_nodes",), "find": ("list_nodes",), "create": ("create_node", "list_images", "list_sizes"),
        "destroy": ("destroy_node",), "start": ("start_node",), "stop": ("stop_node",), "reset": ("reboot_node",),
        "resize": ("resize_node", "list_sizes"), "rename": ("rename_node",), "console": ("console",),
    }

    def __init__(self, zones: Zones, sizes: Sizes, images: Images, keys: KeyPairs, effects: Effects) -> None:
        super().__init__(zones.door, effects)
        self._zones, self._sizes, self._images, self._keys = zones, sizes, images, keys
        self.disks: Disks | None = None

    def list(self) -> Sequence[Node]:
        """Every machine that is there."""
        zones = self._zones.list()
        return self.models(lambda each: self.model(each, zones), self.objects())

    def find(self, name: str) -> Sequence[Node]:
        """The machines of this name, any letter case."""
        return [node for node in self.list() if node.name.casefold() == name.casefold()]

    def objects(self) -> Sequence[Any]:
        """libcloud's own objects, without those that are gone."""
        profile = self.door.kind.profile
        return [each for each in self.door.rows("list_nodes") if not hidden(each, profile)]

    def one(self, id: str) -> Any:
        """libcloud's object of one machine; None when it is not there."""
        profile = self.door.kind.profile
        return next((each for each in self.objects() if node_id(each, profile) == id), None)

    def object(self, id: str) -> Any:
        """libcloud's object of one machine. Raises NotFound."""
        found = self.one(id)
        if found is None:
            raise NotFound(f"{self.door.at} has no machine '{id}' any more.")
        return found

    def model(self, node: Any, zones: Sequence[Zone]) -> Node:
        """One machine."""
        found = node_of(node, self.door.kind.profile, by_any_name(zones), "")
        nics = tuple(replace(nic, network_id=network_id(found.zone_id)) for nic in found.nics)
        return replace(found, nics=nics)

    def create(
        self, *, key: str, name: str, zone_id: str, size_id: str, image_id: str, display_name: str = "",
        cpus: int = 0, ram_mb: int = 0, network_ids: Sequence[str] = (), ip: str = "", group_ids: Sequence[str] = (),
        keypair_names: Sequence[str] = (), user_data: str = "", root_gb: int = 0, submitted: str = "",
    ) -> Job:
        """create_node. Raises Unsupported naming what was wanted and the driver cannot hand on."""
        self._asked({"networkIP": ip, "guest CPUs": cpus})
        wanted = self.wanted(name, size_id, image_id, zone_id)
        wanted |= self._extras(keypair_names, user_data, root_gb)
        args = {"name": name, "zone_id": zone_id, "submitted": submitted}
        try:
            made = self.door.make("create_node", **wanted)
        except (Invalid, NotFound, Exists, Unavailable) as fault:
            # Some drivers fail at what they do once the machine is made.
            if isinstance(fault, Uncertain) or self._born(args) is None:
                raise
            made = None
        told = self._told(made)
        if not told:
            return self.watch("create", args, "", APPEARS)
        # What a driver answers may be the id of something else, or not listed yet.
        return self.watch("create", {**args, "told": told}, told if self.one(told) is not None else "")

    def _told(self, made: Any) -> str:
        """The id of the machine that create_node answered with; "" for an answer that has none."""
        node = made[0] if isinstance(made, list | tuple) and made else made
        return "" if getattr(node, "id", None) in (None, "") else node_id(node, self.door.kind.profile)

    def wanted(self, name: str, size_id: str, image_id: str, zone_id: str) -> dict[str, Any]:
        """The arguments that every driver's create_node takes."""
        location = self._zones.location(zone_id)
        found = {"name": name, "size": self._sizes.object(size_id), "image": self._images.object(image_id)}
        if location is not None:
            found["location"] = location
        by_name = self.door.kind.profile.by_name
        return {what: bare(thing) if what in by_name else thing for what, thing in found.items()}

    def destroy(self, *, key: str, id: str, volume_ids: Sequence[str] = ()) -> Job:
        """destroy_node, and the volumes named when it has let go of them; one already gone is done."""
        node = self.one(id)
        if node is not None:
            self.gone("destroy_node", node)
        return self.watch("destroy", {"id": id, "volume_ids": [*volume_ids]}, id)

    def start(self, *, key: str, id: str) -> Job:
        """start_node; one that runs is done."""
        return self._switch("start", "start_node", id)

    def stop(self, *, key: str, id: str) -> Job:
        """stop_node; one that is stopped is done."""
        return self._switch("stop", "stop_node", id)

    def reset(self, *, key: str, id: str) -> Job:
        """reboot_node."""
        self.door.change("reboot_node", self.object(id))
        return self.watch("reset", {"id": id}, id)

    def rename(self, *, key: str, id: str, name: str) -> Job:
        """Give it another name."""
        self.door.change("rename_node", self.object(id), name=name)
        return self.watch("rename", {"id": id, "name": name}, id)

    def resize(self, *, key: str, id: str, size_id: str, cpus: int = 0, ram_mb: int = 0) -> Job:
        """Give it another size."""
        self.door.change("resize_node", self.object(id), self._sizes.object(size_id))
        return self.watch("resize", {"id": id, "size_id": size_id}, id)

    def console(self, id: str) -> str:
        """What the machine has written to its serial port."""
        answer = self.door.read("console", self.object(id))
        found = answer.get("output") if isinstance(answer, Mapping) else answer
        return str(found or "")

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the machine as it is now."""
        node = self._born(args) if verb == "create" and not target else self.one(target)
        if verb == "destroy":
            # What is left to be done when it is gone is done by whoever waits.
            return under_way(target) if node is None and args.get("volume_ids") else reached(node is None, target)
        if node is None:
            gone = Refused(f"{self.door.at} has no machine '{target}' any more.")
            return Seen(JobState.FAILED, target, error=gone) if target else None
        model = self.model(node, self._zones.list())
        if verb == "create":
            return self._made(model)
        if verb == "rename":
            return reached(model.name == args["name"], target)
        if verb == "resize":
            return reached(model.size_id == args["size_id"] and not model.busy, target)
        if model.busy or model.state in MOVING:
            return under_way(target)
        return reached(model.state is GOAL[verb], target)

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """See whether a change is done; of a machine that is gone the disks that go with it are deleted."""
        disks = self.disks
        if verb != "destroy" or disks is None or self.one(target) is not None:
            return self.seen(verb, args, target)
        left = [id for id in args.get("volume_ids", ()) if not disks.discarded(id, target)]
        return under_way(target) if left else reached(True, target)

    def _made(self, node: Node) -> Seen:
        if node.state is NodeState.ERROR:
            why = node.state_text or "it is in error"
            return Seen(JobState.FAILED, node.id, error=Refused(f"{self.door.at} could not make the machine: {why}"))
        if node.state in (NodeState.PROVISIONING, NodeState.STAGING):
            return under_way(node.id)
        return Seen(JobState.DONE, node.id, {"id": node.id})

    def _born(self, args: Mapping[str, Any]) -> Any:
        """libcloud's object of a machine that was asked for, by what its driver answered or by its name."""
        nodes, profile, zones = self.objects(), self.door.kind.profile, by_any_name(self._zones.list())
        told = next((each for each in nodes if args.get("told") == node_id(each, profile)), None)
        return told or next((each for each in nodes if may_be(each, args, profile, zones)), None)

    def _switch(self, verb: str, call: str, id: str) -> Job:
        node = self.object(id)
        if self.model(node, self._zones.list()).state is not GOAL[verb]:
            self.door.change(call, node)
        return self.watch(verb, {"id": id}, id)

    def _asked(self, wishes: Mapping[str, Any]) -> None:
        for what, value in wishes.items():
            if value:
                raise Unsupported(f"{self.door.at} cannot make a machine with a chosen {what}: libcloud's driver does "
                                  "not hand it on. Leave it out.")

    def _extras(self, keypair_names: Sequence[str], user_data: str, root_gb: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if keypair_names:
            found |= self._keys.argument(keypair_names[0])
        if user_data:
            self._handed("user_data", "user data (metadata 'startup-script', 'user-data')")
            try:
                found["user_data"] = base64.b64decode(user_data).decode()
            except UnicodeDecodeError:
                raise Invalid(f"{self.door.at} takes user data that is text only.", field="resource.metadata") from None
        if root_gb:
            self._handed("root_gb", "boot disk size")
            found["root_gb"] = root_gb
        return found

    def _handed(self, argument: str, what: str) -> None:
        if not self.door.kind.argument("create_node", argument):
            raise Unsupported(f"{self.door.at} cannot make a machine with a {what}: libcloud's driver does not hand it "
                              "on. Leave it out.")
