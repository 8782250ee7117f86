"""docs/methods-and-clouds.md: which of the served methods which cloud can carry out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from docs.errors_page import table as drawn
from gcelib.drivers import registry
from gcelib.server.resources import offered, table

SHOWN = ("cloudstack", "openstack", "ec2", "digitalocean", "vultr", "linode", "azure_arm", "gce", "libvirt", "dummy")
"""The providers with a column of their own; every other is shown by `gcelib providers NAME`."""

OWN = ""
"""What gcelib does by itself, whatever the cloud can."""

NEEDS: Mapping[str, Mapping[str, str]] = {
    "addresses": {"insert": "addresses.acquire", "delete": "addresses.release", "setLabels": "addresses.acquire"},
    "globalAddresses": {"delete": "addresses.release", "setLabels": "addresses.acquire"},
    "disks": {
        "insert": "volumes.create", "delete": "volumes.destroy", "createSnapshot": "snapshots.create",
        "resize": "volumes.resize", "setLabels": "volumes.list", "update": "volumes.list",
    },
    "firewalls": dict.fromkeys(("insert", "delete", "patch", "update"), "firewalls.allow"),
    "forwardingRules": dict.fromkeys(("insert", "delete", "patch", "setLabels", "setTarget"), "balancers.create"),
    "targetPools": {
        **dict.fromkeys(("insert", "delete", "addInstance", "removeInstance", "addHealthCheck", "removeHealthCheck",
                         "getHealth"), OWN), "setBackup": OWN,
    },
    "targetInstances": {"insert": OWN, "delete": OWN},
    "httpHealthChecks": dict.fromkeys(("insert", "delete", "patch", "update"), OWN),
    "images": {
        "insert": "images.create", "delete": "images.destroy", "deprecate": "images.create", "patch": "images.create",
        "setLabels": "images.create",
    },
    "instances": {
        "insert": "nodes.create", "bulkInsert": "nodes.create", "delete": "nodes.destroy", "reset": "nodes.reset",
        "start": "nodes.start", "stop": "nodes.stop", "setMachineType": "nodes.resize",
        "setMachineResources": "nodes.resize", "setName": "nodes.rename", "setDeletionProtection": "nodes.protect",
        "attachDisk": "volumes.attach", "detachDisk": "volumes.detach", "setDiskAutoDelete": "volumes.attach",
        "addAccessConfig": "addresses.enable_nat", "deleteAccessConfig": "addresses.disable_nat",
        "updateAccessConfig": "addresses.enable_nat", "addNetworkInterface": "nodes.add_nic",
        "deleteNetworkInterface": "nodes.remove_nic", "setTags": OWN, "setLabels": OWN, "setMetadata": OWN,
        "setScheduling": OWN, "setServiceAccount": OWN, "update": OWN,
    },
    "networks": {"insert": "networks.create", "delete": "networks.destroy", "patch": OWN},
    "subnetworks": {
        "insert": "networks.create", "delete": "networks.destroy", "patch": OWN, "setPrivateIpGoogleAccess": OWN,
    },
    "routes": {"insert": "routes.create", "delete": "routes.destroy"},
    "snapshots": {"insert": "snapshots.create", "delete": "snapshots.destroy", "setLabels": "snapshots.list"},
    "projects": {"setCommonInstanceMetadata": OWN, "setUsageExportBucket": OWN},
    "instanceGroups": dict.fromkeys(
        ("insert", "delete", "addInstances", "removeInstances", "listInstances", "setNamedPorts"), OWN),
    "instanceGroupManagers": {"delete": OWN}, "regionInstanceGroupManagers": {"delete": OWN},
    "instanceTemplates": {"insert": OWN, "delete": OWN}, "regionInstanceTemplates": {"delete": OWN},
    "globalOperations": {"delete": OWN, "wait": OWN},
    "regionOperations": {"delete": OWN, "wait": OWN},
    "zoneOperations": {"delete": OWN, "wait": OWN},
}
"""The verb of a cloud's facets that a method stands on: where it is missing, the method is refused."""

HEAD = """\
# Methods and clouds

<!-- Made by `make docs` of docs/methods.py and the drivers; change them there, not here. -->

What is served at all is in [methods](coverage.md). Whatever only reads – `get`, `list`, `aggregatedList`,
`testIamPermissions` and the like – is served on every cloud; a cloud that has no such things gives an empty list. A
method that changes something is carried out where the table says yes, and elsewhere answers 400
`unsupportedOperation` with the name of the cloud and what it lacks. "Yes" is not "with every field": a field that a
cloud cannot express is refused by its name, and the cloud's page says which.

`gcelib providers NAME` says it of any other provider, with the reason for each no.
"""


def writes() -> Sequence[tuple[str, str]]:
    """Collection and method of everything served that changes something, or is asked for by POST."""
    methods = [table().methods[id] for id in sorted(offered())]
    changes = [each for each in methods if each.verb != "GET" and each.name != "testIamPermissions"]
    return [(each.collection, each.name) for each in changes]


def served(provider: str, collection: str, method: str) -> bool:
    """Whether a provider's clouds can carry out a method. Raises KeyError for one that NEEDS knows nothing of."""
    need = NEEDS[collection][method]
    if not need:
        return True
    facet, verb = need.split(".")
    return verb in registry.abilities(registry.profile_of(provider)).get(facet, ())


def page() -> str:
    """The whole page."""
    titles = [registry.profile_of(name).title for name in SHOWN]
    rows: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for collection, method in writes():
        cells = tuple("yes" if served(name, collection, method) else "–" for name in SHOWN)
        rows.setdefault((collection, cells), []).append(method)
    lines = [(collection, ", ".join(methods), *cells) for (collection, cells), methods in rows.items()]
    return HEAD + "\n" + drawn(("Collection", "Methods", *titles), lines)
