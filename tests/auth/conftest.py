"""A server with one person and one program known to it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import PASSWORD, Clock, Site, server

from gcelib.auth import Gate
from gcelib.auth.accounts import Accounts
from gcelib.store import Store


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A database with the accounts made once: keys and password hashes take their time."""
    file = tmp_path_factory.mktemp("template") / "gcelib.db"
    store = Store.open(f"sqlite:///{file}")
    accounts = Accounts(store)
    accounts.create_user("ann@example.com", PASSWORD, "demo", "admin")
    key = accounts.create_service("robot", "demo", "operator", "http://127.0.0.1")
    store.close()
    return file, key


@pytest.fixture
def site(template: tuple[Path, dict[str, str]], tmp_path: Path) -> Iterator[Site]:
    file, key = template
    (tmp_path / "gcelib.db").write_bytes(file.read_bytes())
    store = Store.open(f"sqlite:///{tmp_path / 'gcelib.db'}")
    clock = Clock()
    gate = Gate(store, secret=b"s" * 32, clock=clock)
    listening = server(gate)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    url = f"http://127.0.0.1:{listening.server_address[1]}"
    mine = {**key, "token_uri": f"{url}/oauth2/token"}
    yield Site(url, gate, store, Accounts(store, clock=clock), clock, mine)
    listening.shutdown()
    thread.join()
    listening.server_close()
    store.close()
