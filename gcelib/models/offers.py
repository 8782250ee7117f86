"""What a cloud offers: zones, machine sizes, images, kinds of disk."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping

import msgspec

from gcelib.models.tags import NO_TAGS


class Zone(msgspec.Struct, frozen=True, gc=False):
    """A place for machines.

    `security_groups`: rules live in groups that machines join at creation. `own_networks`: accounts may
    create networks here. `picks_network`: a machine may name its networks; where not, there is exactly one.
    `region` is what the zone is to be shown in where its name does not tell.
    """

    id: str
    name: str
    up: bool = True
    description: str = ""
    security_groups: bool = False
    own_networks: bool = False
    picks_network: bool = False
    region: str = ""


class CustomRange(msgspec.Struct, frozen=True, gc=False):
    """The bounds of a size whose CPUs and memory are chosen at creation (inclusive)."""

    min_cpus: int
    max_cpus: int
    min_ram_mb: int
    max_ram_mb: int


class Size(msgspec.Struct, frozen=True, gc=False):
    """A machine size; `zone_ids` None: every zone; `custom`: CPUs and memory are free; `root_gb` 0: the image's."""

    id: str
    name: str
    cpus: int = 0
    ram_mb: int = 0
    description: str = ""
    created: datetime.datetime | None = None
    root_gb: int = 0
    custom: CustomRange | None = None
    zone_ids: frozenset[str] | None = None


class ImageState(enum.StrEnum):
    """Where an image is in its life."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Image(msgspec.Struct, frozen=True, gc=False):
    """A bootable template. `zone_ids` None means every zone; `own`: the caller's account may change it."""

    id: str
    name: str
    description: str = ""
    state: ImageState = ImageState.READY
    status_text: str = ""
    created: datetime.datetime | None = None
    size_gb: int = 0
    archive_bytes: int = 0
    public: bool = False
    own: bool = False
    os: str = ""
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)
    zone_ids: frozenset[str] | None = None


class VolumeType(msgspec.Struct, frozen=True, gc=False):
    """A kind of disk; `size_gb` 0 means that the size is chosen, within `min_gb`..`max_gb`.

    `zone_ids` None: it is offered in all zones.
    """

    id: str
    name: str
    description: str = ""
    created: datetime.datetime | None = None
    size_gb: int = 0
    min_gb: int = 1
    max_gb: int = 1024
    zone_ids: frozenset[str] | None = None
