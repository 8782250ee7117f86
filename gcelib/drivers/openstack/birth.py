"""What Nova is told to make a machine: its disk, its networks, its groups, and the key of the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gcelib.drivers import clock
from gcelib.drivers.generic.reading import time_of
from gcelib.drivers.openstack.api import Api
from gcelib.drivers.openstack.facet import KEY, utc
from gcelib.drivers.openstack.images import SLACK, Images, archive_gb, contents, size_gb
from gcelib.drivers.openstack.places import Sizes
from gcelib.drivers.openstack.records import ServerRow
from gcelib.errors import NotFound, Refused


class Birth:
    """`from_volume`: every boot disk is a volume, as some clouds insist."""

    def __init__(self, api: Api, sizes: Sizes, images: Images, *, from_volume: bool = False) -> None:
        self._api, self._sizes, self._images = api, sizes, images
        self._from_volume = from_volume

    def body(
        self, *, key: str, name: str, zone: str, flavor: str, image: str, networks: Sequence[str], ip: str,
        groups: Sequence[str], keypairs: Sequence[str], user_data: str, root_gb: int,
    ) -> dict[str, Any]:
        """The server as Nova's API has it. Raises Refused without a network, NotFound for no such flavor or image."""
        if not networks:
            raise Refused(f"{self._api.at}: the project has no network for a machine to join; make one with "
                          "compute.networks.insert first.")
        found: dict[str, Any] = {
            "name": name, "flavorRef": flavor, "availability_zone": zone, "metadata": {KEY: key},
            "networks": [{"uuid": id, **({"fixed_ip": ip} if ip and not index else {})}
                         for index, id in enumerate(networks)],
            **self._disk(flavor, image, root_gb),
        }
        if groups:
            # Nova looks names up among ids, too: an id is never ambiguous.
            found["security_groups"] = [{"name": id} for id in groups]
        if keypairs:
            found["key_name"] = keypairs[0]
        if user_data:
            found["user_data"] = user_data
        return found

    def is_child(self, row: ServerRow, args: Mapping[str, Any]) -> bool:
        """Whether a server is what an attempt made: it carries the attempt's key; else its name, made since then."""
        if args.get("key"):
            return bool(row.metadata.get(KEY) == args["key"])
        made, since = utc(row.created), time_of(args.get("submitted"))
        if row.name != args.get("name") or KEY not in row.metadata or made is None or since is None:
            return False
        return made >= clock.since(self._api.at.cloud, since) - SLACK

    def _disk(self, flavor: str, image: str, root_gb: int) -> dict[str, Any]:
        """The image itself where the flavor's disk does; else a volume made of it, which goes with the machine.

        With a flavor without a disk Nova boots from volumes only, but for administrators.
        """
        size = next((row for row in self._sizes.rows() if row.id == flavor), None)
        if size is None:
            raise NotFound(f"{self._api.at} has no size '{flavor}' any more.")
        row = self._images.row(image)
        if row is None:
            raise NotFound(f"{self._api.at} has no image '{image}' any more.")
        least, copies = size_gb(row), contents(row)
        fits = least <= size.disk if size.disk else not self._api.keeps_volumes()
        if fits and root_gb in (0, size.disk) and not self._from_volume and not copies:
            return {"imageRef": image}
        source = {"uuid": copies[0], "source_type": "snapshot"} if copies else {"uuid": image, "source_type": "image"}
        volume = {
            "boot_index": 0, **source, "destination_type": "volume",
            "volume_size": max(root_gb or (least if copies else size.disk), least, archive_gb(row), 1),
            "delete_on_termination": True,
        }
        return {"block_device_mapping_v2": [volume]}
