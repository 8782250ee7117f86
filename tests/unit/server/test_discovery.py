"""The discovery document, as it is made and as it is served."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import json
import re
from typing import Any

import pytest
from googleapiclient.discovery import build_from_document

from gcelib.server import discovery
from gcelib.server.discovery import build
from gcelib.server.discovery.serve import GCUTIL_NEEDS, Discovery

DOCUMENT = discovery.load()
BASE = "https://cloud.example:5000"
OFFERED = frozenset(
    {"compute.instances.list", "compute.instances.setTags", "compute.addresses.aggregatedList"}
)


def served(offered: frozenset[str] = OFFERED, base: str = BASE) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Discovery(lambda: DOCUMENT).rest(base, offered))
    return document


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def test_the_file_is_what_the_package_it_names_gives() -> None:
    try:
        installed = build.installed_version()
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{build.PACKAGE} is not installed")
    if DOCUMENT[build.STAMP] != installed:
        pytest.skip(f"made from {DOCUMENT[build.STAMP]}, installed is {installed}")
    assert importlib.resources.files(discovery).joinpath(discovery.FILE).read_bytes() == build.render()


def test_the_file_holds_data_and_no_prose() -> None:
    text = json.dumps(DOCUMENT)
    assert "enumDescriptions" not in text
    assert not re.search(r'"description": ?"', text)
    assert DOCUMENT["revision"]
    assert DOCUMENT["schemas"]["Instance"]["properties"]["description"] == {"type": "string"}
    assert DOCUMENT["schemas"]["Instance"]["properties"]["name"]["annotations"]


def test_every_schema_named_is_there_and_every_one_there_is_named() -> None:
    assert references([DOCUMENT["resources"], DOCUMENT["schemas"]]) == set(DOCUMENT["schemas"])


def test_the_served_document_leads_to_us() -> None:
    document = served()
    assert document["rootUrl"] == BASE + "/"
    assert document["servicePath"] == "compute/v1/"
    assert document["baseUrl"] == BASE + "/compute/v1/"
    assert document["batchPath"] == "batch/compute/v1"
    assert "mtlsRootUrl" not in document
    assert "googleapis.com" not in json.dumps({k: v for k, v in document.items() if k != "auth"})


def test_only_what_is_offered_is_served_and_what_gcutil_cannot_start_without() -> None:
    resources = served()["resources"]
    assert set(resources) == GCUTIL_NEEDS | {"addresses"}
    assert set(resources["addresses"]["methods"]) == {"aggregatedList"}
    expected = {"list", "get", "insert", "delete", "setTags", "getSerialPortOutput"}
    assert set(resources["instances"]["methods"]) == expected


def test_only_schemas_in_use_are_served() -> None:
    document = served()
    assert references([document["resources"], document["schemas"]]) == set(document["schemas"])
    assert "UrlMap" not in document["schemas"]


def test_each_client_is_led_to_the_address_it_used() -> None:
    source = Discovery(lambda: DOCUMENT)
    first, second = (json.loads(source.rest(base, OFFERED)) for base in (BASE, "http://localhost:1"))
    assert second["rootUrl"] == "http://localhost:1/"
    assert {k: v for k, v in first.items() if k not in ("rootUrl", "baseUrl")} == {
        k: v for k, v in second.items() if k not in ("rootUrl", "baseUrl")
    }
    assert set(json.loads(source.rest(BASE, frozenset()))["resources"]) == GCUTIL_NEEDS


def test_serving_leaves_the_document_as_it_was() -> None:
    served()
    assert discovery.load() == DOCUMENT


@pytest.mark.parametrize("name", ["CH-GV2", "Paul's Room", "me@example.com"])
def test_googles_library_builds_from_it_and_lets_any_name_through(name: str) -> None:
    compute = build_from_document(json.dumps(served()), developerKey="k")
    request = compute.instances().list(project="me@example.com", zone=name, maxResults=5)
    assert request.uri.startswith(BASE + "/compute/v1/projects/")
    assert request.method == "GET"
    assert compute.instances().setTags(project="p", zone=name, instance="n", body={"items": []}).body


def test_the_directory_names_the_document() -> None:
    directory = json.loads(Discovery(lambda: DOCUMENT).directory(BASE))
    assert directory["kind"] == "discovery#directoryList"
    assert [item["discoveryRestUrl"] for item in directory["items"]] == [
        BASE + "/discovery/v1/apis/compute/v1/rest"
    ]
