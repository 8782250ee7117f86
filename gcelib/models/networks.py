"""Networks, addresses, and the groups that guard machines."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import msgspec

from gcelib.models.tags import NO_TAGS


class Network(msgspec.Struct, frozen=True, gc=False):
    """A network in one zone.

    `default`: the one machines of the zone join when they name none; it is shown as GCE's `default`.
    `grouped`: its machines are guarded by security groups. `own`: the caller's account may delete it.
    `nat`: public addresses can stand for its machines. `balanced`: and be shared out among them.
    `guard`: what guards its machines: "groups" they join, rules on their public "addresses", a list ("acl") before
    the network, or "" for nothing. `egress_open`: all may leave it, and egress rules say what may not.
    `vpc_id`/`vpc_name`: the private cloud it is a tier of, `acl_id` the list before it, "" for none.
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
    nat: bool = False
    balanced: bool = False
    guard: str = ""
    egress_open: bool = False
    vpc_id: str = ""
    vpc_name: str = ""
    acl_id: str = ""
    created: datetime.datetime | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)


class GroupRule(msgspec.Struct, frozen=True, gc=False):
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
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)


class Group(msgspec.Struct, frozen=True, gc=False):
    """A security group; `node_ids` are the machines known to be in it.

    `vpc_id`: the private cloud whose machines it is for, "" for those of the network `default` or of any.
    """

    id: str
    name: str
    description: str = ""
    rules: tuple[GroupRule, ...] = ()
    node_ids: tuple[str, ...] = ()
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)
    vpc_id: str = ""


class Address(msgspec.Struct, frozen=True, gc=False):
    """A public address of the account.

    `node_id`: the machine it stands for. `source_nat`: what the machines of its network are seen as from outside.
    `held`: the id of whatever else uses it on its cloud, a balancer or a gateway; "" for nothing.
    """

    id: str
    ip: str
    zone_id: str = ""
    network_id: str = ""
    node_id: str = ""
    source_nat: bool = False
    held: str = ""
    created: datetime.datetime | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)

    @property
    def name(self) -> str:
        """What tells it from others: an address has no name on its cloud."""
        return self.ip


class Balancer(msgspec.Struct, frozen=True, gc=False):
    """One port of a public address, shared out among machines.

    `protocol`: "tcp" or "udp", else the cloud's own word. `algorithm`: "spread" or "source".
    """

    id: str
    name: str
    address_id: str
    ip: str
    port: int
    protocol: str = "tcp"
    algorithm: str = "spread"
    zone_id: str = ""
    network_id: str = ""
    node_ids: tuple[str, ...] = ()
    description: str = ""
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)


class Vpc(msgspec.Struct, frozen=True, gc=False):
    """A private cloud in one zone: a router, and the networks (tiers) within its `cidr`."""

    id: str
    name: str
    zone_id: str
    description: str = ""
    cidr: str = ""
    created: datetime.datetime | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)


class VpcType(msgspec.Struct, frozen=True, gc=False):
    """A kind of private cloud on offer."""

    id: str
    name: str


class Route(msgspec.Struct, frozen=True, gc=False):
    """A static route of a private cloud: what goes to `cidr` is handed to the address `next_hop`."""

    id: str
    vpc_id: str
    cidr: str
    next_hop: str
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)

    @property
    def name(self) -> str:
        """What tells it from others: a route has no name on its cloud."""
        return self.cidr


class Guard(msgspec.Struct, frozen=True, gc=False):
    """A rule before machines: `place` "address" or "egress", `place_id` the address's or the network's id.

    `protocol`: "tcp", "udp", "icmp" or "all". Ports None: all, or it has none. `cidrs` are the senders' ranges,
    `to_cidrs` the receivers', of egress rules only.
    """

    id: str
    place: str
    place_id: str
    protocol: str
    first_port: int | None = None
    last_port: int | None = None
    cidrs: tuple[str, ...] = ()
    to_cidrs: tuple[str, ...] = ()
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)


class AccessRule(msgspec.Struct, frozen=True, gc=False):
    """One entry of an access list: of all that fit, the one with the lowest `number` holds.

    `direction` "ingress" or "egress"; `cidrs` are the other side's ranges. `protocol`: "tcp", "udp", "icmp", "all"
    or a number as text. Ports None: all, or it has none.
    """

    id: str
    number: int
    direction: str
    allow: bool
    protocol: str
    first_port: int | None = None
    last_port: int | None = None
    cidrs: tuple[str, ...] = ()
    tags: Mapping[str, str] = msgspec.field(default_factory=lambda: NO_TAGS)


class AccessList(msgspec.Struct, frozen=True, gc=False):
    """What may come into the tiers of a private cloud that have it, and leave them; `vpc_id` "": everybody's.

    Nothing comes in that no entry lets in; all leaves until there is an entry for what leaves, then only what one lets
    out.
    """

    id: str
    name: str
    vpc_id: str = ""
    rules: tuple[AccessRule, ...] = ()
