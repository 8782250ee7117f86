"""Programs come in with a key file in Google's format, through Google's own library."""

# Google's library has no types.
# mypy: allow-untyped-calls

from __future__ import annotations

import base64
import time
from typing import Any

import jwt
import pytest
from google.auth import jwt as google_jwt
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request as Transport
from google.oauth2 import service_account
from served import CLOUD_PLATFORM, Answer, Site

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
COMPUTE = "https://www.googleapis.com/auth/compute"


def _credentials(site: Site, **more: Any) -> Any:
    return service_account.Credentials.from_service_account_info(dict(site.key), **more)


def _signed(site: Site, headers: dict[str, str] | None = None, key: str = "", **claims: Any) -> str:
    now = int(site.clock())
    email = site.key["client_email"]
    whole = {"iss": email, "aud": f"{site.url}/oauth2/token", "iat": now, "exp": now + 3600, "scope": COMPUTE}
    whole |= claims
    kept = {name: value for name, value in whole.items() if value is not None}
    return jwt.encode(kept, key or site.key["private_key"], "RS256", headers=headers)


def _grant(site: Site, assertion: str) -> Answer:
    return site.send("POST", "/oauth2/token", {"grant_type": GRANT, "assertion": assertion})


def _robot(site: Site) -> str:
    return f"{site.key['client_email']} [('demo', 'operator')]"


def test_googles_library_takes_the_key_file_and_gets_in(site: Site) -> None:
    credentials = _credentials(site, scopes=[CLOUD_PLATFORM])
    credentials.refresh(Transport())
    assert site.whoami(credentials.token).text == _robot(site)
    assert 3500 < (credentials.expiry.timestamp() - time.time() + time.timezone) % 86_400 <= 3600


def test_two_programs_that_start_in_the_same_second_both_get_in(site: Site) -> None:
    """Google's library signs without an id, so both send the same bytes."""
    assertion = _signed(site)
    assert [_grant(site, assertion).status for _ in range(2)] == [200, 200]


def test_an_assertion_seen_before_is_refused(site: Site) -> None:
    assertion = _signed(site)
    assert _grant(site, assertion).status == 200
    site.clock.ahead = 7
    again = _grant(site, assertion)
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")
    assert "used before" in again.json()["error_description"]


def test_an_assertion_with_an_id_is_taken_once(site: Site) -> None:
    first, second = _signed(site, jti="one"), _signed(site, jti="one", scope=CLOUD_PLATFORM)
    assert _grant(site, first).status == 200
    assert _grant(site, first).status == 400
    assert _grant(site, second).status == 400
    assert _grant(site, _signed(site, jti="two")).status == 200


@pytest.mark.parametrize(
    "audience",
    [
        "https://oauth2.googleapis.com/token",
        "https://www.googleapis.com/oauth2/v4/token",
        "https://accounts.google.com/o/oauth2/token",
        ["https://other.example/", "https://oauth2.googleapis.com/token"],
    ],
)
def test_googles_own_token_urls_are_taken_as_audience(site: Site, audience: str | list[str]) -> None:
    token = _grant(site, _signed(site, aud=audience)).json()
    assert (token["expires_in"], token["token_type"], token["scope"]) == (3600, "Bearer", COMPUTE)
    assert "refresh_token" not in token


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"aud": "https://other.example/token"}, "another server"),
        ({"aud": None}, "another server"),
        ({"iss": "stranger@demo.gcelib.local"}, "issuer is not one"),
        ({"iss": "ann@example.com"}, "issuer is not one"),
        ({"iss": None}, "issuer is not one"),
        ({"iss": "a\ud800@demo.gcelib.local"}, "issuer is not one"),
        ({"iss": "a\0@demo.gcelib.local"}, "issuer is not one"),
        ({"aud": 5}, "another server"),
        ({"iat": 10**400}, "until when"),
        ({"exp": 10**400}, "until when"),
        ({"jti": "\ud800"}, "control characters"),
        ({"scope": "a\nb\0"}, "control characters"),
        ({"sub": "ann@example.com"}, "somebody else"),
        ({"exp": None}, "until when"),
        ({"exp": "tomorrow"}, "until when"),
        ({"exp": float("nan")}, "until when"),
        ({"exp": 1}, "expired"),
        ({"iat": 10**11, "exp": 10**11 + 60}, "future"),
        ({"exp": 10**11}, "more than an hour"),
    ],
)
def test_an_assertion_that_proves_nothing_is_refused_and_says_why(
    site: Site, claims: dict[str, Any], says: str
) -> None:
    answer = _grant(site, _signed(site, **claims))
    assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")
    assert says in answer.json()["error_description"]


