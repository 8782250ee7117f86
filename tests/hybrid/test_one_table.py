"""Several clouds that are well: one table of everything, and each thing made where its zone is."""

from __future__ import annotations

import pytest

from tests.hybrid.clouds import Cloud, PartialApi
from tests.wire.machines import machine

Clouds = tuple[Cloud, Cloud]


def test_zones_and_regions_are_those_of_every_cloud(api: PartialApi) -> None:
    zones = {row["name"]: row["description"] for row in api.get("zones")["items"]}
    assert zones == {
        "ch-gv2": "CH-GV2", "de-adv1": "DE-ADV1", "two-ch-gv2": "CH-GV2", "two-de-adv1": "DE-ADV1",
        "fr-sg1": "FR-SG1", "dummy-a": "All of cloud dummy",
    }
    regions = {row["name"]: row["description"] for row in api.get("regions")["items"]}
    assert regions == {"ch": "one", "de": "one", "two-ch": "two", "two-de": "two", "fr": "two", "dummy": "dummy"}


def test_one_table_shows_the_machines_of_every_cloud(api: PartialApi, clouds: Clouds) -> None:
    found = api.get("aggregated/instances")
    assert "warning" not in found
    assert set(found["items"]) == {f"zones/{row['name']}" for row in api.get("zones")["items"]}
    rows = api.rows()
    assert rows["ch-gv2"] == rows["two-ch-gv2"] == ["preloaded-1", "preloaded-2"]
    assert rows["dummy-a"] == ["dummy-1", "dummy-2"]
    ids = [row["id"] for entry in found["items"].values() for row in entry.get("instances", [])]
    assert len(set(ids)) == len(ids)


def test_pages_go_on_over_the_clouds(api: PartialApi) -> None:
    seen: list[str] = []
    token = ""
    while True:
        page = api.get("aggregated/instances", maxResults=1, pageToken=token)
        seen += [row["selfLink"] for entry in page["items"].values() for row in entry.get("instances", [])]
        token = page.get("nextPageToken", "")
        if not token:
            break
    assert len(seen) == len(set(seen)) == sum(len(names) for names in api.rows().values())


@pytest.mark.parametrize(("zone", "cloud", "image"), [
    ("ch-gv2", 0, "linux-centos-6-4-64-bit-10gb"), ("two-ch-gv2", 1, "linux-centos-6-4-64-bit-10gb"),
    ("fr-sg1", 1, "debian-12"),
])
def test_a_machine_is_made_in_the_cloud_of_its_zone(
    api: PartialApi, clouds: Clouds, zone: str, cloud: int, image: str
) -> None:
    body = machine(f"made-in-{zone}", zone)
    body["disks"][0]["initializeParams"]["sourceImage"] = f"global/images/{image}"
    done = api.change("POST", f"zones/{zone}/instances", body)
    assert done["zone"].endswith(f"/zones/{zone}")
    made = api.get(f"zones/{zone}/instances/made-in-{zone}")
    assert made["status"] == "RUNNING"
    assert f"made-in-{zone}" in clouds[cloud].machine_names()
    assert f"made-in-{zone}" not in clouds[1 - cloud].machine_names()
    others = [each["name"] for each in api.get("zones")["items"] if each["name"] != zone]
    assert all(api.call("GET", f"zones/{each}/instances/made-in-{zone}").status == 404 for each in others)
    api.change("DELETE", f"zones/{zone}/instances/made-in-{zone}")
    assert f"made-in-{zone}" not in api.rows().get(zone, [])


def test_a_machine_of_the_third_cloud_is_made_and_deleted(api: PartialApi) -> None:
    sizes = [row["name"] for row in api.get("zones/dummy-a/machineTypes")["items"]]
    body = machine("third", "dummy-a", machineType=f"zones/dummy-a/machineTypes/{sizes[0]}")
    body["disks"][0]["initializeParams"]["sourceImage"] = "global/images/ubuntu-9-10"
    api.change("POST", "zones/dummy-a/instances", body)
    assert "third" in api.rows()["dummy-a"]
    api.change("DELETE", "zones/dummy-a/instances/third")
    assert "third" not in api.rows()["dummy-a"]


