"""One OpenStack cloud, as one user sees one project of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gcelib.config.keys import Holder
from gcelib.drivers.base import Traits
from gcelib.drivers.generic.cloud import Generic
from gcelib.drivers.generic.door import Door
from gcelib.drivers.generic.effects import Effects
from gcelib.drivers.generic.facet import Facet
from gcelib.drivers.openstack.addresses import Addresses
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.birth import Birth
from gcelib.drivers.openstack.firewalls import Firewalls
from gcelib.drivers.openstack.identity import Identity
from gcelib.drivers.openstack.images import Images
from gcelib.drivers.openstack.keypairs import KeyPairs
from gcelib.drivers.openstack.networks import Choice, Networks
from gcelib.drivers.openstack.nodes import Nodes
from gcelib.drivers.openstack.places import Sizes, Zones
from gcelib.drivers.openstack.quotas import Quotas
from gcelib.drivers.openstack.snapshots import Snapshots
from gcelib.drivers.openstack.tags import Tags
from gcelib.drivers.openstack.volumes import Volumes

USER_DATA = 65535
"""The longest base64 text that Nova takes."""


class OpenStack(Generic):
    """A `Cloud`. `choice` and `from_volume` are the configuration's; see docs/clouds/openstack.md."""

    kinds: ClassVar[Mapping[str, type[Facet]]] = {
        "zones": Zones, "sizes": Sizes, "images": Images, "nodes": Nodes, "volumes": Volumes, "snapshots": Snapshots,
        "networks": Networks, "firewalls": Firewalls, "addresses": Addresses, "keypairs": KeyPairs, "tags": Tags,
        "quotas": Quotas,
    }

    def __init__(self, door: Door, identity: Identity, choice: Choice, *, from_volume: bool = False) -> None:
        self._api, self._identity = Api(door), identity
        self._choice, self._from_volume = choice, from_volume
        super().__init__(door)

    def made(self, door: Door, effects: Effects) -> dict[str, Facet]:
        """Every facet, each knowing those it needs."""
        api = self._api
        zones, sizes, images = Zones(api, effects), Sizes(api, effects), Images(api, effects)
        networks, firewalls = Networks(api, effects, zones, self._choice), Firewalls(api, effects)
        birth = Birth(api, sizes, images, from_volume=self._from_volume)
        return {
            "zones": zones, "sizes": sizes, "images": images, "networks": networks, "firewalls": firewalls,
            "nodes": Nodes(api, effects, zones, birth),
            "volumes": Volumes(api, effects, zones, sizes, images), "snapshots": Snapshots(api, effects, images),
            "addresses": Addresses(api, effects, zones, networks), "keypairs": KeyPairs(api, effects),
            "tags": Tags(api, effects, firewalls), "quotas": Quotas(api, effects, sizes),
        }

    @property
    def traits(self) -> Traits:
        """Facts about OpenStack; nothing is asked."""
        return Traits(
            boot_disk_dies=True, change_groups_running=True, user_data_bytes=USER_DATA, tag_chars=255,
            default_group="default", spanning_networks=True,
        )

    def ping(self) -> None:
        """Sign in. Raises Unavailable for wrong keys, or when there is no answer."""
        self._api.ask_me()

    def holder(self) -> Holder:
        """The user whose keys these are, and the projects the user is in."""
        return self._identity.holder()
