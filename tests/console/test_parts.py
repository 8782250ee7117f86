"""The console's parts by themselves: bounds, arithmetic, and what is told when little is known."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, Counter

from gcelib.auth.accounts import Accounts
from gcelib.auth.sessions import BLIND, LIFETIME, MOST, MOST_OF_ONE, Sessions
from gcelib.auth.signin import SignIn
from gcelib.auth.uses import Uses
from gcelib.drivers.base import Cloud
from gcelib.errors import Unavailable
from gcelib.server.console.markup import el, lasted, prose, table
from gcelib.server.console.plot import Plot, Series, figure, nice
from gcelib.server.console.samples import DAY, HOUR, Samples, Sources, quantile
from gcelib.server.signs import Signs
from gcelib.store import Account, AccountRows, Store
from tests.clock import Clock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path}/books.sqlite")
    yield made
    made.close()


class Rows(AccountRows):
    """Accounts whose database can go away."""

    away = False

    def get(self, email: str) -> Account | None:
        if self.away:
            raise Unavailable("The database is away.")
        return super().get(email)


@pytest.fixture
def rows(store: Store) -> Rows:
    Accounts(store).create_user("ann@example.com", "password", "demo", "viewer")
    return Rows(store)


@pytest.fixture
def sessions(rows: Rows, clock: Clock) -> Sessions:
    return Sessions(rows, SignIn(rows, clock), Uses(rows, clock), b"key", clock)


def begun(sessions: Sessions) -> str:
    secret = sessions.begin("ann@example.com", "password", "192.0.2.1")
    assert secret
    return secret


def test_a_session_ends_by_itself(sessions: Sessions, clock: Clock) -> None:
    secret = begun(sessions)
    clock.now += LIFETIME - 1
    found = sessions.of(secret)
    assert found
    assert found.caller.roles == {"demo": "viewer"}
    clock.now += 1
    assert sessions.of(secret) is None
    clock.now -= LIFETIME
    assert sessions.of(secret) is None


@pytest.fixture
def anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signs in is who they say: checking passwords takes its time."""
    monkeypatch.setattr(SignIn, "check", lambda self, user, *_: Account(user, "user", "demo", "1", False, 0.0))


def test_one_account_has_few_sessions_and_the_oldest_gives_way(anybody: None, sessions: Sessions) -> None:
    secrets = [begun(sessions) for _ in range(MOST_OF_ONE + 2)]
    assert [bool(sessions.of(secret)) for secret in secrets] == [False, False, *[True] * MOST_OF_ONE]


def test_all_accounts_together_have_a_bounded_number_of_sessions(anybody: None, sessions: Sessions) -> None:
    for number in range(MOST + 10):
        assert sessions.begin(f"{number}@example.com", "x", "192.0.2.1")
    assert len(sessions._entries) == MOST


def test_who_is_in_stays_in_for_a_while_when_the_store_goes_away(
    sessions: Sessions, rows: Rows, clock: Clock
) -> None:
    secret = begun(sessions)
    rows.away = True
    clock.now += BLIND - 1
    assert sessions.of(secret)
    clock.now += 2
    with pytest.raises(Unavailable):
        sessions.of(secret)
    rows.away = False
    assert sessions.of(secret)


def test_a_clock_that_was_set_back_after_the_store_was_away_keeps_nobody_in(
    sessions: Sessions, rows: Rows, store: Store, clock: Clock
) -> None:
    secret = begun(sessions)
    rows.away = True
    clock.now += 2
    assert sessions.of(secret)
    rows.away = False
    Accounts(store).disable("ann@example.com")
    clock.now -= 3600
    assert sessions.of(secret) is None


def test_roles_are_those_of_now(sessions: Sessions, store: Store, clock: Clock) -> None:
    secret = begun(sessions)
    Accounts(store).grant("ann@example.com", "demo", "operator")
    clock.now += 2
    found = sessions.of(secret)
    assert found
    assert found.caller.roles == {"demo": "operator"}


