"""The console as people meet it: two hundred operations under way, one cloud that says nothing, in a real browser."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.scene import BOSS, MARKUP, PASSWORD, RUNNING, Scene, scene
from tests.security.browser.driver import CHROMEDRIVER, CHROMIUM, ENTER, TAB, Browser

AXE = Path(sys.prefix) / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ["/", "/clouds", "/projects", "/operations", "/operations?show=failed", "/figures", "/accounts", "/coverage"]
FIRST_PAINT = 1000
"""Milliseconds."""


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The scene that the console is judged by."""
    if not CHROMIUM or not CHROMEDRIVER:
        pytest.skip("Chromium or chromedriver is not installed: the console was not looked at in a browser")
    with scene(tmp_path_factory.mktemp("busy")) as made:
        made.ended()
        made.busy()
        yield made


@pytest.fixture(scope="module")
def window(busy: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A window where somebody is signed in who sees all."""
    made = Browser(tmp_path_factory.mktemp("chromium"))
    sign_in(made, busy)
    yield made
    made.close()


def sign_in(window: Browser, scene: Scene) -> None:
    window.open(f"{scene.url}/sign-in")
    window.type("#user", BOSS)
    window.type("#password", PASSWORD)
    window.click("button")
    window.until(lambda: window.found("nav"))


def serious(window: Browser) -> list[str]:
    """What axe finds that keeps people out."""
    window.run(AXE.read_text())
    found: list[dict[str, Any]] = window.run(
        "const done = await axe.run(document, {resultTypes: ['violations']}); return done.violations")
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found
            if each["impact"] in ("serious", "critical") for node in each["nodes"]]


@pytest.mark.parametrize(("width", "dark"), [(1200, False), (375, True)], ids=["desk", "phone"])
def test_every_page_is_there_at_once_fits_and_breaks_nothing(
    window: Browser, busy: Scene, width: int, dark: bool
) -> None:
    window.look(width=width, dark=dark)
    window.open(f"{busy.url}/operations?show=failed")
    assert MARKUP in window.text("main")
    failed = window.run("return document.querySelector('tbody a').href").removeprefix(busy.url)
    for path in (*PAGES, failed):
        window.complaints()
        window.open(busy.url + path)
        window.until(lambda: window.run("return performance.getEntriesByName('first-contentful-paint').length"))
        found = window.run(
            "return {wide: document.documentElement.scrollWidth, inner: innerWidth,"
            " size: parseFloat(getComputedStyle(document.body).fontSize),"
            " heads: document.querySelectorAll('h1').length,"
            " paint: performance.getEntriesByName('first-contentful-paint')[0].startTime}")
        assert found["wide"] <= found["inner"] <= width, path
        assert found["size"] >= 16
        assert found["heads"] == 1
        assert found["paint"] <= FIRST_PAINT, path
        assert window.complaints() == []


@pytest.mark.parametrize(("width", "dark", "pages"), [(1200, True, PAGES), (375, False, PAGES[:4])],
                         ids=["desk", "phone"])
def test_axe_finds_nothing_serious(
    window: Browser, busy: Scene, width: int, dark: bool, pages: list[str]
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: `make clients` does that")
    window.look(width=width, dark=dark)
    for path in pages:
        window.open(busy.url + path)
        assert serious(window) == [], path
    window.open(f"{busy.url}/operations?show=failed")
    window.open(window.run("return document.querySelector('tbody a').href"))
    assert serious(window) == []


def test_a_table_of_many_clouds_moves_to_the_side_by_itself_also_by_keyboard(window: Browser, busy: Scene) -> None:
    window.look(width=1200, dark=False)
    window.open(f"{busy.url}/clouds")
    region = "[role=region]"
    assert (window.role(region), window.label(region)) == ("region", "What gcelib can do on each cloud")
    window.run("""for (const row of document.querySelectorAll('[role=region] tr'))
        for (let more = 0; more < 12; more += 1) row.append(row.lastChild.cloneNode(true));""")
    assert window.run("return document.documentElement.scrollWidth <= innerWidth")
    assert window.run("const all = document.querySelector('[role=region]'); all.focus();"
                      " return document.activeElement === all && all.scrollWidth > all.clientWidth")


def test_what_is_shown_is_true(window: Browser, busy: Scene) -> None:
    window.look(width=1200, dark=False)
    window.open(f"{busy.url}/")
    window.until(lambda: "Cloud 'far' has not answered for" in window.text("main"))
    assert f"{RUNNING} under way" in window.text("main")
    assert "2 failed of the last 3" in window.text("main")
    assert "1 of 2 clouds answers" in window.text("main")
    window.open(f"{busy.url}/operations")
    assert len(window.found("tbody tr")) == 50
    assert window.text("nav[aria-label='Which operations'] a") == f"Under way ({RUNNING})"


def test_the_page_keeps_itself_true_and_what_somebody_does_there_stays(window: Browser, busy: Scene) -> None:
    window.look(width=1200, dark=False)
    window.open(f"{busy.url}/operations")
    window.run("window.here = true; document.querySelector('tbody tr:nth-child(3) a').focus()")
    focused = window.run("return document.activeElement.href")
    api = busy.live.api()
    api.start("POST", "zones/ch-gv2/disks", {"name": "one-more", "sizeGb": "10"})
    window.until(lambda: f"Under way ({RUNNING + 1})" in window.text("main"))
    assert window.run("return [window.here, document.activeElement.href]") == [True, focused]
    assert window.run("return [news.getAttribute('role'), news.textContent]") == [
        "status", f"{RUNNING + 1} operations under way, 2 failed lately"]
    window.click("#pause")
    said = window.text("#state")
    assert said.startswith("Paused")
    api.start("POST", "zones/ch-gv2/disks", {"name": "two-more", "sizeGb": "10"})
    time.sleep(2.2)  # Longer than between two looks: a page that went on would have changed.
    assert window.text("#state") == said
    assert f"Under way ({RUNNING + 1})" in window.text("main")
    window.click("#pause")
    window.until(lambda: f"Under way ({RUNNING + 2})" in window.text("main"))


def test_what_somebody_opened_stays_open(window: Browser, busy: Scene) -> None:
    window.open(f"{busy.url}/operations")
    window.open(window.run("return document.querySelector('tbody tr:nth-child(2) a').href"))
    window.click("#cancel summary")
    before = window.text("#state")
    window.until(lambda: window.text("#state") != before)
    assert window.run("return document.querySelector('#cancel').open") is True


def test_the_keyboard_alone_is_enough(window: Browser, busy: Scene) -> None:
    window.look(width=1200, dark=False)
    window.open(f"{busy.url}/projects")
    window.keys(TAB)
    assert window.run("return document.activeElement.className") == "skip"
    assert window.run("return document.activeElement.getBoundingClientRect().left") >= 0
    window.keys(ENTER)
    assert window.focused() == "main"
    window.keys(TAB)
    assert window.run("return document.activeElement.closest('main') !== null")
    style = window.run("const style = getComputedStyle(document.activeElement);"
                       "return [style.outlineStyle, style.outlineWidth]")
    assert style == ["solid", "3px"]


@pytest.fixture
def plain(window: Browser) -> Iterator[Browser]:
    """The same window where no script of a page can run."""
    window.devtools("Emulation.setScriptExecutionDisabled", value=True)
    yield window
    window.devtools("Emulation.setScriptExecutionDisabled", value=False)


def test_all_can_be_done_with_scripts_turned_off(plain: Browser, busy: Scene) -> None:
    plain.open(f"{busy.url}/operations")
    assert plain.text("#again") == "Look again"
    assert plain.text("#state").startswith("As of")
    plain.click("tbody a")
    plain.until(lambda: "/operations/operation-" in plain.url)
    plain.click("#cancel summary")
    plain.click("#cancel button")
    plain.until(lambda: f"as {BOSS} wants" in plain.text("main"))


def test_a_page_asks_for_nothing_but_the_console(window: Browser, busy: Scene) -> None:
    window.open("about:blank")
    window.requested()
    window.open(f"{busy.url}/operations")
    asked = {url for url in window.requested() if not url.startswith("data:")}
    assert asked <= {f"{busy.url}/operations", f"{busy.url}/icon.svg"}


def test_what_somebody_may_not_see_any_more_goes_away(window: Browser, busy: Scene) -> None:
    window.open(f"{busy.url}/operations")
    window.open(window.run("return document.querySelector('tbody tr:nth-child(4) a').href"))
    accounts = busy.accounts()
    accounts.revoke(BOSS, "*")
    try:
        window.until(lambda: window.title.startswith("Not Found"))
    finally:
        accounts.grant(BOSS, "*", "admin")
    # The next test finds all of it again: what somebody may see is remembered for a second.
    window.until(lambda: window.open(f"{busy.url}/projects") or window.found("main tbody a"))
