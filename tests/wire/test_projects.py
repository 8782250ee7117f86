"""The project over the wire: quotas as the cloud counts them, what operations say, batches as large as they come."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cs import CloudStack

from gcelib.simulator import Simulator
from tests.api import Api
from tests.conftest import launched, portal
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
KINDS = {"INSTANCES": 0, "STATIC_ADDRESSES": 1, "SNAPSHOTS": 3, "IMAGES": 4, "NETWORKS": 6, "CPUS": 8,
         "DISKS_TOTAL_GB": 10}
"""GCE's metrics and CloudStack's numbers of what they count."""
LIMITS = {"user_vm": 7, "public_ip": 4, "snapshot": 9, "template": 5, "network": 3, "cpu": 11, "primary_storage": 500}
UNLIMITED = 10**9


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, CloudStack]]:
    """An account with limits, and something of what they are for."""
    with Simulator(job_delay=0.02) as cloud:
        for kind, limit in LIMITS.items():
            cloud.world.set_limit("demo", kind, limit)
        server = launched(tmp_path_factory.mktemp("limited"), cloud, extra="[cache]\nother = 0\nnodes = 0\n")
        api = server.api()
        api.change("POST", HERE, machine("counted"))
        api.change("POST", "zones/de-adv1/disks", {"name": "counted", "sizeGb": "3"})
        api.change("POST", "global/snapshots", {"name": "counted", "sourceDisk": "zones/ch-gv2/disks/counted"})
        yield api, portal(cloud)
        assert server.stop() == 0


def test_quotas_are_the_clouds_limits_and_what_is_used_of_them(limited: tuple[Api, CloudStack]) -> None:
    api, cloudstack = limited
    limits = {int(row["resourcetype"]): row["max"] for row in cloudstack.listResourceLimits()["resourcelimit"]}
    account = cloudstack.listAccounts()["account"][0]
    used = {"INSTANCES": account["vmtotal"], "SNAPSHOTS": account["snapshottotal"], "IMAGES": account["templatetotal"],
            "NETWORKS": account["networktotal"], "CPUS": account["cputotal"], "STATIC_ADDRESSES": account["iptotal"],
            "DISKS_TOTAL_GB": account["primarystoragetotal"]}
    shown = {quota["metric"]: quota for quota in api.get("")["quotas"]}
    assert set(shown) == set(KINDS)
    for metric, number in KINDS.items():
        assert shown[metric]["limit"] == limits[number], metric
        if metric != "STATIC_ADDRESSES":
            assert shown[metric]["usage"] == used[metric], metric
    for region in ("ch", "de"):
        below = {quota["metric"]: quota for quota in api.get(f"regions/{region}")["quotas"]}
        assert below["INSTANCES"] == shown["INSTANCES"]
        assert all(below[name]["limit"] == shown[name]["limit"] for name in set(below) & set(shown))


def test_what_is_beyond_a_limit_is_a_quota_that_is_exceeded(limited: tuple[Api, CloudStack]) -> None:
    api, _ = limited
    api.change("POST", "zones/de-adv1/disks", {"name": "large", "sizeGb": "400"})
    answer = api.call("POST", HERE, machine("too-many", disks=[{
        "boot": True, "initializeParams": {"sourceImage": "global/images/linux-ubuntu-12-04-lts-64-bit-10gb",
                                           "diskSizeGb": "200"}}]))
    assert (answer.status, answer.reason) == (403, "quotaExceeded"), answer.data
    api.change("DELETE", "zones/de-adv1/disks/large")


def test_what_is_not_limited_has_a_limit_nobody_reaches(api: Api) -> None:
    assert {quota["limit"] >= UNLIMITED for quota in api.get("")["quotas"]} == {True}


def test_an_operation_says_all_that_gces_says(limited: tuple[Api, CloudStack]) -> None:
    api, _ = limited
    for path, kind, scope in (("zones/de-adv1/disks", "zone", "zones/de-adv1"),
                              ("regions/de/targetPools", "region", "regions/de"),
                              ("global/httpHealthChecks", "", "global")):
        id = str(uuid.uuid4())
        begun = api.start("POST", path, {"name": "said", **({"sizeGb": "3"} if kind == "zone" else {})}, requestId=id)
        done = api.until_done(begun)
        base = f"{api.url}/compute/v1/projects/demo"
        assert {key: done[key] for key in ("operationType", "status", "progress", "targetLink", "selfLink")} == {
            "operationType": "insert", "status": "DONE", "progress": 100, "targetLink": f"{base}/{path}/said",
            "selfLink": f"{base}/{scope}/operations/{done['name']}"}
        assert done["user"].startswith("tester@")
        assert done["insertTime"] <= done["startTime"] <= done["endTime"]
        assert (done["targetId"], kind in done or not kind) == (api.get(f"{path}/said")["id"], True)
        assert not {"error", "httpErrorStatusCode", "warnings"} & set(done)
        for text in (f"name = {done['name']}", f"(targetLink eq '.*/{path}/said')(operationType eq insert)"):
            assert done["name"] in [row["name"] for row in api.get(f"{scope}/operations", filter=text)["items"]]
        gone = api.change("DELETE", f"{path}/said")
        assert (gone["operationType"], gone["targetId"]) == ("delete", done["targetId"])


def test_a_thousand_requests_in_one_batch(api: Api) -> None:
    asked = ("GET", "zones/ch-gv2", 200), ("GET", f"{HERE}/nobody", 404), ("DELETE", "zones/ch-gv2", 405), (
        "GET", "zones?filter=x", 400)

    def send(count: int) -> requests.Response:
        parts = [f"--b\r\nContent-Type: application/http\r\nContent-ID: <part-{number}>\r\n\r\n{verb} "
                 f"/compute/v1/projects/demo/{path} HTTP/1.1\r\n\r\n\r\n"
                 for number in range(count) for verb, path, _ in [asked[number % 4]]]
        return requests.post(f"{api.url}/batch/compute/v1", ("".join(parts) + "--b--").encode(), timeout=60, headers={
            "Authorization": f"Bearer {api.token}", "Content-Type": "multipart/mixed; boundary=b"})

    answer = send(1000)
    assert re.findall(r"<response-part-(\d+)>", answer.text) == [str(number) for number in range(1000)]
    statuses: Any = Counter(map(int, re.findall(r"HTTP/1\.1 (\d+)", answer.text)))
    assert statuses == {status: 250 for _, _, status in asked}
    assert (send(1001).status_code, send(0).status_code) == (400, 400)
