"""Machines and their interfaces."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping

import msgspec

from gcelib.models.tags import NO_TAGS


class NodeState(enum.StrEnum):
    """Where a machine is in its life; a driver maps every word of its cloud on one of these."""

    PROVISIONING = "provisioning"
    STAGING = "staging"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ERROR = "error"


class Nic(msgspec.Struct, frozen=True, gc=False):
    """One network interface of a machine, in the machine's own order; `public_ip` when NAT gives it one.

    `direct`: the interface's own address is the public one (no NAT in between)."""

    network_id: str
    network_name: str
    ip: str = ""
    mac: str = ""
    public_ip: str = ""
    direct: bool = False
    default: bool = True


class Node(msgspec.Struct, frozen=True, gc=False):
    """A machine; `busy` while the cloud is working on it."""

    id: str
    name: str
    state: NodeState
    zone_id: str
    size_id: str = ""
    size_name: str = ""
    cpus: int = 0
    ram_mb: int = 0
    image_id: str = ""
    state_text: str = ""
    display_name: str = ""
    created: datetime.datetime | None = None
    nics: tuple[Nic, ...] = ()
    group_ids: tuple[str, ...] = ()
    keypair_names: tuple[str, ...] = ()
    delete_protected: bool = False
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)
    busy: bool = False


class KeyPair(msgspec.Struct, frozen=True, gc=False):
    """An SSH public key registered with the cloud; `fingerprint` is MD5 in colon form."""
    name: str
    fingerprint: str = ""
