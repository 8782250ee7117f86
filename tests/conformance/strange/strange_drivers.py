"""libcloud drivers that behave as they are told, call by call, by the file that STRANGE_MOODS names.

The file maps a call's name to a mood: "block SECONDS", "none", "false", "generator", "no id", "another name",
"other id", "late SECONDS", "raise KIND", "then raise KIND" (after the cloud has done it), or "exit".
Each call that is in a mood says so first, by a line "CALL MOOD" in the file of that name and ".felt".
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests
from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError, LibcloudError, MalformedResponseError, ProviderError
from libcloud.compute.base import Node, NodeDriver, NodeImage, NodeLocation, NodeSize, StorageVolume
from untold_driver import UntoldNodeDriver

TOKEN = "untold-token"
TEXT = f"it went wrong with {TOKEN} inside"


class StrangeError(Exception):
    """An exception of the driver's own, as several have them."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.code = 404


KINDS: Mapping[str, Callable[[], BaseException]] = {
    "Exception": lambda: Exception(TEXT),
    "KeyError": lambda: KeyError(TEXT),
    "TypeError": lambda: TypeError(TEXT),
    "ValueError": lambda: ValueError(TEXT),
    "RuntimeError": lambda: RuntimeError(TEXT),
    "AssertionError": lambda: AssertionError(TEXT),
    "ZeroDivisionError": lambda: ZeroDivisionError(TEXT),
    "StrangeError": lambda: StrangeError(TEXT),
    "NotImplementedError": lambda: NotImplementedError(TEXT),
    "LibcloudError": lambda: LibcloudError(TEXT),
    "InvalidCredsError": lambda: InvalidCredsError(TEXT),
    "MalformedResponseError": lambda: MalformedResponseError(TEXT, body=TEXT),
    "ProviderError": lambda: ProviderError(TEXT, None),  # type: ignore[arg-type]
    "RateLimitReachedError": lambda: RateLimitReachedError(headers={"retry-after": "7"}),
    "ReadTimeout": lambda: requests.exceptions.ReadTimeout(TEXT),
    "ConnectTimeout": lambda: requests.exceptions.ConnectTimeout(TEXT),
    "ConnectionError": lambda: requests.exceptions.ConnectionError(TEXT),
    "OSError": lambda: OSError(5, TEXT),
    **{str(code): functools.partial(BaseHTTPError, code, TEXT, {"Retry-After": "9"})
       for code in (400, 401, 403, 404, 409, 429, 500, 503)},
    "no code": lambda: BaseHTTPError(None, TEXT),
}


def mood(call: str) -> str:
    """How the call is to behave now; "" as it should."""
    path = Path(os.environ["STRANGE_MOODS"])
    how = str(json.loads(path.read_text()).get(call, "")) if path.exists() else ""
    if how:
        with path.with_suffix(".felt").open("a") as felt:
            felt.write(f"{call} {how}\n")
    return how


