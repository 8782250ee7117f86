"""gcloud's commands for instance templates and unmanaged instance groups."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.conftest import GcloudFor
from tests.contract.gcloud import Gcloud
from tests.live import Live

ZONE = "--zone=ch-gv2"
SMALL = ["--machine-type=micro", "--image=linux-centos-6-4-64-bit-10gb", "--image-project=demo"]
GROUP = ("instance-groups", "unmanaged")


@pytest.fixture(scope="module")
def gcloud(gcloud_for: GcloudFor, plain: Live) -> Gcloud:
    """Signed in with a key file."""
    made = gcloud_for(plain)
    made.activate()
    return made


@pytest.fixture(scope="module")
def template(gcloud: Gcloud) -> Iterator[str]:
    """A template of small machines."""
    gcloud.compute("instance-templates", "create", "front", *SMALL, "--tags=web", "--labels=env=prod",
                   "--metadata=role=front", "--description=A front end")
    yield "front"
    gcloud.compute("instance-templates", "delete", "front")


def test_a_template_is_listed_and_described(gcloud: Gcloud, template: str) -> None:
    rows = gcloud.compute("instance-templates", "list").rows
    assert [(row["NAME"], row["MACHINE_TYPE"]) for row in rows] == [(template, "micro")]
    found = gcloud.compute("instance-templates", "describe", template, "--format=json").data
    assert found["properties"]["tags"]["items"] == ["web"]
    assert found["properties"]["labels"] == {"env": "prod"}
    assert found["properties"]["metadata"]["items"] == [{"key": "role", "value": "front"}]


def test_a_machine_is_made_of_a_template_and_put_into_a_group(gcloud: Gcloud, template: str) -> None:
    gcloud.compute("instances", "create", "front-1", ZONE, f"--source-instance-template={template}")
    shown = gcloud.compute("instances", "describe", "front-1", ZONE, "--format=json").data
    assert (shown["tags"]["items"], shown["labels"]) == (["web"], {"env": "prod"})
    gcloud.compute("instances", "create", "front-2", ZONE, f"--source-instance-template={template}",
                   "--machine-type=small", "--labels=env=test")
    shown = gcloud.compute("instances", "describe", "front-2", ZONE, "--format=json").data
    assert (shown["machineType"].rpartition("/")[2], shown["labels"]) == ("small", {"env": "test"})
    gcloud.compute("instances", "bulk", "create", ZONE, "--name-pattern=many-#", "--count=2",
                   f"--source-instance-template={template}")

    gcloud.compute(*GROUP, "create", "fronts", ZONE, "--description=Front ends")
    gcloud.compute(*GROUP, "add-instances", "fronts", ZONE, "--instances=front-1,front-2")
    assert gcloud.compute(*GROUP, "list-instances", "fronts", ZONE).column("NAME") == ["front-1", "front-2"]
    for command in (GROUP, ("instance-groups",)):
        rows = gcloud.compute(*command, "list").rows
        assert [(row["NAME"], row["NETWORK"], row["MANAGED"], row["INSTANCES"]) for row in rows] == [
            ("fronts", "default", "No", "2")]
    gcloud.compute(*GROUP, "set-named-ports", "fronts", ZONE, "--named-ports=http:80,https:443")
    rows = gcloud.compute(*GROUP, "get-named-ports", "fronts", ZONE).rows
    assert [(row["NAME"], row["PORT"]) for row in rows] == [("http", "80"), ("https", "443")]
    assert gcloud.compute(*GROUP, "describe", "fronts", ZONE, "--format=value(size)").out.strip() == "2"
    gcloud.compute("instance-groups", "describe", "fronts", ZONE)
    gcloud.compute(*GROUP, "remove-instances", "fronts", ZONE, "--instances=front-1")
    assert gcloud.compute("instance-groups", "list-instances", "fronts", ZONE).column("NAME") == ["front-2"]
    gcloud.compute(*GROUP, "delete", "fronts", ZONE)
    gcloud.compute("instances", "delete", "front-1", "front-2", "many-1", "many-2", ZONE)


def test_managed_groups_are_refused_by_name(gcloud: Gcloud, template: str) -> None:
    said = gcloud.refused("instance-groups", "managed", "create", "kept", ZONE, f"--template={template}", "--size=2")
    for words in ("compute.instanceGroupManagers.insert", "not offered on cloud 'sim'", "compute.instanceGroups"):
        assert words in said
    assert gcloud.compute("instance-groups", "managed", "list").out.strip() == ""
