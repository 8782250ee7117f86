"""Instance templates over the wire: kept as sent, and machines made of them."""

from __future__ import annotations

from typing import Any

from cs import CloudStack

from tests.api import Api
from tests.wire.machines import UBUNTU, machine

ZONE = "ch-gv2"
HERE = "global/instanceTemplates"


def properties(**fields: Any) -> dict[str, Any]:
    """What a machine is to be, as a client asks for it."""
    plain = machine("unused")
    kept = {name: plain[name] for name in ("disks", "networkInterfaces")}
    return {"machineType": "micro", **kept, **fields}


def test_a_template_reads_back_as_it_was_sent(api: Api) -> None:
    sent: dict[str, Any] = {
        "name": "kept", "description": "Front ends: é",
        "properties": properties(
            labels={"env": "prod"}, tags={"items": ["web"]}, canIpForward=False, description="A front end",
            metadata={"items": [{"key": "role", "value": "front"}]}, scheduling={"automaticRestart": True},
        ),
    }
    done = api.change("POST", HERE, sent)
    found = api.get(f"{HERE}/kept")
    assert (done["operationType"], done["targetId"], done["targetLink"]) == ("insert", found["id"], found["selfLink"])
    assert found["description"] == sent["description"]
    shown, asked = found["properties"], sent["properties"]
    for name in ("machineType", "labels", "tags", "description", "scheduling", "canIpForward"):
        assert shown[name] == asked[name], name
    assert shown["metadata"]["items"] == asked["metadata"]["items"]
    assert shown["disks"][0]["initializeParams"] == {"sourceImage": UBUNTU}
    assert shown["networkInterfaces"][0]["network"].endswith("/projects/demo/global/networks/default")
    assert [item["name"] for item in api.get(HERE, filter="properties.machineType = micro")["items"]] == ["kept"]
    listed = api.get("aggregated/instanceTemplates")["items"]
    assert [item["name"] for item in listed["global"]["instanceTemplates"]] == ["kept"]
    assert api.get(f"{HERE}/{found['id']}") == found
    assert api.call("POST", HERE, sent).status == 409
    asked_about = {"permissions": ["compute.instanceTemplates.get"]}
    assert api.call("POST", f"{HERE}/kept/testIamPermissions", asked_about).data == asked_about
    api.change("DELETE", f"{HERE}/kept")
    assert api.call("GET", f"{HERE}/kept").status == 404
    assert "items" not in api.get(HERE)


def test_what_is_no_template_is_refused_by_field(api: Api) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "resource.properties.machineType"),
        ({"properties": properties(machineType=f"zones/{ZONE}/machineTypes/micro")}, "resource.properties.machineType"),
        ({"properties": properties(disks=[])}, "resource.properties.disks"),
        ({"properties": properties(labels={"No": "x"})}, "resource.properties.labels"),
        ({"properties": properties(metadata={"items": [{"key": "a b", "value": ""}]})}, "resource.properties.metadata"),
        ({"sourceInstance": f"zones/{ZONE}/instances/a"}, "resource.sourceInstance"),
        ({"properties": properties(resourceManagerTags={"a": "b"})}, "resource.properties.resourceManagerTags"),
        ({"properties": properties(networkInterfaces=[{"network": "projects/other/global/networks/shared"}])},
         "resource.properties.networkInterfaces[0].network"),
    ]
    for body, field in cases:
        refused = api.call("POST", HERE, {"name": "wrong", **body})
        assert refused.status == 400, body
        assert field in refused.message
    assert api.call("GET", f"{HERE}/wrong").status == 404
    assert api.call("GET", HERE).status == 200


def test_a_machine_is_what_its_template_says_unless_told_otherwise(api: Api, cloudstack: CloudStack) -> None:
    asked = properties(
        labels={"env": "prod", "tier": "one"}, description="From a template", tags={"items": ["web"]},
        metadata={"items": [{"key": "role", "value": "front"}, {"key": "colour", "value": "blue"}]},
    )
    api.change("POST", HERE, {"name": "origin", "properties": asked})
    link = api.get(f"{HERE}/origin")["selfLink"]
    here = f"zones/{ZONE}/instances"
    api.change("POST", here, {"name": "plain"}, sourceInstanceTemplate=link)
    found = api.get(f"{here}/plain")
    assert (found["labels"], found["tags"]["items"]) == (asked["labels"], ["web"])
    assert (found["description"], found["machineType"].rpartition("/")[2]) == ("From a template", "micro")
    assert cloudstack.listVirtualMachines(name="plain")["virtualmachine"][0]["serviceofferingname"] == "Micro"

    other = {"name": "other", "machineType": f"zones/{ZONE}/machineTypes/small", "labels": {"env": "test"},
             "disks": [], "metadata": {"items": [{"key": "role", "value": "back"}]}}
    api.change("POST", here, other, sourceInstanceTemplate="global/instanceTemplates/origin")
    found = api.get(f"{here}/other")
    assert found["machineType"].rpartition("/")[2] == "small"
    assert found["labels"] == {"env": "test", "tier": "one"}
    items = {item["key"]: item["value"] for item in found["metadata"]["items"]}
    assert items == {"role": "back", "colour": "blue"}

    body = {"namePattern": "many-#", "count": "2", "sourceInstanceTemplate": "global/instanceTemplates/origin",
            "instanceProperties": {"labels": {"env": "bulk"}}}
    api.change("POST", f"{here}/bulkInsert", body)
    for name in ("many-1", "many-2"):
        assert api.get(f"{here}/{name}")["labels"] == {"env": "bulk", "tier": "one"}
    api.change("DELETE", f"{HERE}/origin")
    for name in ("plain", "other", "many-1", "many-2"):
        api.change("DELETE", f"{here}/{name}")


def test_a_template_that_is_not_there_makes_nothing(api: Api) -> None:
    refused = api.call("POST", f"zones/{ZONE}/instances", {"name": "none"}, sourceInstanceTemplate=f"{HERE}/nothing")
    assert (refused.status, "instanceTemplates/nothing' was not found" in refused.message) == (404, True)
    body = {"name": "none", "count": 1, "namePattern": "a-#",
            "sourceInstanceTemplate": "regions/ch/instanceTemplates/x"}
    assert api.call("POST", f"zones/{ZONE}/instances/bulkInsert", body).status == 404
    wrong = api.call("POST", f"zones/{ZONE}/instances", {"name": "none"}, sourceInstanceTemplate="global/images/x")
    assert (wrong.status, "sourceInstanceTemplate" in wrong.message) == (400, True)


def test_regional_templates_are_none(api: Api) -> None:
    assert "items" not in api.get("regions/ch/instanceTemplates")
    assert api.call("GET", "regions/ch/instanceTemplates/x").status == 404
    refused = api.call("POST", "regions/ch/instanceTemplates", {"name": "r", "properties": properties()})
    assert (refused.reason, "compute.instanceTemplates.insert" in refused.message) == ("unsupportedOperation", True)
