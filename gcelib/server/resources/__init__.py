"""GCE's collections, one file each: found by looking, so that adding one is adding a file."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Mapping

from gcelib.server.collection import Collection, Handler, snake
from gcelib.server.routes import Method, RouteTable


@functools.cache
def table() -> RouteTable:
    """The route table, made once."""
    return RouteTable.load()


@functools.cache
def collections() -> Mapping[str, Collection]:
    """GCE's name of each collection we carry -> the object that does it."""
    found: dict[str, Collection] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for _, value in inspect.getmembers(module, inspect.isclass):
            if issubclass(value, Collection) and value.__module__.startswith(module.__name__) and "name" in vars(value):
                found[value.name] = value()
    return found


@functools.cache
def handlers() -> Mapping[str, Handler]:
    """Method id -> what carries it out, for every method of the document that a collection defines."""
    found: dict[str, Handler] = {}
    for id, method in table().methods.items():
        handler = getattr(collections().get(method.collection), snake(method.name), None)
        if handler is not None:
            found[id] = handler
    return found


def why_not(method: Method) -> str:
    """Why a method is refused, and what to do instead."""
    found = collections().get(method.collection)
    said = found.refusals.get(method.name) if found is not None else None
    return said or (
        f"gcelib has no '{method.name}' for {method.collection} there. `gcelib coverage` lists what it has."
    )


def offered() -> frozenset[str]:
    """The ids of the methods that are served; every other one of GCE's is refused by name."""
    return frozenset(handlers())
