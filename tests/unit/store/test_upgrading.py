"""A database of the first version is brought to the newest, with everything in it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import gcelib.store
from gcelib.store import AccountRows, CredentialRows, Store, TokenRows
from gcelib.store.engine import _engine, _parsed

ACCOUNT = """INSERT INTO accounts (email, kind, project, disabled, created)
VALUES ('ann@example.com', 'user', 'demo', 0, 1)"""
TOKEN = """INSERT INTO tokens (digest, account, kind, client, scope, family, created, expires)
VALUES ('d', 'ann@example.com', 'access', 'c', 's', 'f', 1, 9)"""
CODE = """INSERT INTO codes (digest, account, client, redirect, scope, challenge, family, expires)
VALUES ('d', 'ann@example.com', 'c', 'r', 's', '', 'f', 9)"""


def test_accounts_codes_and_tokens_of_the_first_version_stay_good(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gcelib.db'}"
    first = Store(_engine(_parsed(url)))
    with first.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(gcelib.store.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in (ACCOUNT, TOKEN, CODE):
            connection.execute(text(row))
    first.close()
    store = Store.open(url)
    assert [account.email for account in AccountRows(store).every()] == ["ann@example.com"]
    token, code = TokenRows(store).get("d"), TokenRows(store).code("d")
    assert token
    assert code
    assert (token.account, token.credential) == ("ann@example.com", "")
    assert (code.account, code.credential) == ("ann@example.com", "")
    assert CredentialRows(store).of("sim", "1") == []
    store.close()
    Store.open(url).close()
