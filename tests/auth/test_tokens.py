"""Codes and refresh tokens become access tokens, once, and only for whom they were made."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
from served import CLIENT, CLOUD_PLATFORM, PASSWORD, Site, page

VERIFIER = "a-verifier-of-forty-three-letters-or-more-123456"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def test_a_code_buys_everything_a_client_expects(site: Site) -> None:
    answer = site.exchange(site.code())
    token = answer.json()
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 3600
    assert token["refresh_token"]
    assert CLOUD_PLATFORM in token["scope"].split()
    claims = jwt.decode(token["id_token"], options={"verify_signature": False})
    assert (claims["email"], claims["aud"], claims["iss"]) == (site.person, CLIENT, site.url)
    assert site.whoami(token["access_token"]).text == "ann@example.com [('demo', 'admin')]"


def test_the_short_path_works_too(site: Site) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": site.code(),
        "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
        "client_id": CLIENT,
    }
    assert site.send("POST", "/token", form).status == 200


def test_a_client_may_name_itself_by_http_basic(site: Site) -> None:
    basic = base64.b64encode(f"{CLIENT}:secret".encode()).decode()
    form = {
        "grant_type": "authorization_code",
        "code": site.code(),
        "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
    }
    answer = site.send("POST", "/oauth2/token", form, {"Authorization": f"Basic {basic}"})
    assert answer.status == 200


def test_a_used_code_is_refused_and_ends_what_it_bought(site: Site) -> None:
    code = site.code()
    token = site.exchange(code).json()
    again = site.exchange(code)
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")
    assert site.whoami(token["access_token"]).status == 401
    assert site.refresh(token["refresh_token"]).status == 400


def test_of_many_at_once_one_gets_a_token(site: Site) -> None:
    code = site.code()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.exchange(code).status, range(8)))
    assert answers.count(200) <= 1
    assert answers.count(400) >= 7


def test_a_code_is_over_with_the_password_it_was_got_with_and_when_its_account_is_shut_out(site: Site) -> None:
    code = site.code()
    site.accounts.set_password(site.person, PASSWORD)
    answer = site.exchange(code)
    assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")
    code = site.code()
    site.accounts.disable(site.person)
    assert site.exchange(code).json()["error"] == "invalid_grant"
    site.accounts.disable(site.person, False)
    assert site.exchange(code).json()["error"] == "invalid_grant"


def test_a_code_is_good_for_ten_minutes(site: Site) -> None:
    code = site.code()
    site.clock.ahead = 601
    assert site.exchange(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "change",
    [{"client_id": "another"}, {"redirect_uri": "http://localhost:1/"}, {"code": "x"}, {"code_verifier": VERIFIER}],
)
def test_a_code_is_for_the_request_it_was_made_for(site: Site, change: dict[str, str]) -> None:
    code = site.code()
    assert site.exchange(**{"code": code, **change}).status == 400
    assert site.exchange(code).status == 200


def test_pkce_needs_the_verifier(site: Site) -> None:
    code = site.code(**PKCE)
    assert site.exchange(code).json()["error"] == "invalid_request"
    assert site.exchange(code, code_verifier=VERIFIER + "x").json()["error"] == "invalid_grant"
    assert site.exchange(code, code_verifier=VERIFIER).status == 200


def test_a_refresh_token_of_an_old_client_is_replaced(site: Site) -> None:
    first = site.exchange(site.code()).json()
    second = site.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert site.whoami(second["access_token"]).status == 200
    assert site.whoami(first["access_token"]).status == 200
    assert site.refresh(second["refresh_token"]).status == 200


def test_a_lost_answer_locks_nobody_out(site: Site) -> None:
    first = site.exchange(site.code()).json()
    assert site.refresh(first["refresh_token"]).status == 200
    site.clock.ahead = 30
    assert site.refresh(first["refresh_token"]).status == 200


def test_a_replaced_token_that_comes_back_late_ends_the_whole_sign_in(site: Site) -> None:
    first = site.exchange(site.code()).json()
    second = site.refresh(first["refresh_token"]).json()
    site.clock.ahead = 61
    assert site.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert site.whoami(second["access_token"]).status == 401


def test_a_client_with_pkce_keeps_the_refresh_token_it_has(site: Site) -> None:
    """gcloud and Google's libraries never write a later one down."""
    first = site.exchange(site.code(**PKCE), code_verifier=VERIFIER).json()
    for hours in (1, 2, 3, 24 * 100, 24 * 200):
        site.clock.ahead = hours * 3600
        answer = site.refresh(first["refresh_token"])
        assert answer.status == 200
        assert answer.json()["refresh_token"] == first["refresh_token"]
        assert jwt.decode(answer.json()["id_token"], options={"verify_signature": False})["email"]


