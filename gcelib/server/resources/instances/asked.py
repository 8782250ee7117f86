"""Fields of an instance that a cloud cannot carry out: refused by name, or said to be ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gcelib.drivers.base import Cloud
from gcelib.errors import Unsupported
from gcelib.server.context import Context
from gcelib.server.kinds_of_disk import STANDARD
from gcelib.server.resources.instances import drives

REFUSED: Mapping[str, Callable[[Any], bool]] = {
    "guestAccelerators": bool,
    "sourceMachineImage": bool,
    "instanceEncryptionKey": bool,
    "resourcePolicies": bool,
    "minCpuPlatform": bool,
    "hostname": bool,
    "privateIpv6GoogleAccess": lambda value: value == "ENABLE_BIDIRECTIONAL_ACCESS_TO_GOOGLE",
    "confidentialInstanceConfig": lambda value: any(value.values()),
    "advancedMachineFeatures": lambda value: any(value.values()),
    "networkPerformanceConfig": bool,
    "workloadIdentityConfig": bool,
    "keyRevocationActionType": lambda value: value == "STOP",
    "reservationAffinity": lambda value: value.get("consumeReservationType") == "SPECIFIC_RESERVATION",
    "params": lambda value: bool(value.get("resourceManagerTags")),
    "canIpForward": bool,
}
"""Field -> whether a value of it is a wish that matters: leaving it out would give another machine."""

SCHEDULING_KEPT = {"onHostMaintenance": "MIGRATE", "automaticRestart": True}
"""Scheduling wishes that are kept and shown, with what is true without one; every other is refused."""

SCHEDULING_PLAIN = {"provisioningModel": "STANDARD", "instanceTerminationAction": "STOP"}
"""Scheduling wishes that say what every machine is."""

DEFAULT_ACCOUNT = "default"
"""What gcloud asks for when nobody said anything."""


def refuse(ctx: Context, cloud: Cloud) -> None:
    """Raise Unsupported naming the first field that this cloud cannot carry out."""
    for field, matters in REFUSED.items():
        value = ctx.body.get(field)
        if value is not None and matters(value):
            raise _unsupported(ctx, cloud, field)
    refuse_scheduling(ctx, cloud, ctx.body.get("scheduling") or {}, "resource.scheduling")


def refuse_scheduling(ctx: Context, cloud: Cloud, sent: Mapping[str, Any], field: str) -> None:
    """Raise Unsupported naming the first wish that would be another kind of machine."""
    for name, value in sent.items():
        matters = any(value.values()) if isinstance(value, dict) else bool(value)
        if matters and name not in SCHEDULING_KEPT and SCHEDULING_PLAIN.get(name) != value:
            raise _unsupported(ctx, cloud, f"{field.removeprefix('resource').lstrip('.')}.{name}".lstrip("."))


def unusual_scheduling(sent: Mapping[str, Any]) -> dict[str, Any]:
    """What of it is kept: what would not be shown without."""
    return {name: sent[name] for name, usual in SCHEDULING_KEPT.items() if sent.get(name, usual) != usual}


def ignored_scheduling(cloud: Cloud, sent: Mapping[str, Any], field: str) -> list[tuple[str, str]]:
    """Warnings for wishes that are kept and have no effect."""
    why = f"what becomes of machines when a host of cloud '{cloud.name}' fails or is serviced, its operator decides"
    moot = [name for name, usual in SCHEDULING_KEPT.items() if sent.get(name, usual) != usual]
    return [warning(f"{field}.{name}", why) for name in moot]


def ignored(ctx: Context, cloud: Cloud) -> list[tuple[str, str]]:
    """Warnings for what is accepted and has no effect: the machine is the same without it."""
    warnings = ignored_scheduling(cloud, ctx.body.get("scheduling") or {}, "resource.scheduling")
    accounts = [account.get("email", "") for account in ctx.body.get("serviceAccounts") or []]
    if any(email and email != DEFAULT_ACCOUNT for email in accounts):
        warnings.append(warning("serviceAccounts", f"cloud '{cloud.name}' gives machines no service accounts"))
    boot = drives.booting(ctx.body.get("disks") or [{}])
    if boot.get("autoDelete") is False and cloud.traits.boot_disk_dies:
        why = f"on cloud '{cloud.name}' a boot disk is always deleted with its machine"
        warnings.append(warning("disks[].autoDelete", why))
    warnings += _ignored_params(cloud, boot.get("initializeParams") or {})
    shielded = ctx.body.get("shieldedInstanceConfig") or {}
    if shielded.get("enableSecureBoot"):
        warnings.append(warning("shieldedInstanceConfig", f"cloud '{cloud.name}' has no shielded machines"))
    return warnings


def _ignored_params(cloud: Cloud, params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Warnings for what a boot disk is told, and is not, because its cloud makes it."""
    warnings = []
    if params.get("labels"):
        why = f"cloud '{cloud.name}' makes boot disks itself. Use compute.disks.setLabels once the machine is there"
        warnings.append(warning("disks[].initializeParams.labels", why))
    if params.get("description"):
        why = f"cloud '{cloud.name}' makes boot disks itself, and they have no description"
        warnings.append(warning("disks[].initializeParams.description", why))
    if params.get("diskType", STANDARD).rpartition("/")[2] != STANDARD:
        why = f"cloud '{cloud.name}' itself decides how boot disks are kept"
        warnings.append(warning("disks[].initializeParams.diskType", why))
    return warnings


def warning(field: str, why: str) -> tuple[str, str]:
    """What an operation says of a field that has no effect."""
    return "FIELD_VALUE_OVERRIDEN", f"Field '{field}' has no effect: {why}."


def _unsupported(ctx: Context, cloud: Cloud, field: str) -> Unsupported:
    return Unsupported(
        f"{ctx.method.id} with field 'resource.{field}' is not offered on cloud '{cloud.name}': "
        "its machines have no such thing. Leave the field out.",
        field=f"resource.{field}",
    )
