"""Global things of one name on several clouds: one thing here, changed on each, or refused where they differ."""

from __future__ import annotations

from typing import Any

from tests.hybrid.clouds import Cloud, PartialApi
from tests.wire.machines import UBUNTU, machine

Clouds = tuple[Cloud, Cloud]
FIREWALL = {"name": "web", "network": "global/networks/default", "sourceRanges": ["192.0.2.0/24"],
            "allowed": [{"IPProtocol": "tcp", "ports": ["80"]}]}  # fmt: skip


def names(api: PartialApi, path: str) -> list[str]:
    return [row["name"] for row in api.get(path).get("items", [])]


def ports(cloud: Cloud) -> list[int]:
    return [port for _, port, source in cloud.rules() if source == "192.0.2.0/24"]


def test_an_image_of_one_name_is_one_image_and_each_zone_takes_its_own_clouds(
    api: PartialApi, clouds: Clouds
) -> None:
    assert names(api, "global/images").count(UBUNTU.rpartition("/")[2]) == 1
    api.change("POST", "zones/two-ch-gv2/instances", machine("twin", "two-ch-gv2"))
    row = clouds[1].portal.listVirtualMachines(name="twin")["virtualmachine"][0]
    own = {each["id"] for each in clouds[1].portal.listTemplates(templatefilter="executable")["template"]}
    assert row["templateid"] in own
    by_their_name = machine("twin", "ch-gv2")
    by_their_name["disks"][0]["initializeParams"]["sourceImage"] = "global/images/family/linux-ubuntu-12-04-lts-64-bit"
    api.change("POST", "zones/ch-gv2/instances", by_their_name)
    for zone in ("ch-gv2", "two-ch-gv2"):
        api.change("DELETE", f"zones/{zone}/instances/twin")


def test_a_firewall_is_one_and_its_rules_are_on_every_cloud_of_the_network(api: PartialApi, clouds: Clouds) -> None:
    done = api.change("POST", "global/firewalls", FIREWALL)
    assert "dummy-a" in done["warnings"][0]["message"]
    assert names(api, "global/firewalls").count("web") == 1
    assert [ports(cloud) for cloud in clouds] == [[80], [80]]
    api.change("PATCH", "global/firewalls/web", {"allowed": [{"IPProtocol": "tcp", "ports": ["80", "443"]}]})
    assert [ports(cloud) for cloud in clouds] == [[80, 443], [80, 443]]
    api.change("PATCH", "global/firewalls/web", {"allowed": [{"IPProtocol": "tcp", "ports": ["443"]}]})
    assert [ports(cloud) for cloud in clouds] == [[443], [443]]
    assert api.get("global/firewalls/web")["allowed"] == [{"IPProtocol": "tcp", "ports": ["443"]}]
    api.change("DELETE", "global/firewalls/web")
    assert [ports(cloud) for cloud in clouds] == [[], []]
    assert "web" not in names(api, "global/firewalls")


def test_a_firewall_with_tags_has_their_groups_on_every_cloud(api: PartialApi, clouds: Clouds) -> None:
    tagged = {**FIREWALL, "name": "tagged", "sourceRanges": None, "sourceTags": ["front"], "targetTags": ["back"]}
    api.change("POST", "global/firewalls", tagged)
    wanted = ("gcelib:default:tag:back", 80, "gcelib:default:tag:front")
    assert all(wanted in cloud.rules() for cloud in clouds)
    api.change("DELETE", "global/firewalls/tagged")
    assert all(wanted not in cloud.rules() for cloud in clouds)


def test_rules_made_elsewhere_are_shown_for_each_cloud(api: PartialApi, clouds: Clouds) -> None:
    made = []
    for cloud in clouds:
        group = next(row for row in cloud.portal.listSecurityGroups()["securitygroup"] if row["name"] == "default")
        made.append(cloud.portal.authorizeSecurityGroupIngress(
            securitygroupid=group["id"], protocol="tcp", startport=25, endport=25, cidrlist="198.51.100.0/24",
            fetch_result=True)["securitygroup"]["ingressrule"][0]["ruleid"])  # fmt: skip
    shown = [row for row in api.get("global/firewalls")["items"] if row["name"].startswith("default-")]
    assert {row["description"].partition(" of ")[2] for row in shown} == {
        f"cloud {cloud.name}, made outside gcelib" for cloud in clouds}
    assert len({row["name"] for row in shown}) == len({row["id"] for row in shown}) == 2
    refused = api.call("DELETE", f"global/firewalls/{shown[0]['name']}")
    assert refused.status == 400
    for cloud, rule in zip(clouds, made, strict=True):
        cloud.portal.revokeSecurityGroupIngress(id=rule, fetch_result=True)


def test_a_firewall_that_one_cloud_refuses_is_taken_back_on_the_other(api: PartialApi, clouds: Clouds) -> None:
    with clouds[1].failing(kind="status", command="authorizeSecurityGroupIngress", status=431):
        refused = outcome(api, "global/firewalls", FIREWALL)
    assert "'two'" in refused
    assert [ports(cloud) for cloud in clouds] == [[], []]
    assert "web" not in names(api, "global/firewalls")
    api.change("POST", "global/firewalls", FIREWALL)
    api.change("DELETE", "global/firewalls/web")


def outcome(api: PartialApi, path: str, body: Any) -> str:
    """Why a change failed, at once or in its operation."""
    answer = api.call("POST", path, body)
    if answer.status != 200:
        return answer.message
    return str(api.until_done(answer.data)["error"]["errors"])


