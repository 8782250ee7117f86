"""Query and body against Google's document: typed values in, or a refusal that names the field."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gcelib.errors import Invalid, Malformed, Missing, TooLarge
from gcelib.server.routes import Method, Param
from gcelib.server.values import boolean, decimal, integer, match, refuse, scalar, word

MAX_RESULTS = 500
MAX_DEPTH = 40
MAX_BODY = 2 << 20
"""Bytes of one method's body: several times the most that GCE's own limits (512 KB of metadata) leave room for, and
little enough that what it becomes in memory, some thirty times as much, fits."""
MAX_ITEMS = 1000
"""Elements of one array, entries of one map; GCE takes fewer wherever it says how many."""
MAX_UNKNOWN = 100
"""Unknown fields that are named: each becomes a warning of the operation, kept as long as that."""
KIND = "kind"
"""What a body says it is, which old clients put into bodies that have no such field today: dropped without a word."""
ROOT = "resource"
"""How GCE's messages call the whole body."""
ABSENT = (None, "", "ignored")
"""Bodies that clients send for none: Google's Node.js library an empty text, libcloud a word."""
DEFAULTED = {("compute.routes.insert", "priority")}
"""What the document calls required and gives a default in its prose: clients leave it out."""
CLEARABLE = frozenset({
    "description", "family", "host", "allowed", "denied", "sourceRanges", "destinationRanges", "sourceTags",
    "targetTags", "sourceServiceAccounts", "targetServiceAccounts",
})
"""Fields of a PATCH that a null empties: so gcloud spells `--description ""` of a firewall."""
TAKEN = {("compute.images.patch", "deprecated")}
"""What the document calls output only, and what Google says of the method lets clients send."""
_NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}}

Pairs = list[tuple[str, str]]
Schemas = Mapping[str, Any]


def query(method: Method, pairs: Pairs) -> dict[str, Any]:
    """The query parameters a method knows, typed; besides them those that every method has.

    Others (key, quotaUser, trace..) are left out. Repeated parameters are lists. Raises `Invalid` naming the
    parameter, `Missing` for a required one.
    """
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    answer: dict[str, Any] = {}
    for name, values in given.items():
        param = method.params.get(name)
        if param is not None and param.location == "query":
            if param.repeated:
                answer[name] = [_parameter(param, value) for value in values if value]
            elif value := _only(name, values):
                answer[name] = _parameter(param, value)
        elif name in _STANDARD and (value := _only(name, values)):
            answer[name] = _STANDARD[name](value)
    answer.pop("alt", None)
    for name, param in method.params.items():
        if param.required and param.location == "query" and name not in answer:
            raise Missing(f"Required parameter '{name}' not specified.", field=name)
    return answer


def _only(name: str, values: list[str]) -> str:
    """A parameter's single value; saying the same thing twice is harmless, two different things are not."""
    if len(set(values)) > 1:
        raise Invalid(f"Parameter '{name}' is given more than once, with different values.", field=name)
    return values[0]


def _parameter(param: Param, value: str) -> Any:
    if param.name == "maxResults":
        return integer(value, "uint32", {"maximum": MAX_RESULTS}, param.name)
    if param.name == "requestId":
        return _request_id(value)
    if param.enum:
        return word(value, param.enum, param.name)
    if param.type == "boolean":
        return boolean(value, param.name)
    if param.type == "number":
        return decimal(value, param.name)
    if param.type == "integer" or param.format in {"int64", "uint64"}:
        bounds = {"minimum": param.minimum, "maximum": param.maximum}
        return integer(value, param.format or "int64", bounds, param.name)
    if "\0" in value:
        refuse(value, param.name, "It holds a NUL character.")
    return value


def _request_id(value: str) -> str:
    """A request id in its one canonical spelling, so that the same id is the same text."""
    try:
        found = uuid.UUID(value)
    except ValueError:
        found = uuid.UUID(int=0)
    if not found.int or len(value) != 36:
        refuse(value, "requestId", "Must be a UUID, and not the one of zeros.")
    return str(found)


def _alt(value: str) -> str:
    return word(value, ("json",), "alt")


_STANDARD: Mapping[str, Callable[[str], Any]] = {
    "alt": _alt,
    "fields": str,
    "prettyPrint": lambda value: boolean(value, "prettyPrint"),
    "returnPartialSuccess": lambda value: boolean(value, "returnPartialSuccess"),
    "$.xgafv": lambda value: word(value, ("1", "2"), "$.xgafv"),
    "callback": lambda value: refuse(value, "callback", "Answers are JSON alone, not a script's call."),
}


