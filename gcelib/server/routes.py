"""Every path of GCE v1 as a tree of segments: which method, with which parameters, a verb and a path mean."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec

from gcelib.errors import Malformed, NotFound, WrongVerb
from gcelib.server import discovery


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter of a method as the document has it. `location` is "path" or "query"."""

    name: str
    location: str
    type: str = "string"
    format: str = ""
    required: bool = False
    repeated: bool = False
    enum: tuple[str, ...] = ()
    pattern: str = ""
    default: str = ""
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """One GCE method. `id` is "compute.instances.insert", `path` the flat path below "compute/v1/".

    `request` and `response` are schema names, "" for none. `scope` is "zone", "region", "global" or
    "aggregated" by where the path leads inside a project, "project" for the project itself and its lists
    of zones and regions, "organization" for paths outside every project. `answers` are the top-level fields its
    answer may have.
    """

    id: str
    collection: str
    name: str
    verb: str
    path: str
    params: Mapping[str, Param]
    order: tuple[str, ...]
    request: str
    response: str
    answers: Collection[str]
    scope: str


class _Leaf(NamedTuple):
    method: Method
    names: tuple[tuple[str, int, int], ...]
    """Parameter name, first segment, segment after the last one."""


class _Node:
    __slots__ = ("leaves", "literals", "wildcard")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.wildcard: _Node | None = None
        self.leaves: dict[str, _Leaf] = {}


_NOWHERE = _Node()


class Schemas(Mapping[str, Any]):
    """JSON schemas by name, each read when it is first asked for; few ever are."""

    def __init__(self, raw: Mapping[str, msgspec.Raw]) -> None:
        self._raw = raw
        self._read: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._read:
            self._read[name] = msgspec.json.decode(self._raw[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def fields(self, name: str) -> tuple[str, ...]:
        """The names of an object's fields; none for a name there is not."""
        return (*map(sys.intern, _FIELDS.decode(self._raw[name]).properties),) if name in self._raw else ()


class _Fields(msgspec.Struct):
    properties: dict[str, msgspec.Raw] = {}


_FIELDS = msgspec.json.Decoder(_Fields)


class RouteTable:
    """All methods of one discovery document.

    `methods` by id, `schemas` by name (raw JSON schemas of the document), `revision` the document's.
    """

    def __init__(self, document: discovery.Parts) -> None:
        self.revision = document.revision
        self.schemas = Schemas({name: raw.copy() for name, raw in document.schemas.items()})
        self._root = _Node()
        known: dict[str, Param] = {}
        methods: dict[str, Method] = {}
        for collection, resource in document.resources.items():
            for name, raw in msgspec.json.decode(resource).get("methods", {}).items():
                method = _method(collection, name, raw, known, self.schemas)
                methods[method.id] = method
                self._add(method, raw["path"])
        self.methods: Mapping[str, Method] = methods

    @classmethod
    def load(cls) -> RouteTable:
        """The table of the document that ships with gcelib."""
        return cls(discovery.parts())

    def _add(self, method: Method, template: str) -> None:
        node = self._root
        for segment in method.path.split("/"):
            if segment.startswith("{"):
                node.wildcard = node.wildcard or _Node()
                node = node.wildcard
            else:
                node = node.literals.setdefault(segment, _Node())
        node.leaves[method.verb] = _Leaf(method, _spans(method.path, template))

    def match(self, verb: str, path: str) -> tuple[Method, dict[str, str]]:
        """The method and its decoded path parameters. `path` follows "/compute/v1/", still percent-encoded.

        Raises `NotFound` for a path GCE has not, `WrongVerb` (with `Allow`) for one it has with other verbs,
        `Malformed` for percent-encoding that is not UTF-8.
        """
        segments = path.split("/")
        if "%" in path:
            segments = [_decoded(segment) for segment in segments]
        node = self._root
        for segment in segments:
            below = node.literals.get(segment) or (node.wildcard if segment else None)
            if below is None:
                node = _NOWHERE
                break
            node = below
        leaf = node.leaves.get(verb)
        if leaf is None:
            leaf = self._search(verb, segments, path)
        params = {
            name: segments[first] if stop - first == 1 else "/".join(segments[first:stop])
            for name, first, stop in leaf.names
        }
        return leaf.method, params

    def _search(self, verb: str, segments: list[str], path: str) -> _Leaf:
        """The slow way, for a name that is spelt like a literal ("images/family/deprecate")."""
        nodes = [self._root]
        for segment in segments:
            literal = [node.literals[segment] for node in nodes if segment in node.literals]
            wild = [node.wildcard for node in nodes if node.wildcard is not None and segment]
            nodes = literal + wild
        for node in nodes:
            if verb in node.leaves:
                return node.leaves[verb]
        allowed = sorted({each for node in nodes for each in node.leaves})
        if not allowed:
            raise NotFound(f"The path '{_shown(path)}' was not found: GCE v1 has no such path.")
        raise WrongVerb(
            f"{_shown(verb)} is not a method of '{_shown(path)}': GCE v1 has {', '.join(allowed)} there.",
            headers={"Allow": ", ".join(allowed)},
        )


def _method(
    collection: str, name: str, raw: Mapping[str, Any], known: dict[str, Param], schemas: Schemas
) -> Method:
    response = raw.get("response", {}).get("$ref", "")
    return Method(
        id=raw["id"],
        collection=collection,
        name=name,
        verb=raw["httpMethod"],
        path=raw["flatPath"],
        params={key: _param(key, value, known) for key, value in raw["parameters"].items()},
        order=tuple(raw.get("parameterOrder", ())),
        request=raw.get("request", {}).get("$ref", ""),
        response=response,
        answers=schemas.fields(response),
        scope=_scope(raw["flatPath"]),
    )


def _param(name: str, raw: Mapping[str, Any], known: dict[str, Param]) -> Param:
    """Four thousand parameters, a few hundred different ones: equal ones are one object."""
    key = f"{name} {raw}"
    if key not in known:
        known[key] = Param(
            name=name,
            location=raw["location"],
            type=raw.get("type", "string"),
            format=raw.get("format", ""),
            required=raw.get("required", False),
            repeated=raw.get("repeated", False),
            enum=tuple(raw.get("enum", ())),
            pattern=raw.get("pattern", ""),
            default=raw.get("default", ""),
            minimum=int(raw["minimum"]) if "minimum" in raw else None,
            maximum=int(raw["maximum"]) if "maximum" in raw else None,
        )
    return known[key]


def _scope(path: str) -> str:
    segments = path.split("/")
    if segments[0] != "projects":
        return "organization"
    place = segments[2] if len(segments) > 2 else ""
    if place in {"global", "aggregated"}:
        return place
    if place in {"zones", "regions"} and len(segments) > 4:
        return place.removesuffix("s")
    return "project"


def _spans(flat: str, template: str) -> tuple[tuple[str, int, int], ...]:
    """Where each parameter stands in the segments; a `{+name}` of the template covers several of them."""
    parts = template.split("/")
    extra = flat.count("/") + 1 - len(parts)
    spans = []
    position = 0
    for part in parts:
        width = 1 + extra if part.startswith("{+") else 1
        if part.startswith("{"):
            spans.append((part.strip("{+}"), position, position + width))
        position += width
    return tuple(spans)


def _decoded(segment: str) -> str:
    try:
        text = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise Malformed(f"The path segment '{_shown(segment)}' is not percent-encoded UTF-8.") from None
    if "\0" in text:
        raise Malformed(f"The path segment '{_shown(segment)}' holds a NUL character, which no name has.")
    return text


def _shown(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "..."
