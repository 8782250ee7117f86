"""google-cloud-compute where accounts have networks of their own: networks, addresses, balancing, templates, groups."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import compute_v1 as gce
from google.protobuf.json_format import ParseError

from gcelib.simulator import Simulator
from gcelib.simulator.machine_actions import expunge_destroyed
from tests.contract.google_libraries import compute
from tests.live import Live

PROJECT = {"project": "demo"}
ZONE, REGION = {**PROJECT, "zone": "de-adv1"}, {**PROJECT, "region": "de"}
MACHINES = "zones/de-adv1/instances"

Client = Any


class Clients:
    """A client of every kind, made when it is first asked for."""

    def __init__(self, live: Live) -> None:
        self.live, self.made = live, dict[str, Client]()

    def __getattr__(self, kind: str) -> Client:
        if kind not in self.made:
            self.made[kind] = compute(self.live, getattr(gce, f"{kind}Client"))
        return self.made[kind]


@pytest.fixture(scope="module")
def google(plain: Live) -> Clients:
    """Clients led to the server."""
    return Clients(plain)


def wish(name: str, network: str = "global/networks/demo-network") -> gce.Instance:
    """A small machine with a public address."""
    image = gce.AttachedDiskInitializeParams(source_image="global/images/debian-12")
    nat = gce.AccessConfig(name="External NAT", type_="ONE_TO_ONE_NAT")
    return gce.Instance(
        name=name, machine_type="zones/de-adv1/machineTypes/micro",
        disks=[gce.AttachedDisk(boot=True, auto_delete=True, initialize_params=image)],
        network_interfaces=[gce.NetworkInterface(network=network, access_configs=[nat])],
    )


@pytest.fixture(scope="module")
def name(google: Clients) -> Iterator[str]:
    """A machine in an isolated network."""
    google.Instances.insert(**ZONE, instance_resource=wish("gcc-one")).result(timeout=60)
    yield "gcc-one"
    google.Instances.delete(**ZONE, instance="gcc-one").result(timeout=60)


def done(*operations: Any) -> None:
    """Wait for changes; one that failed raises."""
    for operation in operations:
        operation.result(timeout=60)


KINDS = {
    "Addresses": REGION, "DiskTypes": ZONE, "Disks": ZONE, "Firewalls": PROJECT, "ForwardingRules": REGION,
    "GlobalAddresses": PROJECT, "GlobalOperations": PROJECT, "Images": PROJECT, "InstanceGroupManagers": ZONE,
    "InstanceGroups": ZONE, "InstanceTemplates": PROJECT, "Instances": ZONE, "MachineTypes": ZONE, "Networks": PROJECT,
    "RegionInstanceGroupManagers": REGION, "RegionInstanceGroups": REGION, "RegionInstanceTemplates": REGION,
    "RegionOperations": REGION, "Regions": PROJECT, "Routes": PROJECT, "Snapshots": PROJECT, "Subnetworks": REGION,
    "TargetInstances": ZONE, "TargetPools": REGION, "ZoneOperations": ZONE, "Zones": PROJECT,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_pages_filters_and_orders(google: Clients, kind: str, name: str) -> None:
    client, request = getattr(google, kind), getattr(gce, f"List{kind}Request")

    def listed(**more: Any) -> list[str]:
        return [each.name for each in client.list(request=request(**KINDS[kind], **more))]

    everything = listed()
    assert listed(max_results=1) == everything
    assert sorted(listed(order_by="creationTimestamp desc")) == sorted(everything)
    for wanted in everything[:1]:
        assert wanted in listed(filter=f'name = "{wanted}"')
        assert wanted not in listed(filter=f"name ne {wanted}")
    if "operation" in kind.lower():
        return
    with pytest.raises(exceptions.BadRequest, match="filter"):
        listed(filter="name eq (")


@pytest.mark.parametrize("kind", [
    "Addresses", "DiskTypes", "Disks", "ForwardingRules", "GlobalOperations", "InstanceGroupManagers", "InstanceGroups",
    "InstanceTemplates", "Instances", "MachineTypes", "Subnetworks", "TargetInstances", "TargetPools",
])
def test_every_aggregated_list_has_each_scope(google: Clients, kind: str) -> None:
    request = getattr(gce, f"AggregatedList{kind}Request")(**PROJECT, include_all_scopes=True)
    found = dict(getattr(google, kind).aggregated_list(request=request))
    assert {scope.partition("/")[0] for scope in found} <= {"zones", "regions", "global"}
    for scope, held in found.items():
        assert held.warning.code in ("", "NO_RESULTS_ON_PAGE"), scope


def test_networks_subnetworks_and_routes(google: Clients) -> None:
    routing = gce.NetworkRoutingConfig(routing_mode="REGIONAL")
    network = gce.Network(name="gcc-net", auto_create_subnetworks=False, routing_config=routing, description="Mine")
    done(google.Networks.insert(**PROJECT, network_resource=network))
    tier = gce.Subnetwork(name="gcc-tier", network="global/networks/gcc-net", ip_cidr_range="10.6.1.0/24")
    done(google.Subnetworks.insert(**REGION, subnetwork_resource=tier))
    route = gce.Route(name="gcc-route", network="global/networks/gcc-net", dest_range="192.168.6.0/24",
                      next_hop_ip="10.6.1.9")
    done(google.Routes.insert(**PROJECT, route_resource=route))
    found = google.Networks.get(**PROJECT, network="gcc-net")
    assert (found.description, found.auto_create_subnetworks, len(found.subnetworks)) == ("Mine", False, 1)
    assert "I_pv4_range" not in found
    shown = google.Routes.get(**PROJECT, route="gcc-route")
    assert (shown.dest_range, shown.priority, shown.next_hop_ip) == ("192.168.6.0/24", 1000, "10.6.1.9")
    usable = [each.ip_cidr_range for each in google.Subnetworks.list_usable(**PROJECT)]
    assert "10.6.1.0/24" in usable
    wider = gce.SubnetworksExpandIpCidrRangeRequest(ip_cidr_range="10.6.0.0/20")
    with pytest.raises(exceptions.BadRequest, match="expandIpCidrRange"):
        google.Subnetworks.expand_ip_cidr_range(
            **REGION, subnetwork="gcc-tier", subnetworks_expand_ip_cidr_range_request_resource=wider)
    done(google.Routes.delete(**PROJECT, route="gcc-route"))
    done(google.Subnetworks.delete(**REGION, subnetwork="gcc-tier"))
    done(google.Networks.delete(**PROJECT, network="gcc-net"))


def test_disks_by_update_masks_and_labels(google: Clients) -> None:
    disk = gce.Disk(name="gcc-disk", size_gb=5, labels={"a": "b"}, description="Data")
    done(google.Disks.insert(**ZONE, disk_resource=disk))
    found = google.Disks.get(**ZONE, disk="gcc-disk")
    assert (found.size_gb, dict(found.labels), found.description) == (5, {"a": "b"}, "Data")
    assert not found.users
    update = gce.UpdateDiskRequest(**ZONE, disk="gcc-disk", disk_resource=gce.Disk(labels={"c": "d"}), paths="labels")
    done(google.Disks.update(request=update))
    found = google.Disks.get(**ZONE, disk="gcc-disk")
    assert (dict(found.labels), found.size_gb) == ({"c": "d"}, 5)
    sent = gce.ZoneSetLabelsRequest(labels={"e": "f"}, label_fingerprint=found.label_fingerprint)
    done(google.Disks.set_labels(**ZONE, resource="gcc-disk", zone_set_labels_request_resource=sent))
    with pytest.raises(exceptions.PreconditionFailed):
        google.Disks.set_labels(**ZONE, resource="gcc-disk", zone_set_labels_request_resource=sent)
    done(google.Disks.delete(**ZONE, disk="gcc-disk"))


def test_snapshots_and_images(google: Clients, name: str) -> None:
    snapshot = gce.Snapshot(name="gcc-copy", source_disk=f"zones/de-adv1/disks/{name}", labels={"a": "b"})
    done(google.Snapshots.insert(**PROJECT, snapshot_resource=snapshot))
    found = google.Snapshots.get(**PROJECT, snapshot="gcc-copy")
    assert (found.status, found.disk_size_gb, dict(found.labels)) == ("READY", 4, {"a": "b"})
    image = gce.Image(name="gcc-image", family="gcc", source_snapshot="global/snapshots/gcc-copy")
    done(google.Images.insert(**PROJECT, image_resource=image))
    assert google.Images.get_from_family(**PROJECT, family="gcc").name == "gcc-image"
    done(google.Images.patch(**PROJECT, image="gcc-image", image_resource=gce.Image(description="New")))
    end = gce.DeprecationStatus(state="DEPRECATED", replacement="global/images/debian-12")
    done(google.Images.deprecate(**PROJECT, image="gcc-image", deprecation_status_resource=end))
    shown = google.Images.get(**PROJECT, image="gcc-image")
    assert (shown.description, shown.deprecated.state) == ("New", "DEPRECATED")
    done(google.Images.delete(**PROJECT, image="gcc-image"), google.Snapshots.delete(**PROJECT, snapshot="gcc-copy"))


def test_addresses_pools_and_forwarding_rules(google: Clients, name: str) -> None:
    done(google.Addresses.insert(**REGION, address_resource=gce.Address(name="gcc-front", labels={"a": "b"})))
    address = google.Addresses.get(**REGION, address="gcc-front")
    assert (address.status, address.address_type, dict(address.labels)) == ("RESERVED", "EXTERNAL", {"a": "b"})
    pool = gce.TargetPool(name="gcc-pool", instances=[f"{MACHINES}/{name}"])
    done(google.TargetPools.insert(**REGION, target_pool_resource=pool))
    rule = gce.ForwardingRule(name="gcc-rule", I_p_protocol="TCP", port_range="80", I_p_address=address.address,
                              target="regions/de/targetPools/gcc-pool")
    done(google.ForwardingRules.insert(**REGION, forwarding_rule_resource=rule))
    shown = google.ForwardingRules.get(**REGION, forwarding_rule="gcc-rule")
    assert (shown.I_p_address, shown.port_range, shown.load_balancing_scheme) == (address.address, "80-80", "EXTERNAL")
    reference = gce.InstanceReference(instance=f"{MACHINES}/{name}")
    health = google.TargetPools.get_health(**REGION, target_pool="gcc-pool", instance_reference_resource=reference)
    assert health.health_status[0].health_state == "HEALTHY"
    done(google.ForwardingRules.delete(**REGION, forwarding_rule="gcc-rule"))
    done(google.TargetPools.delete(**REGION, target_pool="gcc-pool"))
    done(google.Addresses.delete(**REGION, address="gcc-front"))


def test_a_template_a_machine_of_it_and_a_group(google: Clients) -> None:
    full = wish("x")
    properties = gce.InstanceProperties(machine_type="micro", disks=full.disks, labels={"a": "b"},
                                        network_interfaces=full.network_interfaces)
    template = gce.InstanceTemplate(name="gcc-template", properties=properties)
    done(google.InstanceTemplates.insert(**PROJECT, instance_template_resource=template))
    done(google.Instances.insert(request=gce.InsertInstanceRequest(
        **ZONE, instance_resource=gce.Instance(name="gcc-of-it"),
        source_instance_template="global/instanceTemplates/gcc-template")))
    assert dict(google.Instances.get(**ZONE, instance="gcc-of-it").labels) == {"a": "b"}
    group = gce.InstanceGroup(name="gcc-group", named_ports=[gce.NamedPort(name="http", port=80)])
    done(google.InstanceGroups.insert(**ZONE, instance_group_resource=group))
    members = gce.InstanceGroupsAddInstancesRequest(
        instances=[gce.InstanceReference(instance=f"{MACHINES}/gcc-of-it")])
    done(google.InstanceGroups.add_instances(
        **ZONE, instance_group="gcc-group", instance_groups_add_instances_request_resource=members))
    (member,) = google.InstanceGroups.list_instances(
        **ZONE, instance_group="gcc-group",
        instance_groups_list_instances_request_resource=gce.InstanceGroupsListInstancesRequest())
    assert (member.status, member.named_ports[0].port) == ("RUNNING", 80)
    done(google.InstanceGroups.delete(**ZONE, instance_group="gcc-group"))
    done(google.Instances.delete(**ZONE, instance="gcc-of-it"))
    done(google.InstanceTemplates.delete(**PROJECT, instance_template="gcc-template"))


def test_a_machine_that_is_protected_is_not_deleted(google: Clients, name: str) -> None:
    for protected in (True, False):
        done(google.Instances.set_deletion_protection(request=gce.SetDeletionProtectionInstanceRequest(
            **ZONE, resource=name, deletion_protection=protected)))
        if protected:
            with pytest.raises(exceptions.BadRequest, match="protected against deletion"):
                google.Instances.delete(**ZONE, instance=name)


def test_a_change_that_fails_later_raises_with_the_clouds_words(google: Clients, cloud: Simulator) -> None:
    done(google.Networks.insert(**PROJECT, network_resource=gce.Network(name="gcc-busy", auto_create_subnetworks=True)))
    done(google.Instances.insert(**ZONE, instance_resource=wish("gcc-inside", "global/networks/gcc-busy")))
    done(google.Instances.delete(**ZONE, instance="gcc-inside"))
    begun = google.Networks.delete(**PROJECT, network="gcc-busy")
    with pytest.raises(exceptions.BadRequest, match="until the cloud purges them"):
        begun.result(timeout=60)
    assert (begun.error_code, begun.done()) == (400, True)
    expunge_destroyed(cloud.world)
    done(google.Networks.delete(**PROJECT, network="gcc-busy"))


@pytest.mark.parametrize(("kind", "where"), [("ZoneOperations", ZONE), ("GlobalOperations", PROJECT)])
def test_operations_are_waited_for_and_deleted(google: Clients, name: str, kind: str, where: dict[str, str]) -> None:
    client = getattr(google, kind)
    kept = gce.Metadata(items=[gce.Items(key="who", value=kind)])
    done(google.Projects.set_common_instance_metadata(**PROJECT, metadata_resource=kept))
    some = next(iter(client.list(**where)))
    assert client.wait(**where, operation=some.name).status == gce.Operation.Status.DONE
    # The answer is empty, as Google's is, which this library does not expect.
    with contextlib.suppress(ParseError):
        client.delete(**where, operation=some.name)
    with pytest.raises(exceptions.NotFound):
        client.get(**where, operation=some.name)
