"""One cloud of several is dead, hangs or fails: the others go on, and whatever it would have told says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import requests

from tests.hybrid.clouds import Cloud, PartialApi, hybrid
from tests.wire.machines import machine

Clouds = tuple[Cloud, Cloud]
ONES = ["zones/ch-gv2", "zones/de-adv1"]
TWOS = ["zones/fr-sg1", "zones/two-ch-gv2", "zones/two-de-adv1"]


@pytest.fixture(autouse=True)
def well(api: PartialApi) -> None:
    """Both clouds answer at the start: one that was away is left alone for a while after it is back."""
    for zone in ("ch-gv2", "two-ch-gv2"):
        api.until(lambda zone=zone: api.call("GET", f"zones/{zone}/instances"), 200)


@pytest.fixture
def dead(api: PartialApi, clouds: Clouds) -> Iterator[Cloud]:
    """Cloud `two`, killed; it is back, with nothing but what it began with, after the test."""
    assert len(api.rows()) == 3
    clouds[1].kill()
    yield clouds[1]
    clouds[1].start()
    api.until(lambda: api.call("GET", "zones/two-ch-gv2/instances"), 200)


def seconds(api: PartialApi, path: str = "aggregated/instances", times: int = 5) -> list[float]:
    """How long each of several lists takes."""
    taken = []
    for _ in range(times):
        begun = time.monotonic()
        assert api.call("GET", path).status == 200
        taken.append(time.monotonic() - begun)
    return taken


def check_partial(api: PartialApi, words: str = "Cloud 'two'") -> None:
    """Everything of the other clouds is there; what is missing is said of its zones, and at the top."""
    found = api.get("aggregated/instances", includeAllScopes="True", returnPartialSuccess="True")
    assert api.rows() == {"ch-gv2": ["preloaded-1", "preloaded-2"], "dummy-a": ["dummy-1", "dummy-2"]}
    for scope in TWOS:
        warning = found["items"][scope]["warning"]
        assert warning["code"] == "UNREACHABLE"
        assert words in warning["message"]
        assert {"key": "scope", "value": scope} in warning["data"]
    assert found["items"]["zones/de-adv1"]["warning"]["code"] == "NO_RESULTS_ON_PAGE"
    assert found["warning"]["code"] == "UNREACHABLE"
    assert words in found["warning"]["message"]
    assert found["unreachables"] == TWOS
    assert scopes_of(found) == TWOS


def scopes_of(found: Any) -> list[str]:
    """The zones that a list's warning says could not be looked at."""
    return [entry["value"] for entry in found["warning"]["data"] if entry["key"] == "scope"]


def test_the_lists_of_the_others_stay_as_they_were(api: PartialApi, dead: Cloud) -> None:
    check_partial(api)
    assert "warning" not in api.get("zones/ch-gv2/instances")
    for path in ("global/networks", "global/images", "global/firewalls", "global/snapshots", "aggregated/disks",
                 "aggregated/addresses", "regions", "aggregated/machineTypes", "aggregated/diskTypes"):
        found = api.get(path)
        assert "Cloud 'two'" in found["warning"]["message"], path
        assert scopes_of(found) == TWOS, path
    assert "linux-ubuntu-12-04-lts-64-bit-10gb" in {row["name"] for row in api.get("global/images")["items"]}
    assert api.get("regions/two-ch")["quotaStatusWarning"]["message"].startswith("Cloud 'two'")
    assert api.get("regions/ch")["quotas"]
    assert api.get("")["quotas"]


def test_what_is_in_its_zones_is_unavailable_and_not_missing(api: PartialApi, dead: Cloud) -> None:
    for verb, path in (
        ("GET", "zones/two-ch-gv2/instances"), ("GET", "zones/fr-sg1/disks"), ("GET", "regions/two-de/addresses"),
        ("GET", "zones/two-ch-gv2/instances/preloaded-1"), ("GET", "zones/two-ch-gv2/instances/nobody"),
        ("DELETE", "zones/two-ch-gv2/instances/preloaded-1"), ("POST", "zones/two-ch-gv2/instances/preloaded-1/stop"),
    ):
        answer = api.call(verb, path)
        assert (answer.status, answer.reason) == (503, "backendError"), path
        assert "Cloud 'two'" in answer.message
        assert int(answer.headers["retry-after"]) >= 1
    assert api.call("POST", "zones/two-ch-gv2/instances", machine("new", "two-ch-gv2")).status == 503
    assert api.call("GET", "zones/nowhere-a/instances").status == 404


