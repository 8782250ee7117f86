"""The cluster with google-cloud-compute: `python cluster.py up`, `python cluster.py down`.

`gcelib client python --write DIR` wrote google_cloud_compute.py, which must be on Python's path. What may be set is in
../README.md.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from google.api_core.exceptions import NotFound
from google.cloud import compute_v1 as gce
from google_cloud_compute import PROJECT, client

USER_DATA = Path(__file__).parent.parent / "user-data"
ZONE, TOKEN = os.environ["ZONE"], os.environ.get("TOKEN", "")
REGION = ZONE.rpartition("-")[0]
NETWORK = os.environ.get("NETWORK") or "default"
OWN_NETWORK = NETWORK != "default"
IMAGE = f"projects/{os.environ.get('IMAGE_PROJECT') or PROJECT}/global/images/{os.environ.get('IMAGE') or 'debian-12'}"
GROUPS = {
    "etcd": (["etcd-1", "etcd-2", "etcd-3"], {"client": 2379, "peer": 2380}),
    "worker": (["worker-1", "worker-2"], {"api": 6443, "kubelet": 10250}),
}
"""The machines of each group, and the ports it is known for."""
FIREWALLS = {"kubernetes-worker": ([], ["worker"], {"tcp": ["22", "6443", "30000-32767"]})}
"""From which tags (none: from everywhere), to which, and what."""
if not OWN_NETWORK:
    # In a zone with security groups nothing reaches the machines that no rule lets in, not even from one another.
    FIREWALLS["kubernetes-etcd"] = (["etcd", "worker"], ["etcd"], {"tcp": ["2379-2380"]})
    FIREWALLS["kubernetes-nodes"] = (["worker"], ["worker"], {"tcp": ["10250"], "udp": ["8472"]})

everywhere = {"project": PROJECT}
zonal, regional = {**everywhere, "zone": ZONE}, {**everywhere, "region": REGION}
firewalls, machines, groups = client(gce.FirewallsClient), client(gce.InstancesClient), client(gce.InstanceGroupsClient)
addresses, pools, rules = client(gce.AddressesClient), client(gce.TargetPoolsClient), client(gce.ForwardingRulesClient)


def firewall(name: str) -> gce.Firewall:
    """One of the rules above."""
    sources, targets, allowed = FIREWALLS[name]
    return gce.Firewall(
        name=name, network=f"global/networks/{NETWORK}", source_tags=sources, target_tags=targets,
        allowed=[gce.Allowed(I_p_protocol=protocol, ports=ports) for protocol, ports in allowed.items()],
    )


def machine(name: str, group: str) -> gce.Instance:
    """A machine that makes itself a member of the cluster when it first starts. Workers have addresses of their own."""
    user_data = (USER_DATA / f"{group}.yaml").read_text()
    if group == "worker":
        user_data = user_data.replace("@TOKEN@", TOKEN)
    outside = [gce.AccessConfig(name="External NAT", type_="ONE_TO_ONE_NAT")] if group == "worker" else []
    return gce.Instance(
        name=name,
        machine_type=f"zones/{ZONE}/machineTypes/{os.environ.get('MACHINE_TYPE') or 'small'}",
        labels={"cluster": "kubernetes"},
        tags=gce.Tags(items=[group]),
        metadata=gce.Metadata(items=[gce.Items(key="user-data", value=user_data)]),
        disks=[gce.AttachedDisk(boot=True, auto_delete=True,
                                initialize_params=gce.AttachedDiskInitializeParams(source_image=IMAGE))],
        network_interfaces=[gce.NetworkInterface(network=f"global/networks/{NETWORK}", access_configs=outside)],
    )


def done(*operations: object) -> None:
    """Wait for all of them: they were begun together."""
    for operation in operations:
        operation.result(timeout=600)


def up() -> None:
    """Make it."""
    if not TOKEN:
        sys.exit("TOKEN must be a secret for the cluster: openssl rand -hex 16")
    done(*(firewalls.insert(**everywhere, firewall_resource=firewall(name)) for name in FIREWALLS))
    done(*(machines.insert(**zonal, instance_resource=machine(name, group))
           for group, (names, _) in GROUPS.items() for name in names))
    for group, (names, ports) in GROUPS.items():
        named = [gce.NamedPort(name=name, port=port) for name, port in ports.items()]
        done(groups.insert(**zonal, instance_group_resource=gce.InstanceGroup(name=group, named_ports=named)))
        members = [gce.InstanceReference(instance=f"zones/{ZONE}/instances/{name}") for name in names]
        done(groups.add_instances(
            **zonal, instance_group=group,
            instance_groups_add_instances_request_resource=gce.InstanceGroupsAddInstancesRequest(instances=members),
        ))
    if OWN_NETWORK:
        print(f"The cluster's API will answer at https://{front()}:6443")
    for each in machines.list(**zonal):
        if each.labels.get("cluster") == "kubernetes":
            print(each.name, each.status, each.network_interfaces[0].network_i_p)


def front() -> str:
    """An address that leads to the workers' API."""
    wanted = gce.Address(name="kubernetes", network=f"global/networks/{NETWORK}")
    done(addresses.insert(**regional, address_resource=wanted))
    address = addresses.get(**regional, address="kubernetes").address
    members = [f"zones/{ZONE}/instances/{name}" for name in GROUPS["worker"][0]]
    done(pools.insert(**regional, target_pool_resource=gce.TargetPool(name="kubernetes", instances=members)))
    pool = pools.get(**regional, target_pool="kubernetes").self_link
    done(rules.insert(**regional, forwarding_rule_resource=gce.ForwardingRule(
        name="kubernetes", I_p_address=address, I_p_protocol="TCP", port_range="6443", target=pool,
    )))
    return address


def gone(delete: object, **which: str) -> list[object]:
    """The operation that deletes it; none where it is gone already."""
    try:
        return [delete(**which)]
    except NotFound:
        return []


def down() -> None:
    """Take it away again; what is gone already is no mistake."""
    if OWN_NETWORK:
        done(*gone(rules.delete, **regional, forwarding_rule="kubernetes"))
        done(*gone(pools.delete, **regional, target_pool="kubernetes"),
             *gone(addresses.delete, **regional, address="kubernetes"))
    done(*(each for group in GROUPS for each in gone(groups.delete, **zonal, instance_group=group)))
    names = [name for names, _ in GROUPS.values() for name in names]
    done(*(each for name in names for each in gone(machines.delete, **zonal, instance=name)))
    done(*(each for name in FIREWALLS for each in gone(firewalls.delete, **everywhere, firewall=name)))


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]]()
