"""People sign in with a browser, and their programs get a code."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from served import CLIENT, OOB, PASSWORD, Site, page

GCLOUD = {
    "redirect_uri": "https://sdk.cloud.google.com/authcode.html",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
    "state": "xyz",
}


def _sent_to(location: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(location)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return f"{parts.scheme}://{parts.netloc}{parts.path}", query


def test_the_page_can_be_used_by_anyone_and_runs_nothing(site: Site) -> None:
    shown = site.send("GET", site.ask())
    assert shown.status == 200
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert shown.headers["x-frame-options"] == "DENY"
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in shown.text
    assert '<meta name="viewport"' in shown.text
    assert '<label for="user">' in shown.text
    assert '<label for="password">' in shown.text


def test_a_code_is_shown_to_be_pasted(site: Site) -> None:
    shown = page(site.sign_in())
    assert re.fullmatch(r"[A-Za-z0-9]{20,64}", shown.texts["code"])
    assert shown.texts["title"] == f"Success code={shown.texts['code']}"
    assert site.exchange(shown.texts["code"]).status == 200


def test_the_short_name_signs_in_too(site: Site) -> None:
    assert "code" in page(site.sign_in(user=" Ann ")).texts


@pytest.mark.parametrize(
    "redirect", ["http://localhost:8080/", "http://127.0.0.1:43210/", "http://[::1]:9/back?a=b", "http://localhost"]
)
def test_a_program_that_listens_here_gets_the_code_with_its_state(site: Site, redirect: str) -> None:
    answer = site.sign_in(redirect_uri=redirect, state="a b&c")
    where, query = _sent_to(answer.headers["location"])
    assert answer.status == 302
    assert where == redirect.partition("?")[0]
    assert query["state"] == "a b&c"
    assert site.exchange(query["code"], redirect_uri=redirect).status == 200


def test_gcloud_gets_its_code_on_googles_page(site: Site) -> None:
    answer = site.sign_in(**GCLOUD)
    where, query = _sent_to(answer.headers["location"])
    assert (answer.status, where, query["state"]) == (302, GCLOUD["redirect_uri"], "xyz")
    assert "https://sdk.cloud.google.com" in site.send("GET", site.ask(**GCLOUD)).headers["content-security-policy"]


def test_gclouds_page_needs_pkce(site: Site) -> None:
    answer = site.send("GET", site.ask(redirect_uri=GCLOUD["redirect_uri"]))
    assert _sent_to(answer.headers["location"])[1]["error"] == "invalid_request"


@pytest.mark.parametrize("method", ["plain", "", "S512"])
def test_no_challenge_but_s256_is_taken(site: Site, method: str) -> None:
    asked = {**GCLOUD, "code_challenge_method": method, "redirect_uri": "http://localhost:1/"}
    answer = site.send("GET", site.ask(**asked))
    assert _sent_to(answer.headers["location"])[1]["error"] == "invalid_request"


def test_a_challenge_that_no_verifier_can_meet_is_refused(site: Site) -> None:
    asked = {**GCLOUD, "code_challenge": "short", "redirect_uri": "http://localhost:1/"}
    answer = site.send("GET", site.ask(**asked))
    assert _sent_to(answer.headers["location"])[1]["error"] == "invalid_request"


@pytest.mark.parametrize(
    "redirect",
    [
        "https://evil.example/",
        "http://localhost.evil.example/",
        "http://localhost:80@evil.example/",
        "http://evil.example/?http://localhost/",
        "https://localhost:8080/",
        "http://localhost:8080/#here",
        "http://127.0.0.1.evil.example/",
        "http://localhost:8080\\@evil.example/",
        "http://localhost:8080/\r\nSet-Cookie: a=b",
        "https://sdk.cloud.google.com/other.html",
        "urn:ietf:wg:oauth:2.0:oob2",
        "javascript:alert(1)",
        "",
    ],
)
def test_codes_go_nowhere_else(site: Site, redirect: str) -> None:
    answer = site.send("GET", site.ask(redirect_uri=redirect))
    assert answer.status == 400
    assert "location" not in answer.headers
    assert "password" not in page(answer).fields


def test_a_request_without_a_client_is_refused_on_the_page(site: Site) -> None:
    answer = site.send("GET", site.ask(client_id="", redirect_uri="http://localhost:1/"))
    assert (answer.status, "location" in answer.headers) == (400, False)


def test_a_repeated_parameter_is_refused(site: Site) -> None:
    assert site.send("GET", site.ask() + "&client_id=other").status == 400


def test_another_response_type_is_told_to_the_client(site: Site) -> None:
    answer = site.send("GET", site.ask(response_type="token", redirect_uri="http://localhost:1/", state="s"))
    query = _sent_to(answer.headers["location"])[1]
    assert (query["error"], query["state"]) == ("unsupported_response_type", "s")


def test_what_the_client_sends_cannot_become_markup(site: Site) -> None:
    nasty = "\"><script>alert('x')</script>&amp;"
    shown = site.send("GET", site.ask(state=nasty, client_id="<b>me</b>"))
    assert "<script" not in shown.text
    assert "<b>" not in shown.text
    assert page(shown).fields["state"] == nasty
    again = site.sign_in(user=nasty, password="wrong")
    assert "<script" not in again.text
    assert page(again).fields["user"] == nasty


@pytest.mark.parametrize("user", ["ann@example.com", "nobody@example.com", "", "%", "x" * 5000])
def test_a_wrong_password_shows_the_form_again_whoever_it_was(site: Site, user: str) -> None:
    shown = page(site.send("GET", site.ask(state="kept")))
    answer = site.send("POST", "/oauth2/auth", {**shown.fields, "user": user, "password": "wrong"})
    assert answer.status == 401
    assert "The user or the password is wrong." in page(answer).texts["p"]
    again = page(answer).fields
    assert again["state"] == "kept"
    assert again["password"] == ""
    good = site.send("POST", "/oauth2/auth", {**again, "user": site.person, "password": PASSWORD})
    assert good.status == 200


def test_a_service_account_cannot_sign_in_here(site: Site) -> None:
    assert site.sign_in(user=site.key["client_email"], password="").status == 401


def test_a_disabled_account_cannot_sign_in(site: Site) -> None:
    site.accounts.disable(site.person)
    assert site.sign_in().status == 401
    site.accounts.disable(site.person, False)
    assert site.sign_in().status == 200


def test_a_form_that_is_not_ours_is_not_taken(site: Site) -> None:
    fields = page(site.send("GET", site.ask())).fields | {"user": site.person, "password": PASSWORD}
    assert site.send("POST", "/oauth2/auth", fields | {"csrf": ""}).status == 403
    assert site.send("POST", "/oauth2/auth", fields | {"csrf": "1.abc"}).status == 403
    assert site.send("POST", "/oauth2/auth", fields | {"csrf": "é.²"}).status == 403
    assert site.send("POST", "/oauth2/auth", fields | {"redirect_uri": "http://localhost:1/"}).status == 403
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert site.send("POST", "/oauth2/auth", fields, elsewhere).status == 403
    assert site.send("POST", "/oauth2/auth", fields, {"Sec-Fetch-Site": "same-origin"}).status == 200


def test_a_form_left_open_for_hours_is_shown_anew(site: Site) -> None:
    fields = page(site.send("GET", site.ask())).fields | {"user": site.person, "password": PASSWORD}
    site.clock.ahead = 3700
    answer = site.send("POST", "/oauth2/auth", fields)
    assert answer.status == 403
    fresh = page(answer).fields | {"password": PASSWORD}
    assert site.send("POST", "/oauth2/auth", fresh).status == 200


def test_many_wrong_passwords_make_even_the_right_one_wait(site: Site) -> None:
    assert [site.sign_in(password="wrong").status for _ in range(6)] == [401, 401, 401, 401, 401, 429]
    waiting = site.sign_in()
    assert waiting.status == 429
    assert int(waiting.headers["retry-after"]) >= 1
    site.clock.ahead = 61
    assert site.sign_in().status == 200
    assert site.sign_in(password="wrong").status == 401


def test_cancel_tells_the_program(site: Site) -> None:
    shown = page(site.send("GET", site.ask(redirect_uri="http://localhost:1/", state="s t")))
    where, query = _sent_to(shown.links[0])
    told = {"error": "access_denied", "state": "s t", "iss": site.url}
    assert (where, query) == ("http://localhost:1/", told)
    assert page(site.send("GET", site.ask())).links == []


def test_a_body_that_is_no_form_is_refused(site: Site) -> None:
    json_type = {"Content-Type": "application/json"}
    assert site.send("POST", "/oauth2/auth", '{"user": "x"}', json_type).status == 400
    assert site.send("POST", "/oauth2/auth", "user=%ff").status == 400
    assert site.send("POST", "/oauth2/auth", "a=" + "x" * 70_000).status == 400


def test_other_methods_name_the_right_ones(site: Site) -> None:
    answer = site.send("PUT", "/oauth2/auth")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
    answer = site.send("GET", "/oauth2/token")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_paths_of_others_are_left_to_them(site: Site) -> None:
    assert site.send("GET", "/oauth2/other").status == 401
    assert OOB in site.send("GET", site.ask()).text
    assert CLIENT in site.send("GET", site.ask()).text
