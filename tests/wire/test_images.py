"""Images, families, and image projects that the configuration offers."""

from __future__ import annotations

import pytest

from gcelib.cli import access_token
from tests.api import Api
from tests.conftest import Launch
from tests.wire.machines import machine

OFFERED = """
[image_projects.debian-cloud]
cloud = "sim"
[image_projects.debian-cloud.families]
"debian-12" = "Debian 12"
"""


def test_twins_carry_their_size_and_are_one_family(api: Api) -> None:
    names = {item["name"] for item in api.get("global/images", filter="family = linux-centos-6-4-64-bit")["items"]}
    assert names == {f"linux-centos-6-4-64-bit-{size}gb" for size in (10, 50, 100, 200, 400)}
    newest = api.get("global/images/family/linux-centos-6-4-64-bit")
    assert newest["name"] in names
    assert api.get("zones/-/imageFamilyViews/linux-centos-6-4-64-bit")["image"]["name"] == newest["name"]
    assert api.get("zones/ch-gv2/imageFamilyViews/linux-centos-6-4-64-bit")["image"] == newest


@pytest.mark.parametrize("spelling", ["CentOS 5.5(64-bit) no GUI (KVM)", "centos 5.5(64-bit) no gui (kvm)"])
def test_an_image_is_found_by_the_clouds_own_name_for_it(api: Api, spelling: str) -> None:
    assert api.get(f"global/images/{spelling}")["name"] == "centos-5-5-64-bit-no-gui-kvm"


def test_a_family_nobody_has_is_404(api: Api) -> None:
    for path in ("global/images/family/none", "zones/-/imageFamilyViews/none", "global/images/none"):
        assert api.call("GET", path).status == 404


def test_an_offered_image_project_has_its_families_and_nothing_else(launch: Launch) -> None:
    live, _ = launch(extra=OFFERED)
    public = live.api("debian-cloud")
    assert [item["name"] for item in public.get("global/images")["items"]] == ["debian-12"]
    assert public.get("global/images/family/debian-12")["family"] == "debian-12"
    assert public.get("zones/-/imageFamilyViews/debian-12")["image"]["name"] == "debian-12"
    assert public.call("GET", "global/images/debian-13").status == 404
    assert public.call("GET", "zones/de-adv1/instances").status == 404
    assert public.call("GET", "global/networks").status == 404
    narrow = access_token.fetch(live.key_file, scope="https://www.googleapis.com/auth/userinfo.email")
    refused = Api(live.url, narrow, "debian-cloud").call("GET", "global/images")
    assert (refused.status, refused.reason) == (403, "insufficientPermissions")
    for number, link in enumerate(("global/images/family/debian-12", "zones/-/imageFamilyViews/debian-12",
                                   "global/images/debian-12")):
        disk = {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": f"projects/debian-cloud/{link}"}}
        live.api().change("POST", "zones/de-adv1/instances", machine(f"debian-{number}", "de-adv1", disks=[disk]))
    refused = live.api().call("POST", "zones/de-adv1/instances", machine("no", "de-adv1", disks=[
        {"boot": True, "initializeParams": {"sourceImage": "projects/debian-cloud/global/images/debian-13"}}]))
    assert refused.status == 404
