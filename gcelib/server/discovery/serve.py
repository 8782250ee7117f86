"""The discovery document as this server offers it: our URL, the methods we have, names in any spelling."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from gcelib.server.discovery.build import STAMP, reachable

REST = "/discovery/v1/apis/compute/v1/rest"

GCUTIL_NEEDS = frozenset(
    {
        "disks",
        "firewalls",
        "globalOperations",
        "images",
        "instances",
        "machineTypes",
        "networks",
        "projects",
        "routes",
        "snapshots",
        "zoneOperations",
        "zones",
    }
)
"""gcutil stops at start-up when one of these collections is missing."""
KEPT_FOR_GCUTIL = frozenset({"get", "list", "insert", "delete", "createSnapshot", "getSerialPortOutput"})
"""gcutil dies with a traceback on a method that is not there; these stay and are refused in words."""

_OWN_URL = ("rootUrl", "baseUrl")
_GOOGLES = ("mtlsRootUrl", "endpoints", "icons", STAMP)


class Discovery:
    """Makes the documents that `GET /discovery/v1/apis..` answers; `document` gives the pruned one."""

    def __init__(self, document: Callable[[], Mapping[str, Any]]) -> None:
        self._document = document
        self._lock = threading.Lock()
        self._offered: frozenset[str] | None = None
        self._rest = b""

    def rest(self, base_url: str, offered: frozenset[str]) -> bytes:
        """The v1 document for clients that reach us at `base_url`, with the method ids in `offered` only.

        All but the URLs is written once per set of methods.
        """
        with self._lock:
            if self._offered != offered:
                self._rest = _written(self._trimmed(offered))
                self._offered = offered
            rest = self._rest
        head = {"rootUrl": f"{base_url}/", "baseUrl": f"{base_url}/compute/v1/"}
        return _written(head)[:-1] + b"," + rest[1:]

    def directory(self, base_url: str) -> bytes:
        """The list of APIs: the one there is."""
        item = {
            "kind": "discovery#directoryItem",
            "id": "compute:v1",
            "name": "compute",
            "version": "v1",
            "title": self._document()["title"],
            "discoveryRestUrl": base_url + REST,
            "preferred": True,
        }
        return _written({"kind": "discovery#directoryList", "discoveryVersion": "v1", "items": [item]})

    def _trimmed(self, offered: frozenset[str]) -> dict[str, Any]:
        resources = {}
        document = self._document()
        for name, resource in document["resources"].items():
            methods = {
                key: _loosened(method)
                for key, method in resource["methods"].items()
                if method["id"] in offered or (name in GCUTIL_NEEDS and key in KEPT_FOR_GCUTIL)
            }
            if methods:
                resources[name] = {"methods": methods}
        dropped = {*_OWN_URL, *_GOOGLES, "resources", "schemas"}
        return {
            **{key: value for key, value in document.items() if key not in dropped},
            "servicePath": "compute/v1/",
            "basePath": "/compute/v1/",
            "batchPath": "batch/compute/v1",
            "resources": resources,
            "schemas": reachable(document["schemas"], resources),
        }


def _loosened(method: Mapping[str, Any]) -> dict[str, Any]:
    """A method whose path parameters take any name: clients check Google's patterns before sending."""
    kept: dict[str, Any] = copy.deepcopy(dict(method))
    for name, param in kept["parameters"].items():
        if param["location"] == "path":
            param["pattern"] = ".+" if f"{{+{name}}}" in method["path"] else "[^/]+"
    return kept


def _written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
