"""A Chromium for the tests of this folder; where there is none they are skipped, and say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gcelib.simulator import Simulator
from tests.conftest import launched
from tests.contract.browser import make_person
from tests.live import Live
from tests.security.browser.asking import Ask
from tests.security.browser.driver import CHROMEDRIVER, CHROMIUM, Browser


@pytest.fixture(scope="session")
def live(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A gcelib process where one person has an account, and callers may bring their own keys to two clouds."""
    account = simulator.accounts["demo"]
    server = launched(tmp_path_factory.mktemp("pages"), simulator, extra=f"""
[clouds.other]
provider = "cloudstack"
endpoint = "{simulator.url}"
key = "{account.api_key}"
secret = "{account.secret_key}"
[projects."*"]
clouds = ["sim", "other"]
credentials = "caller"
""")
    make_person(server)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def ask(live: Live) -> Ask:
    """Makes the address that a program opens in the browser."""
    return Ask(live.url)


@pytest.fixture(scope="session")
def need_chromium() -> None:
    """Skips when there is no Chromium to look with."""
    if not CHROMIUM or not CHROMEDRIVER:
        pytest.skip("Chromium or chromedriver is not installed: the pages were not looked at in a browser")


@pytest.fixture(scope="session")
def browser(need_chromium: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A window where scripts of pages could run."""
    window = Browser(tmp_path_factory.mktemp("chromium"))
    yield window
    window.close()


@pytest.fixture(scope="session")
def plain(need_chromium: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A window where no script of a page can run."""
    window = Browser(tmp_path_factory.mktemp("chromium"), scripts=False)
    yield window
    window.close()