def test_strangers_do_not_learn_which_service_accounts_there_are(site: Site) -> None:
    other = site.accounts.create_service("other", "demo", "admin", site.url)
    site.accounts.create_service("shut", "demo", "admin", site.url)
    site.accounts.disable("shut")
    names = [site.key["client_email"], "nobody@demo.gcelib.local", "shut@demo.gcelib.local", "ann@example.com"]
    texts = {_grant(site, _signed(site, key=other["private_key"], iss=name)).text for name in names}
    assert len(texts) == 1


def test_a_request_for_a_token_is_no_token_itself(site: Site) -> None:
    assertion = _signed(site, jti="once")
    assert _grant(site, assertion).status == 200
    assert site.whoami(assertion).status == 401
    assert site.whoami(_signed(site, aud=f"{site.url}/token")).status == 401


@pytest.mark.parametrize("issuer", ["\\ud800", "\\u0000"])
def test_a_bearer_token_of_a_name_that_is_no_text_is_refused(site: Site, issuer: str) -> None:
    head, _, signature = _signed(site).split(".")
    payload = base64.urlsafe_b64encode(f'{{"iss": "{issuer}"}}'.encode()).decode().rstrip("=")
    assert site.whoami(f"{head}.{payload}.{signature}").status == 401


def test_only_the_accounts_own_keys_count(site: Site) -> None:
    other = site.accounts.create_service("other", "demo", "admin", site.url)
    assert _grant(site, _signed(site, key=other["private_key"])).status == 400
    assert _grant(site, _signed(site, {"kid": other["private_key_id"]})).status == 400
    assert _grant(site, _signed(site, {"kid": site.key["private_key_id"]})).status == 200
    now = int(time.time())
    claims = {"iss": site.key["client_email"], "aud": f"{site.url}/oauth2/token", "iat": now, "exp": now + 60}
    unsigned = jwt.encode(claims, "", "none")
    assert _grant(site, unsigned).status == 400
    shared = jwt.encode(claims, "x" * 32, "HS256")
    assert _grant(site, shared).status == 400


@pytest.mark.parametrize("assertion", ["", "x", "a.b.c", "..", "é.é.é"])
def test_what_is_no_assertion_is_refused(site: Site, assertion: str) -> None:
    assert _grant(site, assertion).status == 400


def test_a_clock_a_little_off_is_forgiven(site: Site) -> None:
    assert _grant(site, _signed(site, iat=int(time.time()) + 50, exp=int(time.time()) + 3650)).status == 200
    assert _grant(site, _signed(site, iat=int(time.time()) - 100, exp=int(time.time()) - 50)).status == 200


def test_rotating_the_key_ends_the_old_one_and_its_tokens(site: Site) -> None:
    old = _credentials(site, scopes=[COMPUTE])
    old.refresh(Transport())
    fresh = site.accounts.rotate_key("robot", site.url)
    with pytest.raises(RefreshError):
        old.refresh(Transport())
    assert site.whoami(old.token).status == 401
    new: Any = service_account.Credentials.from_service_account_info(fresh, scopes=[COMPUTE])
    new.refresh(Transport())
    assert site.whoami(new.token).status == 200


def test_a_rotation_may_let_the_old_key_work_on(site: Site) -> None:
    site.accounts.rotate_key("robot", site.url, keep=True)
    assert _grant(site, _signed(site)).status == 200


