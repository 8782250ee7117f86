"""One table says which role each method of the document needs."""

from __future__ import annotations

import pytest

from gcelib.auth import Caller
from gcelib.auth.policy import ROLES, RULES, needed, permitted, rule
from gcelib.server.resources import table

METHODS = table().methods
COMPUTE = "https://www.googleapis.com/auth/compute"

LOOKING_POSTS = {
    "advice.calendarMode", "advice.capacity", "advice.capacityHistory", "backendServices.getHealth",
    "globalNetworkEndpointGroups.listNetworkEndpoints", "hosts.getVersion",
    "instanceGroupManagers.listManagedInstances", "instanceGroupManagers.listPerInstanceConfigs",
    "instanceGroups.listInstances", "networkEndpointGroups.listNetworkEndpoints", "nodeGroups.listNodes",
    "projects.listXpnHosts", "regionBackendServices.getHealth", "regionInstanceGroupManagers.listManagedInstances",
    "regionInstanceGroupManagers.listPerInstanceConfigs", "regionInstanceGroups.listInstances",
    "regionNetworkEndpointGroups.listNetworkEndpoints", "regionUrlMaps.validate", "reservationSlots.getHealth",
    "reservationSlots.getVersion", "reservationSubBlocks.getVersion", "routers.preview", "targetPools.getHealth",
    "urlMaps.validate",
}  # fmt: skip
"""Every POST that changes nothing, beside testIamPermissions and wait; a document with a new one needs a look."""


def caller(role: str, scopes: str = "") -> Caller:
    return Caller("ann@example.com", "user", {"demo": role}, frozenset(scopes.split()), "0123")


def test_every_read_of_the_document_is_a_viewers_and_by_the_table_too() -> None:
    reads = [id for id, method in METHODS.items() if method.verb == "GET"]
    assert len(reads) > 300
    assert {rule(id).role for id in reads} == {"viewer"}


def test_a_viewer_may_send_no_other_posts_than_those_known_to_change_nothing() -> None:
    allowed = {
        id.removeprefix("compute.") for id, method in METHODS.items()
        if method.verb != "GET" and needed(id, method.verb) == "viewer"
        and method.name not in ("testIamPermissions", "wait")
    }  # fmt: skip
    assert allowed == LOOKING_POSTS


def test_every_method_of_the_document_has_a_role() -> None:
    assert len(METHODS) >= 1025
    assert {needed(id, method.verb) for id, method in METHODS.items()} == set(ROLES)


def test_every_rule_but_the_last_is_about_methods_that_there_are() -> None:
    used = {rule(id) for id in METHODS}
    assert used == set(RULES)
    known = {method.collection for method in METHODS.values()}
    for row in RULES:
        assert set(row.collections.split()) <= known, row


@pytest.mark.parametrize("id", [id for id in METHODS if id.endswith("setIamPolicy")])
def test_only_administrators_say_who_may_do_what(id: str) -> None:
    assert needed(id, "POST") == "admin"


@pytest.mark.parametrize(
    "collection",
    ["firewalls", "networks", "subnetworks", "routes", "routers", "addresses", "globalAddresses", "forwardingRules",
     "targetPools", "backendServices", "firewallPolicies", "securityPolicies", "vpnTunnels", "reservations",
     "regionCommitments", "zoneOperations", "globalOperations", "snapshotSettings"],
)  # fmt: skip
def test_an_operator_changes_nothing_of_networks_and_settings(collection: str) -> None:
    changes = [
        method for method in METHODS.values()
        if method.collection == collection and needed(method.id, method.verb) != "viewer"
    ]  # fmt: skip
    assert changes
    assert {needed(method.id, method.verb) for method in changes} == {"admin"}


@pytest.mark.parametrize("pair", ["Instances", "Disks", "Snapshots", "InstanceGroupManagers", "InstanceTemplates"])
def test_regional_things_need_what_zonal_ones_do(pair: str) -> None:
    for method in METHODS.values():
        twin = f"compute.{pair[0].lower()}{pair[1:]}.{method.name}"
        if method.collection == f"region{pair}" and twin in METHODS:
            assert needed(method.id, method.verb) == needed(twin, METHODS[twin].verb)


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("compute.instances.get", "viewer"),
        ("compute.instances.list", "viewer"),
        ("compute.instances.getSerialPortOutput", "viewer"),
        ("compute.instances.create", "operator"),
        ("compute.instances.update", "operator"),
        ("compute.instances.osLogin", "operator"),
        ("compute.instances.osAdminLogin", "admin"),
        ("compute.instances.setIamPolicy", "admin"),
        ("compute.disks.use", "operator"),
        ("compute.images.useReadOnly", "operator"),
        ("compute.firewalls.create", "admin"),
        ("compute.firewalls.update", "admin"),
        ("compute.networks.updatePolicy", "admin"),
    ],
)
def test_permissions_come_of_the_same_table(permission: str, role: str) -> None:
    collection = permission.split(".")[1]
    methods = frozenset(method.name for method in METHODS.values() if method.collection == collection)
    had = [each for each in ROLES if permitted(caller(each), permission, methods, "demo")]
    assert had == list(ROLES[ROLES.index(role):])
    assert not permitted(caller("admin"), permission, methods, "other")
    assert permitted(caller("admin", f"{COMPUTE}.readonly"), permission, methods, "demo") == (role == "viewer")


@pytest.mark.parametrize("permission", ["compute.instances.fly", "compute.instances.insert.x", "compute.", ""])
def test_a_permission_that_there_is_not_nobody_has(permission: str) -> None:
    methods = frozenset(method.name for method in METHODS.values() if method.collection == "instances")
    assert not permitted(caller("admin"), permission, methods, "demo")
