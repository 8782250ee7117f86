"""Guessing gets slower, and its victim is not kept out by it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcelib.auth import guessing
from gcelib.auth.accounts import Accounts
from gcelib.auth.guessing import FREE_OF_ACCOUNT, FREE_OF_SOURCE, FREE_TRIES, LONGEST_WAIT, Guessing
from gcelib.auth.signin import SignIn
from gcelib.errors import TooMany
from gcelib.store import AccountRows, Store
from tests.clock import Clock

ANN, HOME, THIEF = "user:ann@example.com", "192.0.2.1", "198.51.100.7"


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[AccountRows]:
    store = Store.open(f"sqlite:///{tmp_path / 'gcelib.sqlite'}")
    yield AccountRows(store)
    store.close()


@pytest.fixture
def guesses(rows: AccountRows, clock: Clock) -> Guessing:
    return Guessing(rows, clock)


def must_wait(guesses: Guessing, account: str, remote: str) -> int:
    """The seconds it is told to wait."""
    with pytest.raises(TooMany) as caught:
        guesses.wait(account, remote)
    return caught.value.retry_after


def guess(guesses: Guessing, clock: Clock, times: int, account: str, remote: str) -> None:
    """So many wrong ones, each as soon as it is let in."""
    for _ in range(times):
        try:
            guesses.wait(account, remote)
        except TooMany as fault:
            clock.now += fault.retry_after
        guesses.wrong(account, remote)


def test_the_wait_doubles_up_to_a_minute(guesses: Guessing, clock: Clock) -> None:
    guess(guesses, clock, FREE_TRIES - 1, ANN, THIEF)
    guesses.wait(ANN, THIEF)
    waits = []
    for _ in range(9):
        guesses.wrong(ANN, THIEF)
        waits.append(must_wait(guesses, ANN, THIEF))
        clock.now += waits[-1]
        guesses.wait(ANN, THIEF)
    assert waits == [2, 3, 5, 9, 17, 33, 61, 61, 61]


def test_one_guesser_never_keeps_the_owner_out_not_even_at_a_new_place(guesses: Guessing, clock: Clock) -> None:
    guess(guesses, clock, 500, ANN, THIEF)
    guesses.wait(ANN, HOME)
    assert must_wait(guesses, ANN, THIEF) >= LONGEST_WAIT


def test_many_guessers_do_not_keep_the_owner_out_where_the_owner_was_before(guesses: Guessing, clock: Clock) -> None:
    guesses.right(ANN, HOME)
    for number in range(FREE_OF_ACCOUNT // FREE_TRIES + 1):
        guess(guesses, clock, FREE_TRIES, ANN, f"198.51.100.{number}")
    assert must_wait(guesses, ANN, "203.0.113.9") > 1
    guesses.wait(ANN, HOME)


def test_a_known_source_waits_for_its_own_wrong_ones_only_and_gets_in_after(guesses: Guessing, clock: Clock) -> None:
    guesses.right(ANN, HOME)
    guess(guesses, clock, FREE_TRIES, ANN, HOME)
    clock.now += must_wait(guesses, ANN, HOME)
    guesses.wait(ANN, HOME)
    guesses.right(ANN, HOME)
    guesses.wait(ANN, HOME)


def test_one_source_that_tries_many_accounts_is_slowed(guesses: Guessing, clock: Clock) -> None:
    for number in range(FREE_OF_SOURCE):
        guesses.wait(f"user:{number}@example.com", THIEF)
        guesses.wrong(f"user:{number}@example.com", THIEF)
    assert must_wait(guesses, "user:untouched@example.com", THIEF) >= 1
    guesses.wait("user:untouched@example.com", HOME)


def test_a_success_of_an_own_account_does_not_speed_up_guessing_at_others(guesses: Guessing, clock: Clock) -> None:
    for number in range(FREE_OF_SOURCE):
        guesses.wrong(f"user:{number}@example.com", THIEF)
        guesses.right("user:thief@example.com", THIEF)
    assert must_wait(guesses, ANN, THIEF) >= 1


def test_an_ipv6_customer_is_one_source(guesses: Guessing, clock: Clock) -> None:
    for number in range(FREE_TRIES):
        guesses.wrong(ANN, f"2001:db8:1:2::{number:x}")
    assert must_wait(guesses, ANN, "2001:db8:1:2:ffff::1") >= 1
    guesses.wait(ANN, "2001:db8:1:3::1")
    assert guessing.source_of("::ffff:192.0.2.1") == HOME
    assert guessing.source_of("fe80::1%eth0") == "fe80::/64"


def test_a_store_that_takes_no_changes_keeps_nobody_out_and_speeds_up_no_guesser(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "locked.sqlite"
    store = Store.open(f"sqlite:///{path}?timeout=0.02")
    guesses = Guessing(AccountRows(store), clock)
    guesses.wrong(ANN, THIEF)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    guess(guesses, clock, FREE_TRIES - 1, ANN, THIEF)
    assert must_wait(guesses, ANN, THIEF) == 2
    guesses.wait(ANN, HOME)
    guesses.right(ANN, HOME)
    other.close()
    clock.now += 2
    guesses.wrong(ANN, THIEF)
    assert must_wait(guesses, ANN, THIEF) == 3
    clock.now += 3
    guesses.right(ANN, THIEF)
    guess(guesses, clock, FREE_TRIES - 1, ANN, THIEF)
    guesses.wait(ANN, THIEF)
    store.close()


def test_a_day_later_all_but_the_owners_place_is_forgotten(guesses: Guessing, clock: Clock, rows: AccountRows) -> None:
    guesses.right(ANN, HOME)
    guess(guesses, clock, 20, ANN, THIEF)
    clock.now += 86_401
    guesses.wrong("user:bob@example.com", "203.0.113.1")
    guesses.wait(ANN, THIEF)
    assert rows.failures(f"{ANN} from {THIEF}") == (0, 0.0)
    assert rows.trusted(f"{ANN} from {HOME}", clock.now)
    clock.now += 90 * 86_400
    assert not rows.trusted(f"{ANN} from {HOME}", clock.now)


def test_a_clock_that_was_set_back_keeps_nobody_out_and_speeds_up_no_guesser(guesses: Guessing, clock: Clock) -> None:
    guess(guesses, clock, 20, ANN, HOME)
    clock.now -= 30
    assert must_wait(guesses, ANN, HOME) == LONGEST_WAIT + 1
    clock.now -= 86_400
    guesses.wait(ANN, HOME)
    guesses.wrong(ANN, HOME)
    assert must_wait(guesses, ANN, HOME) == LONGEST_WAIT + 1


def test_wrong_names_wait_as_right_ones_do(guesses: Guessing, clock: Clock, rows: AccountRows, tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'other.sqlite'}")
    Accounts(store).create_user("ann@example.com", "the right one", "demo", "viewer")
    signin = SignIn(AccountRows(store), clock)
    told = {}
    for user in ("ann@example.com", "nobody@example.com"):
        for _ in range(FREE_TRIES):
            assert signin.check(user, "wrong", THIEF if user[0] == "a" else "198.51.100.8") is None
        with pytest.raises(TooMany) as caught:
            signin.check(user, "the right one", THIEF if user[0] == "a" else "198.51.100.8")
        told[user] = caught.value.message
    assert len(set(told.values())) == 1
    owner = signin.check("ann@example.com", "the right one", HOME)
    assert owner
    assert owner.email == "ann@example.com"
    store.close()


def test_a_name_that_no_account_can_have_is_nobodys_and_counts_against_nobody(tmp_path: Path, clock: Clock) -> None:
    store = Store.open(f"sqlite:///{tmp_path / 'other.sqlite'}")
    Accounts(store).create_user("ann@example.com", "the right one", "demo", "viewer")
    signin = SignIn(AccountRows(store), clock)
    for _ in range(FREE_TRIES):
        assert signin.check(f"ann@example.com from {HOME}", "wrong", THIEF) is None
    assert signin.check("ann@example.com", "the right one", HOME)
    # PostgreSQL takes neither.
    for user in ("ann\0@example.com", "ann\ud800@example.com", "ann\0"):
        assert signin.check(user, "the right one", HOME) is None
    with store.read() as connection:
        subjects = connection.exec_driver_sql("SELECT subject FROM failures").scalars().all()
    assert "".join(subjects).isprintable()
    store.close()
