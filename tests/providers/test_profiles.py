"""Providers that are driven by a profile alone, over what libcloud's own tests have recorded of the real clouds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gcelib.drivers.base import Cloud
from gcelib.errors import Unsupported
from gcelib.models import JobState, NodeState
from tests.providers.recorded import Recording, replayed

SUBSCRIPTION = "99999999-9999-9999-9999-999999999999"


def pem() -> str:
    """A private key nobody has."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


RECORDINGS = {
    "digitalocean": Recording("digitalocean", "test_digitalocean_v2", "DigitalOceanComputeMockHttp", secret=""),
    "linode": Recording("linode", "test_linode_v4", "LinodeMockHttpV4", secret=""),
    "vultr": Recording("vultr", "test_vultr_v2", "VultrMockHttpV2", secret=""),
    "azure_arm": Recording(
        "azure_arm", "test_azure_arm", "AzureMockHttp",
        options={"tenant_id": "77777777-7777-7777-7777-777777777777", "subscription_id": SUBSCRIPTION,
                 "region": "eastus"},
    ),
    "gce": Recording(
        "gce", "test_gce", "GCEMockHttp", key="me@project.iam.gserviceaccount.com", secret=pem(),
        options={"project": "project_name", "datacenter": "us-central1-a"},
        more=(("libcloud.common.google", "GoogleBaseAuthConnection", "GoogleAuthMockHttp"),),
    ),
}


@pytest.fixture
def far(request: pytest.FixtureRequest) -> Iterator[tuple[Cloud, Any]]:
    """The cloud of a provider, and the class that answers for it."""
    with replayed(RECORDINGS[request.param]) as found:
        yield found


def of(*providers: str) -> pytest.MarkDecorator:
    """Run with these providers' clouds."""
    return pytest.mark.parametrize("far", providers, indirect=True)


@pytest.mark.parametrize(("far", "zone", "size", "machine"), [
    ("digitalocean", "nyc1", ("1gb", 2, 1024, 30), ("ubuntu-s-1vcpu-1gb-sfo3-01", "nyc1", "s-1vcpu-1gb", "69463186")),
    ("linode", "eu-west", ("g6-nanode-1", 1, 1024, 25), ("test_1", "eu-west", "g6-nanode-1", "linode/centos7")),
    ("vultr", "fra", ("vc2-1c-1gb", 1, 1024, 25), ("test1", "fra", "vc2-1c-2gb", "477")),
    ("azure_arm", "eastus", ("Standard_A1", 0, 1792, 70), ("test-node-1", "eastus", "Standard_A1", "")),
], indirect=["far"])
def test_what_there_is_is_read(far: tuple[Cloud, Any], zone: str, size: Any, machine: Any) -> None:
    cloud, _ = far
    assert cloud.zones
    assert cloud.sizes
    assert cloud.nodes
    assert zone in {each.id for each in cloud.zones.list()}
    assert size in {(each.id, each.cpus, each.ram_mb, each.root_gb) for each in cloud.sizes.list()}
    running = [node for node in cloud.nodes.list() if node.state is NodeState.RUNNING]
    assert machine in {(node.name, node.zone_id, node.size_id, node.image_id) for node in running}


@of("gce")
def test_a_cloud_of_googles_own_is_read(far: tuple[Cloud, Any]) -> None:
    cloud, _ = far
    assert cloud.zones
    assert cloud.nodes
    assert cloud.volumes
    zones = {zone.id: zone.name for zone in cloud.zones.list()}
    assert {"us-central1-a", "europe-west1-a"} & set(zones.values())
    names = {node.name: zones[node.zone_id] for node in cloud.nodes.list()}
    assert names["libcloud-demo-europe-multiple-nodes-000"].startswith("europe-west1-")
    disks = [disk for disk in cloud.volumes.list() if disk.boot]
    assert sorted(disk.node_id for disk in disks) == sorted(node.id for node in cloud.nodes.list())


@of("digitalocean", "linode", "vultr", "azure_arm", "gce")
def test_every_machine_boots_from_one_disk_and_is_in_its_zones_network(far: tuple[Cloud, Any]) -> None:
    cloud, _ = far
    assert cloud.nodes
    assert cloud.volumes
    assert cloud.networks
    networks = {network.id: network for network in cloud.networks.list()}
    boots = [disk.node_id for disk in cloud.volumes.list() if disk.boot]
    for node in cloud.nodes.list():
        assert boots.count(node.id) == 1
        assert networks[node.nics[0].network_id].zone_id == node.zone_id


@of("digitalocean", "linode", "vultr")
def test_images_are_named_and_dated_as_far_as_is_told(far: tuple[Cloud, Any]) -> None:
    cloud, _ = far
    assert cloud.images
    found = cloud.images.list()
    assert len({image.id for image in found}) == len(found) > 1
    assert all(image.name for image in found)


@of("azure_arm")
def test_a_catalogue_too_large_to_list_must_be_narrowed_first(far: tuple[Cloud, Any]) -> None:
    cloud, _ = far
    assert cloud.images
    with pytest.raises(Unsupported, match=r"'far'.*ex_publisher, ex_offer.*options\.arguments\.list_images"):
        cloud.images.list()


@pytest.mark.parametrize(("far", "kind", "verb", "args"), [
    ("digitalocean", "POWERON", "start", {"id": "3164444"}),
    ("digitalocean", "REBOOT", "reset", {"id": "3164444"}),
    ("digitalocean", "RENAME", "rename", {"id": "3164444", "name": "fresh_name"}),
    ("linode", None, "reset", {"id": "22344420"}),
    ("vultr", None, "reset", {"id": "123"}),
    ("vultr", None, "destroy", {"id": "123"}),
], indirect=["far"])
def test_a_change_is_sent_under_the_providers_own_name_for_it(
    far: tuple[Cloud, Any], kind: str | None, verb: str, args: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud, mock = far
    assert cloud.nodes
    listed = cloud.nodes.list()
    assert args["id"] in {node.id for node in listed}
    asked: list[tuple[str, str]] = []
    answer = mock._get_request

    def noted(self: Any, method: str, url: str, *rest: Any, **more: Any) -> Any:
        asked.append((method, url))
        # Lists have one recording, whatever the change is.
        type(self).type = kind if method != "GET" else None
        return answer(self, method, url, *rest, **more)

    monkeypatch.setattr(mock, "_get_request", noted)
    job = cloud.submit("nodes", verb, args, "a-key")
    assert job.state in (JobState.RUNNING, JobState.DONE)
    changes = [url for method, url in asked if method != "GET"]
    assert len(changes) == (0 if verb == "start" else 1), asked


@of("linode", "digitalocean", "vultr", "azure_arm", "gce")
def test_what_a_profile_lacks_is_said(far: tuple[Cloud, Any]) -> None:
    cloud, _ = far
    with pytest.raises(Unsupported, match="'far'"):
        cloud.submit("firewalls", "create_group", {"name": "x"}, "a-key")
    assert cloud.why_not("firewalls", "create_group")
