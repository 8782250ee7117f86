"""What a verb and a path mean."""

from __future__ import annotations

import pytest

from gcelib.errors import Malformed, NotFound, WrongVerb
from gcelib.server.routes import RouteTable


@pytest.fixture(scope="module")
def table() -> RouteTable:
    return RouteTable.load()


def test_the_table_holds_every_method_of_the_document(table: RouteTable) -> None:
    assert len(table.methods) == 1025


def test_every_method_is_found_by_its_own_path_and_gets_every_path_parameter(table: RouteTable) -> None:
    for method in table.methods.values():
        segments = [f"v{i}" if s.startswith("{") else s for i, s in enumerate(method.path.split("/"))]
        found, params = table.match(method.verb, "/".join(segments))
        assert found is method
        assert set(params) == {name for name, param in method.params.items() if param.location == "path"}
        assert all(value in "/".join(segments) for value in params.values())


def test_a_path_gives_method_and_parameters(table: RouteTable) -> None:
    method, params = table.match("POST", "projects/p/zones/z/instances/n/setMetadata")
    assert (method.id, method.collection, method.name) == (
        "compute.instances.setMetadata",
        "instances",
        "setMetadata",
    )
    assert method.request == "Metadata"
    assert method.response == "Operation"
    assert params == {"project": "p", "zone": "z", "instance": "n"}


@pytest.mark.parametrize("written", ["me@example.com", "me%40example.com"])
def test_segments_are_decoded_after_splitting(table: RouteTable, written: str) -> None:
    assert table.match("GET", f"projects/{written}/zones/Paul%27s%20Room")[1] == {
        "project": "me@example.com",
        "zone": "Paul's Room",
    }
    assert table.match("GET", "projects/p/zones/a%2Fb")[1]["zone"] == "a/b"


def test_a_parameter_may_cover_several_segments(table: RouteTable) -> None:
    path = "projects/p/zones/z/reservations/r/reservationBlocks/b/reservationSubBlocks/s/reservationSlots/t"
    method, params = table.match("GET", path)
    assert method.id == "compute.reservationSlots.get"
    assert params["parentName"] == "reservations/r/reservationBlocks/b/reservationSubBlocks/s"
    assert params["reservationSlot"] == "t"


def test_a_name_may_be_spelt_like_a_literal(table: RouteTable) -> None:
    assert table.match("GET", "projects/p/global/images/family/f")[0].id == "compute.images.getFromFamily"
    method, params = table.match("POST", "projects/p/global/images/family/deprecate")
    assert method.id == "compute.images.deprecate"
    assert params["image"] == "family"


@pytest.mark.parametrize(
    "path",
    ["", "projects", "nope", "projects/p/zones/", "projects//zones", "projects/p/zones/z/", "projects/p/x/y"],
)
def test_an_unknown_path_is_not_found(table: RouteTable, path: str) -> None:
    with pytest.raises(NotFound):
        table.match("GET", path)


def test_a_wrong_verb_names_the_right_ones(table: RouteTable) -> None:
    with pytest.raises(WrongVerb) as caught:
        table.match("PUT", "projects/p/zones/z/instances")
    assert caught.value.headers == {"Allow": "GET, POST"}


def test_an_encoding_that_is_not_utf8_is_malformed(table: RouteTable) -> None:
    with pytest.raises(Malformed):
        table.match("GET", "projects/%ff")


@pytest.mark.parametrize(
    ("id", "scope"),
    [
        ("compute.instances.insert", "zone"),
        ("compute.addresses.list", "region"),
        ("compute.images.list", "global"),
        ("compute.instances.aggregatedList", "aggregated"),
        ("compute.projects.get", "project"),
        ("compute.zones.get", "project"),
        ("compute.zones.list", "project"),
        ("compute.globalOrganizationOperations.get", "organization"),
    ],
)
def test_the_scope_follows_the_path(table: RouteTable, id: str, scope: str) -> None:
    assert table.methods[id].scope == scope
