"""Checks answers against the discovery document: every field known, of its type, with the right kind."""

from __future__ import annotations

import re
from typing import Any

from gcelib.server.resources import table

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
}


def mistakes(schema_name: str, answer: Any) -> list[str]:
    """What is wrong with an answer of this schema; an empty list when nothing is."""
    return list(_walk({"$ref": schema_name}, answer, schema_name))


def _walk(schema: dict[str, Any], value: Any, path: str) -> Any:
    if "$ref" in schema:
        schema = table().schemas[schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "any":
        return
    if not isinstance(value, TYPES[kind]) or (kind in ("integer", "number") and isinstance(value, bool)):
        yield f"{path}: {value!r} is no {kind}"
        return
    if kind == "string":
        yield from _text(schema, value, path)
    if kind == "array":
        for index, item in enumerate(value):
            yield from _walk(schema["items"], item, f"{path}[{index}]")
    if kind == "object":
        known = schema.get("properties", {})
        for name, item in value.items():
            if name in known:
                yield from _walk(known[name], item, f"{path}.{name}")
            elif "additionalProperties" in schema:
                yield from _walk(schema["additionalProperties"], item, f"{path}.{name}")
            elif name != "kind":
                yield f"{path}.{name}: the schema has no such field"


def _text(schema: dict[str, Any], value: str, path: str) -> Any:
    if schema.get("format") in ("int64", "uint64") and not re.fullmatch(r"-?\d+", value):
        yield f"{path}: {value!r} is no number in text"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is none of {schema['enum']}"
    if "pattern" in schema and path.endswith((".name", ".family")) and not re.fullmatch(schema["pattern"], value):
        yield f"{path}: {value!r} is no match of {schema['pattern']}"
