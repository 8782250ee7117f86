"""Makes compute_v1.json from the document inside the installed google-api-python-client: data, no prose.

    python -m gcelib.server.discovery.build

Needs google-api-python-client, which gcelib itself does not. The same package gives the same bytes.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gcelib.server.discovery import FILE

PACKAGE = "google-api-python-client"
STAMP = "generatedFrom"
"""Key of the pruned document that names the package and version it was made from."""

ROOT_KEYS = (
    "kind",
    "discoveryVersion",
    "id",
    "name",
    "version",
    "serviceVersion",
    "revision",
    "title",
    "ownerDomain",
    "ownerName",
    "documentationLink",
    "protocol",
    "rootUrl",
    "servicePath",
    "basePath",
    "baseUrl",
    "batchPath",
)
METHOD_KEYS = (
    "id",
    "path",
    "flatPath",
    "httpMethod",
    "apiVersion",
    "parameterOrder",
    "request",
    "response",
    "deprecated",
)
VALUE_KEYS = (
    "id",
    "type",
    "$ref",
    "format",
    "location",
    "required",
    "repeated",
    "pattern",
    "default",
    "minimum",
    "maximum",
    "enum",
    "enumDeprecated",
    "readOnly",
    "deprecated",
    "annotations",
)


def prune(document: Mapping[str, Any], stamp: str) -> dict[str, Any]:
    """The document without prose, with only the schemas its methods reach, stamped with its source."""
    resources = {
        name: {"methods": {key: _method(method) for key, method in resource["methods"].items()}}
        for name, resource in document["resources"].items()
    }
    return {
        **{key: document[key] for key in ROOT_KEYS if key in document},
        STAMP: stamp,
        # Google's own library takes its default scopes from here.
        "auth": {"oauth2": {"scopes": {scope: {} for scope in document["auth"]["oauth2"]["scopes"]}}},
        "parameters": {name: _value(param) for name, param in document["parameters"].items()},
        "resources": resources,
        "schemas": reachable({n: _value(s) for n, s in document["schemas"].items()}, resources),
    }


def reachable(schemas: Mapping[str, Any], resources: Mapping[str, Any]) -> dict[str, Any]:
    """The schemas that the methods in `resources` name, and those that these name, in the given order."""
    wanted: set[str] = set()
    todo = list(_references(resources))
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo.extend(_references(schemas[name]))
    return {name: schema for name, schema in schemas.items() if name in wanted}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        name = value.get("$ref")
        if isinstance(name, str):
            yield name
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _method(method: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: method[key] for key in METHOD_KEYS if key in method}
    kept["parameters"] = {name: _value(param) for name, param in method.get("parameters", {}).items()}
    return kept


def _value(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: schema[key] for key in VALUE_KEYS if key in schema}
    if "properties" in schema:
        kept["properties"] = {name: _value(inner) for name, inner in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if key in schema:
            kept[key] = _value(schema[key]) if isinstance(schema[key], Mapping) else schema[key]
    return kept


def installed_version() -> str:
    """The stamp of the installed package; raises `importlib.metadata.PackageNotFoundError` without one."""
    return f"{PACKAGE} {importlib.metadata.version(PACKAGE)}"


def render() -> bytes:
    """The bytes of compute_v1.json as the installed package gives them."""
    spec = importlib.util.find_spec("googleapiclient")
    if spec is None or spec.origin is None:
        raise SystemExit(f"Install {PACKAGE} first: its copy of Google's document is the source.")
    source = Path(spec.origin).parent / "discovery_cache" / "documents" / "compute.v1.json"
    pruned = prune(json.loads(source.read_bytes()), installed_version())
    return json.dumps(pruned, separators=(",", ":"), ensure_ascii=True).encode() + b"\n"


def main() -> int:
    """Write the file beside this module."""
    target = Path(__file__).with_name(FILE)
    raw = render()
    target.write_bytes(raw)
    sys.stdout.write(f"{FILE}: {len(raw)} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