def test_a_disabled_account_is_out_within_a_second(site: Site) -> None:
    credentials = _credentials(site, scopes=[COMPUTE])
    credentials.refresh(Transport())
    signed = _signed(site, aud=f"{site.url}/")
    assert site.whoami(credentials.token).status == 200
    assert site.whoami(signed).status == 200
    site.accounts.disable("robot")
    site.clock.ahead = 1
    assert site.whoami(credentials.token).status == 401
    assert site.whoami(signed).status == 401
    assert _grant(site, _signed(site)).status == 400


def test_a_new_role_is_seen_within_a_second(site: Site) -> None:
    credentials = _credentials(site, scopes=[COMPUTE])
    credentials.refresh(Transport())
    assert site.whoami(credentials.token).text == _robot(site)
    site.accounts.grant("robot", "other", "viewer")
    site.clock.ahead = 1
    assert "('other', 'viewer')" in site.whoami(credentials.token).text


def test_google_sdks_send_a_self_signed_token_when_no_scope_is_given(site: Site) -> None:
    credentials = _credentials(site).with_always_use_jwt_access(True)
    for audience in ("https://compute.googleapis.com/", f"{site.url}/"):
        credentials._create_self_signed_jwt(audience)
        credentials.refresh(Transport())
        assert site.whoami(credentials.token).text == _robot(site)
    scoped = _credentials(site, scopes=[CLOUD_PLATFORM]).with_always_use_jwt_access(True)
    scoped._create_self_signed_jwt(None)
    scoped.refresh(Transport())
    assert site.whoami(scoped.token).text == _robot(site)


def test_googles_jwt_credentials_work_for_our_url(site: Site) -> None:
    credentials: Any = google_jwt.Credentials.from_service_account_info(
        dict(site.key), audience=f"{site.url}/compute/v1/"
    )
    credentials.refresh(None)
    assert site.whoami(credentials.token.decode()).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://storage.googleapis.com/"},
        {"aud": "https://compute.googleapis.com.evil.example/"},
        {"aud": "http://127.0.0.1:1/"},
        {"aud": None, "scope": None},
        {"aud": "https://compute.googleapis.com/", "sub": "ann@example.com"},
        {"aud": "https://compute.googleapis.com/", "exp": 1},
        {"aud": "https://compute.googleapis.com/", "exp": 10**11},
    ],
)
def test_a_self_signed_token_for_elsewhere_or_ever_is_refused(site: Site, claims: dict[str, Any]) -> None:
    assert site.whoami(_signed(site, **claims)).status == 401


def test_a_self_signed_token_ends_when_it_says(site: Site) -> None:
    token = _signed(site, aud="https://compute.googleapis.com/")
    assert site.whoami(token).status == 200
    site.clock.ahead = 3600 + 61
    assert site.whoami(token).status == 401


def test_the_key_file_holds_what_googles_libraries_read(site: Site) -> None:
    assert site.key["type"] == "service_account"
    assert site.key["client_email"] == "robot@demo.gcelib.local"
    assert site.key["project_id"] == "demo"
    assert site.key["universe_domain"] == "googleapis.com"
    assert site.key["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert site.key["client_id"].isdigit()


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ({}, "required: Login Required."),
        ({"Authorization": "Bearer x"}, "authError: Invalid Credentials"),
        ({"Authorization": "Bearer "}, "authError: Invalid Credentials"),
        ({"Authorization": "Bearer a b"}, "authError: Invalid Credentials"),
        ({"Authorization": "Bearer a.b.c"}, "authError: Invalid Credentials"),
        ({"Authorization": "Basic eDp5"}, "authError: Invalid Credentials"),
        ({"Authorization": "Bearer \xe9"}, "authError: Invalid Credentials"),
    ],
)
def test_no_token_and_a_bad_token_are_told_apart(site: Site, header: dict[str, str], answer: str) -> None:
    told = site.send("GET", "/whoami", headers=header)
    assert (told.status, told.text) == (401, answer)
    assert told.headers["www-authenticate"].startswith('Bearer realm="gcelib"')


def test_a_token_in_the_url_is_not_taken(site: Site) -> None:
    token = site.exchange(site.code()).json()["access_token"]
    assert site.send("GET", f"/whoami?access_token={token}").status == 401