def moody(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, under its name and with its arguments, as moody as it is told."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        how, _, what = mood(method.__name__).partition(" ")
        if how == "raise":
            raise KINDS[what]()
        if how == "exit":
            raise SystemExit(TEXT)
        if how == "block":
            time.sleep(float(what))
        if how in ("none", "false", "nothing"):
            return {"none": None, "false": False, "nothing": []}[how]
        answer = method(self, *args, **kwargs)
        if how == "late":
            time.sleep(float(what))
        if how == "then":
            if what == "none":
                return None
            raise KINDS[what.removeprefix("raise ")]()
        return disguised(answer, f"{how} {what}".strip())

    return call


def disguised(answer: Any, how: str) -> Any:
    """What the cloud said, in the form that is wanted."""
    if how == "generator":
        return (each for each in answer)
    if how == "broken generator":
        return (_burst() for _ in answer or [0])
    if how == "no id":
        answer.id = None
    if how == "other id":
        answer.id = "request-17"
    if how == "another name":
        answer.name = "somebody-else"
    return answer


def _burst() -> Any:
    raise RuntimeError(TEXT)


class StrangeNodeDriver(UntoldNodeDriver):
    """The untold driver, moody."""


for _name in ("list_locations", "list_sizes", "list_images", "list_nodes", "create_node", "destroy_node",
              "reboot_node", "ex_power_on_node", "ex_shutdown_node", "ex_resize_node", "list_volumes",
              "create_volume", "destroy_volume", "attach_volume", "detach_volume", "list_volume_snapshots",
              "create_volume_snapshot", "delete_volume_snapshot"):
    setattr(StrangeNodeDriver, _name, moody(getattr(UntoldNodeDriver, _name)))


class OpenNodeDriver(UntoldNodeDriver):
    """Arguments by no name, as drivers of libcloud's first years have them."""

    def create_node(self, **kwargs: Any) -> Node:
        return super().create_node(kwargs["location"], kwargs["size"], kwargs["image"], kwargs["name"])

    def create_volume(self, *args: Any, **kwargs: Any) -> StorageVolume:
        return super().create_volume(*args, **kwargs)

    def list_nodes(self, *args: Any, **kwargs: Any) -> list[Node]:
        return super().list_nodes()


class NeedyNodeDriver(UntoldNodeDriver):
    """Wants to know more than anybody asks for."""

    def create_node(self, name: str, size: Any, image: Any, location: Any, ex_contract: str) -> Node:
        assert ex_contract.startswith("C-"), ex_contract
        return super().create_node(location, size, image, name)


class SullenNodeDriver(UntoldNodeDriver):
    """Talks when it is made, and fails when it is told to."""

    def __init__(self, token: str, **kwargs: Any) -> None:
        super().__init__(token, **kwargs)
        what = mood("__init__")
        if what:
            raise KINDS[what]()
        self._ask("/keys")


class Nameless:
    """What cannot even be written."""

    def __str__(self) -> str:
        raise ValueError(TEXT)


class CrowdedNodeDriver(UntoldNodeDriver):
    """Thousands of everything, all of the same name, most of it unknown."""

    def list_locations(self) -> list[NodeLocation]:
        return [NodeLocation("a/b c", None, None, self), NodeLocation("east 2", "Öst", None, self),
                NodeLocation("east-3", "Öst", "XX", self)]

    def list_sizes(self, location: Any = None) -> list[NodeSize]:
        odd = [NodeSize("s 1", None, None, None, None, None, self, extra=None),
               NodeSize("s/2", "Größe ½", "2 GB", "unlimited", None, "free", self, extra={"cpu": "two"}),
               NodeSize("inf", "Endless", float("inf"), float("nan"), None, 0.0, self)]
        plain = [NodeSize(f"s-{n}", "Twin", 512, 10, None, 0.0, self) for n in range(1500)]
        for size in (*odd, plain[0]):
            size.extra = None  # type: ignore[assignment]
        return odd + plain

    def list_images(self) -> list[NodeImage]:
        odd = [NodeImage("i/1 x", None, self), NodeImage("雪", "雪だるま", self)]  # type: ignore[arg-type]
        odd.append(NodeImage("i-odd", Nameless(), self))  # type: ignore[arg-type]
        odd[0].extra = None  # type: ignore[assignment]
        odd[1].extra = {"created_at": 1.7e15, "min_disk": "ten", "created": True}
        return odd + [NodeImage(f"i-{n}", "Twin", self) for n in range(1500)]

    def list_nodes(self) -> list[Node]:
        rows: list[Any] = [
            ("n/1 a", "twin", "running"), ("n/1 b", "twin", "rapturous"), ("gone", "gone", "terminated"),
            ("n-4", None, None), ("n-5", "Größe 5", 17), (None, "nameless", "running"), ("n-7", "caps", "STOPPED"),
        ]
        made = [Node(id, name, state, [None], ["not an address", "10.0.0.5/24", "fd00::1"], self, extra=None)
                for id, name, state in rows]
        for node in made:
            node.extra = None  # type: ignore[assignment]
        made[1].private_ips = None  # type: ignore[assignment]
        made[1].public_ips = [{"addr": "1.2.3.4"}]  # type: ignore[list-item]
        made[3].created_at = -62135596800 * 4  # type: ignore[assignment]
        odd = Node("n-8", "odd", "running", ["10.0.0.8"], [], self)
        odd.extra = "a text"  # type: ignore[assignment]
        return [*made, made[0], odd, "no machine at all", None]  # type: ignore[list-item]

    def list_volumes(self) -> list[StorageVolume]:
        found = [StorageVolume("v/1", None, None, self), StorageVolume("v 2", "ünï", "10 GB", self),  # type: ignore[arg-type]
                 StorageVolume(3, "three", 10.5, self, extra={"attachments": [None]})]  # type: ignore[arg-type]
        found[0].extra = None  # type: ignore[assignment]
        del found[1].state
        return found

    list_volume_snapshots = NodeDriver.list_volume_snapshots

    def ex_list_snapshots(self) -> list[Any]:
        return [SimpleNamespace(id="c/1", name=None, size=None, state=None, created="soon", extra=None)]
