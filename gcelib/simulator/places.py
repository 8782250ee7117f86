"""Zones and networks: where machines stand and which addresses they take."""

from __future__ import annotations

import heapq
import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from gcelib.simulator.records import Thing


class AddressPool:
    """The free addresses of a range, lowest first."""

    def __init__(self, cidr: str, first: str = "", count: int | None = None) -> None:
        self.network = ipaddress.ip_network(cidr)
        start = int(ipaddress.ip_address(first)) if first else int(self.network.network_address) + 10
        end = int(self.network.broadcast_address)
        self._next = start
        self._end = end if count is None else min(end, start + count)
        self._returned: list[int] = []
        self._taken: set[int] = set()

    def _fresh(self) -> Iterator[int]:
        while self._next < self._end:
            number = self._next
            self._next += 1
            if number not in self._taken and number & 0xFF not in (0, 0xFF):
                yield number

    def room(self) -> int:
        """About how many addresses are free."""
        return (self._end - self._next) * 254 // 256 + len(self._returned)

    def take(self, wanted: str = "") -> str | None:
        """The `wanted` address, or the lowest free one; None when it is not to be had."""
        if wanted:
            number = self._claim(wanted)
        elif self._returned:
            number = heapq.heappop(self._returned)
        else:
            number = next(self._fresh(), 0)
        if not number:
            return None
        self._taken.add(number)
        return str(ipaddress.ip_address(number))

    def _claim(self, wanted: str) -> int:
        try:
            number = int(ipaddress.IPv4Address(wanted))
        except ValueError:
            return 0
        if number in self._taken or ipaddress.ip_address(wanted) not in self.network:
            return 0
        if number in self._returned:
            self._returned.remove(number)
            heapq.heapify(self._returned)
        return number

    def give_back(self, address: str) -> None:
        """Free an address taken before."""
        number = int(ipaddress.ip_address(address))
        if number in self._taken:
            self._taken.discard(number)
            if number < self._next:
                heapq.heappush(self._returned, number)


@dataclass(eq=False, kw_only=True)
class Zone(Thing):
    """A zone; `basic`, or advanced with or without security groups."""

    name: str
    basic: bool
    security_groups: bool
    enabled: bool = True
    public: AddressPool | None = None

    @property
    def isolated(self) -> bool:
        """True where accounts build networks of their own behind routers."""
        return not self.basic and not self.security_groups


@dataclass(eq=False, kw_only=True)
class NetworkOffering(Thing):
    """What a network made from it can do."""

    name: str
    displaytext: str
    kind: str
    required: bool = False
    vpc: bool = False
    source_nat: bool = True
    egress_allowed: bool = False
    services: tuple[str, ...] = ()


@dataclass(eq=False, kw_only=True)
class Network(Thing):
    """A guest network; `names` are the host names taken in it, destroyed machines' too."""

    tag_type: ClassVar[str] = "Network"

    name: str
    displaytext: str
    kind: str
    zone: Zone
    offering: NetworkOffering
    pool: AddressPool | None
    gateway: str = ""
    state: str = "Allocated"
    domain: str = ""
    shared: bool = False
    security_groups: bool = False
    vpc_id: str = ""
    acl_id: str = ""
    names: dict[str, str] = field(default_factory=dict)


@dataclass(eq=False, kw_only=True)
class VpcOffering(Thing):
    """The one kind of virtual private cloud on offer."""

    name: str


@dataclass(eq=False, kw_only=True)
class Vpc(Thing):
    """A virtual private cloud: a router with tiers."""

    tag_type: ClassVar[str] = "Vpc"

    name: str
    displaytext: str
    cidr: str
    zone: Zone
    offering: VpcOffering
    domain: str = ""
    state: str = "Enabled"


@dataclass(eq=False, kw_only=True)
class AclList(Thing):
    """A network ACL list of a virtual private cloud; without one it is everybody's."""

    tag_type: ClassVar[str] = "NetworkACLList"

    name: str
    description: str
    vpc: Vpc | None = None

    @property
    def built_in(self) -> bool:
        """True for the two that nobody can change."""
        return self.vpc is None


@dataclass(eq=False, kw_only=True)
class AclItem(Thing):
    """A rule of a network ACL list; of two the one with the lower number is looked at first."""

    tag_type: ClassVar[str] = "NetworkACL"

    acl: AclList
    number: int
    protocol: str
    egress: bool = False
    deny: bool = False
    cidrs: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    reason: str = ""
    state: str = "Active"


@dataclass(eq=False, kw_only=True)
class StaticRoute(Thing):
    """A route out of a virtual private cloud."""

    tag_type: ClassVar[str] = "StaticRoute"

    vpc: Vpc
    cidr: str
    next_hop: str
    state: str = "Active"


@dataclass(eq=False, kw_only=True)
class PublicAddress(Thing):
    """A public address taken by an owner."""

    tag_type: ClassVar[str] = "PublicIpAddress"

    address: str
    zone: Zone
    network: Network | None = None
    vpc_id: str = ""
    source_nat: bool = False
    machine_id: str = ""
    guest_address: str = ""
    state: str = "Allocated"

    @property
    def static_nat(self) -> bool:
        """True while it stands for one machine."""
        return bool(self.machine_id)


@dataclass(eq=False, kw_only=True)
class FirewallRule(Thing):
    """A rule on a public address, or (without one) of a network's egress."""

    tag_type: ClassVar[str] = "FirewallRule"

    network: Network | None
    address: PublicAddress | None
    protocol: str
    cidrs: tuple[str, ...]
    to_cidrs: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    state: str = "Active"


@dataclass(eq=False, kw_only=True)
class Forwarding(Thing):
    """A port forwarding rule, or with `whole` an old-style IP forwarding rule."""

    tag_type: ClassVar[str] = "PortForwardingRule"

    address: PublicAddress
    machine_id: str
    guest_address: str
    protocol: str
    public: tuple[int, int]
    private: tuple[int, int]
    cidrs: tuple[str, ...] = ()
    whole: bool = False
    state: str = "Active"


@dataclass(eq=False, kw_only=True)
class Balancer(Thing):
    """A load balancer rule and its members (machine id -> guest address)."""

    tag_type: ClassVar[str] = "LoadBalancer"

    name: str
    description: str
    address: PublicAddress
    network: Network
    public_port: int
    private_port: int
    algorithm: str
    protocol: str
    cidrs: tuple[str, ...] = ()
    members: dict[str, str] = field(default_factory=dict)
    state: str = "Active"
