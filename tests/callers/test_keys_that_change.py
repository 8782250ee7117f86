"""Keys that the cloud stops taking, clouds that do not answer, servers that start anew."""

from __future__ import annotations

import time
from pathlib import Path

from gcelib.simulator import Simulator
from tests.callers.cloud import Holder, Served, machine
from tests.callers.conftest import Launch


def _withdraw(cloud: Simulator, name: str, key: str, secret: str) -> None:
    """Give the account other keys, as its owner would in the cloud's portal."""
    with cloud.world.lock:
        account = cloud.accounts[name]
        del cloud.world.by_key[account.api_key]
        account.api_key, account.secret_key = key, secret
        cloud.world.by_key[key] = account


def test_keys_withdrawn_at_the_cloud_sign_their_holder_out(launch: Launch) -> None:
    live, cloud = launch()
    demo, other = Holder.of(live, cloud, "demo"), Holder.of(live, cloud, "other")
    api, token = demo.api(), demo.exchange(demo.without_a_page()).json()
    assert api.get("zones/ch-gv2/instances")
    assert other.api().get("zones/ch-gv2/instances")
    _withdraw(cloud, "demo", "simulator-key-0123456789abcdef0123", "simulator-secret-new")
    answer = api.until(lambda: api.call("GET", "zones/ch-gv2/instances"), 401)
    assert answer.reason == "authError"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    second = Holder(live, "demo", "", "", token["access_token"]).api()
    assert second.until(lambda: second.call("GET", ""), 401, 5)
    assert demo.refresh(token["refresh_token"]).json()["error"] == "invalid_client"
    assert other.api().get("zones/ch-gv2/instances")
    fresh = Holder.of(live, cloud, "demo")
    assert fresh.api().get("zones/ch-gv2/instances")


def test_lists_that_are_remembered_do_not_outlive_the_keys_by_much(launch: Launch) -> None:
    live, cloud = launch()
    api = Holder.of(live, cloud, "demo").api()
    assert api.get("zones")["items"]
    _withdraw(cloud, "demo", "simulator-key-0123456789abcdef0123", "simulator-secret-new")
    assert api.until(lambda: api.call("GET", "zones"), 401, 20).reason == "authError"


def test_a_cloud_that_does_not_answer_is_a_503_and_signs_nobody_out(launch: Launch) -> None:
    live, cloud = launch()
    demo = Holder.of(live, cloud, "demo")
    api, token = demo.api(), demo.exchange(demo.without_a_page()).json()
    cloud.stop()
    answer = api.call("GET", "aggregated/instances")
    assert (answer.status, answer.reason) == (503, "backendError")
    assert "'sim'" in answer.message
    assert int(answer.headers["Retry-After"]) >= 1
    for form in ({"grant_type": "client_credentials"},
                 {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}):
        refused = live.post("/oauth2/token", client_id=demo.key, client_secret=demo.secret, **form)
        assert (refused.status_code, refused.json()["error"]) == (503, "temporarily_unavailable")
        assert refused.headers["Retry-After"]
    shown = demo.page()
    assert shown.status_code == 503
    assert "<form" in shown.text


def test_a_server_that_starts_anew_goes_on_with_what_a_caller_began(launch: Launch) -> None:
    live, cloud = launch(job_delay=3)
    demo = Holder.of(live, cloud, "demo")
    operation = demo.api().start("POST", "zones/ch-gv2/instances", machine("web"))
    assert operation["status"] != "DONE"
    live.stop()
    live.start()
    api = demo.api()
    done = api.until_done(operation)
    assert "error" not in done
    assert api.get("zones/ch-gv2/instances/web")["status"] == "RUNNING"
    assert done["user"] == "demo@sim.cloud.gcelib.local"


def test_a_change_made_with_one_pair_of_keys_shows_with_another_of_the_account(launch: Launch) -> None:
    live, cloud = launch()
    first = Holder.of(live, cloud, "demo").api()
    assert "items" not in first.get("zones/ch-gv2/instances")
    with cloud.world.lock:
        account = cloud.accounts["demo"]
        old = (account.api_key, account.secret_key)
        account.api_key, account.secret_key = "simulator-key-0123456789abcdef0123", "simulator-secret-new"
        cloud.world.by_key[account.api_key] = account
    assert old[0] != account.api_key
    second = Holder.of(live, cloud, "demo").api()
    assert "items" not in second.get("zones/ch-gv2/instances")
    second.change("POST", "zones/ch-gv2/instances", machine("web"))
    assert second.get("zones/ch-gv2/instances")["items"][0]["name"] == "web"


def test_a_new_seal_key_is_followed_without_a_restart(launch: Launch) -> None:
    live, cloud = launch()
    demo, other = Holder.of(live, cloud, "demo"), Holder.of(live, cloud, "other")
    api = demo.api()
    assert other.api().get("")
    before = _seal_key(live).read_bytes()
    said = live.run("account", "rotate-seal")
    assert "2 pairs" in said.stdout
    assert _seal_key(live).read_bytes() != before
    assert _seal_key(live).stat().st_mode & 0o777 == 0o600
    assert not _seal_key(live).with_name("seal.key.old").exists()
    time.sleep(0.6)  # for so long a token is not looked up again
    assert api.get("")["name"] == "demo"
    assert demo.exchange(demo.without_a_page()).status_code == 200
    live.stop()
    live.start()
    assert api.get("")["name"] == "demo"


def test_a_rotation_that_was_cut_off_is_finished_by_the_next(launch: Launch) -> None:
    live, cloud = launch()
    api = Holder.of(live, cloud, "demo").api()
    assert api.get("")
    live.stop()
    # As it is after the new key was written and before anything was sealed with it.
    old = _seal_key(live).with_name("seal.key.old")
    old.write_bytes(_seal_key(live).read_bytes())
    old.chmod(0o600)
    _seal_key(live).write_bytes(b"another key of more than thirty-two bytes\n")
    assert "1 pairs" in live.run("account", "rotate-seal").stdout
    live.start()
    assert api.get("")["name"] == "demo"


def test_no_secret_is_on_the_disk(launch: Launch) -> None:
    live, cloud = launch()
    demo = Holder.of(live, cloud, "demo")
    api = demo.api()
    api.change("POST", "zones/ch-gv2/instances", machine("web"))
    assert demo.exchange(demo.without_a_page()).status_code == 200
    assert demo.exchange(demo.without_a_page(), client_secret=f"{demo.secret}x").status_code == 401
    api.call("GET", "nothing")
    live.stop()
    for file in [path for path in live.home.rglob("*") if path.is_file()]:
        content = file.read_bytes()
        for secret in (demo.secret, demo.key, demo.token):
            assert secret.encode() not in content, file.name


def _seal_key(live: Served) -> Path:
    return live.home / "state" / "seal.key"
