"""EC2's error codes as gcelib's faults (its API reference, "Error codes"): by name, else by what the name says."""

from __future__ import annotations

from collections.abc import Mapping

from gcelib.drivers.ec2.wire import CLOCK, KEYS, TIMES, Refusal
from gcelib.drivers.faults import At, saying, untimely
from gcelib.drivers.redaction import redact
from gcelib.errors import (
    Exceeded,
    Exists,
    Fault,
    Forbidden,
    InUse,
    NoCapacity,
    NotFound,
    NotReady,
    Refused,
    TooMany,
    Unavailable,
    Uncertain,
    Unsupported,
)

NAMED: Mapping[str, type[Fault]] = {
    "UnauthorizedOperation": Forbidden, "AuthFailure": Forbidden, "Blocked": Forbidden,
    "PendingVerification": Forbidden, "OperationNotPermitted": Refused,
    "RequestLimitExceeded": TooMany, "Throttling": TooMany, "ThrottlingException": TooMany,
    "EC2ThrottledException": TooMany, "SnapshotCreationPerVolumeRateExceeded": TooMany,
    "InsufficientInstanceCapacity": NoCapacity, "InsufficientHostCapacity": NoCapacity,
    "InsufficientCapacity": NoCapacity, "Server.InsufficientInstanceCapacity": NoCapacity,
    "InsufficientAddressCapacity": NoCapacity, "InsufficientVolumeCapacity": NoCapacity,
    "InsufficientReservedInstanceCapacity": NoCapacity,
    "IncorrectInstanceState": NotReady, "IncorrectState": NotReady, "InvalidInstanceID.NotLinkable": NotReady,
    "InvalidInstanceID": NotReady,
    "VolumeModificationRateExceeded": NotReady, "IncorrectModificationState": NotReady,
    "VolumeInUse": InUse, "DependencyViolation": InUse, "InvalidSnapshot.InUse": InUse, "InvalidGroup.InUse": InUse,
    "InvalidIPAddress.InUse": InUse, "InvalidNetworkInterface.InUse": InUse, "Resource.AlreadyAssociated": InUse,
    "Resource.AlreadyAssigned": InUse, "InvalidAddress.Locked": InUse, "InvalidVolume.ZoneMismatch": Refused,
    "InvalidAction": Unsupported, "UnsupportedOperation": Refused, "Unsupported": Refused,
    "MaxIOPSLimitExceeded": Exceeded, "PrivateIpAddressLimitExceeded": Exceeded, "TagLimitExceeded": Exceeded,
    "AddressLimitExceeded": Exceeded, "ResourceLimitExceeded": Exceeded,
}
"""Codes that mean one thing."""

BROKEN = frozenset({
    "InternalError", "InternalFailure", "ServerInternal", "ServiceUnavailable", "Unavailable", "Server.InternalError",
})
"""Codes after which nobody knows whether a change was carried out."""

ENDS: tuple[tuple[str, type[Fault]], ...] = (
    (".NotFound", NotFound), (".Unknown", NotFound), (".Unavailable", NotFound), (".Duplicate", Exists),
    (".AlreadyExists", Exists), (".InUse", InUse), ("AlreadyExists", Exists), ("LimitExceeded", Exceeded),
    ("NotFound", NotFound),
)
"""What the end of a code means when the whole is not among those above."""


def fault_of(refusal: Refusal, at: At, what: str, *, writes: bool) -> Fault:
    """The fault that a refusal is; `fault.__cause__` is the refusal, so that `code` finds it."""
    if refusal.code in CLOCK or (refusal.code in KEYS and TIMES.search(refusal.words)):
        return untimely(at, f"{refusal.code}: {refusal.words}")
    words = redact(refusal.words, at.secrets) or "no reason given"
    kind = _kind(refusal, writes)
    fault = kind(f"{at} {saying(kind)} {what} ({refusal.code or refusal.status}): {words}")
    if isinstance(fault, TooMany | Unavailable):
        fault.retry_after = fault.retry_after or 5
    fault.__cause__ = refusal
    return fault


def code(fault: BaseException) -> str:
    """EC2's own code behind a fault; "" when it did not answer with one."""
    return fault.__cause__.code if isinstance(fault.__cause__, Refusal) else ""


def _kind(refusal: Refusal, writes: bool) -> type[Fault]:
    name = refusal.code.removeprefix("Client.")
    if name in NAMED:
        return NAMED[name]
    if name in BROKEN or (not name and refusal.status >= 500):
        return Uncertain if writes else Unavailable
    found = next((kind for end, kind in ENDS if name.endswith(end)), None)
    if found is not None:
        return found
    return Unavailable if refusal.status >= 500 else Forbidden if refusal.status == 403 else Refused
