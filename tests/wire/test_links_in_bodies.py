"""Links in bodies, in every form that clients write, to one's own things and to another project's."""

from __future__ import annotations

import pytest

from tests.api import Api

CHECK = "global/httpHealthChecks/linked"
POOLS = "regions/de/targetPools"


@pytest.fixture(scope="module", autouse=True)
def linked(api: Api) -> None:
    """Something to link to."""
    api.change("POST", "global/httpHealthChecks", {"name": "linked"})


@pytest.mark.parametrize("form", [
    "https://www.googleapis.com/compute/v1/projects/demo/{}",
    "https://compute.googleapis.com/compute/v1/projects/demo/{}",
    "https://content-compute.googleapis.com/compute/beta/projects/demo/{}", "//compute.googleapis.com/projects/demo/{}",
    "//compute.googleapis.com/compute/v1/projects/demo/{}", "OURS/compute/v1/projects/demo/{}",
    "/compute/v1/projects/demo/{}", "compute/v1/projects/demo/{}", "projects/demo/{}", "{}",
    "projects/demo@example.com/{}", "projects/NUMBER/{}",
])
def test_a_link_is_understood_in_every_form(api: Api, form: str) -> None:
    link = form.format(CHECK).replace("OURS", api.url).replace("NUMBER", api.get("")["id"])
    api.change("POST", POOLS, {"name": "links", "healthChecks": [link]})
    assert api.get(f"{POOLS}/links")["healthChecks"] == [f"{api.url}/compute/v1/projects/demo/{CHECK}"]
    api.change("DELETE", f"{POOLS}/links")


@pytest.mark.parametrize("link", [
    "projects/other/global/httpHealthChecks/linked",
    "https://www.googleapis.com/compute/v1/projects/other/global/httpHealthChecks/linked",
    "//compute.googleapis.com/projects/other/global/httpHealthChecks/linked",
])
def test_another_projects_thing_is_not_ones_own_of_the_same_name(api: Api, link: str) -> None:
    answer = api.call("POST", POOLS, {"name": "links", "healthChecks": [link]})
    assert (answer.status, answer.reason) == (400, "invalid")
    assert "healthChecks[0]" in answer.message
    assert "'other'" in answer.message
    disk = {"name": "links", "sourceSnapshot": "projects/other/global/snapshots/linked"}
    refused = api.call("POST", "zones/de-adv1/disks", disk)
    assert (refused.status, "resource.sourceSnapshot" in refused.message) == (400, True)


@pytest.mark.parametrize("link", ["global/images/linked", "regions/de/linked", "a/b", "global//linked", "https://x/",
                                  "projects/demo", "%ff", "global/httpHealthChecks/.."])
def test_what_is_no_link_to_such_a_thing_is_400_naming_the_field(api: Api, link: str) -> None:
    answer = api.call("POST", POOLS, {"name": "links", "healthChecks": [link]})
    assert (answer.status, "resource.healthChecks[0]" in answer.message) == (400, True), answer.data