def test_a_sign_in_form_is_ours_for_an_hour(sessions: Sessions, clock: Clock) -> None:
    form = sessions.form()
    assert sessions.is_ours(form)
    assert not sessions.is_ours(form[:-1] + ("0" if form[-1] != "0" else "1"))
    assert not any(sessions.is_ours(each) for each in ("", ".", "1", "x.y", "١.y", "9" * 40))
    clock.now += 3601
    assert not sessions.is_ours(form)


def test_uses_are_written_down_now_and_then_and_never_backwards(rows: Rows, clock: Clock) -> None:
    uses = Uses(rows, clock)
    uses.note("ann@example.com")
    uses.flush(every=60)
    ann = rows.get("ann@example.com")
    assert ann
    assert ann.used is None
    assert uses.last(ann) == 1_000_000
    clock.now += 60
    uses.flush(every=60)
    ann = rows.get("ann@example.com")
    assert ann
    assert ann.used == 1_000_000
    rows.used({"ann@example.com": 5.0, "nobody@example.com": 6.0})
    assert [each.used for each in rows.every()] == [1_000_000]


def test_uses_that_could_not_be_written_down_are_the_next_time(
    rows: Rows, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = Uses(rows, clock)
    uses.note("ann@example.com")

    def refuse(self: AccountRows, when: object) -> None:
        raise Unavailable("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(AccountRows, "used", refuse)
        with pytest.raises(Unavailable):
            uses.flush()
    uses.flush()
    ann = rows.get("ann@example.com")
    assert ann
    assert ann.used == 1_000_000


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_samples_are_bounded_and_rates_are_of_what_was_between(registry: CollectorRegistry, clock: Clock) -> None:
    requests = Counter("gcelib_requests", "", ["method", "status", "outcome"], registry=registry)
    calls = Counter("gcelib_cloud_calls", "", ["cloud", "outcome"], registry=registry)
    lookups = {("nodes", "miss"): 5, ("nodes", "hit"): 0}
    took = [(0.1, 10.0), (float("inf"), 10.0)]
    samples = Samples(Sources(registry, took.copy, lambda: lookups, lambda: 7), clock=clock)
    assert (samples.hour(), samples.lately()) == ([], None)
    requests.labels("list", "200", "ok").inc(1000)
    samples.take()
    clock.now += 10
    requests.labels("list", "200", "ok").inc(20)
    requests.labels("get", "503", "backendError").inc(5)
    took[:] = [(0.1, 14.0), (float("inf"), 14.0)]
    calls.labels("gva", "ok").inc(30)
    calls.labels("gva", "Unavailable").inc(10)
    lookups.update({("nodes", "hit"): 3, ("zones", "shared"): 3, ("nodes", "miss"): 7})
    samples.take()
    (point,) = samples.hour()
    assert point.requests == {"2": 2.0, "5": 0.5}
    assert (point.calls, point.failed_calls, point.known, point.open) == (4.0, 1.0, 0.75, 7)
    assert point.median == pytest.approx(0.05)
    assert samples.lately() == point
    for _ in range(2 * HOUR):
        clock.now += 10
        samples.take()
    assert len(samples.hour()) == HOUR - 1
    assert samples.hour()[-1].median is None
    for _ in range(30 * DAY):
        clock.now += 10
        samples.take()
    assert DAY - 1 <= len(samples.day()) <= DAY


def test_a_store_that_says_nothing_leaves_a_gap(registry: CollectorRegistry, clock: Clock) -> None:
    def away() -> int:
        raise Unavailable("The database is away.")

    samples = Samples(Sources(registry, list, dict, away), clock=clock)
    samples.take()
    clock.now += 10
    samples.take()
    assert [point.open for point in samples.hour()] == [None]


@pytest.mark.parametrize(("buckets", "share", "wanted"), [
    ([], 0.5, None),
    ([(1.0, 0.0), (float("inf"), 0.0)], 0.5, None),
    ([(1.0, 10.0), (2.0, 20.0), (float("inf"), 20.0)], 0.5, 1.0),
    ([(1.0, 10.0), (2.0, 20.0), (float("inf"), 20.0)], 0.75, 1.5),
    ([(1.0, 0.0), (float("inf"), 3.0)], 0.95, 1.0),
])
def test_quantiles_are_as_prometheus_reckons_them(
    buckets: list[tuple[float, float]], share: float, wanted: float | None
) -> None:
    assert quantile(buckets, share) == wanted


@pytest.mark.parametrize(("most", "wanted"), [(0, 1), (0.3, 0.4), (1, 1), (7, 8), (9.5, 10), (41, 60), (250, 400)])
def test_scales_end_with_round_numbers(most: float, wanted: float) -> None:
    assert nice(most) == pytest.approx(wanted)


def test_a_plot_shows_gaps_as_gaps_and_says_all_in_words() -> None:
    times = [1000.0, 1010.0, 1020.0, 1030.0]
    series = [Series("one", [1.0, None, 2.0, 4.0]), Series("two", [0.0] * 4)]
    plot = Plot("x", "A & B", series, lambda value: f"{value:g}!")
    text = figure(plot, times, 3600.0, 1030.0)
    assert text.count("line line0") == 3  # Two stretches, and the key.
    assert 'aria-label="A &amp; B. one: now 4!, at most 4!; two: none."' in text
    assert "<td" in text
    assert ">5 min ago<" in text
    nothing = figure(Plot("x", "C", [Series("one", [])], str), [], 3600.0, 1030.0)
    assert "nothing yet" in nothing


@pytest.mark.parametrize(("seconds", "wanted"), [
    (0.0434, "43 ms"), (0.9999, "1.0 s"), (-1, "0 ms"), (12, "12 s"), (89, "89 s"), (95, "2 min"), (7200, "2 h"),
    (200_000, "2 days"),
])
def test_durations_are_told_in_words(seconds: float, wanted: str) -> None:
    assert lasted(seconds) == wanted


def test_whatever_is_not_markup_is_escaped() -> None:
    assert el("p", "<b>", ["&", None, 3], title='"x"', hidden=True, lang=None, class_="a") == (
        '<p title="&quot;x&quot;" hidden class="a">&lt;b&gt;&amp;3</p>')
    assert "&lt;i&gt;" in table("c", ["<i>"], [["x"]])
    assert 'data-label="&lt;i&gt;"' in table("c", ["a", "<i>"], [["x", "y"]])


class Hung:
    """A cloud that answers when it is let go."""

    name, provider = "gva", "cloudstack"

    def __init__(self) -> None:
        self.go = threading.Event()
        self.fault: Unavailable | None = None
        self.asked = 0

    def ping(self) -> None:
        self.asked += 1
        self.go.wait(30)
        if self.fault:
            raise self.fault


def test_what_is_typed_at_a_terminal_is_code() -> None:
    assert prose("See `gcelib <x>`, then `/readyz`.") == "See <code>gcelib &lt;x&gt;</code>, then <code>/readyz</code>."
    assert prose("One ` alone & no more") == "One ` alone &amp; no more"


def test_what_a_cloud_said_last_is_known_without_waiting_for_it(clock: Clock) -> None:
    cloud, signs = Hung(), Signs(clock)
    clouds = [cast(Cloud, cloud)]

    def known() -> Any:
        (pulse,) = signs.known(clouds, 10.0, 0.0)
        return pulse

    first = known()
    assert (first.fault, first.answered, first.waiting) == (None, None, 0.0)
    clock.now += 3
    assert known().waiting == 3
    assert cloud.asked == 1
    begun = time.monotonic()
    assert "has not answered for 3 seconds" in signs.of(clouds)["gva"]
    assert time.monotonic() - begun < 0.6, "who hangs is waited for at each look"
    cloud.go.set()
    while known().waiting is not None:
        assert time.monotonic() - begun < 20
    well = known()
    assert (well.fault, well.answered, well.failing, well.waiting, well.took) == (None, 0.0, None, None, (3.0,))
    cloud.fault = Unavailable("It is away.")
    clock.now += 60
    known()
    signs.of(clouds)
    clock.now += 5
    away = known()
    assert away.fault is cloud.fault
    assert (away.answered, away.failing) == (65.0, 5.0)
