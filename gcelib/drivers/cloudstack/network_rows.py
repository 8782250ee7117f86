"""CloudStack's networks and their offerings as it sends them."""

from __future__ import annotations

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
