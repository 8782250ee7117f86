"""A libcloud driver as a stranger writes one: names of its own, arguments in its own order, answers of all kinds."""

from __future__ import annotations

import json
from typing import Any

from libcloud.common.base import ConnectionKey, JsonResponse
from libcloud.common.types import InvalidCredsError
from libcloud.compute.base import (
    KeyPair,
    Node,
    NodeDriver,
    NodeImage,
    NodeLocation,
    NodeSize,
    StorageVolume,
    VolumeSnapshot,
)
from libcloud.compute.types import NodeState

STATES = {"creating": NodeState.PENDING, "on": NodeState.RUNNING, "off": NodeState.STOPPED, "ending": NodeState.PENDING}


class UntoldResponse(JsonResponse):
    """Refusals as bare exceptions, as many drivers have them."""

    def parse_error(self) -> Any:
        if self.status == 401:
            raise InvalidCredsError("wrong token")
        return Exception(f"{self.status}: {self.body}")


class UntoldConnection(ConnectionKey):
    """The token in a header."""

    responseCls = UntoldResponse

    def add_default_headers(self, headers: dict[str, Any]) -> dict[str, Any]:
        return {**headers, "X-Token": self.key, "Content-Type": "application/json"}


class UntoldNodeDriver(NodeDriver):
    """Two places, two sizes; a machine's place is in its `extra` as "where"."""

    connectionCls = UntoldConnection
    name, website, type = "Untold", "", "untold"

    def __init__(self, token: str, **kwargs: Any) -> None:
        super().__init__(token, **kwargs)

    def _ask(self, path: str, verb: str = "GET", body: Any = None) -> Any:
        data = json.dumps(body) if body is not None else None
        return self.connection.request(path, method=verb, data=data).object

    def list_locations(self) -> list[NodeLocation]:
        return [NodeLocation("east-1", "East 1", "XX", self), NodeLocation("west-1", "West 1", "XX", self)]

    def list_sizes(self, location: Any = None) -> list[NodeSize]:
        rows = [("s", "Small", 1024, 10, 1), ("l", "Large", 4096, 40, 4)]
        return [NodeSize(*row[:4], None, 0.0, self, extra={"cores": row[4]}) for row in rows]

    def list_images(self) -> list[NodeImage]:
        return [NodeImage("img-1", "Debian 12", self), NodeImage("img-2", "Fedora 44", self)]

    def list_nodes(self) -> list[Node]:
        return [self._node(row) for row in self._ask("/servers")]

    def create_node(self, location: Any, size: Any, image: Any, name: str, ex_authorized_keys: Any = None,
                    ex_user_data: str = "") -> Node:
        body = {"name": name, "size": size.id, "image": image.id, "where": location.id,
                "keys": ex_authorized_keys or [], "user_data": ex_user_data}
        return self._node(self._ask("/servers", "POST", body))

    def destroy_node(self, node: Node) -> bool:
        self._ask(f"/servers/{node.id}", "DELETE")
        return True

    def reboot_node(self, node: Node) -> bool:
        self._ask(f"/servers/{node.id}", "POST", {"rebooted": True})
        return True

    def ex_power_on_node(self, node: Node) -> None:
        self._ask(f"/servers/{node.id}", "POST", {"state": "creating", "then": "on"})

    def ex_shutdown_node(self, node: Node) -> None:
        self._ask(f"/servers/{node.id}", "POST", {"state": "ending", "then": "off"})

    def ex_resize_node(self, node: Node, size: NodeSize) -> bool:
        self._ask(f"/servers/{node.id}", "POST", {"size": size.id})
        return True

    def ex_get_console_output(self, node: Node) -> str:
        return next(str(row["console"]) for row in self._ask("/servers") if row["id"] == node.id)

    def list_volumes(self) -> list[StorageVolume]:
        return [self._volume(row) for row in self._ask("/disks")]

    def create_volume(self, name: str, size: int, location: Any = None) -> StorageVolume:
        where = location.id if location else "east-1"
        return self._volume(self._ask("/disks", "POST", {"name": name, "size": size, "where": where}))

    def destroy_volume(self, volume: StorageVolume) -> bool:
        self._ask(f"/disks/{volume.id}", "DELETE")
        return True

    def attach_volume(self, node: Node, volume: StorageVolume, device: Any = None) -> bool:
        self._ask(f"/disks/{volume.id}", "POST", {"server": node.id})
        return True

    def detach_volume(self, volume: StorageVolume) -> bool:
        self._ask(f"/disks/{volume.id}", "POST", {"server": None})
        return True

    def list_volume_snapshots(self, volume: StorageVolume) -> list[VolumeSnapshot]:
        rows = [row for row in self._ask("/copies") if row["of"] == volume.id]
        return [VolumeSnapshot(row["id"], self, size=row["size"], name=row["name"], extra={"volume_id": volume.id})
                for row in rows]

    def create_volume_snapshot(self, volume: StorageVolume, name: str) -> VolumeSnapshot:
        row = self._ask("/copies", "POST", {"name": name, "of": volume.id, "size": volume.size})
        return VolumeSnapshot(row["id"], self, size=row["size"], name=name, extra={"volume_id": volume.id})

    def delete_volume_snapshot(self, snapshot: VolumeSnapshot) -> bool:
        self._ask(f"/copies/{snapshot.id}", "DELETE")
        return True

    def list_key_pairs(self) -> list[KeyPair]:
        return []

    def _node(self, row: dict[str, Any]) -> Node:
        extra = {"zone": row["where"], "size": row["size"], "image": row["image"], "created_at": row["born"]}
        return Node(row["id"], row["name"], STATES[row["state"]], [], row["private"], self, extra=extra)

    def _volume(self, row: dict[str, Any]) -> StorageVolume:
        extra = {"location": row["where"], "server_id": row.get("server")}
        return StorageVolume(row["id"], row["name"], row["size"], self, extra=extra)