def test_machine_types_are_those_of_the_zones_cloud(api: PartialApi) -> None:
    assert "micro" in {row["name"] for row in api.get("zones/two-ch-gv2/machineTypes")["items"]}
    assert api.call("GET", "zones/dummy-a/machineTypes/micro").status == 404
    refused = api.call("POST", "zones/dummy-a/instances", machine("odd", "dummy-a"))
    assert refused.status in (400, 404)


def test_an_image_of_another_cloud_is_refused_and_the_refusal_says_whose_it_is(api: PartialApi) -> None:
    body = machine("odd", "ch-gv2")
    body["disks"][0]["initializeParams"]["sourceImage"] = "global/images/debian-12-with-password"
    refused = api.call("POST", "zones/ch-gv2/instances", body)
    assert (refused.status, refused.reason) == (400, "invalid")
    assert "of cloud 'two'" in refused.message or "of cloud 'one'" in refused.message
    body = machine("odd", "ch-gv2")
    body["disks"][0]["initializeParams"]["sourceImage"] = "global/images/ubuntu-9-10"
    refused = api.call("POST", "zones/ch-gv2/instances", body)
    assert refused.message == "Image 'ubuntu-9-10' is not in zone 'ch-gv2'; it is in dummy-a of cloud 'dummy'."


def test_a_zone_that_two_clouds_call_the_same_must_be_named_as_here(api: PartialApi) -> None:
    assert api.get("zones/two-ch-gv2")["description"] == "CH-GV2"
    answer = api.call("GET", "zones/CH-GV2")
    assert answer.status == 400
    assert "ch-gv2, two-ch-gv2" in answer.message


def test_what_one_cloud_cannot_do_is_refused_in_its_zones_only(api: PartialApi) -> None:
    refused = api.call("POST", "zones/dummy-a/instances/dummy-1/stop")
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert "cloud 'dummy'" in refused.message
    assert "compute.instances.stop" in refused.message
    refused = api.call("POST", "zones/dummy-a/disks", {"name": "data", "sizeGb": "10"})
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert "cloud 'dummy'" in refused.message
    api.change("POST", "zones/two-ch-gv2/instances/preloaded-2/stop")
    assert api.get("zones/two-ch-gv2/instances/preloaded-2")["status"] == "TERMINATED"
    assert api.get("zones/ch-gv2/instances/preloaded-2")["status"] == "RUNNING"
    api.change("POST", "zones/two-ch-gv2/instances/preloaded-2/start")


def test_the_projects_quotas_are_the_sum_and_a_regions_are_its_clouds(api: PartialApi) -> None:
    def usage(path: str, metric: str = "INSTANCES") -> float:
        return next(row["usage"] for row in api.get(path)["quotas"] if row["metric"] == metric)

    assert usage("") == usage("regions/ch") + usage("regions/fr") == 4
    assert api.get("regions/dummy")["quotas"] == []


def test_shared_ssh_keys_reach_the_machines_of_every_cloud(api: PartialApi, clouds: Clouds) -> None:
    key = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7 me@example.com"
    shared = {"items": [{"key": "ssh-keys", "value": f"me:{key}"}]}
    api.change("POST", "setCommonInstanceMetadata", shared)
    for zone in ("ch-gv2", "two-ch-gv2"):
        api.change("POST", f"zones/{zone}/instances", machine("keyed", zone))
    for cloud in clouds:
        rows = cloud.portal.listVirtualMachines(name="keyed")["virtualmachine"]
        assert rows[0]["keypairs"].startswith("gcelib-")
    for zone in ("ch-gv2", "two-ch-gv2"):
        api.change("DELETE", f"zones/{zone}/instances/keyed")
    api.change("POST", "setCommonInstanceMetadata", {"items": []})
