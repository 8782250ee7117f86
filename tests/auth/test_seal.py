"""What is sealed stays shut for everybody without the key, and for everything but what it was sealed for."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcelib.auth.seal import Broken, Seal
from gcelib.auth.sealed_codes import SealedCodes
from gcelib.auth.vault import PURPOSE, Vault, rotate_seal
from gcelib.config import sealed
from gcelib.config.keys import Holder, Keys, parts, place, tenancy
from gcelib.config.sealed import Secret
from gcelib.store import Account, AccountRows, Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(f"sqlite:///{tmp_path / 'gcelib.db'}")
    AccountRows(made).add(Account("a@sim.cloud.gcelib.local", "cloud", "sim~1", "1", False, 0.0))
    return made


def test_what_was_sealed_opens_for_the_same_thing_only() -> None:
    seal = Seal(lambda: b"k" * 32, "x")
    text = seal.shut(b"secret", "sim~1")
    assert seal.open(text, "sim~1") == b"secret"
    assert seal.shut(b"secret", "sim~1") != text
    for wrong in (lambda: seal.open(text, "sim~2"), lambda: Seal(lambda: b"k" * 32, "y").open(text, "sim~1"),
                  lambda: Seal(lambda: b"o" * 32, "x").open(text, "sim~1"), lambda: seal.open("", "sim~1"),
                  lambda: seal.open(f"{text[:9]}AAAA", "sim~1"), lambda: seal.open(f"{text}\x00", "sim~1")):
        with pytest.raises(Broken):
            wrong()


def test_a_new_key_is_met_without_being_told() -> None:
    key = [b"1" * 32]
    seal = Seal(lambda: key[0], "x")
    before = seal.shut(b"old", "a")
    key[0] = b"2" * 32
    assert Seal(lambda: b"2" * 32, "x").open(seal.shut(b"new", "a"), "a") == b"new"
    assert seal.open(before, "a") == b"old"
    assert seal.open(Seal(lambda: b"2" * 32, "x").shut(b"theirs", "a"), "a") == b"theirs"


def test_keys_are_kept_sealed_and_found_again(store: Store, tmp_path: Path) -> None:
    vault = Vault(store, Seal(lambda: b"k" * 32, PURPOSE), lambda: 5.0)
    holder = Holder("1", "demo", (("p1", "shared"),))
    kept = vault.keep("a@sim.cloud.gcelib.local", "sim", holder, "the-key", "the-secret")
    again = vault.keep("a@sim.cloud.gcelib.local", "sim", holder, "the-key", "the-secret")
    assert again.id == kept.id
    assert vault.keys(kept.id) == kept
    assert vault.keys_of("sim", "1") == [kept]
    assert vault.keys_of("sim", "2") == []
    assert vault.has(vault.digest("sim", "the-key", "the-secret"))
    assert not vault.has(vault.digest("sim", "the-key", "another"))
    for file in tmp_path.iterdir():
        assert b"the-secret" not in file.read_bytes()
        assert b"the-key" not in file.read_bytes()
    for text in (repr(kept), str(kept)):
        assert "the-secret" not in text
        assert "the-key" not in text
    vault.refuse(kept.id)
    assert vault.keys(kept.id) is None
    assert vault.keys_of("sim", "1") == []


def test_keys_that_nothing_stands_for_go_after_a_day(store: Store) -> None:
    now = [0.0]
    vault = Vault(store, Seal(lambda: b"k" * 32, PURPOSE), lambda: now[0])
    kept = vault.keep("a@sim.cloud.gcelib.local", "sim", Holder("1", "demo"), "the-key", "the-secret")
    now[0] = 86_000.0
    vault.purge()
    assert vault.keys(kept.id)
    now[0] = 86_500.0
    vault.purge()
    assert vault.keys(kept.id) is None


def test_rotating_seals_everything_anew_and_drops_what_nobody_can_open(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "seal.key"
    first = Vault(store, Seal(lambda: sealed.seal_key(path), PURPOSE), lambda: 0.0)
    kept = first.keep("a@sim.cloud.gcelib.local", "sim", Holder("1", "demo"), "the-key", "the-secret")
    lost = Vault(store, Seal(lambda: b"lost" * 8, PURPOSE), lambda: 0.0)
    lost.keep("a@sim.cloud.gcelib.local", "sim", Holder("1", "demo"), "a-key", "a-secret")
    assert rotate_seal(store, path, lambda: 0.0) == (1, 1)
    after = Vault(store, Seal(lambda: sealed.seal_key(path), PURPOSE), lambda: 0.0)
    assert after.keys_of("sim", "1") == [kept]
    assert after.has(after.digest("sim", "the-key", "the-secret"))
    assert first.keys(kept.id) == kept


def test_a_code_that_carries_what_it_is_for_says_it_to_us_alone() -> None:
    codes = SealedCodes(Seal(lambda: b"k" * 32, "codes"))
    asked = {"client_id": "the-key", "redirect_uri": "http://localhost/", "code_challenge": "c"}
    code = codes.make(asked, ["a", "b"], 9.0)
    found = codes.read(code)
    assert found
    assert (found.client, found.redirect, found.challenge, found.scope) == ("the-key", "http://localhost/", "c", "a b")
    assert (found.expires, found.account) == (9.0, "")
    assert "the-key" not in code
    assert codes.read(codes.make(asked, ["a", "b"], 9.0)) != found
    for wrong in ("", "x", f"{code[:30]}A{code[31:]}x", "12345678.AAAA", "é.é"):
        assert codes.read(wrong) is None
    assert SealedCodes(Seal(lambda: b"o" * 32, "codes")).read(code) is None


def test_a_tenancy_is_one_accounts_alone() -> None:
    keys = Keys("id", "sim", Holder("a/b~c", "demo"), "k", Secret("s"))
    assert parts(keys.tenancy) == ("sim", "a/b~c", "")
    assert parts(tenancy("sim", "a", "p")) == ("sim", "a", "p")
    assert parts("demo@example.com") is None
    assert keys.owns(keys.tenancy)
    assert keys.owns(tenancy("sim", "a/b~c", "p"))
    for name in ("demo", "sim", "sim~a", tenancy("sim2", "a/b~c"), keys.tenancy + "x"):
        assert not keys.owns(name)
    assert place(keys.tenancy, "sim") == keys.tenancy
    assert place("demo", "sim") == "sim"
    assert place(keys.tenancy, f"project:{keys.tenancy}") == f"project:{keys.tenancy}"


def test_a_name_that_two_of_a_clouds_projects_share_stands_for_none() -> None:
    holder = Holder("1", "me@example.com", (("p1", "Web Shop"), ("p2", "web_shop"), ("p3", "db")))
    assert holder.project("web-shop") is None
    assert holder.project("Web Shop") == ("p1", "Web Shop")
    assert holder.project("p3") == holder.project("db") == ("p3", "db")
    assert holder.is_called("me-example-com")
    assert not holder.is_called("me")
