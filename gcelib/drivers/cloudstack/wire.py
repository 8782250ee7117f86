"""CloudStack's answers as typed rows, read tolerantly: one bad row never spoils a list.

Field names are CloudStack's. Every field has a default, because the server omits what is null; a field of
a wrong type is dropped with a warning, a row without its key is skipped with one.
"""

from __future__ import annotations

import datetime
import functools
import logging
from typing import Any, TypeVar

import msgspec

from gcelib.drivers.faults import Garbled, Refusal

LOG = logging.getLogger(__name__)


class Row(msgspec.Struct, frozen=True, kw_only=True):
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
    def pairs(self) -> dict[str, str]:
        """The tags as a mapping."""
        return {tag.key: tag.value for tag in self.tags if tag.key}

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


class TemplateRow(Tagged, frozen=True, kw_only=True):
    name: str = ""
    displaytext: str = ""
    ispublic: bool = False
    created: str = ""
    isready: bool = False
    status: str = ""
    size: int = 0
    physicalsize: int = 0
    ostypename: str = ""
    zoneid: str = ""
    templatetype: str = ""

    @property
    def mark(self) -> str:
        return f"{self.id} {self.zoneid}" if self.id else ""


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
    created: str = ""
    physicalsize: int = 0
    virtualsize: int = 0


class ServiceRow(Row, frozen=True, kw_only=True):
    name: str = ""


class NetworkRow(Tagged, frozen=True, kw_only=True):
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
    service: tuple[ServiceRow, ...] = ()


class NetworkOfferingRow(Row, frozen=True, kw_only=True):
    name: str = ""
    state: str = "Enabled"
    guestiptype: str = ""
    availability: str = ""
    isdefault: bool = False
    forvpc: bool = False
    specifyvlan: bool = False
    service: tuple[ServiceRow, ...] = ()


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
    associatednetworkid: str = ""
    virtualmachineid: str = ""
    state: str = ""


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


class JobRow(Row, frozen=True, kw_only=True):
    jobid: str = ""
    jobstatus: int = 0
    jobresultcode: int = 0
    jobinstanceid: str = ""
    jobresult: msgspec.Raw = msgspec.Raw(b"")


class ErrorRow(Row, frozen=True, kw_only=True):
    errorcode: int = 0
    errortext: str = ""


Fields = dict[str, msgspec.Raw]
Kind = TypeVar("Kind", bound=Row)
Any_ = TypeVar("Any_")

BROKEN = (msgspec.MsgspecError, ValueError, RecursionError)
"""What msgspec raises for texts that are no JSON, or not of the type asked for."""


def envelope(command: str, status: int, content_type: str, content: bytes) -> Fields:
    """The fields of the one object in an answer. Raises Refusal for an error, Garbled for no answer."""
    try:
        outer: dict[str, Fields] = msgspec.json.decode(content, type=dict[str, Fields])
    except BROKEN:
        raise Garbled(_described(status, content_type, content), refused=_turned_away(status)) from None
    names = (command.lower(), "errorresponse")
    for key, fields in outer.items():
        if key.lower().endswith("response") or key.lower() in names:
            error = one(msgspec.json.encode(fields), ErrorRow) if "errorcode" in fields else ErrorRow()
            if status >= 400 or error.errorcode:
                raise Refusal(error.errorcode or status, error.errortext, command)
            return fields
    raise Garbled(_described(status, content_type, content), refused=_turned_away(status))


def _turned_away(status: int) -> bool:
    """A status with which a proxy or web server says that it passed nothing on."""
    return 300 <= status < 500 or status == 503


def _described(status: int, content_type: str, content: bytes) -> str:
    return f"HTTP {status}, {content_type or 'no content type'}, {len(content)} bytes"


def rows(fields: Fields, key: str, kind: type[Kind]) -> tuple[list[Kind], int, int | None]:
    """The rows of a list answer, how many there were before bad ones were left out, and the count told."""
    raw = fields.get(key, b"[]")
    count = _count(fields)
    try:
        found = msgspec.json.decode(raw, type=_list_of(kind), strict=False)
        good = [row for row in found if row.mark]
        if len(good) == len(found):
            return good, len(found), count
    except BROKEN:
        pass
    try:
        each: list[msgspec.Raw] = msgspec.json.decode(raw, type=list[msgspec.Raw] | None) or []
    except BROKEN:
        raise Garbled(f"'{key}' is not a list") from None
    return [row for row in (_row(item, kind) for item in each) if row is not None], len(each), count


def _count(fields: Fields) -> int | None:
    try:
        return msgspec.json.decode(bytes(fields["count"]), type=int, strict=False)
    except (KeyError, *BROKEN):
        return None


@functools.cache
def _list_of(kind: type[Any_]) -> Any:
    return list[kind]  # type: ignore[valid-type]


def _row(raw: msgspec.Raw, kind: type[Kind]) -> Kind | None:
    try:
        row: Kind | None = one(bytes(raw), kind)
    except Garbled:
        row = None
    if row is None or not row.mark:
        LOG.warning("a row of the cloud's list is left out: not a usable %s", kind.__name__)
        return None
    return row


def one(raw: bytes, kind: type[Any_]) -> Any_:
    """One object of this kind; fields of a wrong type fall back to their default. Raises Garbled."""
    try:
        return msgspec.json.decode(raw, type=kind, strict=False)
    except BROKEN:
        pass
    try:
        fields = msgspec.json.decode(raw)
    except BROKEN:
        raise Garbled(f"no {kind.__name__}") from None
    if not isinstance(fields, dict):
        raise Garbled(f"no {kind.__name__}")
    return _mended(fields, kind)


def _mended(fields: dict[str, Any], kind: type[Any_]) -> Any_:
    kept: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        value = fields.get(field.encode_name)
        if value is None:
            continue
        try:
            kept[field.name] = msgspec.convert(value, field.type, strict=False)
        except BROKEN:
            fallback = _mended_field(value, field.type)
            LOG.warning("field %s of a %s has a wrong type and is mended", field.name, kind.__name__)
            if fallback is not None:
                kept[field.name] = fallback
    return kind(**kept)


def _mended_field(value: Any, wanted: Any) -> Any:
    """What can be saved of a field: the good members of a list, a number as text; None for nothing."""
    if wanted is str and isinstance(value, int | float):
        return str(value)
    member = (getattr(wanted, "__args__", None) or (None,))[0]
    if not isinstance(value, list | tuple) or not isinstance(member, type):
        return None
    if issubclass(member, msgspec.Struct):
        return tuple(_mended(item, member) for item in value if isinstance(item, dict))
    return tuple(item for item in value if isinstance(item, member))


def time_of(text: str) -> datetime.datetime | None:
    """CloudStack's `2013-10-13T21:41:27+0200` in UTC; None for anything else."""
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=datetime.UTC)
    try:
        return parsed.astimezone(datetime.UTC)
    except OverflowError:
        return None


def text(raw: msgspec.Raw) -> str:
    """A text or a number as text; "" for anything else."""
    try:
        value = msgspec.json.decode(raw)
    except BROKEN:
        return ""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
