"""A database that does what it was asked and whose answer is lost: looked for, taken as done, never done twice."""

from __future__ import annotations

import secrets
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gcelib.errors import Uncertain
from gcelib.store import Store
from gcelib.store.operations import Operations
from gcelib.store.records import Record
from tests.postgres import Postgres


class Between:
    """A socket before a PostgreSQL's. While `deaf` the answers to commits are lost, and the connections with them."""

    def __init__(self, home: Path, server: Postgres) -> None:
        self.deaf = False
        self._behind = str(server.home / ".s.PGSQL.5432")
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(home / ".s.PGSQL.5432"))
        self._door.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._door.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._behind)
            silent, served = threading.Event(), threading.Event()
            answers = threading.Thread(target=_pour, args=(server, client, silent, served), daemon=True)
            answers.start()
            while said := client.recv(65536):
                lost = self.deaf and said.startswith(b"Q") and said[5:].startswith(b"COMMIT\0")
                if lost:
                    silent.set()
                server.sendall(said)
                if lost:
                    # It is done before anybody can look whether it is.
                    served.wait(10)
                    client.shutdown(socket.SHUT_RDWR)
            server.shutdown(socket.SHUT_WR)
            answers.join()


def _pour(source: socket.socket, into: socket.socket, silent: threading.Event, served: threading.Event) -> None:
    while said := source.recv(65536):
        if silent.is_set():
            served.set()
            continue
        try:
            into.sendall(said)
        except OSError:
            continue


@pytest.fixture
def between(tmp_path: Path, postgres: Postgres) -> Iterator[Between]:
    made = Between(tmp_path, postgres)
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path, postgres: Postgres, between: Between) -> Iterator[Store]:
    opened = Store.open(postgres.database(f"lost-{secrets.token_hex(4)}").replace(str(postgres.home), str(tmp_path)))
    yield opened
    between.deaf = False
    opened.close()


def record() -> Record:
    name = uuid.uuid4().hex
    return Record(id=name, name=name, number="1", project="demo", scope="global", verb="insert",
                  target=f"demo/{name}", holder="we", due=1.0, lease_until=11.0)


def test_an_operation_that_is_on_the_books_though_nobody_said_so_is_carried_on(store: Store, between: Between) -> None:
    operations, new = Operations(store), record()
    between.deaf = True
    assert operations.insert(new) == new
    between.deaf = False
    assert [each.id for each in operations.list("demo")] == [new.id]


def test_an_end_that_was_stored_though_nobody_said_so_counts_as_ours(store: Store, between: Between) -> None:
    operations, new = Operations(store), record()
    operations.insert(new)
    done = replace(new, status="DONE", progress=100, end_time=2.0)
    between.deaf = True
    with pytest.raises(Uncertain, match="is not known"):
        operations.save(done)
    between.deaf = False
    assert operations.save(done)
    assert not operations.save(replace(done, holder="another"))


def test_what_was_stored_though_nobody_said_so_is_read_again_before_more(store: Store, between: Between) -> None:
    operations, new = Operations(store), record()
    operations.insert(new)
    between.deaf = True
    with pytest.raises(Uncertain):
        operations.save(replace(new, status="RUNNING", due=2.0, state={"steps": {}}), known=1.0)
    between.deaf = False
    # What this holder knows is one write old: it has to read.
    assert not operations.save(replace(new, status="RUNNING", due=3.0), known=1.0)
    found = operations.load(new.id)
    assert found is not None
    assert (found.status, found.state, found.due) == ("RUNNING", {"steps": {}}, 2.0)
