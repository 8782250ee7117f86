"""The login page as people meet it: in a window, with a keyboard, on a phone, with scripts turned off."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gcelib.simulator import Simulator
from tests.contract.browser import PASSWORD, USER
from tests.live import Live
from tests.security.browser.asking import Ask, elsewhere
from tests.security.browser.driver import ENTER, TAB, Browser

# Every element that shows text of its own: what it is, its colour, and the first opaque background below it.
_TEXTS = """
return [...document.querySelectorAll('body *')].filter(each => each.offsetParent !== null &&
  (each.matches('input, select') || [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
).map(each => {
  let below = each;
  while (below.parentElement && getComputedStyle(below).backgroundColor === 'rgba(0, 0, 0, 0)') {
    below = below.parentElement;
  }
  return [each.tagName + '#' + each.id, getComputedStyle(each).color, getComputedStyle(below).backgroundColor];
});
"""


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, of a computed "rgb(r, g, b)"."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def sign_in(window: Browser, user: str = USER, password: str = PASSWORD) -> None:
    """Fill the form in and send it; what follows is not waited for."""
    window.type("#user", user)
    window.type("#password", password)
    window.click("button")


def show(window: Browser, page: str, ask: Ask, live: Live) -> None:
    """Bring one of our pages before the window."""
    if page == "home":
        return window.open(f"{live.url}/")
    if page == "problem":
        return window.open(ask(redirect_uri="https://evil.example/"))
    window.open(ask(redirect_uri="http://localhost:1/") if page == "login" else ask())
    if page == "wrong":
        sign_in(window, password="wrong")
        window.until(lambda: window.found("#problem"))
    if page == "wrong keys":
        window.type("#key", "nobody's key")
        window.type("#secret", "wrong")
        window.click("form:last-of-type button")
        window.until(lambda: window.found("#problem"))
    if page == "code":
        sign_in(window)
        window.until(lambda: window.found("#code"))
    return None


PAGES = ["home", "login", "wrong", "wrong keys", "code", "problem"]


def test_signing_in_works_with_scripts_turned_off(plain: Browser, ask: Ask) -> None:
    plain.open(ask())
    sign_in(plain)
    plain.until(lambda: plain.found("#code"))
    assert plain.title == f"Success code={plain.text('#code')}"


def test_a_program_that_listens_gets_its_code_with_scripts_turned_off(plain: Browser, ask: Ask) -> None:
    with elsewhere() as program:
        plain.open(ask(redirect_uri=f"{program.url}/back", state="a&b<c>"))
        sign_in(plain)
        plain.until(lambda: plain.url.startswith(program.url))
        query = parse_qs(urlsplit(next(path for path in program.paths if path.startswith("/back"))).query)
    assert query["state"] == ["a&b<c>"]
    assert query["code"][0]


def test_cancel_tells_the_program_so(plain: Browser, ask: Ask) -> None:
    with elsewhere() as program:
        plain.open(ask(redirect_uri=f"{program.url}/back", state="s"))
        plain.click("a.back")
        plain.until(lambda: plain.url.startswith(program.url))
    query = parse_qs(urlsplit(plain.url).query)
    assert (query["error"], query["state"], "code" in query) == (["access_denied"], ["s"], False)


def test_the_keyboard_alone_is_enough(browser: Browser, ask: Ask) -> None:
    browser.open(ask(redirect_uri="http://localhost:1/"))
    stops = [browser.focused()]
    for _ in range(7):
        browser.keys(TAB)
        stops.append(browser.focused())
    assert stops == ["user", "password", "BUTTON", "cloud", "key", "secret", "BUTTON", "A"]
    browser.open(ask())
    browser.keys(USER + TAB + PASSWORD + ENTER)
    browser.until(lambda: browser.found("#code"))


@pytest.mark.parametrize("css", ["#user", "#password", "button", "#cloud", "#key", "#secret", "a.back"])
def test_what_has_the_focus_shows_it(browser: Browser, ask: Ask, css: str) -> None:
    browser.open(ask(redirect_uri="http://localhost:1/"))
    browser.keys(TAB)
    style = browser.run(
        "const it = document.querySelector(arguments[0]); it.focus();"
        "const style = getComputedStyle(it); return [style.outlineStyle, style.outlineWidth, style.outlineColor,"
        "getComputedStyle(document.querySelector('main')).backgroundColor]", css)
    assert style[:2] == ["solid", "3px"]
    assert contrast(style[2], style[3]) >= 3


def test_a_wrong_password_is_announced_and_typing_goes_on_there(browser: Browser, ask: Ask) -> None:
    browser.open(ask())
    sign_in(browser, password="wrong")
    browser.until(lambda: browser.found("#problem"))
    assert browser.role("#problem") == "alert"
    assert browser.text("#problem") == "The user or the password is wrong."
    assert browser.title == "Not signed in: Sign in to gcelib"
    assert browser.focused() == "password"
    assert browser.run("return [user.value, password.value, user.getAttribute('aria-describedby')]") == [
        USER, "", "problem"
    ]
    browser.keys(PASSWORD + ENTER)
    browser.until(lambda: browser.found("#code"))


def test_password_managers_and_screen_readers_know_the_fields(browser: Browser, ask: Ask) -> None:
    browser.open(ask())
    assert [browser.label("#user"), browser.label("#password"), browser.label("button")] == [
        "User", "Password", "Sign in"
    ]
    assert [browser.label(css) for css in ("#cloud", "#key", "#secret", "form:last-of-type button")] == [
        "Cloud", "API key", "Secret key", "Sign in with keys"
    ]
    assert [browser.label(f"form:nth-of-type({number})") for number in (1, 2)] == [
        "With an account here", "With your own keys to the cloud"
    ]
    assert browser.run("return [user.autocomplete, password.autocomplete, password.type]") == [
        "username", "current-password", "password"
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_a_language_a_title_and_one_heading(browser: Browser, ask: Ask, live: Live, page: str) -> None:
    show(browser, page, ask, live)
    assert browser.title
    assert browser.run("return [document.documentElement.lang, document.querySelectorAll('h1').length,"
                       "document.querySelectorAll('main').length, document.compatMode]") == ["en", 1, 1, "CSS1Compat"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_every_text_stands_out_from_its_ground(
    browser: Browser, ask: Ask, live: Live, page: str, dark: bool
) -> None:
    browser.look(width=375, dark=dark)
    show(browser, page, ask, live)
    texts = browser.run(_TEXTS)
    assert len(texts) >= 3
    weak = [(name, colour, ground) for name, colour, ground in texts if contrast(colour, ground) < 4.5]
    assert not weak


@pytest.mark.parametrize("width", [320, 375, 1200])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_fits_a_phone_and_a_desk(
    browser: Browser, ask: Ask, live: Live, page: str, width: int, tmp_path: Path
) -> None:
    browser.look(width=width, dark=False)
    show(browser, page, ask, live)
    browser.picture(tmp_path / "picture.png")
    found: dict[str, Any] = browser.run(
        "const boxes = [...document.querySelectorAll('input:not([type=hidden]), select, button')].map(each =>"
        " each.getBoundingClientRect());"
        "return {wide: document.documentElement.scrollWidth, inner: innerWidth, low: boxes.map(box => box.height),"
        " size: parseFloat(getComputedStyle(document.body).fontSize)}")
    assert found["wide"] <= found["inner"] == width
    assert found["size"] >= 16
    assert all(height >= 44 for height in found["low"])
    assert (tmp_path / "picture.png").stat().st_size > 5000


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_for_nothing_but_itself(browser: Browser, ask: Ask, live: Live, page: str) -> None:
    browser.open("about:blank")
    browser.requested()
    browser.complaints()
    show(browser, page, ask, live)
    asked = {urlsplit(url)._replace(query="").geturl() for url in browser.requested() if not url.startswith("data:")}
    assert asked <= {f"{live.url}/oauth2/auth", f"{live.url}/", f"{live.url}/favicon.ico"}
    assert not [line for line in browser.complaints() if "Content Security Policy" in line]


def test_wrong_keys_are_announced_beside_the_keys(browser: Browser, ask: Ask, live: Live) -> None:
    show(browser, "wrong keys", ask, live)
    assert browser.role("#problem") == "alert"
    assert browser.focused() == "secret"
    assert browser.run("return [key.value, secret.value, key.getAttribute('aria-describedby'), user.ariaInvalid]") == [
        "nobody's key", "", "problem", None
    ]


def test_a_callers_own_keys_sign_in_with_scripts_turned_off(
    plain: Browser, ask: Ask, simulator: Simulator
) -> None:
    account = simulator.accounts["demo"]
    plain.open(ask())
    plain.type("#key", account.api_key)
    plain.type("#secret", account.secret_key)
    plain.click("form:last-of-type button")
    plain.until(lambda: plain.found("#code"))
    assert account.secret_key not in plain.url
