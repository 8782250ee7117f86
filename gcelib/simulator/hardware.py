"""Machines and disks, and the offerings and templates they are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from gcelib.simulator.places import Network, Zone
from gcelib.simulator.records import AffinityGroup, Group, KeyPair, Owner, Thing

GIB = 1 << 30


@dataclass(eq=False, kw_only=True)
class ServiceOffering(Thing):
    """A size; `cpus`/`memory` (MiB) None means that the caller says so within `bounds`."""

    name: str
    displaytext: str
    cpus: int | None
    speed: int | None
    memory: int | None
    bounds: tuple[int, int, int, int] | None = None
    root_gib: int = 0


@dataclass(eq=False, kw_only=True)
class DiskOffering(Thing):
    """A kind of disk; `gib` 0 means that the caller says how large. Without `zones` it is for all."""

    name: str
    displaytext: str
    gib: int
    zones: list[Zone] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class OsType(Thing):
    """A guest operating system."""

    description: str
    category_id: str


@dataclass(eq=False, kw_only=True)
class Template(Thing):
    """An image; it shows as one row for each of its `zones`."""

    tag_type: ClassVar[str] = "Template"

    name: str
    displaytext: str
    os: OsType
    size: int
    zones: list[Zone]
    public: bool = False
    featured: bool = False
    ready: bool = True
    status: str = "Download Complete"
    password: bool = False
    ssh_key: bool = False
    format: str = "QCOW2"
    kind: str = "USER"
    cross_zones: bool = False
    dynamic: bool = False
    url: str = ""
    details: dict[str, str] = field(default_factory=dict)
    lent: list[Owner] = field(default_factory=list)
    """Those its owner lets use it."""


@dataclass(eq=False, kw_only=True)
class Nic:
    """A machine's interface."""

    id: str
    network: Network
    address: str
    mac: str
    default: bool = False


@dataclass(eq=False, kw_only=True)
class Machine(Thing):
    """A virtual machine."""

    tag_type: ClassVar[str] = "UserVm"

    name: str
    displayname: str
    zone: Zone
    template: Template
    offering: ServiceOffering
    user_name: str
    number: int
    cpus: int = 0
    speed: int = 0
    memory: int = 0
    state: str = "Stopped"
    nics: list[Nic] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    keypairs: list[KeyPair] = field(default_factory=list)
    affinity: list[AffinityGroup] = field(default_factory=list)
    userdata: str = field(default="", repr=False)
    details: dict[str, str] = field(default_factory=dict)
    disk_offering: DiskOffering | None = None
    group: str = ""
    protected: bool = False
    ha: bool = False
    dynamic: bool = False
    os: OsType | None = None
    updated: float = 0.0

    @property
    def alive(self) -> bool:
        """False once destroyed: it then holds no quota, only its name and address."""
        return self.state not in ("Destroyed", "Expunging", "Error")


@dataclass(eq=False, kw_only=True)
class Volume(Thing):
    """A disk; `size` in bytes."""

    tag_type: ClassVar[str] = "Volume"

    name: str
    zone: Zone
    size: int
    root: bool = False
    state: str = "Allocated"
    machine: Machine | None = None
    device: int | None = None
    attached: float = 0.0
    offering: DiskOffering | None = None
    template: Template | None = None
    snapshot_id: str = ""


@dataclass(eq=False, kw_only=True)
class Snapshot(Thing):
    """A copy of a disk on secondary storage."""

    tag_type: ClassVar[str] = "Snapshot"

    name: str
    volume_id: str
    volume_name: str
    root: bool
    zone: Zone
    size: int
    os: OsType | None = None
    state: str = "Allocated"
