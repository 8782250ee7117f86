"""One CloudStack cloud: its facets over one client, and the way in and out for changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gcelib.config.keys import Holder
from gcelib.drivers.base import Traits
from gcelib.drivers.cloudstack.acls import Acls
from gcelib.drivers.cloudstack.addresses import Addresses
from gcelib.drivers.cloudstack.balancers import Balancers
from gcelib.drivers.cloudstack.client import Client
from gcelib.drivers.cloudstack.firewalls import Firewalls
from gcelib.drivers.cloudstack.guards import Guards
from gcelib.drivers.cloudstack.holder import holder
from gcelib.drivers.cloudstack.images import Images
from gcelib.drivers.cloudstack.jobs import Jobs
from gcelib.drivers.cloudstack.keypairs import KeyPairs
from gcelib.drivers.cloudstack.networks import Networks
from gcelib.drivers.cloudstack.nodes import Nodes
from gcelib.drivers.cloudstack.quotas import Quotas
from gcelib.drivers.cloudstack.routes import Routes
from gcelib.drivers.cloudstack.sizes import Sizes
from gcelib.drivers.cloudstack.snapshots import Snapshots
from gcelib.drivers.cloudstack.systems import FILES
from gcelib.drivers.cloudstack.tags import Tags
from gcelib.drivers.cloudstack.volumes import Volumes
from gcelib.drivers.cloudstack.vpcs import Vpcs
from gcelib.drivers.cloudstack.zones import Zones
from gcelib.drivers.profile import abilities_of
from gcelib.errors import Unsupported
from gcelib.models import Job

CUSTOM_MHZ = 1000


class CloudStack:
    """A `Cloud`. Options: `network_offering` for new networks, `custom_mhz` for sizes that want a speed."""

    kinds: ClassVar[Mapping[str, type]] = {
        "zones": Zones, "sizes": Sizes, "images": Images, "nodes": Nodes, "volumes": Volumes,
        "snapshots": Snapshots, "networks": Networks, "firewalls": Firewalls, "addresses": Addresses,
        "balancers": Balancers, "vpcs": Vpcs, "routes": Routes, "guards": Guards, "acls": Acls,
        "keypairs": KeyPairs, "tags": Tags, "quotas": Quotas,
    }  # fmt: skip
    lacks: ClassVar[Mapping[str, str]] = {
        "nodes.console": "CloudStack keeps no console output for its users",
        "routes outside VPCs": "CloudStack has static routes in VPCs only",
    }
    """What is missing, and why, for people."""

    def __init__(self, client: Client, options: Mapping[str, Any]) -> None:
        self.name = client.at.cloud
        self.provider = client.at.provider
        self._client = client
        self._traits = Traits(lingering=self._lingering, image_files=FILES, host_names=True)
        self._jobs = jobs = Jobs(client)
        self.zones = Zones(client)
        self.sizes = Sizes(client)
        self.images = Images(client, jobs)
        mhz = int(options.get("custom_mhz", CUSTOM_MHZ))
        self.nodes = Nodes(client, jobs, self.zones, self.sizes, mhz)
        self.volumes = Volumes(client, jobs)
        self.snapshots = Snapshots(client, jobs)
        self.networks = Networks(client, jobs, self.zones, str(options.get("network_offering", "")))
        self.firewalls = Firewalls(client, jobs)
        self.addresses = Addresses(client, jobs)
        self.balancers = Balancers(client, jobs)
        self.vpcs = Vpcs(client, jobs)
        self.routes = Routes(client, jobs)
        self.guards = Guards(client, jobs)
        self.acls = Acls(client, jobs)
        self.keypairs = KeyPairs(client, jobs)
        self.tags = Tags(client, jobs)
        self.quotas = Quotas(client)
        written = (
            self.nodes, self.volumes, self.snapshots, self.images, self.networks, self.firewalls, self.keypairs,
            self.tags, self.addresses, self.balancers, self.vpcs, self.routes, self.guards, self.acls,
        )
        jobs.facets = {facet.name: facet for facet in written}

    @property
    def traits(self) -> Traits:
        """Facts about this cloud."""
        return self._traits

    def _lingering(self) -> bool:
        return not self._client.capabilities().allowuserexpungerecovervm

    def abilities(self) -> Mapping[str, frozenset[str]]:
        """Facet to verbs."""
        return abilities_of({facet: getattr(self, facet) for facet in self.kinds})

    def why_not(self, facet: str, verb: str) -> str:
        """Why this cloud has no such verb, for people: a sentence's second half."""
        return self.lacks.get(f"{facet}.{verb}", f"CloudStack cannot {verb} {facet}")

    def submit(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job:
        """Carry out one write now. Raises Uncertain when it was sent and its answer lost."""
        self._known(facet, verb)
        job: Job = getattr(self._jobs.facets[facet], verb)(key=key, **args)
        return job

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        """The job of an earlier attempt at this write, or of its visible effect; None: it never happened."""
        self._known(facet, verb)
        return self._jobs.seek(facet, verb, args, key)

    def poll(self, job: Job) -> Job:
        """How far the job is."""
        return self._jobs.poll(job)

    def ping(self) -> None:
        """listCapabilities. Raises Unauthenticated for wrong keys, Unavailable when there is no answer."""
        self._client.ping()

    def holder(self) -> Holder:
        """Whose keys these are. Raises Unauthenticated for wrong ones, Unavailable when there is no answer."""
        return holder(self._client)

    def close(self) -> None:
        """Close every connection."""
        self._client.session.close()

    def _known(self, facet: str, verb: str) -> None:
        if facet not in self._jobs.facets or verb not in self.abilities().get(facet, ()):
            raise Unsupported(f"{self._client.at} has no {facet}.{verb}.")
