"""What a cloud holds, provider-neutral: frozen values that drivers give and the server renders.

Ids and names are the backend's own. Times are aware UTC datetimes, sizes carry their unit in the name.
`tags` are the key-value pairs that the cloud itself keeps on the thing.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

NO_TAGS: Mapping[str, str] = {}


class NodeState(enum.StrEnum):
    """Where a machine is in its life; a driver maps every word of its cloud on one of these."""

    PROVISIONING = "provisioning"
    STAGING = "staging"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERROR = "error"


class VolumeState(enum.StrEnum):
    """Where a disk is in its life."""

    CREATING = "creating"
    READY = "ready"
    DELETING = "deleting"
    FAILED = "failed"


class ImageState(enum.StrEnum):
    """Where an image is in its life."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Zone:
    """A place for machines.

    `security_groups`: rules live in groups that machines join at creation. `own_networks`: accounts may
    create networks here. `picks_network`: a machine may name its networks; where not, there is exactly one.
    """

    id: str
    name: str
    up: bool = True
    description: str = ""
    security_groups: bool = False
    own_networks: bool = False
    picks_network: bool = False


@dataclass(frozen=True, slots=True)
class CustomRange:
    """The bounds of a size whose CPUs and memory are chosen at creation (inclusive)."""

    min_cpus: int
    max_cpus: int
    min_ram_mb: int
    max_ram_mb: int


@dataclass(frozen=True, slots=True)
class Size:
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


@dataclass(frozen=True, slots=True)
class Image:
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
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    zone_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Nic:
    """One network interface of a machine, in the machine's own order; `public_ip` when NAT gives it one.

    `direct`: the interface's own address is the public one (no NAT in between)."""

    network_id: str
    network_name: str
    ip: str = ""
    mac: str = ""
    public_ip: str = ""
    direct: bool = False
    default: bool = True


@dataclass(frozen=True, slots=True)
class Node:
    """A machine; `busy` while the cloud is working on it."""

    id: str
    name: str
    state: NodeState
    zone_id: str
    size_id: str = ""
    size_name: str = ""
    cpus: int = 0
    ram_mb: int = 0
    custom: bool = False
    image_id: str = ""
    state_text: str = ""
    display_name: str = ""
    created: datetime.datetime | None = None
    nics: tuple[Nic, ...] = ()
    group_ids: tuple[str, ...] = ()
    keypair_names: tuple[str, ...] = ()
    delete_protected: bool = False
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)
    busy: bool = False


@dataclass(frozen=True, slots=True)
class VolumeType:
    """A kind of disk; `size_gb` 0 means that the size is chosen, within `min_gb`..`max_gb`."""

    id: str
    name: str
    description: str = ""
    created: datetime.datetime | None = None
    size_gb: int = 0
    min_gb: int = 1
    max_gb: int = 1024


@dataclass(frozen=True, slots=True)
class Volume:
    """A disk; `node_id` and `device` are set while it is attached."""

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
    created: datetime.datetime | None = None
    attached: datetime.datetime | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of a disk's contents at one time."""

    id: str
    name: str
    state: VolumeState
    volume_id: str = ""
    volume_name: str = ""
    size_gb: int = 0
    stored_bytes: int = 0
    created: datetime.datetime | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)


@dataclass(frozen=True, slots=True)
class Network:
    """A network in one zone.

    `default`: the one machines of the zone join when they name none; it is shown as GCE's `default`.
    `grouped`: its machines are guarded by security groups. `own`: the caller's account may delete it.
    """

    id: str
    name: str
    zone_id: str
    description: str = ""
    cidr: str = ""
    gateway: str = ""
    default: bool = False
    grouped: bool = False
    own: bool = False
    created: datetime.datetime | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)


@dataclass(frozen=True, slots=True)
class GroupRule:
    """One allowance in a security group: from `cidr`, or from the machines of `group_name`.

    `protocol`: "tcp", "udp", "icmp", "all" or a number as text. `first_port`/`last_port` None: all, or it has
    no ports; `icmp_type`/`icmp_code` -1: any.
    """

    id: str
    direction: str
    protocol: str
    first_port: int | None = None
    last_port: int | None = None
    icmp_type: int = -1
    icmp_code: int = -1
    cidr: str = ""
    group_name: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)


@dataclass(frozen=True, slots=True)
class Group:
    """A security group; `node_ids` are the machines known to be in it."""

    id: str
    name: str
    description: str = ""
    rules: tuple[GroupRule, ...] = ()
    node_ids: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An SSH public key registered with the cloud; `fingerprint` is MD5 in colon form."""
    name: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit of the account: GCE's metric name, `limit` -1 for none."""

    metric: str
    limit: float
    usage: float


@dataclass(frozen=True, slots=True)
class Address:
    """A public address of the account."""

    id: str
    ip: str
    zone_id: str = ""
    network_id: str = ""
    node_id: str = ""
    source_nat: bool = False
    created: datetime.datetime | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: NO_TAGS)


class JobState(enum.StrEnum):
    """How far a submitted change is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """A change the cloud has accepted. JSON values only, so that it outlives the process.

    `token`: what the provider needs to ask again. `target`: the backend id of the thing made or changed, as
    soon as the cloud names it. `result`: what later steps may refer to. `error`: `Fault.to_data()` of a failure.
    """

    state: JobState
    token: str = ""
    target: str = ""
    result: Mapping[str, object] = field(default_factory=dict)
    error: Mapping[str, object] | None = None