def test_a_refresh_token_is_for_its_client(site: Site) -> None:
    token = site.exchange(site.code()).json()["refresh_token"]
    assert site.refresh(token, client_id="another").json()["error"] == "invalid_grant"
    assert site.refresh(token).status == 200


def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(site: Site) -> None:
    token = site.exchange(site.code()).json()
    assert site.refresh(token["access_token"]).status == 400
    assert site.whoami(token["refresh_token"]).status == 401


def test_a_narrower_scope_may_be_asked_for_and_a_wider_one_not(site: Site) -> None:
    narrow = "https://www.googleapis.com/auth/compute.readonly"
    token = site.exchange(site.code(scope=narrow)).json()
    assert site.refresh(token["refresh_token"], scope=CLOUD_PLATFORM).json()["error"] == "invalid_scope"
    wide = site.exchange(site.code()).json()
    assert site.refresh(wide["refresh_token"], scope=narrow).json()["scope"] == narrow


def test_a_token_lives_as_long_as_it_says(site: Site) -> None:
    token = site.exchange(site.code()).json()["access_token"]
    site.clock.ahead = 3590
    assert site.whoami(token).status == 200
    site.clock.ahead = 3601
    answer = site.whoami(token)
    assert (answer.status, answer.text) == (401, "authError: Invalid Credentials")
    assert "invalid_token" in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password", "username": "a", "password": "b", "client_id": "c"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_id": "c"}, 400, "unsupported_grant_type"),
        ({"client_id": "c"}, 400, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "client_id": "c"}, 400, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token", "client_id": "c"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "client_id": "c", "refresh_token": "x"}, 400, "invalid_grant"),
        ("grant_type=refresh_token&grant_type=refresh_token", 400, "invalid_request"),
        ("\x00", 400, "unsupported_grant_type"),
    ],
)
def test_what_is_refused_says_why(site: Site, form: dict[str, str] | str, status: int, error: str) -> None:
    answer = site.send("POST", "/oauth2/token", form)
    assert (answer.status, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"


def test_secrets_do_not_belong_in_the_url(site: Site) -> None:
    assert site.send("POST", "/oauth2/token?client_secret=x", {}).json()["error"] == "invalid_request"


def test_nothing_in_the_database_opens_anything(site: Site, tmp_path: Path) -> None:
    code = site.code()
    token = site.exchange(code).json()
    dump = "\n".join(sqlite3.connect(tmp_path / "gcelib.db").iterdump())
    assert 'INSERT INTO "tokens"' in dump
    for secret in (code, token["access_token"], token["refresh_token"], "battery"):
        assert secret not in dump


def test_a_revoked_sign_in_is_over(site: Site) -> None:
    token = site.exchange(site.code()).json()
    assert site.send("POST", "/oauth2/revoke", {"token": token["access_token"]}).status == 200
    assert site.whoami(token["access_token"]).status == 401
    assert site.refresh(token["refresh_token"]).status == 400
    assert site.send("POST", "/oauth2/revoke", {"token": "unknown"}).status == 200
    assert site.send("POST", "/oauth2/revoke", {}).json()["error"] == "invalid_request"


def test_googles_old_library_revokes_by_url(site: Site) -> None:
    token = site.exchange(site.code()).json()
    assert site.send("GET", f"/oauth2/revoke?token={token['refresh_token']}").status == 200
    assert site.whoami(token["access_token"]).status == 401


def test_tokeninfo_and_userinfo_say_whose_it_is(site: Site) -> None:
    token = site.exchange(site.code()).json()["access_token"]
    told = site.send("GET", f"/oauth2/v1/tokeninfo?access_token={token}").json()
    assert (told["email"], told["audience"]) == (site.person, CLIENT)
    assert 3590 <= told["expires_in"] <= 3600
    assert site.send("GET", "/oauth2/v1/tokeninfo?access_token=x").json()["error"] == "invalid_token"
    known = site.send("GET", "/oauth2/v2/userinfo", headers={"Authorization": f"Bearer {token}"}).json()
    assert (known["email"], known["id"]) == (site.person, told["user_id"])
    stranger = site.send("GET", "/oauth2/v2/userinfo")
    assert (stranger.status, stranger.json()["error"]["errors"][0]["reason"]) == (401, "required")


def test_introspection_tells_the_owner_and_nobody_else(site: Site) -> None:
    token = site.exchange(site.code()).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    told = site.send("POST", "/oauth2/introspect", {"token": token["refresh_token"]}, bearer).json()
    assert (told["active"], told["username"]) == (True, site.person)
    assert site.send("POST", "/oauth2/introspect", {"token": "x"}, bearer).json() == {"active": False}
    assert site.send("POST", "/oauth2/introspect", {"token": token["access_token"]}).status == 401
    site.accounts.create_user("bob@example.com", "pw", "demo", "viewer")
    code = site.sign_in(user="bob@example.com", password="pw").text.partition("code=")[2].partition("<")[0]
    other = {"Authorization": f"Bearer {site.exchange(code).json()['access_token']}"}
    hidden = site.send("POST", "/oauth2/introspect", {"token": token["access_token"]}, other)
    assert hidden.json() == {"active": False}


def test_the_metadata_lists_what_is_offered_and_no_more(site: Site) -> None:
    told = site.send("GET", "/.well-known/oauth-authorization-server").json()
    assert told["issuer"] == site.url
    assert told["token_endpoint"] == f"{site.url}/oauth2/token"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert "password" not in told["grant_types_supported"]
    for name in ("authorization_endpoint", "revocation_endpoint", "introspection_endpoint", "userinfo_endpoint"):
        assert site.send("DELETE", told[name].removeprefix(site.url)).status == 405


def test_expired_rows_are_forgotten(site: Site, tmp_path: Path) -> None:
    site.exchange(site.code())
    site.clock.ahead = 200 * 86_400
    site.send("GET", "/.well-known/oauth-authorization-server")
    rows = sqlite3.connect(tmp_path / "gcelib.db")
    assert [rows.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("codes", "tokens")] == [0, 0]


def test_they_are_forgotten_also_after_the_clock_was_set_back(site: Site, tmp_path: Path) -> None:
    site.clock.ahead = 86_400
    site.send("GET", "/.well-known/oauth-authorization-server")
    site.clock.ahead = 0
    site.code()
    site.clock.ahead = 3600
    site.send("GET", "/.well-known/oauth-authorization-server")
    rows = sqlite3.connect(tmp_path / "gcelib.db")
    assert rows.execute("SELECT count(*) FROM codes").fetchone()[0] == 0


def test_a_database_that_does_not_answer_is_said_plainly(site: Site, tmp_path: Path) -> None:
    code = site.code()
    fields = page(site.send("GET", site.ask())).fields | {"user": site.person, "password": PASSWORD}
    site.store.engine.dispose()
    with site.store.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(tmp_path / "gcelib.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused = site.exchange(code)
    assert (refused.status, refused.json()["error"]) == (503, "temporarily_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    shown = site.send("POST", "/oauth2/auth", fields)
    assert (shown.status, "locked" in shown.text) == (503, True)
    other.execute("ROLLBACK")
    assert site.exchange(code).status == 200
    other.close()
