"""What machines are made of: instance types, and the images of the owners that the configuration names."""

from __future__ import annotations

import datetime
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from libcloud.compute.constants.ec2_instance_types import INSTANCE_TYPES

from gcelib.drivers import clock
from gcelib.drivers.ec2.client import Client, named
from gcelib.drivers.ec2.facet import Facet, Settings
from gcelib.drivers.ec2.places import name_of
from gcelib.drivers.ec2.wire import Tree, number, part, rows, tags, text
from gcelib.drivers.generic.effects import Effects, Seen, reached, under_way
from gcelib.drivers.generic.reading import time_of
from gcelib.errors import Fault, InUse, NotFound, Refused, TooMany, Unavailable, Unsupported
from gcelib.models import Image, ImageState, Job, JobState, Size

ROOT = "/dev/xvda"
"""The root device of an image made of a snapshot whose machine is not known any more: Linux images' usual one."""
KEPT = 1024
STATES = {"available": ImageState.READY, "pending": ImageState.PENDING, "transient": ImageState.PENDING}


class Sizes(Facet):
    """The instance types that the region offers."""

    name = "sizes"

    def list(self) -> Sequence[Size]:
        """Every type, or those that the configuration's patterns name; libcloud's table where the cloud tells none."""
        patterns = list(self.settings.instance_types)
        wanted = [{"Name": "instance-type", "Value": patterns}] if patterns else []
        try:
            found = self.client.list("DescribeInstanceTypes", "instanceTypeSet", Filter=wanted)
        except Unsupported:
            table: Mapping[str, Any] = INSTANCE_TYPES
            return [
                Size(id, id, int((each.get("extra") or {}).get("cpu", 0)), int(each["ram"]))
                for id, each in table.items() if not patterns or any(fnmatchcase(id, each) for each in patterns)
            ]
        return [
            Size(text(row, "instanceType"), text(row, "instanceType"),
                 number(part(row, "vCpuInfo"), "defaultVCpus"), number(part(row, "memoryInfo"), "sizeInMiB"))
            for row in found
        ]


