"""Makes a libcloud driver from a cloud's configuration: its arguments are found by their names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from libcloud.compute.base import NodeDriver

from gcelib.config import CloudConfig
from gcelib.drivers import bounded
from gcelib.drivers.generic.kind import Kind
from gcelib.errors import Unavailable

EMPTY = inspect.Parameter.empty
WHOLE = ("url", "api_url", "endpoint", "uri")
"""What drivers call an argument that takes an endpoint whole."""
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the configuration says of a cloud; `options` are handed on by name."""

    key: str
    secret: str
    endpoint: str
    timeout: float
    ca_file: str
    options: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Wanted({self.endpoint!r})"


def wanted(config: CloudConfig, kind: Kind, key: str, secret: str) -> Wanted:
    """What to make a driver of."""
    endpoint = config.endpoint or kind.profile.endpoint
    options = {**kind.profile.options, **config.options}
    return Wanted(key, secret, endpoint, config.timeout, config.ca_file, options)


def make(kind: Kind, want: Wanted) -> NodeDriver:
    """A driver of its own. Some providers' call their cloud in here.

    Raises Unavailable when what the driver insists on is missing from the configuration, and whatever its class raises.
    """
    given = arguments(kind, want)
    missing = [*_missing(kind.type, given), *(name for name in kind.profile.insists.get("", ()) if name not in given)]
    if missing:
        raise Unavailable(
            f"libcloud's driver of '{kind.profile.name}' needs {', '.join(missing)}; set them under "
            "[clouds.NAME.options]."
        )
    # Not by calling the class: what makes several providers' objects takes no argument but the key.
    shape: type[NodeDriver] = bounded.within(kind.type, want.timeout, want.ca_file)
    made: NodeDriver = object.__new__(shape)
    made.__init__(**given)  # type: ignore[misc]
    return made


def arguments(kind: Kind, want: Wanted) -> dict[str, Any]:
    """The arguments of the driver's class by name: options first, then key and secret, then where the cloud is."""
    known = _parameters(kind.type)
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in _signature(kind.type).values())
    given = dict(want.options)
    if want.endpoint:
        _place(given, known, kind, want.endpoint, takes_any)
    given |= _keys(kind.type, given, want)
    if takes_any:
        given.setdefault("timeout", want.timeout)
    return given


def _keys(driver: type, given: Mapping[str, Any], want: Wanted) -> dict[str, str]:
    """Key and secret under their own names, else as the first arguments that nothing else fills."""
    own = _own(driver)
    required = [name for name, each in own.items() if each.default is EMPTY and name not in (*given, "key")]
    if {"key", "secret"} <= set(own) or ("key" in own and not required):
        named = {"key": want.key, "secret": want.secret}
        return {name: value for name, value in named.items() if value and name not in given and name in own}
    free = [name for name in own if name not in given and name not in ("host", "port", "secure")]
    inherited = [name for name in ("key", "secret") if name in _parameters(driver) and name not in own]
    return {name: value for name, value in zip((*free, *inherited), (want.key, want.secret), strict=False) if value}


def _place(
    given: dict[str, Any], known: Mapping[str, inspect.Parameter], kind: Kind, endpoint: str, takes_any: bool
) -> None:
    whole = kind.profile.endpoint_as or next((name for name in WHOLE if name in known), "")
    if whole:
        given.setdefault(whole, endpoint)
        return
    parts = urlsplit(endpoint)
    secure = parts.scheme == "https"
    if "host" not in known and not takes_any:
        raise Unavailable(f"libcloud's driver of '{kind.profile.name}' has a cloud of its own; remove the endpoint.")
    found = {"host": parts.hostname or "", "port": parts.port or (443 if secure else 80), "secure": secure}
    given |= {name: value for name, value in found.items() if name not in given and (name in known or takes_any)}
    if "path" in known and parts.path:
        given.setdefault("path", parts.path)


def _missing(driver: type, given: Mapping[str, Any]) -> list[str]:
    return [name for name, each in _own(driver).items() if each.default is EMPTY and name not in given]


def _parameters(driver: type) -> dict[str, inspect.Parameter]:
    """What the class takes by name; where it takes anything, what its bases take, too."""
    return {name: each for name, each in _signature(driver).items() if each.kind in POSITIONAL}


def _own(driver: type) -> dict[str, inspect.Parameter]:
    """What the class's own constructor takes by name; where it takes nothing by name, what its bases take."""
    found = inspect.signature(driver.__init__).parameters  # type: ignore[misc]
    own = {name: each for name, each in found.items() if name != "self" and each.kind in POSITIONAL}
    return own or _parameters(driver)


def _signature(driver: type) -> dict[str, inspect.Parameter]:
    found: dict[str, inspect.Parameter] = {}
    for owner in driver.__mro__:
        init = vars(owner).get("__init__")
        if init is None:
            continue
        own = {name: each for name, each in inspect.signature(init).parameters.items() if name != "self"}
        found = {**found, **{name: each for name, each in own.items() if name not in found}}
        if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in own.values()):
            break
    return found
