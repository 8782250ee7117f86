"""Who may do what: the one table of roles and GCE methods."""

from __future__ import annotations

from gcelib.auth.caller import Caller
from gcelib.errors import Forbidden, NotFound

ROLES = ("viewer", "operator", "admin")
"""Weakest first; each may do all that the ones before it may."""

_LOOKING = ("get", "list", "aggregatedList", "wait", "testIamPermissions", "preview")
"""Methods named so, or so with more words behind, change nothing – some of them are POSTs all the same."""

_OPERATED = {
    "instances": (
        "create delete start stop suspend resume reset setMetadata setTags setLabels setMachineType "
        "setScheduling setDeletionProtection setDiskAutoDelete setServiceAccount attachDisk detachDisk "
        "addAccessConfig deleteAccessConfig updateAccessConfig update"
    ),
    "disks": "create delete resize createSnapshot setLabels update",
    "snapshots": "create delete setLabels",
    "images": "create delete deprecate setLabels update",
    "machineImages": "create delete",
    "regionDisks": "create delete resize createSnapshot setLabels update",
}
"""What an operator changes, with the IAM names of the changes."""

_PROJECT_MOVES = ("projects.moveInstance", "projects.moveDisk")

_ADMINISTERED = {
    "networks": "create delete update",
    "subnetworks": "create delete update",
    "firewalls": "create delete update",
    "routes": "create delete",
    "addresses": "create delete setLabels",
    "globalAddresses": "create delete setLabels",
    "forwardingRules": "create delete update setTarget",
    "targetPools": "create delete update addInstance removeInstance addHealthCheck removeHealthCheck",
    "targetInstances": "create delete",
    "httpHealthChecks": "create delete update",
    "projects": "setCommonInstanceMetadata setUsageExportBucket",
    "globalOperations": "delete",
    "regionOperations": "delete",
    "zoneOperations": "delete",
}

_READ_ONLY = {"zones": "", "regions": "", "machineTypes": "", "diskTypes": "", "licenses": ""}

_FULL_SCOPES = frozenset({"cloud-platform", "compute"})
_READING_SCOPES = frozenset({"cloud-platform.read-only", "compute.readonly"})


class ScopesTooNarrow(Forbidden):
    """The token was asked for without the scope this needs; the account's roles do not matter."""

    reason = "insufficientPermissions"


def needed(method_id: str, http_verb: str) -> str:
    """The weakest role that may call a GCE method ("compute.instances.insert")."""
    collection, _, method = method_id.removeprefix("compute.").rpartition(".")
    if http_verb in ("GET", "HEAD") or _looks(method):
        return "viewer"
    if method == "setIamPolicy":
        return "admin"
    if collection in _OPERATED or f"{collection}.{method}" in _PROJECT_MOVES:
        return "operator"
    return "admin"


def permit(caller: Caller, method_id: str, http_verb: str, project: str) -> None:
    """Nothing, when the caller may call this method on the project (its own name, not an alias).

    Raises NotFound when the caller has no role there, with the same words whether the project exists
    or not; Forbidden, naming the role needed, when the role is too weak or the token's scopes are.
    """
    held = role(caller, project)
    if not held:
        raise NotFound(f"The resource 'projects/{project}' was not found")
    wanted = needed(method_id, http_verb)
    if caller.scopes and not _scoped(caller.scopes, wanted == "viewer"):
        raise ScopesTooNarrow(
            f"Request had insufficient authentication scopes: {method_id} needs "
            "https://www.googleapis.com/auth/compute or https://www.googleapis.com/auth/cloud-platform. "
            "Ask for a new token with that scope."
        )
    if ROLES.index(held) < ROLES.index(wanted):
        raise Forbidden(
            f"Required role '{wanted}' for 'projects/{project}': {caller.email} has the role '{held}' there, "
            f"and {method_id} needs more. `gcelib account grant` gives it."
        )


def role(caller: Caller, project: str) -> str:
    """The strongest role the caller holds on the project, "" for none."""
    held = [caller.roles.get(project, ""), caller.roles.get("*", "")]
    return max((each for each in held if each in ROLES), key=ROLES.index, default="")


def permissions(caller: Caller, project: str) -> frozenset[str]:
    """The IAM permissions ("compute.instances.create") that the caller has on the project."""
    held = role(caller, project)
    if not held:
        return frozenset()
    granted = {
        f"compute.{collection}.{verb}"
        for collection in (*_OPERATED, *_ADMINISTERED, *_READ_ONLY)
        for verb in ("get", "list")
    } | {"compute.instances.getSerialPortOutput"}
    for tables, lowest in ((_OPERATED, "operator"), (_ADMINISTERED, "admin")):
        if ROLES.index(held) >= ROLES.index(lowest) and _scoped_for_change(caller):
            granted |= {f"compute.{name}.{verb}" for name, verbs in tables.items() for verb in verbs.split()}
    return frozenset(granted)


def _looks(method: str) -> bool:
    return any(method.startswith(word) and (method == word or method[len(word)].isupper()) for word in _LOOKING)


def _scoped_for_change(caller: Caller) -> bool:
    return not caller.scopes or _scoped(caller.scopes, reading=False)


def _scoped(scopes: frozenset[str], reading: bool) -> bool:
    # A scope is a URL whose last part says what it opens; some clients send that part alone.
    names = {scope.rsplit("/", 1)[-1] for scope in scopes}
    return bool(names & _FULL_SCOPES) or (reading and bool(names & _READING_SCOPES))