class Images(Facet):
    """Images of the account, of the owners named in the configuration, and single ones; never all there are."""

    name = "images"

    def __init__(self, client: Client, effects: Effects, settings: Settings) -> None:
        super().__init__(client, effects, settings)
        # Only so that an image is never registered twice, were it slow to be listed.
        self._registered: OrderedDict[str, str] = OrderedDict()

    def list(self) -> Sequence[Image]:
        """Every image that is offered."""
        found: dict[str, Image] = {}
        for row, own in self._rows():
            model = image_of(row, own=own)
            if text(row, "imageState") != "deregistered":
                found.setdefault(model.id, model)
        return list(found.values())

    def row(self, id: str) -> Tree:
        """EC2's own words on one image. Raises NotFound."""
        found = self.client.some("DescribeImages", "imagesSet", ImageId=[id])
        if not found:
            raise NotFound(f"{self.client.at} has no image '{id}' any more.")
        return found[0]

    def create(self, *, key: str, name: str, description: str = "", volume_id: str = "", snapshot_id: str = "",
               submitted: str = "") -> Job:
        """Register a snapshot; of a disk one is made first. What it was booted as is taken from its machine."""
        args = {"name": name, "description": description, "mark": key, "submitted": submitted}
        if volume_id:
            made = self.client.change(
                "CreateSnapshot", VolumeId=volume_id, Description=f"For image {name}",
                TagSpecification=[named("snapshot", name, key, {OF_IMAGE: name})],
            )
            snapshot_id = self.client.made("CreateSnapshot", made, "snapshotId")
            args |= {"volume_id": volume_id}
            return self.watch("create", {**args, "snapshot_id": snapshot_id}, "")
        return self.watch("create", args, self._register(args, snapshot_id, volume_id))

    def destroy(self, *, key: str, id: str) -> Job:
        """Deregister it; the snapshots that were made for it alone are deleted as soon as EC2 lets go of them.

        They are marked before: of an image that is gone nobody could tell which were its own.
        """
        row = next(iter(self.client.some("DescribeImages", "imagesSet", ImageId=[id])), None)
        if row is not None and text(row, "imageState") != "deregistered":
            copies = self._copies(OF_IMAGE, text(row, "name"))
            if copies:
                self.client.change("CreateTags", ResourceId=copies, Tag=[{"Key": WITH_IMAGE, "Value": id}])
            self.client.change("DeregisterImage", ImageId=id)
        return self.watch("destroy", {"id": id}, id)

    def seen(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """The effect of a change, told from the image, or from the snapshot that it is to be made of."""
        if verb == "destroy":
            return reached(self._is_gone(target) and not self._copies(WITH_IMAGE, target), target)
        row = self._made(args, target)
        if row is None:
            return under_way() if self._copy(args) is not None else None
        state = STATES.get(text(row, "imageState"), ImageState.FAILED)
        if state is ImageState.FAILED:
            why = text(part(row, "stateReason"), "message") or text(row, "imageState")
            fault = Refused(f"{self.client.at} could not make the image: {why}")
            return Seen(JobState.FAILED, text(row, "imageId"), error=fault)
        return reached(state is ImageState.READY, text(row, "imageId")) or under_way(text(row, "imageId"))

    def pursue(self, verb: str, args: Mapping[str, Any], target: str) -> Seen | None:
        """Register the image as soon as the snapshot it is made of is complete; delete what a deleted one leaves."""
        if verb == "destroy" and self._is_gone(target):
            left = [id for id in self._copies(WITH_IMAGE, target) if not self._dropped(id)]
            return under_way(target) if left else reached(True, target)
        if verb != "create" or target or self._made(args, target) is not None:
            return self.seen(verb, args, target)
        copy = self._copy(args)
        if copy is None or text(copy, "status") == "pending":
            return under_way() if copy is not None else None
        if text(copy, "status") != "completed":
            why = text(copy, "statusMessage") or text(copy, "status")
            return self._given_up(copy, Refused(f"{self.client.at} could not copy the disk: {why}"))
        try:
            return under_way(self._register(args, text(copy, "snapshotId"), text(copy, "volumeId")))
        except Fault as fault:
            if isinstance(fault, Unavailable | TooMany):
                raise
            return self._given_up(copy, fault)

    def _given_up(self, copy: Tree, fault: Fault) -> Seen:
        """An image that will not come about; its snapshot, which nobody is shown, goes."""
        self._dropped(text(copy, "snapshotId"))
        return Seen(JobState.FAILED, error=fault)

    def _dropped(self, snapshot_id: str) -> bool:
        """Delete a snapshot; False while an image has it."""
        try:
            self.client.change("DeleteSnapshot", SnapshotId=snapshot_id)
        except (NotFound, InUse) as fault:
            return isinstance(fault, NotFound)
        return True

    def _copies(self, tag: str, value: str) -> Sequence[str]:
        """The ids of the account's snapshots that have this tag."""
        wanted = [{"Name": f"tag:{tag}", "Value": [value]}]
        found = self.client.list("DescribeSnapshots", "snapshotSet", Owner=["self"], Filter=wanted)
        return [text(row, "snapshotId") for row in found]

    def _is_gone(self, id: str) -> bool:
        left = self.client.some("DescribeImages", "imagesSet", ImageId=[id])
        return all(text(row, "imageState") == "deregistered" for row in left)

    def _made(self, args: Mapping[str, Any], target: str) -> Tree | None:
        """The image: an account's images have names of their own, so it is the one of this name, made since."""
        known = target or self._registered.get(str(args["mark"]), "")
        if known:
            return next(iter(self.client.some("DescribeImages", "imagesSet", ImageId=[known])), None)
        wanted = [{"Name": "name", "Value": [args["name"]]}]
        found = self.client.list("DescribeImages", "imagesSet", Owner=["self"], Filter=wanted)
        told = time_of(str(args.get("submitted", "")))
        since = clock.since(self.client.at.cloud, told) if told is not None else None
        return next((row for row in found if _made_since(row, since)), None)

    def _copy(self, args: Mapping[str, Any]) -> Tree | None:
        """The snapshot that was made for this image."""
        key = str(args["mark"])
        found = self.client.list("DescribeSnapshots", "snapshotSet", Owner=["self"], Filter=self.client.tagged(key))
        return next(iter(found), None)

    def _register(self, args: Mapping[str, Any], snapshot_id: str, volume_id: str) -> str:
        like = self._booted(volume_id) if volume_id else self._booted(self._origin(snapshot_id))
        root = text(like, "rootDeviceName") or ROOT
        made = self.client.change(
            "RegisterImage", Name=args["name"], Description=args["description"],
            Architecture=text(like, "architecture") or "x86_64", RootDeviceName=root, EnaSupport=True,
            VirtualizationType=text(like, "virtualizationType") or "hvm", BootMode=text(like, "bootMode"),
            BlockDeviceMapping=[{"DeviceName": root, "Ebs": {"SnapshotId": snapshot_id, "DeleteOnTermination": True,
                                                             "VolumeType": self.settings.volume_type}}],
            TagSpecification=[named("image", args["name"], str(args["mark"]))],
        )
        id = self.client.made("RegisterImage", made, "imageId")
        self._registered[str(args["mark"])] = id
        if len(self._registered) > KEPT:
            self._registered.popitem(last=False)
        return id

    def _origin(self, snapshot_id: str) -> str:
        found = self.client.some("DescribeSnapshots", "snapshotSet", SnapshotId=[snapshot_id])
        return text(found[0], "volumeId") if found else ""

    def _booted(self, volume_id: str) -> Tree:
        """The machine that boots from a disk, {} for none."""
        disks = self.client.some("DescribeVolumes", "volumeSet", VolumeId=[volume_id]) if volume_id else []
        users = [text(each, "instanceId") for disk in disks for each in rows(disk, "attachmentSet")]
        found = self.client.some("DescribeInstances", "reservationSet", InstanceId=users) if users else []
        return next((row for group in found for row in rows(group, "instancesSet")), {})

    def _rows(self) -> Sequence[tuple[Tree, bool]]:
        own = self.client.list("DescribeImages", "imagesSet", Owner=["self"])
        found = [(row, True) for row in own] if "self" in self.settings.image_owners else []
        others = [owner for owner in self.settings.image_owners if owner != "self"]
        if others:
            wanted = [{"Name": "name", "Value": list(self.settings.image_names)}] if self.settings.image_names else []
            theirs = self.client.list("DescribeImages", "imagesSet", Owner=others, Filter=wanted)
            found += [(row, False) for row in theirs]
        if self.settings.image_ids:
            # By a filter: of ids by themselves one that is gone, or no more for this account, refuses all.
            only = [{"Name": "image-id", "Value": list(self.settings.image_ids)}]
            single = self.client.list("DescribeImages", "imagesSet", Filter=only)
            found += [(row, False) for row in single]
        return found


OF_IMAGE = "gcelib-of-image"
"""The tag of a snapshot that was made for one image: it goes with that."""
WITH_IMAGE = "gcelib-goes-with-image"
"""The tag of such a snapshot, once its image is being deleted: the image's id."""


def _made_since(row: Tree, since: datetime.datetime | None) -> bool:
    """Whether an image was made at this time or later, as far as EC2 tells: it counts in seconds."""
    made = time_of(text(row, "creationDate"))
    return since is None or made is None or made >= since.replace(microsecond=0)


def image_of(row: Tree, *, own: bool) -> Image:
    """An image; its size is its root disk's."""
    root = next((part(each, "ebs") for each in rows(row, "blockDeviceMapping")
                 if text(each, "deviceName") == text(row, "rootDeviceName")), {})
    return Image(
        text(row, "imageId"), text(row, "name") or name_of(row, "imageId"), text(row, "description"),
        STATES.get(text(row, "imageState"), ImageState.FAILED), text(part(row, "stateReason"), "message"),
        created=time_of(text(row, "creationDate")), size_gb=number(root, "volumeSize"),
        public=text(row, "isPublic") == "true" and not own, own=own, os=text(row, "platform"), tags=tags(row),
    )
