"""google-cloud-compute sets up machines: every method of settings that the command-line tools do not call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import compute_v1

from tests.api import Api
from tests.contract.google_libraries import compute
from tests.live import Live
from tests.wire.machines import machine

ZONE = {"project": "demo", "zone": "ch-gv2"}
HERE = "zones/ch-gv2/instances"


@pytest.fixture(scope="module")
def instances(plain: Live) -> Any:
    """The client of instances."""
    return compute(plain, compute_v1.InstancesClient)


@pytest.fixture(scope="module")
def name(plain: Live) -> Iterator[str]:
    """A machine that is stopped."""
    api: Api = plain.api()
    api.change("POST", HERE, machine("shaped"))
    api.change("POST", f"{HERE}/shaped/stop")
    yield "shaped"
    api.change("DELETE", f"{HERE}/shaped")


def test_an_update_of_the_whole_machine(instances: Any, name: str) -> None:
    found = instances.get(**ZONE, instance=name)
    found.labels["team"] = "sdk"
    found.tags.items.append("web")
    found.metadata.items.append(compute_v1.Items(key="role", value="front"))
    found.machine_type = "zones/ch-gv2/machineTypes/tiny"
    instances.update(**ZONE, instance=name, instance_resource=found).result(timeout=60)
    after = instances.get(**ZONE, instance=name)
    assert (dict(after.labels), list(after.tags.items)) == ({"team": "sdk"}, ["web"])
    assert [(item.key, item.value) for item in after.metadata.items] == [("role", "front")]
    assert after.machine_type.endswith("/tiny")
    after.can_ip_forward = True
    with pytest.raises(exceptions.BadRequest, match="canIpForward"):
        instances.update(**ZONE, instance=name, instance_resource=after)


def test_a_stale_fingerprint_is_a_failed_precondition(instances: Any, name: str) -> None:
    for call, field, body in (
        (instances.set_labels, "instances_set_labels_request_resource",
         compute_v1.InstancesSetLabelsRequest(labels={"a": "b"}, label_fingerprint="AAAAAAAAAAA=")),
        (instances.set_tags, "tags_resource", compute_v1.Tags(items=["a"], fingerprint="AAAAAAAAAAA=")),
        (instances.set_metadata, "metadata_resource", compute_v1.Metadata(fingerprint="AAAAAAAAAAA=")),
    ):
        with pytest.raises(exceptions.PreconditionFailed):
            call(**ZONE, instance=name, **{field: body})


def test_no_accelerators_no_referrers_and_the_callers_permissions(instances: Any, name: str) -> None:
    none = compute_v1.InstancesSetMachineResourcesRequest(guest_accelerators=[])
    body = {"instances_set_machine_resources_request_resource": none}
    instances.set_machine_resources(**ZONE, instance=name, **body).result(timeout=60)
    assert list(instances.list_referrers(**ZONE, instance=name)) == []
    wish = compute_v1.TestPermissionsRequest(permissions=["compute.instances.setTags"])
    held = instances.test_iam_permissions(**ZONE, resource=name, test_permissions_request_resource=wish)
    assert list(held.permissions) == ["compute.instances.setTags"]
    assert list(instances.get_effective_firewalls(**ZONE, instance=name, network_interface="nic0").firewalls) == []