def test_the_others_are_changed_as_ever(api: PartialApi, dead: Cloud, clouds: Clouds) -> None:
    api.change("POST", "zones/ch-gv2/instances", machine("meanwhile"))
    assert "meanwhile" in clouds[0].machine_names()
    assert api.call("POST", "zones/ch-gv2/instances", machine("meanwhile")).status == 409
    assert api.call("GET", "zones/ch-gv2/instances/nobody").status == 404
    api.change("DELETE", "zones/ch-gv2/instances/meanwhile")


def test_nothing_global_is_changed_on_some_clouds_only(api: PartialApi, dead: Cloud, clouds: Clouds) -> None:
    before = clouds[0].rules()
    firewall = {"name": "web", "network": "global/networks/default", "allowed": [{"IPProtocol": "tcp"}]}
    network = {"name": "n", "autoCreateSubnetworks": True}
    for verb, path, body in (
        ("POST", "global/firewalls", firewall), ("POST", "global/networks", network),
        ("DELETE", "global/networks/demo-network", None), ("DELETE", "global/snapshots/any", None),
    ):  # fmt: skip
        answer = api.call(verb, path, body)
        assert answer.status == 503, path
        assert "Cloud 'two'" in answer.message
        assert "retry-after" in answer.headers
    assert clouds[0].rules() == before
    assert "n" not in clouds[0].network_names()
    assert api.get("global/networks/default")["name"] == "default"
    unknown = api.call("GET", "global/networks/perhaps")
    assert unknown.status == 503
    assert "another may have it" in unknown.message
    api.change("POST", "setCommonInstanceMetadata", {"items": [{"key": "a", "value": "b"}]})
    api.change("POST", "setCommonInstanceMetadata", {"items": []})


def test_a_dead_cloud_costs_the_others_nothing(api: PartialApi, clouds: Clouds) -> None:
    healthy = median(seconds(api, times=9))
    clouds[1].kill()
    try:
        killed = median(seconds(api, times=9))
    finally:
        clouds[1].start()
        api.until(lambda: api.call("GET", "zones/two-ch-gv2/instances"), 200)
    assert killed < 2 * healthy + 0.05, (healthy, killed)


def test_a_cloud_that_hangs_costs_the_first_list_a_moment_and_later_ones_nothing(
    api: PartialApi, clouds: Clouds
) -> None:
    healthy = median(seconds(api, times=9))
    with clouds[1].hanging():
        first, *later = seconds(api, times=10)
        assert first < 5
        assert median(later) < 2 * healthy + 0.05, (healthy, later)
        check_partial(api)
        begun = time.monotonic()
        assert api.call("GET", "zones/two-ch-gv2/instances").status == 503
        assert time.monotonic() - begun < 1
        assert max(seconds(api, "zones/ch-gv2/instances")) < 1
    api.until(lambda: api.call("GET", "zones/two-ch-gv2/instances"), 200)
    assert "warning" not in api.get("aggregated/instances")


@pytest.mark.parametrize(("fault", "words"), [
    ({"kind": "status", "status": 500}, "Cloud 'two'"),
    ({"kind": "status", "status": 401}, "refused gcelib's own keys"),
    ({"kind": "html", "status": 503}, "Cloud 'two'"),
    ({"kind": "reset"}, "Cloud 'two'"),
    ({"kind": "garbage"}, "Cloud 'two'"),
])
def test_a_cloud_that_answers_nonsense_or_refuses_the_keys_is_away(
    api: PartialApi, clouds: Clouds, fault: dict[str, Any], words: str
) -> None:
    with clouds[1].failing(**fault):
        check_partial(api, words)
        assert api.call("GET", "zones/two-ch-gv2/instances").status == 503
    assert "warning" not in api.get("aggregated/instances")


