"""Disks and their copies."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping

import msgspec

from gcelib.models.tags import NO_TAGS


class VolumeState(enum.StrEnum):
    """Where a disk is in its life."""

    CREATING = "creating"
    READY = "ready"
    DELETING = "deleting"
    FAILED = "failed"


class Volume(msgspec.Struct, frozen=True, gc=False):
    """A disk; `node_id` and `device` are set while it is attached.

    `dies`: whether the cloud deletes it with its machine; None where it has no say in that.
    `blank`: nothing was ever on it, and the cloud gives it its storage only when it is first attached.
    """

    id: str
    name: str
    size_gb: int
    state: VolumeState
    zone_id: str
    boot: bool = False
    node_id: str = ""
    node_name: str = ""
    device: int = 0
    type_id: str = ""
    type_name: str = ""
    image_id: str = ""
    snapshot_id: str = ""
    blank: bool = False
    dies: bool | None = None
    created: datetime.datetime | None = None
    attached: datetime.datetime | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)


class Snapshot(msgspec.Struct, frozen=True, gc=False):
    """A copy of a disk's contents at one time; `boot`: of a boot disk's."""

    id: str
    name: str
    state: VolumeState
    volume_id: str = ""
    volume_name: str = ""
    zone_id: str = ""
    boot: bool = False
    size_gb: int = 0
    stored_bytes: int = 0
    created: datetime.datetime | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)
