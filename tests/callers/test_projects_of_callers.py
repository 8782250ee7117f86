"""What a project name means to a caller who brought keys: their own things, and to everybody else nothing."""

from __future__ import annotations

import time

import pytest

from gcelib.simulator import Simulator
from tests.callers.cloud import Holder, Served, machine
from tests.callers.conftest import Launch


def test_a_project_is_the_account_or_an_alias_or_a_project_of_the_clouds_own(demo: Holder, other: Holder) -> None:
    for name in ("demo", "mine", "shared-project"):
        assert demo.api(name).get("")["name"] == name
    for name in ("other", "mine"):
        assert other.api(name).get("")["name"] == name


def test_the_clouds_own_project_goes_by_its_id_too(demo: Holder, cloud: Simulator) -> None:
    from gcelib.simulator import Project

    project = cloud.world.all(Project)[0]
    assert demo.api(project.id).get("zones")["items"]


@pytest.mark.parametrize("name", ["demo", "shared-project", "nobody", "admin", "mine2", "DEMO", "*", "demo~x", "sim"])
def test_anothers_project_and_nobodys_get_one_and_the_same_answer(other: Holder, name: str) -> None:
    for verb, path in (("GET", ""), ("GET", "zones"), ("GET", "aggregated/instances"), ("POST", "global/firewalls"),
                       ("GET", "global/operations"), ("DELETE", "zones/ch-gv2/instances/web")):
        answer = other.api(name).call(verb, path)
        assert (answer.status, answer.reason) == (404, "notFound")
        assert answer.message == f"The resource 'projects/{name}' was not found"


def test_nor_does_the_time_tell_them_apart(other: Holder) -> None:
    api = other.api()
    seen: dict[str, list[float]] = {"demo": [], "nope": []}
    for _ in range(40):
        for name, times in seen.items():
            begun = time.perf_counter()
            assert api.call("GET", f"/compute/v1/projects/{name}/zones").status == 404
            times.append(time.perf_counter() - begun)
    medians = [sorted(times)[20] for times in seen.values()]
    assert max(medians) < min(medians) * 2 + 0.01


def test_an_account_called_by_an_e_mail_has_a_name_for_gcloud(live: Served, cloud: Simulator) -> None:
    from gcelib.simulator.scenery import add_account

    add_account(cloud.world, "ian@ianduffy.ie")
    ian = Holder.of(live, cloud, "ian@ianduffy.ie")
    assert ian.api("ian@ianduffy.ie").get("")["name"] == "ian@ianduffy.ie"
    assert ian.api("ian-ianduffy-ie").get("zones")["items"]


def test_a_callers_token_finds_no_public_image_projects(launch: Launch) -> None:
    rows = '[image_projects.debian-cloud]\ncloud = "sim"\n[image_projects.debian-cloud.families]\n"d" = "Linux"\n'
    live, cloud = launch(rows=rows)
    api = Holder.of(live, cloud, "demo").api()
    for project in ("debian-cloud", "centos-cloud"):
        answer = api.call("GET", f"/compute/v1/projects/{project}/global/images")
        assert (answer.status, answer.message) == (404, f"The resource 'projects/{project}' was not found")


def test_a_named_project_is_for_the_account_it_is_called_after(launch: Launch) -> None:
    rows = """
[projects.other]
clouds = ["sim"]
credentials = "caller"
aliases = ["second"]
[projects.inner]
clouds = ["sim"]
credentials = "caller"
tenant = "shared-project"
"""
    live, cloud = launch(rows=rows)
    demo, other = Holder.of(live, cloud, "demo"), Holder.of(live, cloud, "other")
    assert other.api("second").get("")["name"] == "second"
    assert other.api("inner").call("GET", "").status == 404
    assert demo.api("second").call("GET", "").status == 404
    assert demo.api("inner").get("zones")["items"]


def test_accounts_of_gcelibs_own_have_no_way_in(live: Served, demo: Holder) -> None:
    live.run("account", "create-user", "ann@example.com", "--project", "*", "--role", "admin", "--password-stdin",
             input="correct horse\n")
    said = live.run("account", "create-user", "bob@example.com", "--project", "demo", "--role", "admin",
                    "--password-stdin", input="correct horse\n", check=False)
    assert said.returncode == 1
    assert "its callers' own" in said.stderr
    demo.sign_in()
    listed = live.run("account", "list").stdout
    assert "demo@sim.cloud.gcelib.local" in listed


def test_what_the_cloud_lets_an_account_do_it_may_do_here(demo: Holder) -> None:
    api = demo.api()
    asked = ["compute.instances.delete", "compute.instances.setTags"]
    assert api.change("POST", "zones/ch-gv2/instances", machine("may"))["status"] == "DONE"
    held = api.call("POST", "zones/ch-gv2/instances/may/testIamPermissions", {"permissions": asked})
    assert held.data["permissions"] == asked
    api.change("DELETE", "zones/ch-gv2/instances/may")


def test_a_taken_name_is_told_in_the_callers_own_words(demo: Holder) -> None:
    api = demo.api("mine")
    api.change("POST", "zones/ch-gv2/instances", machine("twice"))
    answer = api.call("POST", "zones/ch-gv2/instances", machine("twice"))
    assert (answer.status, answer.message) == (
        409, "The resource 'projects/mine/zones/ch-gv2/instances/twice' already exists"
    )  # fmt: skip
    api.change("DELETE", "zones/ch-gv2/instances/twice")


def test_an_account_shut_out_by_the_operator_stays_out(launch: Launch) -> None:
    live, cloud = launch()
    demo, other = Holder.of(live, cloud, "demo"), Holder.of(live, cloud, "other")
    api = demo.api()
    other.sign_in()
    live.run("account", "disable", "demo@sim.cloud.gcelib.local")
    assert api.until(lambda: api.call("GET", ""), 401, 5).reason == "authError"
    form = {"grant_type": "client_credentials", "client_id": demo.key, "client_secret": demo.secret}
    assert live.post("/oauth2/token", **form).json()["error"] == "invalid_client"
    assert other.api().get("")["name"] == "other"
