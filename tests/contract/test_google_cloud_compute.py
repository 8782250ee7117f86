"""google-cloud-compute: pages, operations that are waited for, and errors as the exceptions they should be."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import compute_v1

from tests.contract.google_libraries import compute, credentials
from tests.live import Live

ZONE = {"project": "demo", "zone": "ch-gv2"}
IMAGE = "projects/demo/global/images/linux-centos-6-4-64-bit-10gb"


@pytest.fixture(scope="module")
def instances(plain: Live) -> Any:
    """The client of instances."""
    return compute(plain, compute_v1.InstancesClient)


def wish(name: str, **fields: Any) -> compute_v1.Instance:
    """A small machine."""
    boot = compute_v1.AttachedDisk(
        boot=True, auto_delete=True,
        initialize_params=compute_v1.AttachedDiskInitializeParams(source_image=IMAGE, disk_size_gb=10),
    )
    nic = compute_v1.NetworkInterface(network="global/networks/default")
    return compute_v1.Instance(name=name, machine_type="zones/ch-gv2/machineTypes/micro", disks=[boot],
                               network_interfaces=[nic], **fields)


@pytest.fixture
def machine(instances: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """A machine that is gone at the end."""
    name = f"sdk-{uuid.uuid4().hex[:8]}"
    instances.insert(**ZONE, instance_resource=wish(name, tags=compute_v1.Tags(items=["web"]),
                                                    labels={"env": "prod"})).result(timeout=60)
    yield name
    instances.delete(**ZONE, instance=name).result(timeout=60)


def test_zones_and_their_regions(plain: Live) -> None:
    found = list(compute(plain, compute_v1.ZonesClient).list(project="demo"))
    assert [zone.name for zone in found] == ["ch-gv2", "de-adv1", "fr-sg1"]
    assert found[0].region == f"{plain.url}/compute/v1/projects/demo/regions/ch"
    assert found[0].status == "UP"


def test_a_machine_from_making_to_deleting(instances: Any, machine: str) -> None:
    found = instances.get(**ZONE, instance=machine)
    assert (found.status, found.labels["env"], list(found.tags.items)) == ("RUNNING", "prod", ["web"])
    assert found.disks[0].disk_size_gb == 10
    instances.stop(**ZONE, instance=machine).result(timeout=60)
    assert instances.get(**ZONE, instance=machine).status == "TERMINATED"
    instances.start(**ZONE, instance=machine).result(timeout=60)
    instances.reset(**ZONE, instance=machine).result(timeout=60)
    assert instances.get(**ZONE, instance=machine).status == "RUNNING"


def test_pages_follow_one_another_to_the_end(plain: Live) -> None:
    client = compute(plain, compute_v1.ImagesClient)
    request = compute_v1.ListImagesRequest(project="demo", max_results=5)
    pages = list(client.list(request=request).pages)
    assert [len(page.items) for page in pages] == [5, 5, 5, 5, 5, 3]
    names = [image.name for page in pages for image in page.items]
    assert names == sorted(set(names))


def test_filters_of_the_new_grammar(plain: Live) -> None:
    client = compute(plain, compute_v1.MachineTypesClient)
    request = compute_v1.ListMachineTypesRequest(**ZONE, filter="(guestCpus >= 4) AND (name != huge)")
    assert [size.name for size in client.list(request=request)] == ["extra-large", "large"]


def test_every_zone_has_an_entry_in_an_aggregated_list(instances: Any, machine: str) -> None:
    found = dict(instances.aggregated_list(project="demo"))
    assert machine in [item.name for item in found["zones/ch-gv2"].instances]
    assert found["zones/fr-sg1"].warning.code == "NO_RESULTS_ON_PAGE"


def test_a_machine_that_is_there_already(instances: Any, machine: str) -> None:
    with pytest.raises(exceptions.Conflict, match=f"instances/{machine}' already exists"):
        instances.insert(**ZONE, instance_resource=wish(machine))


def test_a_machine_that_is_not_there(instances: Any) -> None:
    with pytest.raises(exceptions.NotFound, match="'projects/demo/zones/ch-gv2/instances/nobody' was not found"):
        instances.get(**ZONE, instance="nobody")


def test_a_field_that_is_wrong(instances: Any) -> None:
    with pytest.raises(exceptions.BadRequest, match=r"resource\.name"):
        instances.insert(**ZONE, instance_resource=wish("Not_a_name"))


def test_the_same_request_twice_is_one_machine(instances: Any) -> None:
    request = compute_v1.InsertInstanceRequest(**ZONE, instance_resource=wish("once"), request_id=str(uuid.uuid4()))
    first, second = instances.insert(request=request), instances.insert(request=request)
    assert first.name == second.name
    second.result(timeout=60)
    instances.delete(**ZONE, instance="once").result(timeout=60)


def test_an_operation_is_waited_for_at_the_server(plain: Live, instances: Any) -> None:
    begun = instances.insert(**ZONE, instance_resource=wish("waited"))
    done = compute(plain, compute_v1.ZoneOperationsClient).wait(**ZONE, operation=begun.name)
    assert (done.status, done.progress) == (compute_v1.Operation.Status.DONE, 100)
    instances.delete(**ZONE, instance="waited").result(timeout=60)


def test_a_firewall_from_making_to_deleting(plain: Live) -> None:
    firewalls = compute(plain, compute_v1.FirewallsClient)
    allowed = compute_v1.Allowed(I_p_protocol="tcp", ports=["22", "80-90"])
    rule = compute_v1.Firewall(name="sdk", network="global/networks/default", allowed=[allowed],
                               source_ranges=["10.0.0.0/8"])
    firewalls.insert(project="demo", firewall_resource=rule).result(timeout=60)
    found = firewalls.get(project="demo", firewall="sdk")
    assert (found.direction, list(found.allowed[0].ports)) == ("INGRESS", ["22", "80-90"])
    firewalls.delete(project="demo", firewall="sdk").result(timeout=60)
    with pytest.raises(exceptions.NotFound):
        firewalls.get(project="demo", firewall="sdk")


def test_metadata_with_an_old_fingerprint_is_refused(plain: Live) -> None:
    projects = compute(plain, compute_v1.ProjectsClient)
    items = [compute_v1.Items(key="who", value="me")]
    before = projects.get(project="demo").common_instance_metadata.fingerprint
    first = compute_v1.Metadata(items=items, fingerprint=before)
    projects.set_common_instance_metadata(project="demo", metadata_resource=first).result(timeout=60)
    with pytest.raises(exceptions.PreconditionFailed):
        projects.set_common_instance_metadata(
            project="demo", metadata_resource=compute_v1.Metadata(items=[], fingerprint=before)
        )


def test_a_key_without_scopes_signs_its_own_tokens(plain: Live) -> None:
    who = credentials(plain, scopes=None)
    zones = compute(plain, compute_v1.ZonesClient, who)
    assert len(list(zones.list(project="demo"))) == 3


def test_over_tls(secure: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.ca))
    host = secure.url.removeprefix("https://")
    zones = compute_v1.ZonesClient(credentials=credentials(secure), client_options={"api_endpoint": host})
    assert [zone.name for zone in zones.list(project="demo")] == ["ch-gv2", "de-adv1", "fr-sg1"]
