"""The facets that stand before machines: public addresses, and the balancers that share them out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gcelib.models import Address, Balancer, Job


class Addresses(Protocol):
    """Public addresses of the account."""

    def list(self) -> Sequence[Address]: ...

    def acquire(self, *, key: str, zone_id: str, network_id: str, ip: str = "", known: Sequence[str] = (),
                submitted: str = "") -> Job:
        """Take a public address for a network: `ip`, or "" for any.

        The job's target is its id. `known` are the ids of those there were before: an address has no name, so only
        one that is not among them can be the outcome of an earlier attempt. Raises Exceeded, NoCapacity, Refused.
        """
        ...

    def release(self, *, key: str, id: str) -> Job:
        """Give an address back, with every rule on it; one already gone is done."""
        ...

    def enable_nat(self, *, key: str, id: str, node_id: str, network_id: str, ip: str = "") -> Job:
        """Let an address stand for a machine's interface in this network, whose own address is `ip`."""
        ...

    def disable_nat(self, *, key: str, id: str) -> Job:
        """Let an address stand for no machine any more; the rules on it go, the address stays."""
        ...


class Balancers(Protocol):
    """Load-balancing rules: each shares one port of one public address out among machines of one network."""

    def list(self) -> Sequence[Balancer]: ...

    def create(self, *, key: str, name: str, address_id: str, network_id: str, protocol: str, port: int,
               algorithm: str = "spread", description: str = "", submitted: str = "") -> Job:
        """Share a port out among machines to be assigned; nothing opens it in a firewall.

        `protocol` is "tcp" or "udp"; `algorithm` is "spread" (each in turn) or "source" (a client stays with one
        machine). Raises Refused where another rule has the port.
        """
        ...

    def destroy(self, *, key: str, id: str) -> Job:
        """Delete a rule; its address and its machines stay. One already gone is done."""
        ...

    def assign(self, *, key: str, id: str, node_ids: Sequence[str]) -> Job:
        """Put machines behind a rule; those behind it already are done."""
        ...

    def remove(self, *, key: str, id: str, node_ids: Sequence[str]) -> Job:
        """Take machines from behind a rule; those that are not are done."""
        ...

    def choose(self, *, key: str, id: str, algorithm: str) -> Job:
        """Let a rule share its port out in the other way, "spread" or "source"; its machines stay."""
        ...
