"""Entity tags over the wire: every read has one, and a client that sends it back is told whether anything changed."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest
import requests

from gcelib.server import conditional
from tests.api import Api
from tests.conftest import Launch
from tests.live import Live

BASE = "/compute/v1/projects/demo/"


def read(api: Api, path: str, tag: str = "", **query: Any) -> requests.Response:
    """A GET, with If-None-Match when there is a tag."""
    headers = {"Authorization": f"Bearer {api.token}", **({"If-None-Match": tag} if tag else {})}
    return requests.get(f"{api.url}{BASE}{path}".rstrip("/"), params=query, headers=headers, timeout=30)


@pytest.mark.parametrize(("path", "query"), [
    ("", {}), ("zones", {}), ("zones/ch-gv2", {}), ("zones/ch-gv2/machineTypes", {"maxResults": 2}),
    ("aggregated/machineTypes", {}), ("global/images", {"filter": "name:linux*", "fields": "items/name"}),
    ("zones/ch-gv2/machineTypes", {"prettyPrint": "true"}), ("global/operations", {"maxResults": 0}),
])
def test_a_read_that_has_not_changed_is_not_sent_again(api: Api, path: str, query: dict[str, Any]) -> None:
    first = read(api, path, **query)
    tag = first.headers["ETag"]
    assert tag == conditional.tag(first.content)
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = read(api, path, given, **query)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert not {"content-length", "content-type"} & set(map(str.lower, again.headers))
    for given in ('"other"', tag.strip('"'), f"{tag[:-2]}x\""):
        other = read(api, path, given, **query)
        assert (other.status_code, other.content) == (200, first.content)


def test_what_is_chosen_or_written_otherwise_has_another_tag(api: Api) -> None:
    asked: list[dict[str, Any]] = [{}, {"fields": "items/name"}, {"prettyPrint": "true"}, {"maxResults": 1},
                                   {"filter": "name ne ch-gv2"}]
    tags = [read(api, "zones", **query).headers["ETag"] for query in asked]
    assert len(set(tags)) == len(tags)


def test_what_has_changed_is_sent(api: Api) -> None:
    path = "global/httpHealthChecks"
    api.change("POST", path, {"name": "tagged"})
    one, many = read(api, f"{path}/tagged").headers["ETag"], read(api, path).headers["ETag"]
    api.change("PATCH", f"{path}/tagged", {"port": 81})
    changed = read(api, f"{path}/tagged", one)
    assert (changed.status_code, changed.json()["port"]) == (200, 81)
    listed = read(api, path, many).json()["items"]
    assert [row["port"] for row in listed if row["name"] == "tagged"] == [81]
    api.change("DELETE", f"{path}/tagged")
    assert read(api, f"{path}/tagged", changed.headers["ETag"]).status_code == 404


def test_refusals_and_changes_have_none(api: Api, live: Live) -> None:
    refused = read(api, "zones/nowhere", "*")
    assert (refused.status_code, "ETag" in refused.headers) == (404, False)
    begun = api.call("POST", "setUsageExportBucket", {})
    assert (begun.status, "ETag" in begun.headers) == (200, False)
    stranger = requests.get(f"{live.url}{BASE}zones", headers={"If-None-Match": "*"}, timeout=30)
    assert stranger.status_code == 401


def test_a_page_that_is_asked_for_again_is_the_same_answer(launch: Launch) -> None:
    live, _ = launch(extra="[cache]\nsizes = 0\nzones = 0\n")
    api = live.api()
    pages = [read(api, "zones/ch-gv2/machineTypes", maxResults=2) for _ in range(2)]
    assert pages[0].headers["ETag"] == pages[1].headers["ETag"]
    assert pages[0].json()["nextPageToken"] == pages[1].json()["nextPageToken"]


def test_parts_of_a_batch_and_the_discovery_document_have_them_too(api: Api, live: Live) -> None:
    tag = read(api, "zones").headers["ETag"]
    part = f"--b\nContent-Type: application/http\n\nGET {BASE}zones HTTP/1.1\nIf-None-Match: {tag}\n\n\n--b--"
    answer = requests.post(f"{live.url}/batch/compute/v1", part.encode(), timeout=30, headers={
        "Authorization": f"Bearer {api.token}", "Content-Type": "multipart/mixed; boundary=b"})
    assert "HTTP/1.1 304 Not Modified" in answer.text
    assert "zoneList" not in answer.text
    url = f"{live.url}/discovery/v1/apis/compute/v1/rest"
    tag = requests.get(url, timeout=30).headers["ETag"]
    assert requests.get(url, headers={"If-None-Match": tag}, timeout=30).status_code == 304


def test_a_compressed_request_changes_nothing_about_them(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token}", "Accept-Encoding": "gzip"}
    plain = requests.get(f"{api.url}{BASE}zones", headers={**headers, "Accept-Encoding": "identity"}, timeout=30)
    assert requests.get(f"{api.url}{BASE}zones", headers=headers, timeout=30).headers["ETag"] == plain.headers["ETag"]
    body = gzip.compress(b'{"name": "zipped"}')
    made = requests.post(f"{api.url}{BASE}global/httpHealthChecks", body, timeout=30, headers={
        **headers, "Content-Encoding": "gzip", "Content-Type": "application/json"})
    api.until_done(made.json())
    api.change("DELETE", "global/httpHealthChecks/zipped")


def test_a_tag_costs_little() -> None:
    body = b"x" * 1_000_000
    begun = time.process_time()
    for _ in range(20):
        conditional.tag(body)
    assert time.process_time() - begun < 0.5
