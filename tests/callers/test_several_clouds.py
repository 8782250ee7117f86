"""Two clouds that callers may choose from: accounts of the same name on both are two, whoever holds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gcelib.simulator import Simulator
from tests.callers.cloud import Holder, Served, machine, send_keys, served, shown_code

ROWS = """
[clouds.second]
provider = "cloudstack"
endpoint = "{url}"
timeout = 10
[projects.mixed]
clouds = ["second"]
credentials = "caller"
"""


@pytest.fixture(scope="module")
def clouds() -> Iterator[tuple[Simulator, Simulator]]:
    """Both have an account `demo`; the keys differ."""
    with Simulator(job_delay=0.05) as first, Simulator(job_delay=0.05, seed=2) as second:
        yield first, second


@pytest.fixture(scope="module")
def live(clouds: tuple[Simulator, Simulator], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One gcelib over both."""
    first, second = clouds
    rows = ROWS.format(url=second.url)
    server = served(tmp_path_factory.mktemp("several"), first, rows=rows)
    server.config.write_text(server.config.read_text().replace('clouds = ["sim"]', 'clouds = ["sim", "second"]'))
    server.stop()
    server.write = lambda: None  # type: ignore[method-assign]
    server.start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def both(live: Served, clouds: tuple[Simulator, Simulator]) -> tuple[Holder, Holder]:
    """The holders of account demo on either cloud."""
    found = []
    for name, cloud in zip(("sim", "second"), clouds, strict=True):
        account = cloud.accounts["demo"]
        found.append(Holder(live, "demo", f"{name}:{account.api_key}", account.secret_key))
    return found[0], found[1]


def test_the_page_asks_which_cloud(live: Served, clouds: tuple[Simulator, Simulator]) -> None:
    page = live.ask().text
    assert '<label for="cloud">' in page
    assert page.count("<option") == 2
    account = clouds[1].accounts["demo"]
    assert shown_code(send_keys(live, page, account.api_key, account.secret_key, cloud="second").text)
    for wrong in ("sim", "third", ""):
        sent = send_keys(live, page, account.api_key, account.secret_key, cloud=wrong)
        assert sent.status_code == 401
        assert "<script" not in sent.text


def test_a_key_alone_does_not_say_of_which_cloud_it_is(live: Served, clouds: tuple[Simulator, Simulator]) -> None:
    account = clouds[0].accounts["demo"]
    form = {"grant_type": "client_credentials", "client_id": account.api_key, "client_secret": account.secret_key}
    assert live.post("/oauth2/token", **form).json()["error"] == "invalid_client"
    assert live.post("/oauth2/token", **form, cloud="sim").status_code == 200


def test_gstacks_way_names_the_cloud_before_the_key(both: tuple[Holder, Holder]) -> None:
    for holder in both:
        answer = holder.exchange(holder.without_a_page())
        assert answer.status_code == 200
        assert holder.refresh(answer.json()["refresh_token"]).status_code == 200


def test_accounts_of_one_name_on_two_clouds_are_two(both: tuple[Holder, Holder]) -> None:
    first, second = (holder.api("demo") for holder in both)
    begun = first.change("POST", "zones/ch-gv2/instances", machine("web"))
    assert "items" not in second.get("zones/ch-gv2/instances")
    assert "operations" not in second.get("aggregated/operations")["items"].get("zones/ch-gv2", {})
    assert second.call("GET", f"zones/ch-gv2/operations/{begun['name']}").status == 404
    for name in ("a", "b"):
        second.change("POST", "zones/ch-gv2/instances", machine(name))
    token = second.get("zones/ch-gv2/instances", maxResults=1)["nextPageToken"]
    assert first.call("GET", "zones/ch-gv2/instances", maxResults=1, pageToken=token).status == 400
    assert second.get("zones/ch-gv2/instances", maxResults=1, pageToken=token)["items"][0]["name"] == "b"


def test_a_project_of_one_cloud_is_not_for_keys_to_the_other(both: tuple[Holder, Holder]) -> None:
    answers = [holder.api("mixed").call("GET", "").status for holder in both]
    assert answers == [404, 404]


def test_no_secret_or_key_is_in_a_file(live: Served, clouds: tuple[Simulator, Simulator]) -> None:
    accounts = [cloud.accounts["demo"] for cloud in clouds]
    for path in [each for each in Path(live.home).rglob("*") if each.is_file()]:
        for account in accounts:
            assert account.secret_key.encode() not in path.read_bytes(), path
            assert account.api_key.encode() not in path.read_bytes(), path
