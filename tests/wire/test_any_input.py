"""Any input at all: schemathesis over the served document; no 5xx, no HTML, every refusal in Google's envelope."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gcelib.server.resources import offered, table
from tests.api import Answer, Api
from tests.live import Live

READS = [method for method in table().methods.values() if method.id in offered() and method.verb == "GET"]
WRITES = [
    method for method in table().methods.values()
    if method.id in offered() and method.verb != "GET" and method.name != "wait"
]


def converted(schema: dict[str, Any]) -> dict[str, Any]:
    """A discovery schema as OpenAPI has them."""
    if "$ref" in schema:
        return {"$ref": f"#/components/schemas/{schema['$ref']}"}
    kept = {key: schema[key] for key in ("type", "enum") if key in schema and schema[key] != "any"}
    if "properties" in schema:
        kept["properties"] = {name: converted(child) for name, child in schema["properties"].items()}
    if "items" in schema:
        kept["items"] = converted(schema["items"])
    if "additionalProperties" in schema:
        kept["additionalProperties"] = converted(schema["additionalProperties"])
    return kept


def operation(method: Any) -> dict[str, Any]:
    """A method as an OpenAPI operation."""
    params = [
        {"name": name, "in": param.location, "required": param.location == "path", "schema": {"type": "string"}}
        for name, param in method.params.items()
    ]
    found: dict[str, Any] = {"operationId": method.id, "parameters": params, "responses": {"200": {"description": ""}}}
    if method.request:
        schema = {"$ref": f"#/components/schemas/{method.request}"}
        found["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return found


def openapi() -> Any:
    """The served methods as an OpenAPI document."""
    # Here, for it takes seconds that every worker would spend.
    import schemathesis

    paths: dict[str, Any] = {}
    for method in READS + WRITES:
        paths.setdefault(f"/compute/v1/{method.path}", {})[method.verb.lower()] = operation(method)
    schemas = {name: converted(schema) for name, schema in table().schemas.items()}
    return schemathesis.openapi.from_dict({
        "openapi": "3.0.2", "info": {"title": "gcelib", "version": "1"}, "paths": paths,
        "components": {"schemas": schemas},
    })


@pytest.fixture(scope="module")
def operations() -> dict[str, Any]:
    """Every method that is served, by its id."""
    return {each.ok().definition.raw["operationId"]: each.ok() for each in openapi().get_all_operations()}


@pytest.mark.parametrize("method", [method.id for method in READS + WRITES])
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(data=st.data())
def test_any_input_gets_a_clean_answer(
    live: Live, api: Api, operations: dict[str, Any], method: str, data: st.DataObject
) -> None:
    case = data.draw(operations[method].as_strategy())
    if case.path_parameters and re.match(r"[\w-]+$", str(case.path_parameters.get("project", ""))):
        case.path_parameters["project"] = "demo"
    answer = case.call(base_url=live.url, headers={"Authorization": f"Bearer {api.token}"}, timeout=30)
    assert answer.status_code < 500, answer.content
    if answer.status_code != 204:
        assert answer.headers["content-type"][0].startswith("application/json"), answer.content
        found = answer.json()
        if answer.status_code >= 400:
            api.check(case.method, "", Answer(answer.status_code, answer.headers, found))


@pytest.mark.parametrize("path", [
    "/", "/compute", "/compute/v1", "/compute/v1/", "/compute/v1/%00", "/compute/v1/projects/%ff/zones", "//", "/a%0ab",
    "/compute/v1/projects/demo/zones/..%2f..", "/compute/v1/projects/demo//zones", "/%2e%2e/etc/passwd",
])
@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_odd_paths_and_verbs_get_no_html_and_no_5xx(live: Live, api: Api, verb: str, path: str) -> None:
    answer = requests.request(verb, live.url + path, headers={"Authorization": f"Bearer {api.token}"}, timeout=30)
    assert answer.status_code < 500
    if answer.content and not (path in ("/", "//") and answer.status_code == 200):
        assert answer.headers["content-type"].startswith("application/json"), (answer.status_code, answer.text[:200])
