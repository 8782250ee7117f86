"""Clouds that answer what libcloud's own tests have recorded of the real ones."""

from __future__ import annotations

import importlib
import sys
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from gcelib.config import CacheConfig, CloudConfig, Secret
from gcelib.drivers import registry
from gcelib.drivers.base import Cloud
from gcelib.drivers.generic.kind import Kind

NOTHING_KEPT = CacheConfig(zones=0, sizes=0, images=0, nodes=0, other=0)


@dataclass(frozen=True)
class Recording:
    """`module` and `mock` are where libcloud's tests have the answers; `more` are other connections to be replaced."""

    provider: str
    module: str
    mock: str
    key: str = "a-key"
    secret: str = "a-secret"
    options: dict[str, Any] = field(default_factory=dict)
    more: tuple[tuple[str, str, str], ...] = ()


def _secrets() -> types.ModuleType:
    """The module of keys that libcloud's tests read and libcloud does not ship."""

    def key(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return {"project": "project_name"} if "KEYWORD" in name else ("a-key", "a-secret")

    module = types.ModuleType("libcloud.test.secrets")
    module.__getattr__ = key  # type: ignore[method-assign]
    return module


@contextmanager
def replayed(recording: Recording) -> Iterator[tuple[Cloud, Any]]:
    """The cloud, and the class that answers for it: `type` of it chooses another set of answers."""
    sys.modules.setdefault("libcloud.test.secrets", _secrets())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tests = importlib.import_module(f"libcloud.test.compute.{recording.module}")
    mock = getattr(tests, recording.mock)
    kind = Kind(registry.profile_of(recording.provider))
    connections = [(kind.type.connectionCls, mock)]
    for module, owner, answers in recording.more:
        connections.append((getattr(importlib.import_module(module), owner), getattr(tests, answers)))
    before = [connection.conn_class for connection, _ in connections]
    for connection, answers in connections:
        connection.conn_class = answers
    mock.type = None
    config = CloudConfig(
        name="far", provider=recording.provider, key=recording.key, secret=Secret(recording.secret),
        options=recording.options,
    )
    cloud = registry.build(config, NOTHING_KEPT)
    try:
        yield cloud, mock
    finally:
        cloud.close()
        for (connection, _), old in zip(connections, before, strict=True):
            connection.conn_class = old
