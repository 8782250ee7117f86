"""The console over HTTP: who gets in, what each sees and may do, and what stays as it was."""

from __future__ import annotations

import html
import json
import re
import time

import pytest
import requests

from tests.console.person import PAGES, Person, operation, signed_in
from tests.console.scene import BOSS, OPERATOR, PASSWORD, STRANGER, VIEWER, ZONE, Scene
from tests.wire.machines import machine

VARIABLE = re.compile(r"\b([A-Z_]{8,})=(\S+)")
POLICY = re.compile(
    r"default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; connect-src 'self'; img-src 'self'; "
    r"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@pytest.fixture(scope="module")
def boss(quiet: Scene) -> Person:
    """An admin of every project."""
    return signed_in(quiet, BOSS)


@pytest.fixture(scope="module")
def operator(quiet: Scene) -> Person:
    """An operator of project demo."""
    return signed_in(quiet, OPERATOR)


@pytest.fixture(scope="module")
def viewer(quiet: Scene) -> Person:
    """A viewer of project demo."""
    return signed_in(quiet, VIEWER)


def test_health_and_metrics_need_no_sign_in_and_other_paths_are_not_there(quiet: Scene) -> None:
    port = f"http://127.0.0.1:{quiet.live.admin}"
    assert requests.get(f"{port}/healthz", timeout=10).json() == {"status": "ok"}
    assert requests.get(f"{port}/readyz", timeout=10).status_code == 200
    assert "gcelib_requests_total" in requests.get(f"{port}/metrics", timeout=10).text
    assert requests.get(f"{port}/consoles", timeout=10).status_code == 404
    to = requests.get(f"{port}/", timeout=10, allow_redirects=False)
    assert (to.status_code, to.headers["Location"]) == (303, "/console/")


def test_the_page_at_the_root_sets_gcloud_up_as_the_command_does_and_leads_to_the_console(quiet: Scene) -> None:
    text = html.unescape(requests.get(f"{quiet.live.url}/", timeout=10).text)
    said = quiet.live.run("client", "gcloud", "--project", "demo", "--account", BOSS).stdout
    wanted = {name: value for name, value in VARIABLE.findall(said) if "AUTH" in name or "ENDPOINT" in name}
    assert len(wanted) == 6
    shown = dict(VARIABLE.findall(text))
    assert {name: shown.get(name) for name in wanted} == wanted
    assert f'<a href="{quiet.url}/">' in text
    elsewhere = requests.get(f"{quiet.live.url}/", headers={"X-Forwarded-For": "192.0.2.9"}, timeout=10).text
    assert "admin_listen" in elsewhere
    assert str(quiet.live.admin) not in elsewhere


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_shown_to_strangers(quiet: Scene, path: str) -> None:
    person = Person(quiet)
    answer = person.ask(path)
    assert (answer.status_code, answer.text) == (303, "")
    assert answer.headers["Location"].startswith("/console/sign-in")
    assert person.ask(path, headers={"Gcelib-Live": "1"}).status_code == 401
    assert person.ask(path, "POST").status_code == 401


def test_a_form_sent_after_the_sessions_end_leads_to_the_sign_in_and_back(quiet: Scene) -> None:
    person = signed_in(quiet, BOSS)
    path = operation(person, "/data-1")
    assert person.ask("/sign-out", "POST", data=person.fields(path, "/sign-out")).status_code == 303
    answer = person.ask(f"{path}/cancel", "POST", data={"csrf": "of the session that ended"})
    assert answer.status_code == 401
    assert "Your session has ended, and nothing was done." in answer.text
    assert not re.search("<input[^>]*aria-invalid", answer.text)
    assert f'name="to" value="/console{path}"' in answer.text
    assert person.ask("/sign-out", "POST").headers["Location"] == "/console/sign-in"


def test_the_sign_in_leads_back_and_its_cookie_is_for_nobody_else(quiet: Scene) -> None:
    person = Person(quiet)
    wanted = person.ask("/operations?show=failed").headers["Location"].removeprefix("/console")
    answer = person.sign_in(BOSS, path=wanted)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/operations?show=failed")
    cookie = answer.headers["Set-Cookie"]
    port = quiet.live.admin
    assert re.fullmatch(rf"gcelib_console_{port}=[A-Za-z0-9]{{43}}; Path=/console; HttpOnly; SameSite=Strict", cookie)
    away = person.ask("/sign-in", "POST", data={
        **person.fields("/sign-in"), "to": "//evil.example/", "user": BOSS, "password": PASSWORD})
    assert away.headers["Location"] == "/console/"


def test_behind_tls_the_cookie_stays_behind_tls(quiet: Scene) -> None:
    person = Person(quiet, **{"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https"})
    assert person.sign_in(BOSS).headers["Set-Cookie"].endswith("SameSite=Strict; Secure")


@pytest.mark.parametrize("odd", ["nope", "two words=1", 'json={"a": [1, "b"]}', "=x", "path=/; Version"])
def test_what_other_programs_on_this_machine_leave_in_the_browser_signs_nobody_out(boss: Person, odd: str) -> None:
    [(name, value)] = boss.session.cookies.items()
    for sent in (f"{name}={value}; {odd}", f"{odd}; {name}={value}"):
        answer = requests.get(f"{boss.scene.url}/", headers={"Cookie": sent}, allow_redirects=False, timeout=30)
        assert answer.status_code == 200


def test_no_password_is_asked_for_where_the_way_could_be_read(quiet: Scene) -> None:
    answer = Person(quiet, **{"X-Forwarded-For": "192.0.2.9"}).ask("/sign-in")
    assert answer.status_code == 403
    assert "<form" not in answer.text
    assert "ssh -L" in answer.text


def test_a_wrong_password_is_said_and_guessing_is_slowed_as_on_the_login_page(quiet: Scene) -> None:
    person = Person(quiet, **{"X-Forwarded-For": "192.0.2.77", "X-Forwarded-Proto": "https"})
    for _ in range(5):
        wrong = person.sign_in(VIEWER, "wrong")
        assert wrong.status_code == 401
        assert "The user or the password is wrong." in wrong.text
        assert re.search("<input[^>]*aria-invalid", wrong.text)
    waits = person.sign_in(VIEWER)
    assert waits.status_code == 429
    assert "Try again in" in waits.text
    assert "Set-Cookie" not in waits.headers


def test_a_session_ends_with_its_sign_out_its_password_and_its_account(quiet: Scene) -> None:
    accounts = quiet.accounts()
    accounts.create_user("eve@example.com", PASSWORD, "demo", "viewer")
    person, other = signed_in(quiet, "eve@example.com"), signed_in(quiet, "eve@example.com")
    kept = dict(person.session.cookies)
    out = person.ask("/sign-out", "POST", data=person.fields("/", "/sign-out"))
    assert (out.status_code, out.headers["Location"]) == (303, "/console/sign-in")
    person.session.cookies.update(kept)
    assert person.ask("/").status_code == 303
    assert other.ask("/").status_code == 200
    accounts.set_password("eve@example.com", "another one entirely")
    until_out(other)
    assert person.sign_in("eve@example.com", "another one entirely").status_code == 303
    accounts.disable("eve@example.com")
    until_out(person)


def until_out(person: Person) -> None:
    deadline = time.monotonic() + 10
    while person.ask("/").status_code != 303:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_form_must_come_from_a_page_of_the_session(quiet: Scene, boss: Person, operator: Person) -> None:
    assert boss.ask("/sign-out", "POST").status_code == 403
    mine = boss.fields("/", "/sign-out")
    theirs = operator.fields("/", "/sign-out")
    assert boss.ask("/sign-out", "POST", data=theirs).status_code == 403
    assert boss.ask("/sign-out", "POST", data=mine, headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert boss.ask("/").status_code == 200
    forged = Person(quiet).ask("/sign-in", "POST", data={"csrf": "1.2", "user": BOSS, "password": PASSWORD})
    assert forged.status_code == 403
    assert "Set-Cookie" not in forged.headers


@pytest.mark.parametrize("path", ["/sign-in", *PAGES, "/nowhere"])
def test_every_page_lets_nothing_else_in(boss: Person, path: str) -> None:
    answer = boss.ask(path)
    assert POLICY.fullmatch(answer.headers["Content-Security-Policy"])
    assert (answer.headers["X-Frame-Options"], answer.headers["Cache-Control"]) == ("DENY", "no-store")
    assert not re.search(r"""style=|\son[a-z]+=|(?:src|href)=["'](?!/console|#|/metrics)""", answer.text)


def test_a_cloud_that_says_nothing_costs_no_page_its_time_and_is_told_with_the_cure(boss: Person) -> None:
    text = boss.until("/", lambda text: "has not answered for" in text)
    assert "Cloud 'far' has not answered for" in text
    assert "can be reached from this machine" in text
    assert "1 of 2 clouds answers" in text
    for path in PAGES:
        begun = time.monotonic()
        boss.page(path)
        assert time.monotonic() - begun < 1
    clouds = boss.page("/clouds")
    assert re.search(r"gva.*✓.*answers.*far.*silent", clouds, re.DOTALL)


def test_each_sees_what_the_roles_allow(quiet: Scene, boss: Person, viewer: Person) -> None:
    stranger = signed_in(quiet, STRANGER)
    failed = operation(boss, "instances/bad-1", "failed")
    assert "Insufficient capacity" in viewer.page(failed)
    assert stranger.ask(failed).status_code == 404
    assert "bad-1" not in stranger.page("/operations?show=failed")
    assert "bad-1" not in stranger.page("/operations?show=failed&project=demo")
    assert "Nothing is under way." in stranger.page("/operations?project=demo")
    assert ">gva<" not in stranger.page("/clouds")
    assert ">far<" not in viewer.page("/clouds")
    assert [name for name in ("demo", "far", "both") if f'scope="row" role="rowheader">{name}<' in
            viewer.page("/projects")] == ["demo"]
    assert all(name in boss.page("/accounts") for name in (BOSS, OPERATOR, VIEWER, STRANGER, "tester@"))
    assert BOSS not in viewer.page("/accounts")
    assert VIEWER in viewer.page("/accounts")
    stranger.until("/", lambda text: "Cloud 'far' has not answered for" in text)
    assert "Cloud 'far'" not in viewer.page("/")
    assert "gcelib.sqlite" in boss.page("/")
    assert "gcelib.sqlite" not in viewer.page("/")


def test_an_admin_of_a_project_sees_who_has_a_role_there_and_no_other_role(quiet: Scene) -> None:
    accounts = quiet.accounts()
    accounts.create_user("ada@example.com", PASSWORD, "demo", "admin")
    accounts.create_user("two@example.com", PASSWORD, "demo", "viewer")
    accounts.grant("two@example.com", "far", "operator")
    text = signed_in(quiet, "ada@example.com").page("/accounts")
    assert "two@example.com" in text
    assert "operator of far" not in text
    assert STRANGER not in text
    assert BOSS in text


def test_the_last_use_of_an_account_is_told(quiet: Scene, boss: Person) -> None:
    quiet.accounts().create_user("new@example.com", PASSWORD, "demo", "viewer")
    row = re.compile(r"new@example\.com.*?</tr>", re.DOTALL)
    assert "never" in row.findall(boss.page("/accounts"))[0]
    signed_in(quiet, "new@example.com")
    assert "never" not in row.findall(boss.page("/accounts"))[0]


def test_operators_cancel_and_viewers_look(quiet: Scene, operator: Person, viewer: Person) -> None:
    quiet.simulator.settings.job_delay = 3600
    quiet.live.api().start("POST", f"zones/{ZONE}/disks", {"name": "unwanted", "sizeGb": "10"})
    path = operation(operator, "disks/unwanted")
    assert "Cancel it" not in viewer.page(path)
    refused = viewer.ask(f"{path}/cancel", "POST", data=viewer.fields("/", "/sign-out"))
    assert refused.status_code == 403
    assert "compute.disks.insert needs more" in refused.text
    done = operator.ask(f"{path}/cancel", "POST", data=operator.fields(path, "/cancel"))
    assert (done.status_code, done.headers["Location"]) == (303, f"/console{path}")
    assert f"as {OPERATOR} wants" in operator.page(path)
    again = operator.ask(f"{path}/cancel", "POST", data=operator.fields("/", "/sign-out"))
    assert again.status_code == 400
    lines = [json.loads(line) for line in (quiet.live.home / "state" / "audit.log").read_text().splitlines()]
    told = [(line["who"], line["outcome"]) for line in lines if line["event"] == "cancel"]
    assert told == [(VIEWER, "refused"), (OPERATOR, "done"), (OPERATOR, "refused")]
    assert any(line["event"] == "sign-in" and line.get("who") == OPERATOR and line["path"] == "/console/sign-in"
               for line in lines)


def test_what_failed_is_carried_out_anew(quiet: Scene, operator: Person, viewer: Person) -> None:
    quiet.simulator.settings.job_delay = 0.05
    path = operation(operator, "instances/bad-2", "failed")
    assert "Do it again" not in viewer.page(path)
    again = operator.ask(f"{path}/retry", "POST", data=operator.fields(path, "/retry"))
    assert again.status_code == 303
    new = again.headers["Location"].removeprefix("/console")
    assert new != path
    text = operator.until(new, lambda text: "✓</span> done" in text)
    assert f"<dd>{OPERATOR}" in text
    assert "bad-2" in {item["name"] for item in quiet.live.api().get(f"zones/{ZONE}/instances")["items"]}


def test_nothing_secret_is_on_any_page(quiet: Scene, boss: Person) -> None:
    script = "#!/bin/sh\necho a-script-nobody-may-see"
    quiet.simulator.settings.job_delay = 3600
    quiet.live.api().start("POST", f"zones/{ZONE}/instances", machine("scripted", metadata={
        "items": [{"key": "startup-script", "value": script}]}))
    keys = quiet.simulator.accounts["demo"]
    stored = (quiet.live.home / "state" / "seal.key").read_text(errors="replace")
    hashes = [account.password for account in quiet.accounts().list() if account.password]
    for path in (*PAGES, operation(boss, "instances/scripted")):
        text = boss.page(path)
        for secret in (keys.api_key, keys.secret_key, "nobody-may-see", stored, PASSWORD, *hashes):
            assert secret not in text


def test_what_others_wrote_stays_text(quiet: Scene, boss: Person) -> None:
    nasty = "<script>x</script><img src=x>"
    for path in (f"/operations?project={nasty}", f"/operations?show={nasty}&skip={nasty}", f"/operations/{nasty}",
                 f"/{nasty}", f"/sign-in?to={nasty}"):
        text = boss.ask(path).text
        assert "<img" not in text
        assert "<script>x" not in text
    wrong = Person(quiet).sign_in(nasty, "wrong")
    assert "<img" not in wrong.text


def test_the_script_gets_the_middle_of_a_page_only(boss: Person) -> None:
    part = boss.ask("/operations", headers={"Gcelib-Live": "1"})
    assert part.text.startswith('<div data-news="')
    assert "<nav aria-label=\"Console\"" not in part.text
    assert len(part.content) < len(boss.ask("/operations").content) - 10_000
