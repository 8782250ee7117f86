"""Fields of an instance that a cloud cannot carry out: refused by name, or said to be ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gcelib.drivers.base import Cloud
from gcelib.errors import Unsupported
from gcelib.server.context import Context

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
    "canIpForward": bool,
}
"""Field -> whether a value of it is a wish that matters: leaving it out would give another machine."""

SCHEDULING_REFUSED = {
    "preemptible": True,
    "provisioningModel": "SPOT",
    "nodeAffinities": None,
    "instanceTerminationAction": "DELETE",
    "maxRunDuration": None,
}
"""Scheduling wishes nobody here can fulfil; None: any value."""

DEFAULT_ACCOUNT = "default"
"""What gcloud asks for when nobody said anything."""


def refuse(ctx: Context, cloud: Cloud) -> None:
    """Raise Unsupported naming the first field that this cloud cannot carry out."""
    for field, matters in REFUSED.items():
        value = ctx.body.get(field)
        if value is not None and matters(value):
            raise _unsupported(ctx, cloud, field)
    scheduling = ctx.body.get("scheduling") or {}
    for field, refused in SCHEDULING_REFUSED.items():
        value = scheduling.get(field)
        if value and (refused is None or value == refused):
            raise _unsupported(ctx, cloud, f"scheduling.{field}")


def ignored(ctx: Context, cloud: Cloud) -> list[tuple[str, str]]:
    """Warnings for what is accepted and has no effect: the machine is the same without it."""
    warnings: list[tuple[str, str]] = []
    accounts = [account.get("email", "") for account in ctx.body.get("serviceAccounts") or []]
    if any(email and email != DEFAULT_ACCOUNT for email in accounts):
        warnings.append(_warning("serviceAccounts", f"cloud '{cloud.name}' gives machines no service accounts"))
    boot: Mapping[str, Any] = next((disk for disk in ctx.body.get("disks") or [] if disk.get("boot")), {})
    if boot.get("autoDelete") is False and cloud.traits.boot_disk_dies:
        why = f"on cloud '{cloud.name}' a boot disk is always deleted with its machine"
        warnings.append(_warning("disks[].autoDelete", why))
    shielded = ctx.body.get("shieldedInstanceConfig") or {}
    if shielded.get("enableSecureBoot"):
        warnings.append(_warning("shieldedInstanceConfig", f"cloud '{cloud.name}' has no shielded machines"))
    return warnings


def _warning(field: str, why: str) -> tuple[str, str]:
    return "FIELD_VALUE_OVERRIDEN", f"Field '{field}' has no effect: {why}."


def _unsupported(ctx: Context, cloud: Cloud, field: str) -> Unsupported:
    return Unsupported(
        f"{ctx.method.id} with field 'resource.{field}' is not offered on cloud '{cloud.name}': "
        "its machines have no such thing. Leave the field out.",
        field=f"resource.{field}",
    )
