"""What an operator is paged about: the console goes on, says what is wrong, and how it is mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gcelib.auth.accounts import Accounts
from gcelib.simulator import Simulator
from gcelib.store import Store
from tests.console.person import PAGES, Person, signed_in
from tests.console.scene import BOSS, PASSWORD, Scene
from tests.faults.disks import fill, small
from tests.live import Live
from tests.observability.certificates import DAY, made


@dataclass
class Troubled(Scene):
    """A server whose database is in `place`."""

    place: Path


@pytest.fixture
def troubled(tmp_path: Path) -> Iterator[Troubled]:
    """A certificate that ends in five days, a cloud that refuses the keys, a small disk for the database."""
    with small(tmp_path, 2) as place, Simulator() as cloud:
        if place is None:
            pytest.skip("no small file system can be mounted here")
        certificate, key = made(tmp_path / "tls", 5 * DAY)
        database = f"sqlite:///{place}/gcelib.sqlite"
        live = Live(
            tmp_path, cloud.url, "revoked", "revoked", tls="auto",
            server_extra=f'cert = "{certificate}"\nkey = "{key}"\ndatabase = "{database}"',
        ).start()
        Accounts(Store.open(database)).create_user(BOSS, PASSWORD, "*", "admin")
        yield Troubled(live, cloud, place)
        live.stop()


def finding(text: str, about: str) -> str:
    """What a page says about one thing that is wrong, "" when nothing."""
    found = re.search(rf"<li class=\"\w+\"><p><span[^>]*><span[^>]*>.</span> {re.escape(about)}</span>(.*?)</li>", text)
    return found[1] if found else ""


def test_everything_that_is_wrong_is_said_with_its_cure_and_the_pages_go_on(troubled: Troubled) -> None:
    boss = signed_in(troubled, BOSS)
    text = boss.until("/", lambda text: finding(text, "cloud 'sim'"))
    assert "does not accept these keys" in finding(text, "cloud 'sim'")
    assert "[clouds.sim]" in finding(text, "cloud 'sim'")
    assert "ends on" in finding(text, "TLS")
    assert "SIGHUP" in finding(text, "TLS")
    assert "refuses" in boss.page("/clouds")
    ballast = fill(troubled.place)
    text = boss.until("/", lambda text: finding(text, "disk"))
    assert "Make room on the file system" in finding(text, "disk")
    for path in PAGES:
        boss.page(path)
    assert "Make room" in finding(signed_in(troubled, BOSS).page("/"), "disk")
    assert [Person(troubled).sign_in(BOSS, "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    ballast.unlink()
    boss.until("/", lambda text: not finding(text, "disk"))


def test_who_is_in_is_told_of_a_store_that_is_away(troubled: Troubled) -> None:
    boss = signed_in(troubled, BOSS)
    for file in troubled.place.glob("gcelib.sqlite*"):
        file.write_bytes(b"no database" * 1000)
    text = boss.until("/", lambda text: finding(text, "store"))
    assert "to be mended" in text
    for path in PAGES:
        boss.page(path)
    assert "This cannot be shown now" in boss.page("/operations")
    assert "This cannot be shown now" in boss.page("/accounts")
    numbers = dict(re.findall(r'data-label="(Under way|Failed lately)"><div>([^<]*)<', boss.page("/projects")))
    assert numbers == {"Under way": "–", "Failed lately": "–"}, "what is not known is not 0"
    assert Person(troubled).sign_in(BOSS).status_code == 503
