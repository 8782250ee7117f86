"""Sends gcutil's recorded requests, and looks at each answer for what gcutil takes out of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import requests

from gcelib.server.resources import table
from tests.contract import browser
from tests.live import Live
from tests.schema import mistakes

COLLECTIONS = {"disks", "firewalls", "globalOperations", "images", "instances", "machineTypes", "networks", "projects",
               "routes", "snapshots", "zoneOperations", "zones"}  # fmt: skip
"""gcutil ends when one of these is not in the discovery document."""

PRINTED = {
    "compute#zone": ("name", "description", "status"),
    "compute#region": ("name", "status", "quotas", "zones"),
    "compute#machineType": ("name", "zone", "guestCpus", "memoryMb"),
    "compute#diskType": ("name", "zone", "description", "validDiskSize"),
    "compute#image": ("name", "status", "diskSizeGb"),
    "compute#disk": ("name", "zone", "status", "sizeGb"),
    "compute#network": ("name", "IPv4Range", "gatewayIPv4"),
    "compute#firewall": ("name", "network", "sourceRanges", "allowed"),
    "compute#instance": ("name", "zone", "status", "networkInterfaces", "machineType", "disks", "tags", "metadata",
                         "scheduling"),
    "compute#project": ("name", "description", "creationTimestamp", "quotas", "commonInstanceMetadata"),
    "compute#snapshot": ("name", "status", "diskSizeGb", "sourceDisk", "storageBytesStatus"),
    "compute#route": ("name", "network", "destRange", "priority"),
    "compute#address": ("name", "region", "status", "address"),
    "compute#httpHealthCheck": ("name", "port", "requestPath", "checkIntervalSec", "timeoutSec"),
    "compute#targetPool": ("name", "region", "sessionAffinity"),
    "compute#targetInstance": ("name", "zone", "instance", "natPolicy"),
    "compute#forwardingRule": ("name", "region", "IPAddress", "IPProtocol", "portRange", "target"),
    "compute#targetPoolInstanceHealth": ("healthStatus",),
    "compute#operation": ("name", "status", "operationType", "insertTime", "targetLink", "selfLink", "progress"),
}  # fmt: skip
"""What gcutil prints or needs of each thing: none of it may be missing."""

NO_RESOURCE = "compute#targetPoolInstanceHealth"
"""What has no address: it is told when asked for and never again."""


@dataclass
class Replay:
    """One run of gcutil at a time against a server: its connection, its tokens, its operations."""

    live: Live
    secrets: dict[str, str] = field(default_factory=lambda: {"{CLIENT_SECRET}": "well known"})
    operations: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    def command(self, requested: list[dict[str, Any]]) -> None:
        """All that one command asks for, on one connection as gcutil has it."""
        with requests.Session() as session:
            session.trust_env = False
            for request in requested:
                if request.get("by") == "the browser":
                    page = f"{self.live.url}{request['path']}?{urlencode(request['query'])}"
                    self.secrets["{CODE}"] = browser.sign_in(page).code
                else:
                    self._ask(session, request)

    def _ask(self, session: requests.Session, request: dict[str, Any]) -> None:
        polling = request["method"] == "GET" and "/operations/{" in request["path"]
        deadline = time.monotonic() + 60
        while True:
            answer = self._send(session, request)
            assert answer.status_code == request["status"], f"{request['method']} {request['path']}: {answer.text}"
            said = self._look(request, answer)
            if not polling or said["status"] == "DONE":
                return
            assert time.monotonic() < deadline, said
            time.sleep(0.2)

    def _send(self, session: requests.Session, request: dict[str, Any]) -> requests.Response:
        data = None
        if "form" in request:
            data = urlencode({name: self._real(value) for name, value in request["form"].items()})
        elif "body" in request:
            data = self._real(json.dumps(request["body"]))
        headers = {name: self._real(value) for name, value in request["headers"].items()}
        query = {name: self._real(value) for name, value in request["query"].items()}
        return session.request(request["method"], self.live.url + quote(self._real(request["path"]), safe="/%@:"),
                               params=query, data=data, headers=headers, timeout=60)

    def _real(self, text: str) -> str:
        """The text with this run's address, tokens and operations."""
        text = text.replace("{URL}", self.live.url)
        for number, name in enumerate(self.operations, 1):
            text = text.replace(f"{{OPERATION{number}}}", name)
        for name, secret in self.secrets.items():
            text = text.replace(name, secret)
        return text

    def _look(self, request: dict[str, Any], answer: requests.Response) -> Any:
        path = request["path"]
        if answer.status_code == 204:
            assert answer.content == b""
            return None
        said = answer.json()
        if path == "/oauth2/token":
            self.secrets["{TOKEN}"] = said["access_token"]
            self.secrets["{REFRESH_TOKEN}"] = said.get("refresh_token", self.secrets.get("{REFRESH_TOKEN}", ""))
            assert int(said["expires_in"]) > 0
        elif path.startswith("/discovery/"):
            self._check_document(said)
        elif answer.status_code >= 400:
            assert said["error"]["code"] == answer.status_code
            assert said["error"]["message"]
        else:
            self._check(request, said)
        return said

    def _check_document(self, said: Any) -> None:
        assert said["rootUrl"] + said["servicePath"] == f"{self.live.url}/compute/v1/"
        assert said["version"] == "v1"
        assert set(said["resources"]) >= COLLECTIONS

    def _check(self, request: dict[str, Any], said: Any) -> None:
        """The rules that gcutil, or another client of the same rules, breaks on."""
        path = self._real(request["path"]).removeprefix("/compute/v1/")
        method, _ = table().match(request["method"], path)
        assert not mistakes(method.response, said)
        expected = method.response[:1].lower() + method.response[1:]
        assert said["kind"] == f"compute#{expected}"
        for link in links(said):
            assert link.startswith(f"{self.live.url}/compute/v1/projects/"), link
        if method.response.endswith("AggregatedList"):
            assert isinstance(said["items"], dict)
        for thing in things(said):
            assert thing["kind"] == NO_RESOURCE or thing["selfLink"], thing
            missing = [name for name in PRINTED.get(thing["kind"], ()) if name not in thing]
            assert not missing, f"{thing.get('selfLink', thing)} has no {missing}"
            if thing["kind"] == "compute#operation":
                self._check_operation(thing)

    def _check_operation(self, operation: Any) -> None:
        name, link = operation["name"], operation["selfLink"]
        if name not in self.operations:
            self.operations.append(name)
        assert self.links.setdefault(name, link) == link
        if "/zones/" in link:
            assert operation["zone"] == link.partition("/operations/")[0]


def links(said: Any) -> Iterator[str]:
    """Every address in an answer but that of the file an image was made of, which is the client's own."""
    if isinstance(said, dict):
        said = [value for name, value in said.items() if name != "rawDisk"]
    if isinstance(said, list):
        for each in said:
            yield from links(each)
    elif isinstance(said, str) and said.startswith(("http://", "https://")):
        yield said


def things(said: Any) -> Iterator[Any]:
    """The things in an answer: itself, or those of a list of either sort."""
    if not said["kind"].endswith("List"):
        yield said
    elif isinstance(said.get("items"), dict):
        for scope in said["items"].values():
            yield from (thing for name, rows in scope.items() if name != "warning" for thing in rows)
    else:
        yield from said.get("items", [])
