"""Who may do what: the one table of roles and GCE methods."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from gcelib.auth import audit
from gcelib.auth.caller import Caller
from gcelib.errors import Forbidden, NotFound

ROLES = ("viewer", "operator", "admin")
"""Weakest first; each may do all that the ones before it may."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Methods and the weakest role that may call them.

    `collections` are GCE's names, none for every collection; `region...` of one is named beside it. `methods`
    are GCE's names, none for every method; one that ends with `…` means every method that begins so and has
    an upper-case letter there, too.
    """

    role: str
    collections: str
    methods: str
    why: str


RULES = (
    Rule("viewer", "", "get… list… aggregatedList wait testIamPermissions preview validate",
         "looks: nothing changes, though some are POSTs"),
    Rule("viewer", "advice", "", "asks what there would be room for: nothing changes"),
    Rule("admin", "", "setIamPolicy", "says who may do what"),
    Rule("admin", "instances", "setSecurityPolicy", "belongs to the network's defences"),
    Rule("operator", "instances instanceTemplates machineImages instanceGroups instanceGroupManagers "
         "instanceGroupManagerResizeRequests autoscalers", "", "machines, alone and in groups"),
    Rule("operator", "disks snapshots instantSnapshots instantSnapshotGroups images", "",
         "disks, and what they are made from"),
    Rule("operator", "projects", "moveInstance moveDisk", "moves a machine or a disk"),
    Rule("operator", "projects", "setCommonInstanceMetadata",
         "gives new machines SSH keys, as gcutil and gcloud do before they make one"),
    Rule("admin", "", "", "everything else: networks, firewalls, addresses, balancers, the project itself, "
         "settings, reservations that cost, other people's operations"),
)
"""The table, first match wins. docs/roles.md shows what it makes of every method GCE has."""

UNMETHODED = {
    "operator": "use useReadOnly useExternalIp osLogin",
    "admin": "osAdminLogin updatePolicy",
}
"""IAM permissions that no method is named after, on every collection, by the weakest role that has them."""

_IAM_VERBS = {"create": ("insert",), "update": ("update", "patch"), "list": ("list", "aggregatedList")}
"""What IAM calls otherwise than the API does."""

_FULL_SCOPES = frozenset({"cloud-platform", "compute"})
_READING_SCOPES = frozenset({"cloud-platform.read-only", "compute.readonly"})


class ScopesTooNarrow(Forbidden):
    """The token was asked for without the scope this needs; the account's roles do not matter."""

    reason = "insufficientPermissions"


def needed(method_id: str, http_verb: str) -> str:
    """The weakest role that may call a GCE method ("compute.instances.insert")."""
    return "viewer" if http_verb in ("GET", "HEAD") else rule(method_id).role


@functools.lru_cache(4096)
def rule(method_id: str) -> Rule:
    """The row of the table that a method falls under."""
    collection, _, method = method_id.removeprefix("compute.").rpartition(".")
    return next(row for row in RULES if _means(row.collections, collection) and _named(row.methods, method))


def permit(caller: Caller, method_id: str, http_verb: str, project: str) -> None:
    """Nothing, when the caller may call this method on the project (its own name, not an alias).

    Raises NotFound when the caller has no role there, with the same words whether the project exists
    or not; Forbidden, naming the role needed, when the role is too weak or the token's scopes are.
    """
    held = role(caller, project)
    if not held:
        raise NotFound(f"The resource 'projects/{project}' was not found")
    audit.note(project=project)
    wanted = needed(method_id, http_verb)
    within_scopes(caller, method_id, reading=wanted == "viewer")
    if ROLES.index(held) < ROLES.index(wanted):
        raise Forbidden(
            f"Required role '{wanted}' for 'projects/{project}': {caller.email} has the role '{held}' there, "
            f"and {method_id} needs more. `gcelib account grant` gives it."
        )


def within_scopes(caller: Caller, method_id: str, *, reading: bool) -> None:
    """Nothing, when the token's scopes allow the method, whatever the roles do. Raises ScopesTooNarrow."""
    if caller.scopes and not _scoped(caller.scopes, reading):
        raise ScopesTooNarrow(
            f"Request had insufficient authentication scopes: {method_id} needs "
            "https://www.googleapis.com/auth/compute or https://www.googleapis.com/auth/cloud-platform. "
            "Ask for a new token with that scope."
        )


def role(caller: Caller, project: str) -> str:
    """The strongest role the caller holds on the project, "" for none."""
    if caller.owns(project):
        return "admin"
    held = [caller.roles.get(project, ""), caller.roles.get("*", "")]
    return max((each for each in held if each in ROLES), key=ROLES.index, default="")


def permitted(caller: Caller, permission: str, methods: frozenset[str], project: str) -> bool:
    """Whether the caller has an IAM permission ("compute.instances.create") on the project.

    `methods` are the names of the methods that the permission's collection has: a permission for none of
    them nobody has.
    """
    collection, _, verb = permission.removeprefix("compute.").rpartition(".")
    wanted = next((name for name, verbs in UNMETHODED.items() if verb in verbs.split()), "")
    for method in _IAM_VERBS.get(verb, (verb,)):
        if method in methods and not wanted:
            wanted = rule(f"compute.{collection}.{method}").role
    held = role(caller, project)
    if not wanted or not held or ROLES.index(held) < ROLES.index(wanted):
        return False
    return not caller.scopes or _scoped(caller.scopes, reading=wanted == "viewer")


def _means(collections: str, collection: str) -> bool:
    plain = re.sub(r"^region(?=[A-Z])", "", collection)
    plain = plain[:1].lower() + plain[1:]
    return not collections or bool({collection, plain} & set(collections.split()))


def _named(methods: str, method: str) -> bool:
    return not methods or any(_matches(pattern, method) for pattern in methods.split())


def _matches(pattern: str, method: str) -> bool:
    start = pattern.removesuffix("…")
    if start == pattern or method == start:
        return method == start
    return method.startswith(start) and method[len(start)].isupper()


def _scoped(scopes: frozenset[str], reading: bool) -> bool:
    # A scope is a URL whose last part says what it opens; some clients send that part alone.
    names = {scope.rsplit("/", 1)[-1] for scope in scopes}
    return bool(names & _FULL_SCOPES) or (reading and bool(names & _READING_SCOPES))
