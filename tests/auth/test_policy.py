"""Viewers look, operators work with machines, admins do everything, strangers see nothing."""

from __future__ import annotations

import pytest

from gcelib.auth import Caller
from gcelib.auth.policy import needed, permit
from gcelib.config import CacheConfig, CloudConfig, Config, ProjectConfig, ServerConfig
from gcelib.drivers.projects import Projects
from gcelib.errors import Forbidden, NotFound, Unsupported
from gcelib.server.resources import table
from gcelib.server.tenancy import tenancy

COMPUTE = "https://www.googleapis.com/auth/compute"


def caller(scopes: str = "", **roles: str) -> Caller:
    named = {"*" if project == "every" else project: role for project, role in roles.items()}
    return Caller("ann@example.com", "user", named, frozenset(scopes.split()), "0123")


@pytest.mark.parametrize(
    ("method", "verb", "role"),
    [
        ("compute.instances.get", "GET", "viewer"),
        ("compute.instances.aggregatedList", "GET", "viewer"),
        ("compute.instances.getSerialPortOutput", "GET", "viewer"),
        ("compute.instances.testIamPermissions", "POST", "viewer"),
        ("compute.zoneOperations.wait", "POST", "viewer"),
        ("compute.targetPools.getHealth", "POST", "viewer"),
        ("compute.instances.insert", "POST", "operator"),
        ("compute.instances.stop", "POST", "operator"),
        ("compute.disks.createSnapshot", "POST", "operator"),
        ("compute.images.deprecate", "POST", "operator"),
        ("compute.snapshots.delete", "DELETE", "operator"),
        ("compute.projects.moveInstance", "POST", "operator"),
        ("compute.instances.setIamPolicy", "POST", "admin"),
        ("compute.firewalls.insert", "POST", "admin"),
        ("compute.networks.delete", "DELETE", "admin"),
        ("compute.routes.insert", "POST", "admin"),
        ("compute.addresses.insert", "POST", "admin"),
        ("compute.projects.setCommonInstanceMetadata", "POST", "operator"),
        ("compute.zoneOperations.delete", "DELETE", "admin"),
        ("compute.routes.getaway", "POST", "admin"),
        ("compute.routes.waiter", "POST", "admin"),
    ],
)
def test_each_method_needs_its_role(method: str, verb: str, role: str) -> None:
    assert needed(method, verb) == role
    permit(caller(demo="admin"), method, verb, "demo")
    if role != "viewer":
        with pytest.raises(Forbidden, match=f"'{role}'"):
            permit(caller(demo="viewer"), method, verb, "demo")


def test_a_stranger_hears_the_same_of_every_project() -> None:
    told = []
    for project in ("anothers", "nobodys"):
        with pytest.raises(NotFound) as caught:
            permit(caller(demo="admin"), "compute.instances.list", "GET", project)
        told.append(caught.value.message.replace(project, "P"))
    assert told[0] == told[1] == "The resource 'projects/P' was not found"


def test_a_role_on_every_project_counts_on_each_and_the_stronger_wins() -> None:
    permit(caller(every="admin"), "compute.networks.insert", "POST", "demo")
    permit(caller(every="viewer", demo="admin"), "compute.networks.insert", "POST", "demo")
    permit(caller(every="admin", demo="viewer"), "compute.networks.insert", "POST", "demo")


def test_a_role_nobody_knows_is_none() -> None:
    with pytest.raises(NotFound):
        permit(caller(demo="emperor"), "compute.instances.list", "GET", "demo")


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        ("", True, True),
        (COMPUTE, True, True),
        ("compute", True, True),
        (f"openid {COMPUTE}", True, True),
        ("https://www.googleapis.com/auth/cloud-platform", True, True),
        (f"{COMPUTE}.readonly", True, False),
        ("https://www.googleapis.com/auth/cloud-platform.read-only", True, False),
        ("openid https://www.googleapis.com/auth/userinfo.email", False, False),
    ],
)
def test_scopes_narrow_what_a_role_may(scopes: str, reads: bool, writes: bool) -> None:
    who = caller(scopes, demo="admin")
    for allowed, method, verb in ((reads, "instances.list", "GET"), (writes, "instances.insert", "POST")):
        if allowed:
            permit(who, f"compute.{method}", verb, "demo")
            continue
        with pytest.raises(Forbidden) as caught:
            permit(who, f"compute.{method}", verb, "demo")
        assert caught.value.reason == "insufficientPermissions"


def test_what_ails_a_project_is_told_to_those_only_who_may_see_it() -> None:
    cloud = CloudConfig("old", provider="ibm")
    rows = {"hidden": ProjectConfig("hidden", clouds=("old",), aliases=("alias",))}
    config = Config(ServerConfig(), CacheConfig(), {"old": cloud}, rows)
    projects = Projects(config)
    looking = table().methods["compute.zones.list"]
    for name in ("hidden", "alias", "nobodys"):
        with pytest.raises(NotFound) as caught:
            tenancy(config, projects, caller(demo="admin"), name, looking)
        assert caught.value.message == f"The resource 'projects/{name}' was not found"
    with pytest.raises(Unsupported, match="libcloud no longer drives it"):
        tenancy(config, projects, caller(hidden="viewer"), "alias", looking)
