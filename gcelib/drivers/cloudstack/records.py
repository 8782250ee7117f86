"""CloudStack's objects as it sends them: its own field names, every field with a default.

The server omits what is null, so that nothing is required; units are CloudStack's (MB, bytes, GB, MHz).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gcelib.models.tags import NO_TAGS


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every listed thing has."""

    id: str = ""

    @property
    def mark(self) -> str:
        """What tells this row from the others of a list; "" makes the row useless."""
        return self.id


class Tag(Row, frozen=True, kw_only=True):
    key: str = ""
    value: str = ""
    resourceid: str = ""

    @property
    def mark(self) -> str:
        return f"{self.resourceid} {self.key}" if self.key else ""


class Tagged(Row, frozen=True, kw_only=True):
    tags: tuple[Tag, ...] = ()
    jobid: str = ""
    jobstatus: int = 1
    account: str = ""

    @property
    def pairs(self) -> Mapping[str, str]:
        """The tags as a mapping."""
        return {tag.key: tag.value for tag in self.tags if tag.key} if self.tags else NO_TAGS

    @property
    def busy(self) -> bool:
        """A job is at work on it."""
        return bool(self.jobid) and self.jobstatus == 0


class ZoneRow(Row, frozen=True, kw_only=True):
    name: str = ""
    description: str = ""
    networktype: str = ""
    securitygroupsenabled: bool = False
    allocationstate: str = "Enabled"


class OfferingRow(Row, frozen=True, kw_only=True):
    name: str = ""
    displaytext: str = ""
    cpunumber: int = 0
    cpuspeed: int = 0
    memory: int = 0
    created: str = ""
    issystem: bool = False
    iscustomized: bool = False
    rootdisksize: int = 0
    zoneid: str = ""
    serviceofferingdetails: dict[str, Any] = {}


class DiskOfferingRow(Row, frozen=True, kw_only=True):
    name: str = ""
    displaytext: str = ""
    disksize: int = 0
    created: str = ""
    iscustomized: bool = False
    zoneid: str = ""


class TemplateRow(Tagged, frozen=True, kw_only=True):
    name: str = ""
    displaytext: str = ""
    ispublic: bool = False
    created: str = ""
    isready: bool = False
    status: str = ""
    size: int = 0
    physicalsize: int = 0
    ostypeid: str = ""
    ostypename: str = ""
    hypervisor: str = ""
    zoneid: str = ""
    templatetype: str = ""

    @property
    def mark(self) -> str:
        return f"{self.id} {self.zoneid}" if self.id else ""


class OsTypeRow(Row, frozen=True, kw_only=True):
    description: str = ""


class HypervisorRow(Row, frozen=True, kw_only=True):
    name: str = ""

    @property
    def mark(self) -> str:
        return self.name


class NicRow(Row, frozen=True, kw_only=True):
    networkid: str = ""
    networkname: str = ""
    ipaddress: str = ""
    macaddress: str = ""
    publicip: str = ""
    type: str = ""
    isdefault: bool = False
    deviceid: str = ""


class GroupName(Row, frozen=True, kw_only=True):
    name: str = ""


class VmRow(Tagged, frozen=True, kw_only=True):
    name: str = ""
    displayname: str = ""
    state: str = ""
    created: str = ""
    zoneid: str = ""
    templateid: str = ""
    serviceofferingid: str = ""
    serviceofferingname: str = ""
    cpunumber: int = 0
    memory: int = 0
    publicip: str = ""
    keypair: str = ""
    keypairs: str = ""
    deleteprotection: bool = False
    nic: tuple[NicRow, ...] = ()
    securitygroup: tuple[GroupName, ...] = ()


class UserDataRow(Row, frozen=True, kw_only=True):
    userdata: str = ""


class VolumeRow(Tagged, frozen=True, kw_only=True):
    name: str = ""
    zoneid: str = ""
    type: str = ""
    size: int = 0
    state: str = ""
    created: str = ""
    attached: str = ""
    deviceid: int = 0
    virtualmachineid: str = ""
    vmname: str = ""
    vmstate: str = ""
    diskofferingid: str = ""
    diskofferingname: str = ""
    templateid: str = ""
    snapshotid: str = ""


class SnapshotRow(Tagged, frozen=True, kw_only=True):
    name: str = ""
    state: str = ""
    volumeid: str = ""
    volumename: str = ""
    volumetype: str = ""
    zoneid: str = ""
    ostypeid: str = ""
    created: str = ""
    physicalsize: int = 0
    virtualsize: int = 0


class ServiceRow(Row, frozen=True, kw_only=True):
    name: str = ""


class RuleRow(Row, frozen=True, kw_only=True):
    ruleid: str = ""
    protocol: str = ""
    startport: int | None = None
    endport: int | None = None
    icmptype: int = -1
    icmpcode: int = -1
    cidr: str = ""
    securitygroupname: str = ""
    tags: tuple[Tag, ...] = ()

    @property
    def mark(self) -> str:
        return self.ruleid


class GroupRow(Tagged, frozen=True, kw_only=True):
    name: str = ""
    description: str = ""
    ingressrule: tuple[RuleRow, ...] = ()
    egressrule: tuple[RuleRow, ...] = ()
    virtualmachineids: tuple[str, ...] = ()


class AddressRow(Tagged, frozen=True, kw_only=True):
    ipaddress: str = ""
    allocated: str = ""
    zoneid: str = ""
    issourcenat: bool = False
    isstaticnat: bool = False
    associatednetworkid: str = ""
    virtualmachineid: str = ""
    state: str = ""


class BalancerRow(Tagged, frozen=True, kw_only=True):
    name: str = ""
    description: str = ""
    publicipid: str = ""
    publicip: str = ""
    publicport: int = 0
    algorithm: str = ""
    protocol: str = "tcp"
    networkid: str = ""
    zoneid: str = ""
    state: str = ""


class MemberRow(Row, frozen=True, kw_only=True):
    """A machine behind a load balancer rule: only which."""


class KeyPairRow(Row, frozen=True, kw_only=True):
    name: str = ""
    fingerprint: str = ""

    @property
    def mark(self) -> str:
        return self.name


class ProjectRow(Row, frozen=True, kw_only=True):
    name: str = ""


class Capabilities(Row, frozen=True, kw_only=True):
    """What listCapabilities tells; the defaults are what an unchanged CloudStack says."""

    cloudstackversion: str = ""
    securitygroupsenabled: bool = False
    customdiskofferingminsize: int = 1
    customdiskofferingmaxsize: int = 1024
    allowuserexpungerecovervm: bool = False
    allowuserviewdestroyedvm: bool = False
    defaultuipagesize: int = 500
    apilimitmax: int = 0
    apilimitinterval: int = 1


class ApiRow(Row, frozen=True, kw_only=True):
    """A command that the caller may use."""

    name: str = ""

    @property
    def mark(self) -> str:
        """Its name: commands have no id."""
        return self.name


class JobRow(Row, frozen=True, kw_only=True):
    jobid: str = ""
    jobstatus: int = 0
    jobresultcode: int = 0
    jobinstanceid: str = ""
    jobresult: msgspec.Raw = msgspec.Raw(b"")


class ErrorRow(Row, frozen=True, kw_only=True):
    errorcode: int = 0
    errortext: str = ""