def body(
    method: Method, schemas: Schemas, raw: bytes, content_type: str, *, strict: bool
) -> tuple[dict[str, Any], list[str]]:
    """The body as its schema means it, and the paths ("resource.x[0].y") of fields the schema has not.

    Nulls, unknown and output-only fields are dropped, but for nulls in a PATCH that empty a field of `CLEARABLE`;
    64-bit integers become text, the others numbers. A method without a request schema has no fields. Raises
    `Malformed` for what is no JSON object, `TooLarge`, `Missing` for a required field, `Invalid` naming the field
    otherwise; with `strict` also for the first unknown field.
    """
    if not (raw or content_type or method.request):
        return {}, []
    value = _decoded(raw, content_type)
    if not isinstance(value, dict):
        raise Malformed(f"The body of {method.id} must be a JSON object.")
    checker = _Checker(method, schemas)
    schema = schemas[method.request] if method.request else _NOTHING
    if not value:
        checker.check_required(schema, {}, "")
    cleaned = checker.clean(value, schema, ROOT, 0)
    if strict and checker.unknown:
        name = checker.unknown[0]
        raise Invalid(f"Unknown field '{name}': {method.id} has no such field.", field=name)
    return cleaned, checker.unknown


def _decoded(raw: bytes, content_type: str) -> Any:
    if content_type.strip().lower().startswith("multipart/"):
        raise Malformed(f"A body of type '{content_type[:100]}' is not accepted here: send application/json.")
    if len(raw) > MAX_BODY:
        raise TooLarge(f"The body may hold at most {MAX_BODY} bytes; only a batch may be larger.")
    raw = raw.strip()
    if not raw:
        return {}
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as refusal:
        raise Malformed(f"The body is not JSON in UTF-8: {refusal}.") from None
    except RecursionError:
        raise Malformed("The body is nested too deeply.") from None
    return {} if value in ABSENT else value


class _Checker:
    """Walks one body; `unknown` collects the paths of the fields its schema has not."""

    def __init__(self, method: Method, schemas: Schemas) -> None:
        self.method = method
        self.schemas = schemas
        self.unknown: list[str] = []

    def clean(self, value: Any, schema: Mapping[str, Any], path: str, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise Malformed("The body is nested too deeply.")
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"]]
        kind = schema.get("type")
        if kind == "array":
            return self._array(value, schema, path, depth)
        if kind == "object":
            return self._object(value, schema, path, depth)
        return value if kind == "any" else scalar(value, schema, path)

    def _array(self, value: Any, schema: Mapping[str, Any], path: str, depth: int) -> list[Any]:
        if not isinstance(value, list):
            refuse(value, path, "Must be an array.")
        self._count(value, path)
        elements = [
            self.clean(element, schema["items"], f"{path}[{index}]", depth + 1)
            for index, element in enumerate(value)
            if element is not None
        ]
        if "pattern" in schema:
            for index, element in enumerate(elements):
                match(element, schema["pattern"], f"{path}[{index}]")
        return elements

    def _object(self, value: Any, schema: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
        if not isinstance(value, dict):
            refuse(value, path, "Must be an object.")
        if "additionalProperties" in schema:
            self._count(value, path)
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        cleaned = {}
        for name, inner in value.items():
            where = f"{path}.{name}"
            field = known.get(name, more)
            if field is None and not self._is_free(schema):
                if name != KIND and len(self.unknown) < MAX_UNKNOWN:
                    self.unknown.append(where[:200])
            elif "\0" in name:
                refuse(name, path, "A key in it holds a NUL character.")
            elif inner is None and path == ROOT and self.method.verb == "PATCH" and name in CLEARABLE:
                cleaned[name] = [] if (field or {}).get("type") == "array" else ""
            elif inner is None or ((field or {}).get("readOnly") and (self.method.id, name) not in TAKEN):
                continue
            elif field is None:
                cleaned[name] = inner
            elif inner != "" or not self._empty_is_absent(field):
                cleaned[name] = self.clean(inner, field, where, depth + 1)
        self.check_required(schema, cleaned, path)
        return cleaned

    @staticmethod
    def _count(value: list[Any] | dict[str, Any], path: str) -> None:
        if len(value) > MAX_ITEMS:
            refuse(value, path, f"It holds {len(value)} elements; at most {MAX_ITEMS} are taken.")

    @staticmethod
    def _is_free(schema: Mapping[str, Any]) -> bool:
        """An object the document says nothing about holds anything."""
        return "properties" not in schema and "additionalProperties" not in schema

    def _empty_is_absent(self, field: Mapping[str, Any]) -> bool:
        """An empty string is how some clients leave out a word or a patterned value."""
        return ("enum" in field or "pattern" in field) and not self._is_required(field)

    def _is_required(self, field: Mapping[str, Any]) -> bool:
        """Whether this method needs the field; a patch gives only what it changes."""
        return self.method.verb != "PATCH" and self.method.id in field.get("annotations", {}).get(
            "required", ()
        )

    def check_required(self, schema: Mapping[str, Any], value: Mapping[str, Any], path: str) -> None:
        """Raise `Missing` for the first field that this method needs and `value` has not."""
        for name, field in schema.get("properties", {}).items():
            if name not in value and self._is_required(field) and (self.method.id, name) not in DEFAULTED:
                where = f"{path}.{name}" if path else ROOT
                raise Missing(f"Required field '{where}' not specified", field=where)
