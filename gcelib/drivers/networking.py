"""The facets of networks: networks, the private clouds that join several, routes, and what guards them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gcelib.models import AccessList, Guard, Job, Network, Route, Vpc, VpcType


class Networks(Protocol):
    """Networks, each in one zone."""

    def list(self) -> Sequence[Network]: ...

    def create(self, *, key: str, name: str, zone_id: str, description: str = "", cidr: str = "", gateway: str = "",
               vpc_id: str = "", acl_id: str = "") -> Job:
        """Make a network; with `vpc_id` a tier of that private cloud, which needs `cidr`, behind the list `acl_id`.

        Raises Exists, Refused.
        """
        ...

    def destroy(self, *, key: str, id: str) -> Job: ...


class Vpcs(Protocol):
    """Private clouds: a router each, whose tiers are networks. `types` are the kinds on offer; none: not offered."""

    def list(self) -> Sequence[Vpc]: ...

    def types(self) -> Sequence[VpcType]: ...

    def create(self, *, key: str, name: str, zone_id: str, type_id: str, cidr: str, description: str = "",
               submitted: str = "") -> Job: ...

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete one that has no tier left; one already gone is done."""
        ...


class Routes(Protocol):
    """Static routes out of private clouds."""

    def list(self) -> Sequence[Route]: ...

    def create(self, *, key: str, vpc_id: str, cidr: str, next_hop: str) -> Job:
        """Send what goes to `cidr`, a range outside the private cloud's, to the address `next_hop`."""
        ...

    def destroy(self, *, key: str, id: str) -> Job: ...


class Guards(Protocol):
    """Rules that stand before machines without being theirs: on a public address, or where traffic leaves a network.

    On an address a rule lets in; what leaves a network is let out, or kept in where `Network.egress_open`.
    """

    def list(self) -> Sequence[Guard]: ...

    def create(self, *, key: str, place: str, place_id: str, protocol: str, first_port: int | None = None,
               last_port: int | None = None, cidrs: Sequence[str] = (), to_cidrs: Sequence[str] = ()) -> Job:
        """`place` "address" or "egress"; one that is there already is done. Raises Refused where others overlap."""
        ...

    def destroy(self, *, key: str, ids: Sequence[str]) -> Job:
        """Remove rules; those already gone are done."""
        ...


class Acls(Protocol):
    """Access lists of private clouds, with entries that are numbered; a tier has one."""

    def list(self) -> Sequence[AccessList]: ...

    def create(self, *, key: str, name: str, vpc_id: str, description: str = "") -> Job:
        """Make an empty list; the private cloud's list of this name, if it has one, is as good."""
        ...

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a list that no tier has; one already gone is done."""
        ...

    def put(self, *, key: str, acl_id: str, network_id: str) -> Job:
        """Put a list before a tier, in place of the one there."""
        ...

    def add(self, *, key: str, acl_id: str, numbers: Sequence[int], direction: str, allow: bool, protocol: str,
            first_port: int | None = None, last_port: int | None = None, cidrs: Sequence[str] = ()) -> Job:
        """Make an entry with a free number from `numbers`, (lowest, highest); the same that is there is done.

        Raises Refused when no number is free.
        """
        ...

    def remove(self, *, key: str, ids: Sequence[str]) -> Job:
        """Remove entries; those already gone are done."""
        ...
