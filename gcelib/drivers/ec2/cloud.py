"""One EC2 region: its facets, and what it does differently."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gcelib.config.keys import Holder
from gcelib.drivers.base import Traits
from gcelib.drivers.ec2.addresses import Addresses
from gcelib.drivers.ec2.client import Client
from gcelib.drivers.ec2.disks import Snapshots, Volumes
from gcelib.drivers.ec2.facet import AUTOMATIC, Settings
from gcelib.drivers.ec2.firewalls import Firewalls
from gcelib.drivers.ec2.keypairs import KeyPairs
from gcelib.drivers.ec2.nodes import Nodes
from gcelib.drivers.ec2.offers import Images, Sizes
from gcelib.drivers.ec2.places import Networks, Vpcs, Zones
from gcelib.drivers.ec2.quotas import Quotas
from gcelib.drivers.ec2.tags import Tags
from gcelib.drivers.generic.cloud import Generic
from gcelib.drivers.generic.door import Door
from gcelib.drivers.generic.effects import Effects
from gcelib.drivers.generic.facet import Facet
from gcelib.errors import Unsupported
from gcelib.models import Job

USER_DATA = 21848
"""EC2 takes 16 KB of user data, which are so many characters as base64."""


class Ec2(Generic):
    """A `Cloud` over EC2's query API."""

    kinds: ClassVar[Mapping[str, type[Facet]]] = {
        "zones": Zones, "sizes": Sizes, "images": Images, "nodes": Nodes, "volumes": Volumes, "snapshots": Snapshots,
        "networks": Networks, "vpcs": Vpcs, "firewalls": Firewalls, "addresses": Addresses, "keypairs": KeyPairs,
        "tags": Tags, "quotas": Quotas,
    }

    def __init__(self, door: Door, settings: Settings) -> None:
        self._settings = settings
        self.client = Client(door)
        super().__init__(door)

    def made(self, door: Door, effects: Effects) -> dict[str, Facet]:
        """Every facet, each knowing those it needs."""
        common = (self.client, effects, self._settings)
        zones, images, vpcs = Zones(*common), Images(*common), Vpcs(*common)
        nodes, networks, addresses = Nodes(images), Networks(vpcs), Addresses(zones)
        return {
            "zones": zones, "sizes": Sizes(*common), "images": images, "nodes": nodes, "volumes": Volumes(nodes),
            "snapshots": Snapshots(*common), "networks": networks, "vpcs": vpcs,
            "firewalls": Firewalls(networks, vpcs), "addresses": addresses, "keypairs": KeyPairs(*common),
            "tags": Tags(*common), "quotas": Quotas(nodes, addresses),
        }

    @property
    def traits(self) -> Traits:
        """Facts about EC2; nothing is asked."""
        return Traits(
            boot_disk_dies=False, change_groups_running=True, user_data_bytes=USER_DATA, groups_of_networks=True,
            public_at_birth=self._settings.public_addresses == AUTOMATIC, copies_keep_type=False, queues=False,
            tag_chars=255 if "tags" in self.abilities() else 0,
        )

    def submit(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job:
        """Carry out one write in a thread; what it makes is tagged with its key, by which it is found again."""
        self._known(facet, verb)
        change = getattr(self._facets[facet], verb)
        return self._effects.send(facet, verb, {**args, "mark": key}, key, lambda: change(key=key, **args))

    def seek(self, facet: str, verb: str, args: Mapping[str, Any], key: str) -> Job | None:
        """An earlier attempt at this write that is being sent, or its visible effect; None: it never happened."""
        self._known(facet, verb)
        return self._effects.seek(facet, verb, {**args, "mark": key}, key)

    def ping(self) -> None:
        """One authenticated call."""
        self.client.ask("DescribeAvailabilityZones")

    def holder(self) -> Holder:
        """The account these keys are of. Raises Unsupported when it cannot be told."""
        account = self.client.ask_account()
        if not account:
            raise Unsupported(
                f"{self.client.at} does not tell whose keys these are: the account has no security group called "
                "'default'. Give it keys under [clouds] and write credentials = \"cloud\"."
            )
        return Holder(account, account)
