"""Whose clouds a project name in a path stands for: a configured project, an image project, or a caller's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gcelib.auth import policy
from gcelib.auth.caller import Caller
from gcelib.config import Config
from gcelib.config.keys import MARK
from gcelib.drivers.base import Cloud
from gcelib.drivers.projects import Project, Projects
from gcelib.errors import Fault, NotFound, Unsupported
from gcelib.server.routes import Method

_IMAGE_COLLECTIONS = ("images", "imageFamilyViews")


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The name things are kept under, its clouds, and the families it is restricted to when it is an image project.

    `aliases` are the project's other names, for who asks.
    """

    name: str
    clouds: Sequence[Cloud]
    aliases: Sequence[str] = ()
    families: Mapping[str, str] | None = None


def tenancy(config: Config, projects: Projects, caller: Caller, project: str, method: Method) -> Tenancy:
    """What `project` means to this caller for this method.

    Raises NotFound, in the same words, for a project that is another's and for one that is nobody's; Forbidden as
    `policy.permit` does.
    """
    offered = config.image_projects.get(project)
    if offered and method.verb == "GET" and method.collection in _IMAGE_COLLECTIONS:
        # The daemon's own keys are behind them: not for callers who brought theirs.
        if not caller.roles or caller.keys:
            raise _unknown(project)
        policy.within_scopes(caller, method.id, reading=True)
        return Tenancy(project, (projects.cloud(offered.cloud),), families=offered.families)
    try:
        found = _opened(config, projects, caller, project, method)
        policy.permit(caller, method.id, method.verb, found.id)
    except NotFound:
        raise _unknown(project) from None
    return Tenancy(found.id, found.clouds, found.aliases)


def _opened(config: Config, projects: Projects, caller: Caller, project: str, method: Method) -> Project:
    """The project. Raises as `Projects.open` and `policy.permit` do."""
    try:
        return projects.open(project, caller.keys)
    except Unsupported:
        row = config.project(project)
        if row is not None and row.credentials == "cloud":
            # What ails it is told to those only who may see it.
            policy.permit(caller, method.id, method.verb, row.name)
        raise


def in_its_words(fault: Fault, tenancy: str, project: str) -> Fault:
    """The fault as the client is told it: a caller's project goes by the name that the client wrote."""
    if MARK in tenancy and tenancy in fault.message:
        fault.message = fault.message.replace(tenancy, project)
    return fault


def _unknown(project: str) -> NotFound:
    """The one answer for a project that is not this caller's, whoever else's it may be."""
    return NotFound(f"The resource 'projects/{project}' was not found")
