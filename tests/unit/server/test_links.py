"""Links we print and links we accept."""

from __future__ import annotations

import pytest

from gcelib.errors import Invalid
from gcelib.server.links import Links, Ref, parse

LINKS = Links("https://cloud.example:5000")
INSTANCE = Ref("p", "zones/z", "instances", "n")


@pytest.mark.parametrize(
    "text",
    [
        "https://cloud.example:5000/compute/v1/projects/p/zones/z/instances/n",
        "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/n",
        "https://compute.googleapis.com/compute/beta/projects/p/zones/z/instances/n",
        "http://h/compute/v1beta16/projects/p/zones/z/instances/n",
        "https://h/prefix/compute/alpha/projects/p/zones/z/instances/n",
        "https://h/projects/p/zones/z/instances/n",
        "//compute.googleapis.com/projects/p/zones/z/instances/n",
        "/compute/v1/projects/p/zones/z/instances/n",
        "compute/v1/projects/p/zones/z/instances/n",
        "/projects/p/zones/z/instances/n",
        "projects/p/zones/z/instances/n",
        "zones/z/instances/n",
        "n",
    ],
)
def test_one_instance_has_many_spellings(text: str) -> None:
    assert parse(text, project="p", collection="instances", scope="zones/z") == INSTANCE


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("projects/q", Ref("q", "", "projects", "q")),
        ("projects/q/zones/z", Ref("q", "", "zones", "z")),
        ("zones/CH-GV2", Ref("p", "", "zones", "CH-GV2")),
        ("regions/r", Ref("p", "", "regions", "r")),
        ("regions/r/addresses/a", Ref("p", "regions/r", "addresses", "a")),
        ("/zones/z/machineTypes/m", Ref("p", "zones/z", "machineTypes", "m")),
        ("global/networks/default", Ref("p", "global", "networks", "default")),
        (
            "global/gateways/default-internet-gateway",
            Ref("p", "global", "gateways", "default-internet-gateway"),
        ),
        ("projects/debian-cloud/global/images/family/f", Ref("debian-cloud", "global", "images", "family/f")),
        ("projects/d/zones/-/imageFamilyViews/f", Ref("d", "global", "images", "family/f")),
        ("projects/google.com%3Ap/global/images/i", Ref("google.com:p", "global", "images", "i")),
        ("projects/me@example.com/zones/Paul%27s%20Room", Ref("me@example.com", "", "zones", "Paul's Room")),
        ("projects/compute/zones/z/disks/d", Ref("compute", "zones/z", "disks", "d")),
        ("projects/p/zones/projects/instances/compute", Ref("p", "zones/projects", "instances", "compute")),
    ],
)
def test_every_form_is_understood(text: str, ref: Ref) -> None:
    assert parse(text, project="p") == ref
    assert parse(LINKS.at(ref.path), project="x") == ref


def test_a_bare_name_takes_what_its_field_means() -> None:
    assert parse("z", project="p", collection="zones", scope="zones/y") == Ref("p", "", "zones", "z")
    assert parse("q", project="p", collection="projects") == Ref("q", "", "projects", "q")
    assert parse("i", project="p", collection="images", scope="global") == Ref("p", "global", "images", "i")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "n/",
        "zones//instances/n",
        "global/images",
        "z/instances/n",
        "projects/",
        "https://h/",
        "a\nb",
        "%ff",
        "https://storage.googleapis.com/bucket/object",
        "zones/../instances/n",
        "x" * 3000,
        "projects/p/zones/z/a/b/c",
    ],
)
def test_anything_else_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(text, project="p", collection="instances", scope="zones/z", field="resource.instance")
    assert caught.value.field == "resource.instance"
    assert "resource.instance" in caught.value.message


def test_a_name_without_a_collection_is_no_link() -> None:
    with pytest.raises(Invalid):
        parse("n", project="p")


def test_a_link_to_something_else_is_refused() -> None:
    with pytest.raises(Invalid, match="it leads to disks, and machineTypes are meant here"):
        parse("zones/z/disks/d", project="p", collection="machineTypes")


def test_links_start_with_the_base_the_client_uses() -> None:
    assert LINKS.root == "https://cloud.example:5000/compute/v1/"
    assert LINKS.project("p") == LINKS.root + "projects/p"
    assert LINKS.zone("p", "z") == LINKS.root + "projects/p/zones/z"
    assert LINKS.region("p", "r") == LINKS.root + "projects/p/regions/r"
    assert LINKS.resource("p", "zones/z", "instances", "n") == LINKS.root + INSTANCE.path
    assert LINKS.to(INSTANCE) == LINKS.at("projects/p/zones/z/instances/n")


def test_gcutil_finds_its_own_spelling_again() -> None:
    assert LINKS.project("me@example.com").endswith("/projects/me@example.com")
    assert LINKS.project("google.com:p").endswith("/projects/google.com:p")
    assert LINKS.zone("p", "Paul's Room/2").endswith("/zones/Paul%27s%20Room%2F2")
