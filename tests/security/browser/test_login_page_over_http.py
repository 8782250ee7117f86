"""The login page as a program sees it: what it escapes, signs and refuses, header by header."""

from __future__ import annotations

import html
import re

import pytest
import requests

from tests.contract.browser import PASSWORD, USER
from tests.live import Live
from tests.security.browser.asking import Ask

NASTY = "\"'><script>alert(1)</script>&lt;\u2028\x01"
CARRIED = ["client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method"]


def hidden(text: str) -> dict[str, str]:
    """The hidden fields of the form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def post(ask: Ask, form: dict[str, str], **headers: str) -> requests.Response:
    """Send the form; redirects are not followed."""
    return requests.post(f"{ask.url}/oauth2/auth", data=form, headers=headers, allow_redirects=False, timeout=30)


@pytest.mark.parametrize("name", [*CARRIED, "user", "csrf", "password", "unknown"])
def test_whatever_a_parameter_holds_it_never_becomes_markup(ask: Ask, name: str) -> None:
    asked = requests.get(ask(**{name: NASTY}), allow_redirects=False, timeout=30)
    good = hidden(requests.get(ask(), timeout=30).text)
    sent = post(ask, {**good, "user": "x", "password": "y", name: NASTY})
    for answer in (asked, sent):
        assert answer.status_code < 500
        assert "<script" not in answer.text
        assert 'value=""\'' not in answer.text


@pytest.mark.parametrize("changed", [
    {"redirect_uri": "http://localhost:9/"}, {"redirect_uri": "https://evil.example/"}, {"client_id": "other"},
    {"state": "other"}, {"scope": "https://www.googleapis.com/auth/cloud-platform"},
    {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"},
    {"csrf": ""}, {"csrf": "1.aaaa"}, {"csrf": "９９９.é"}, {"csrf": "9" * 5000},
], ids=str)
def test_a_form_changed_on_its_way_signs_nobody_in(ask: Ask, changed: dict[str, str]) -> None:
    good = hidden(requests.get(ask(redirect_uri="http://localhost:8/", state="s"), timeout=30).text)
    sent = post(ask, {**good, **changed, "user": USER, "password": PASSWORD})
    assert sent.status_code in (400, 403)
    assert "location" not in sent.headers
    assert 'id="code"' not in sent.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_that_another_site_sent_signs_nobody_in(ask: Ask, site: str) -> None:
    good = hidden(requests.get(ask(), timeout=30).text)
    form = {**good, "user": USER, "password": PASSWORD}
    assert post(ask, form, **{"Sec-Fetch-Site": site}).status_code == 403
    assert post(ask, form, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


@pytest.mark.parametrize("redirect", [
    "https://evil.example/", "http://localhost@evil.example/", "http://localhost.evil.example/", "//evil.example",
    "http://127.0.0.1:80.evil.example/", "http://[::1].evil.example/", "http://localhost:8/\\@evil.example",
    "http://localhost%2eevil.example/", "http://locaIhost/", "http://localhost:8/\t/x", "data:text/html,x",
    "HTTP://EVIL.EXAMPLE/#http://localhost/", "http://localhost:999999/", "http://localhost:8/ http://evil.example",
    "http://\u217cocalhost/", "http://localhost\u3002evil.example/",
])
def test_a_tampered_redirect_is_refused_on_the_page(ask: Ask, redirect: str) -> None:
    answer = requests.get(ask(redirect_uri=redirect), allow_redirects=False, timeout=30)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "<form" not in answer.text
    assert "evil.example" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/oauth2/auth"])
def test_our_pages_let_nothing_in_and_nobody_around_them(live: Live, path: str) -> None:
    answer = requests.get(live.url + path, timeout=30)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert not re.search(r"\b(src|srcset|@import|url)\b\s*[=(]", answer.text)
