"""Address ranges in requests: what was asked for, checked, and the block that a private cloud takes for one."""

from __future__ import annotations

import ipaddress

from gcelib.errors import Invalid, Missing, Unsupported
from gcelib.server.context import Context

PRIVATE = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""RFC 1918."""


def legacy_range(ctx: Context) -> tuple[str, str]:
    """(CIDR, gateway) that were asked for, "" for the cloud's choice. Raises Invalid naming the field."""
    cidr, gateway = ctx.body.get("IPv4Range", ""), ctx.body.get("gatewayIPv4", "")
    if cidr and ctx.body.get("autoCreateSubnetworks") is not None:
        raise Invalid(
            "Invalid value for field 'resource.IPv4Range': only a legacy network has one; leave it or "
            "autoCreateSubnetworks out.", field="resource.IPv4Range",
        )
    network = range_of(cidr, "resource.IPv4Range") if cidr else None
    if not gateway:
        return cidr, ""
    try:
        inside = network is not None and ipaddress.IPv4Address(gateway) in network
    except ValueError:
        inside = False
    if not inside:
        raise Invalid(f"Invalid value for field 'resource.gatewayIPv4': '{gateway}'. It is no address of IPv4Range.",
                      field="resource.gatewayIPv4")
    return cidr, gateway


def range_of(text: str, field: str) -> ipaddress.IPv4Network:
    """A range. Raises Missing and Invalid naming the field."""
    if not text:
        raise Missing(f"Required field '{field}' not specified", field=field)
    try:
        return ipaddress.IPv4Network(text)
    except ValueError as error:
        raise Invalid(f"Invalid value for field '{field}': '{text}'. {error}.", field=field) from error


def block_of(network: ipaddress.IPv4Network, cloud: str, field: str) -> str:
    """The private block that a range is in: what its private cloud is given. Raises Unsupported for other ranges."""
    found = next((block for block in PRIVATE if network.subnet_of(block)), None)
    if found is None:
        raise Unsupported(
            f"Field '{field}' with '{network}' is not offered on cloud '{cloud}': its private clouds hold private "
            "addresses only. Choose a range in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16.", field=field,
        )
    return str(found)
