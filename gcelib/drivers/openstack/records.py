"""The rows of OpenStack's answers, as far as they are used; what a service leaves out is null or empty."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row; fields that are not named here are ignored."""

    id: str = ""
    name: str | None = None

    @property
    def mark(self) -> str:
        """What tells this row from the others of a list; "" makes it useless."""
        return self.id


class ZoneState(msgspec.Struct, frozen=True):
    """Whether a zone takes anything."""

    available: bool = True


class ZoneRow(msgspec.Struct, frozen=True, kw_only=True, rename={"name": "zoneName", "state": "zoneState"}):
    """An availability zone."""

    name: str
    state: ZoneState = ZoneState()

    @property
    def mark(self) -> str:
        """What tells this row from the others of a list."""
        return self.name


class FlavorRow(Row, frozen=True, kw_only=True, rename={"disabled": "OS-FLV-DISABLED:disabled"}):
    """A flavor: memory in MB, disk in GB, 0 for the image's."""

    ram: int = 0
    disk: int = 0
    vcpus: int = 0
    disabled: bool = False
    description: str | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Why a server is in error."""

    message: str | None = None


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """A volume of a server's."""

    id: str


SERVER = {
    "zone": "OS-EXT-AZ:availability_zone", "vm_state": "OS-EXT-STS:vm_state", "task_state": "OS-EXT-STS:task_state",
    "power_state": "OS-EXT-STS:power_state", "volumes": "os-extended-volumes:volumes_attached",
}


class ServerRow(Row, frozen=True, kw_only=True, rename=SERVER):
    """A server. `image` is "" when it boots from a volume; `flavor` has an id."""

    status: str = ""
    created: datetime.datetime | None = None
    flavor: dict[str, Any] = {}
    image: dict[str, Any] | str | None = None
    metadata: dict[str, str] = {}
    key_name: str | None = None
    zone: str | None = None
    vm_state: str | None = None
    task_state: str | None = None
    power_state: int | None = None
    volumes: list[Attached] = []
    fault: Fault | None = None

    @property
    def image_id(self) -> str:
        """The image it boots from; "" when it boots from a volume."""
        return str(self.image["id"]) if isinstance(self.image, dict) and self.image.get("id") else ""


class FixedIp(msgspec.Struct, frozen=True, kw_only=True):
    """An address of a port."""

    ip_address: str = ""
    subnet_id: str = ""


class PortRow(Row, frozen=True, kw_only=True):
    """A port of a network: `device_id` is the server or router whose it is."""

    network_id: str = ""
    mac_address: str = ""
    device_id: str | None = None
    device_owner: str | None = None
    fixed_ips: list[FixedIp] = []
    security_groups: list[str] | None = None
    port_security_enabled: bool = True
    created_at: datetime.datetime | None = None


class FloatingIpRow(Row, frozen=True, kw_only=True):
    """A floating address."""

    floating_ip_address: str = ""
    fixed_ip_address: str | None = None
    floating_network_id: str = ""
    port_id: str | None = None
    router_id: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    created_at: datetime.datetime | None = None


class NetworkRow(Row, frozen=True, kw_only=True, rename={"external": "router:external"}):
    """A network."""

    project_id: str | None = None
    tenant_id: str | None = None
    description: str | None = None
    shared: bool = False
    external: bool = False
    is_default: bool = False
    subnets: list[str] = []
    tags: list[str] | None = None
    created_at: datetime.datetime | None = None


class SubnetRow(Row, frozen=True, kw_only=True):
    """A range of addresses of a network."""

    network_id: str = ""
    ip_version: int = 4
    cidr: str = ""
    gateway_ip: str | None = None


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """Where a router leads out."""

    network_id: str | None = None


class RouterRow(Row, frozen=True, kw_only=True):
    """A router."""

    external_gateway_info: Gateway | None = None
    description: str | None = None


class RuleRow(Row, frozen=True, kw_only=True):
    """A rule of a security group; null is "any"."""

    security_group_id: str = ""
    direction: str = "ingress"
    ethertype: str | None = None
    protocol: str | int | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None


class GroupRow(Row, frozen=True, kw_only=True):
    """A security group."""

    description: str | None = None
    security_group_rules: list[RuleRow] = []
    tags: list[str] | None = None
    created_at: datetime.datetime | None = None


class AttachmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Where a volume is attached."""

    server_id: str | None = None
    device: str | None = None
    attached_at: datetime.datetime | None = None


class VolumeRow(Row, frozen=True, kw_only=True):
    """A volume: size in GB."""

    size: int = 0
    status: str = ""
    availability_zone: str | None = None
    volume_type: str | None = None
    snapshot_id: str | None = None
    bootable: bool | str = False
    created_at: datetime.datetime | None = None
    attachments: list[AttachmentRow] = []
    metadata: dict[str, str] = {}
    volume_image_metadata: dict[str, str] | None = None
    description: str | None = None


class VolumeTypeRow(Row, frozen=True, kw_only=True):
    """A kind of volume."""

    description: str | None = None


class SnapshotRow(Row, frozen=True, kw_only=True):
    """A copy of a volume: size in GB."""

    size: int = 0
    status: str = ""
    volume_id: str | None = None
    created_at: datetime.datetime | None = None
    metadata: dict[str, str] = {}
    description: str | None = None


class KeyPairRow(msgspec.Struct, frozen=True, kw_only=True):
    """An SSH public key."""

    name: str
    fingerprint: str | None = None
    public_key: str | None = None


class KeyPairEntry(msgspec.Struct, frozen=True, kw_only=True):
    """How Nova lists one."""

    keypair: KeyPairRow

    @property
    def mark(self) -> str:
        """What tells this row from the others of a list."""
        return self.keypair.name