def test_a_page_token_is_good_whoever_is_away(api: PartialApi, clouds: Clouds) -> None:
    first = api.get("aggregated/instances", maxResults=2)
    with clouds[1].failing(kind="status", status=500):
        rest = api.get("aggregated/instances", pageToken=first["nextPageToken"])
    names = [row["selfLink"] for page in (first, rest) for entry in page["items"].values()
             for row in entry.get("instances", [])]
    assert len(names) == len(set(names))
    assert {"dummy-1", "dummy-2", "preloaded-2"} <= {name.rpartition("/")[2] for name in names}
    again = api.get("aggregated/instances", pageToken=first["nextPageToken"])
    assert "warning" not in again


def test_operations_of_a_cloud_that_hangs_go_on_and_those_of_others_do_not_wait(
    api: PartialApi, clouds: Clouds
) -> None:
    with clouds[1].failing(kind="job_stuck", command="deployVirtualMachine"):
        begun = [api.start("POST", "zones/two-ch-gv2/instances", machine(f"slow-{n}", "two-ch-gv2")) for n in range(6)]
    with clouds[1].hanging():
        for n in range(2):
            started = time.monotonic()
            done = api.change("POST", "zones/ch-gv2/instances", machine(f"quick-{n}"))
            assert done["zone"].endswith("/zones/ch-gv2")
            assert time.monotonic() - started < 8
        name = begun[0]["name"]
        assert api.get(f"zones/two-ch-gv2/operations/{name}")["status"] == "RUNNING"
        listed = api.get("zones/two-ch-gv2/operations")["items"]
        assert {row["name"] for row in begun} <= {row["name"] for row in listed}
    clouds[1].kill()
    try:
        said = api.until(lambda: says(api, name), 200).data
    finally:
        clouds[1].start()
    assert said["status"] == "RUNNING"
    assert "Cloud 'two'" in said["statusMessage"]
    for n in range(2):
        api.change("DELETE", f"zones/ch-gv2/instances/quick-{n}")


def says(api: PartialApi, name: str) -> Any:
    """The operation, as an answer of status 200 once it says why it waits."""
    answer = api.call("GET", f"zones/two-ch-gv2/operations/{name}")
    answer.status = 200 if answer.data.get("statusMessage") else 0
    return answer


def test_names_last_over_a_restart_while_a_cloud_is_away(tmp_path: Path, clouds: Clouds) -> None:
    live = hybrid(tmp_path / "server", clouds)
    api = live.api()
    done = api.change("POST", "zones/ch-gv2/instances", machine("before"))
    api.change("DELETE", "zones/ch-gv2/instances/before")
    names = [(row["name"], row["id"]) for row in api.get("zones")["items"]]
    assert live.stop() == 0
    clouds[0].kill()
    live.start()
    try:
        again = api.get("zones")
        assert [(row["name"], row["id"]) for row in again["items"]] == names
        assert scopes_of(again) == ONES
        assert api.rows()["two-ch-gv2"] == ["preloaded-1", "preloaded-2"]
        assert "ch-gv2" not in api.rows()
        assert api.get("aggregated/instances")["items"]["zones/ch-gv2"]["warning"]["code"] == "UNREACHABLE"
        assert api.call("GET", "zones/ch-gv2/instances/preloaded-1").status == 503
        assert api.get(f"zones/ch-gv2/operations/{done['name']}")["status"] == "DONE"
        ready = requests.get(f"http://127.0.0.1:{live.admin}/readyz", timeout=30)
        assert ready.status_code == 200
        assert ready.json()["clouds"]["two"] == "ok"
        assert "Cloud 'one'" in ready.json()["clouds"]["one"]
    finally:
        clouds[0].start()
        assert live.stop() == 0


def test_a_cloud_that_was_never_seen_is_named_and_takes_no_name_from_another_later(
    tmp_path: Path, clouds: Clouds
) -> None:
    clouds[0].kill()
    live = hybrid(tmp_path / "server", clouds)
    try:
        api = live.api()
        assert api.get("aggregated/instances")["unreachables"] == ["one"]
        assert set(api.rows()) == {"ch-gv2", "dummy-a"}
        twos = api.get("zones/ch-gv2")["id"]
        clouds[0].start()
        api.until(lambda: api.call("GET", "zones/one-ch-gv2/instances"), 200)
        assert api.get("zones/ch-gv2")["id"] == twos
        assert api.get("regions/one-ch")["description"] == "one"
    finally:
        clouds[0].kill()
        clouds[0].start()
        assert live.stop() == 0