def test_a_field_that_a_cloud_cannot_express_is_refused_by_name_and_cloud(api: PartialApi, clouds: Clouds) -> None:
    egress = {"name": "out", "network": "global/networks/default", "direction": "EGRESS",
              "allowed": [{"IPProtocol": "tcp"}]}  # fmt: skip
    refused = api.call("POST", "global/firewalls", egress)
    assert (refused.status, refused.reason) == (400, "unsupportedOperation")
    assert "resource.direction" in refused.message
    assert "'one'" in refused.message
    assert "'two'" in refused.message
    assert [ports(cloud) for cloud in clouds] == [[], []]


def test_a_network_is_made_and_deleted_on_every_cloud_that_makes_networks(api: PartialApi, clouds: Clouds) -> None:
    api.change("POST", "global/networks", {"name": "shared", "autoCreateSubnetworks": True})
    assert all("shared" in cloud.network_names() for cloud in clouds)
    assert names(api, "global/networks").count("shared") == 1
    assert {row.rpartition("/regions/")[2] for row in api.get("global/networks/shared")["subnetworks"]} == {
        "de/subnetworks/shared", "two-de/subnetworks/shared"}
    again = api.call("POST", "global/networks", {"name": "shared", "autoCreateSubnetworks": True})
    assert again.status == 409
    body = machine("inside", "two-de-adv1")
    body["networkInterfaces"] = [{"network": "global/networks/shared"}]
    body["disks"][0]["initializeParams"]["sourceImage"] = "global/images/debian-12"
    api.change("POST", "zones/two-de-adv1/instances", body)
    row = clouds[1].portal.listVirtualMachines(name="inside")["virtualmachine"][0]
    assert row["nic"][0]["networkname"] == "shared"
    used = api.call("DELETE", "global/networks/shared")
    assert (used.status, used.reason) == (400, "resourceInUseByAnotherResource")
    api.change("DELETE", "zones/two-de-adv1/instances/inside")
    clouds[1].purge()
    api.change("DELETE", "global/networks/shared")
    assert not any("shared" in cloud.network_names() for cloud in clouds)


def test_a_network_that_one_cloud_refuses_is_taken_back_on_the_other(api: PartialApi, clouds: Clouds) -> None:
    with clouds[1].failing(kind="status", command="createNetwork", status=431):
        refused = outcome(api, "global/networks", {"name": "half", "autoCreateSubnetworks": True})
    assert "'two'" in refused
    assert not any("half" in cloud.network_names() for cloud in clouds)
    assert "half" not in names(api, "global/networks")


def test_a_copy_is_its_clouds_and_a_name_that_two_have_is_refused_with_both(api: PartialApi, clouds: Clouds) -> None:
    for cloud in clouds:
        volume = cloud.portal.listVolumes(type="ROOT")["volume"][0]
        cloud.portal.createSnapshot(volumeid=volume["id"], name="same", fetch_result=True)
    found = [row for row in api.get("global/snapshots")["items"] if row["name"] == "same"]
    assert len(found) == 2
    answer = api.call("GET", "global/snapshots/same")
    assert (answer.status, answer.reason) == (400, "invalid")
    told = [f"{row['id']} ('same' of cloud '{cloud.name}')" in answer.message for row in found for cloud in clouds]
    assert told in ([True, False, False, True], [False, True, True, False])
    for row in found:
        assert api.get(f"global/snapshots/{row['id']}")["sourceDisk"] == row["sourceDisk"]
    assert api.call("DELETE", "global/snapshots/same").status == 400
    taken = api.call("POST", "zones/ch-gv2/disks/preloaded-1/createSnapshot", {"name": "same"})
    assert taken.status in (400, 409)
    api.change("DELETE", f"global/snapshots/{found[1]['id']}")
    assert api.get("global/snapshots/same")["id"] == found[0]["id"]
    api.change("DELETE", "global/snapshots/same")


def test_a_snapshot_makes_disks_in_its_own_cloud_only(api: PartialApi) -> None:
    api.change("POST", "zones/ch-gv2/disks/preloaded-1/createSnapshot", {"name": "copy"})
    body = {"name": "from-copy", "sourceSnapshot": "global/snapshots/copy"}
    refused = api.call("POST", "zones/two-ch-gv2/disks", body)
    assert refused.status == 400
    assert "cloud 'one'" in refused.message
    api.change("POST", "zones/ch-gv2/disks", body)
    api.change("DELETE", "zones/ch-gv2/disks/from-copy")
    api.change("DELETE", "global/snapshots/copy")


def test_an_image_file_is_fetched_by_every_cloud_that_fetches_files(api: PartialApi, clouds: Clouds) -> None:
    body = {"name": "own", "rawDisk": {"source": "http://192.0.2.9/own.qcow2"}}
    api.change("POST", "global/images", body)
    for cloud in clouds:
        assert "own" in {row["name"] for row in cloud.portal.listTemplates(templatefilter="self")["template"]}
    assert names(api, "global/images").count("own") == 1
    api.change("POST", "global/images/own/deprecate", {"state": "DEPRECATED"})
    assert api.get("global/images/own")["deprecated"]["state"] == "DEPRECATED"
    api.change("DELETE", "global/images/own")
    assert "own" not in names(api, "global/images")


def test_addresses_and_pools_are_their_regions_clouds(api: PartialApi, clouds: Clouds) -> None:
    api.change("POST", "regions/two-de/addresses", {"name": "front"})
    assert [len(cloud.portal.listPublicIpAddresses(issourcenat=False).get("publicipaddress", []))
            for cloud in clouds] == [0, 1]  # fmt: skip
    assert api.call("GET", "regions/de/addresses/front").status == 404
    api.change("POST", "regions/de/addresses", {"name": "front"})
    assert names(api, "regions/de/addresses").count("front") == 1
    for region in ("de", "two-de"):
        api.change("DELETE", f"regions/{region}/addresses/front")
