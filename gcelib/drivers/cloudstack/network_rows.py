"""CloudStack's networks and their offerings as it sends them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gcelib.drivers.cloudstack import records


class NetworkRow(records.Tagged, frozen=True, kw_only=True):
    """A guest network, or a tier of a VPC."""

    name: str = ""
    displaytext: str = ""
    type: str = ""
    state: str = ""
    cidr: str = ""
    gateway: str = ""
    zoneid: str = ""
    created: str = ""
    issystem: bool = False
    acltype: str = ""
    vpcid: str = ""
    vpcname: str = ""
    aclid: str = ""
    egressdefaultpolicy: bool = False
    service: tuple[records.ServiceRow, ...] = ()


class NetworkOfferingRow(records.Row, frozen=True, kw_only=True):
    """What a network can be made from."""

    name: str = ""
    state: str = "Enabled"
    guestiptype: str = ""
    availability: str = ""
    isdefault: bool = False
    forvpc: bool = False
    specifyvlan: bool = False
    service: tuple[records.ServiceRow, ...] = ()


def ranges(texts: Iterable[str]) -> tuple[str, ...]:
    """Address ranges in order and in one spelling each, so that the cloud's can be compared with ours."""
    found: list[str] = []
    for text in (text.strip() for text in texts if text.strip()):
        try:
            found.append(str(ipaddress.ip_network(text, strict=False)))
        except ValueError:
            found.append(text)
    return tuple(sorted(found))
