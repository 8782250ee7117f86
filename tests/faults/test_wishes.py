"""An operation is cancelled, and another carried out anew, over a cloud that answers over HTTP, also by a process that
comes after the one that was told."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from gcelib.auth.caller import Caller
from gcelib.config import load
from gcelib.errors import Exists, Fault, Forbidden, NotFound, NotReady, Stale, Unavailable
from gcelib.server.assemble import Server
from gcelib.server.operations.wishes import may_cancel, may_retry
from gcelib.simulator import Simulator
from gcelib.store import Store
from gcelib.store.operations import Operations
from gcelib.store.records import Record
from gcelib.web import Request
from tests.conftest import Launch
from tests.live import Live
from tests.wire.machines import machine

HERE = "zones/ch-gv2/instances"
SECRET = "words that only the machine may read"
GONE = ("Destroyed", "Expunging", "Error")


def person(name: str, role: str) -> Caller:
    return Caller(f"{name}@example.com", "user", {"demo": role}, frozenset(), "", "password")


ANN, OLGA, VIC = person("ann", "admin"), person("olga", "operator"), person("vic", "viewer")
CONSOLE = Request("POST", "/console", base_url="http://localhost", remote="192.0.2.7", id="of the console")


class Desk:
    """A server in this process, whose API somebody known is asked for."""

    def __init__(self, home: Path, cloud: Simulator) -> None:
        account = cloud.accounts["demo"]
        self.cloud, self.live = cloud, Live(home, cloud.url, account.api_key, account.secret_key)
        self.live.write()
        self.server = Server(load(self.live.config))
        self.database = Path(self.server.config.server.database_url().removeprefix("sqlite:///"))
        self.books = self.server._runner.operations
        self.server.start()

    def ask(self, method: str, path: str, body: Any = None, by: Caller = ANN, **query: str) -> Any:
        """The body of the answer, whatever its status."""
        request = Request(
            method, f"/compute/v1/projects/demo/{path}", urlencode(query), {"content-type": "application/json"},
            json.dumps(body).encode() if body is not None else b"", "http://localhost",
        )
        return json.loads(self.server.api.again(request, by, "").body)

    def record(self, operation: Any) -> Record:
        """An operation's, as it is on the books."""
        _, _, path = operation["selfLink"].partition("/projects/demo/")
        return self.books.get("demo", path.partition("/operations/")[0], operation["name"])

    def ended(self, record: Record) -> Record:
        """It, once it is DONE."""
        return self.server._runner.wait(record.project, record.scope, record.name, 30.0)

    def failed(self, *fault: str, path: str, body: Any, **query: str) -> Record:
        """An operation that ended with an error, because this went wrong at the cloud."""
        self.cloud.faults.add(*fault, text="It broke.", **({"status": 431} if fault[1] == "status" else {}))
        known = {row.id for row in self.books.list("demo")}
        self.ask("POST", path, body, **query)
        new, = (row for row in self.books.list("demo") if row.id not in known)
        done = self.ended(new)
        assert done.error
        return done

    def machines(self) -> list[str]:
        """The names of the machines that the cloud's own books have."""
        return [row["name"] for row in self.cloud.world.machines() if row["state"] not in GONE]

    def audit(self, **facts: Any) -> list[dict[str, Any]]:
        """The lines of the audit log with these facts."""
        lines = (self.live.home / "state" / "audit.log").read_text().splitlines()
        return [line for line in map(json.loads, lines) if facts.items() <= line.items()]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Simulator(job_delay=0.3) as cloud:
        made = Desk(tmp_path_factory.mktemp("desk"), cloud)
        yield made
        made.server.stop()


def test_a_machine_that_is_being_made_is_taken_back(desk: Desk) -> None:
    record = desk.record(desk.ask("POST", HERE, machine("unwanted")))
    assert desk.server.wishes.cancel(OLGA, record, CONSOLE).canceller == OLGA.email
    done = desk.ended(record)
    assert done.error == {"errors": [{
        "code": "OPERATION_CANCELED", "message": "olga@example.com cancelled this operation before it was done."}]}
    assert "unwanted" not in desk.machines()
    line, = desk.audit(event="cancel", operation=record.name)
    assert (line["outcome"], line["who"], line["what"], line["from"], line["request_id"]) == (
        "done", OLGA.email, "compute.instances.insert", "192.0.2.7", "of the console")
    line, = desk.audit(event="operation", operation=record.name)
    assert (line["outcome"], line["reason"]) == ("failed", "OPERATION_CANCELED")


def test_a_machine_that_could_not_be_made_is_made_anew(desk: Desk) -> None:
    body = machine("second", metadata={"items": [{"key": "user-data", "value": SECRET}]})
    record = desk.failed("deployVirtualMachine", "job_fail", path=HERE, body=body, requestId=ID)
    assert may_retry(record) == ""
    assert "second" not in desk.machines()
    again = desk.server.wishes.retry(OLGA, record, CONSOLE)
    assert (again.caller, again.verb, again.target) == (OLGA.email, "insert", record.target)
    assert desk.server.wishes.retry(OLGA, record, CONSOLE).id == again.id
    done = desk.ended(again)
    assert (done.error, desk.machines().count("second")) == (None, 1)
    shown = desk.ask("GET", f"{done.scope}/operations/{done.name}")
    assert shown["description"] == f"Operation '{record.name}' carried out anew, as olga@example.com wants."
    assert {row["key"]: row["value"] for row in desk.ask("GET", f"{HERE}/second")["metadata"]["items"]} == {
        "user-data": SECRET}
    assert len(desk.audit(event="retry", operation=record.name, outcome="done")) == 2
    assert len(desk.audit(event="request", operation=again.name, who=OLGA.email)) == 1
    with pytest.raises(Exists, match="'projects/demo/zones/ch-gv2/instances/second' already exists"):
        desk.server.wishes.retry(ANN, record, CONSOLE)


ID = "7b1a9a4e-6f2b-4c56-9f53-0d5b7d6c1a11"


def test_what_is_kept_of_a_request_is_sealed(desk: Desk) -> None:
    body = machine("third", metadata={"items": [{"key": "user-data", "value": SECRET}]})
    record = desk.failed("deployVirtualMachine", "job_fail", path=HERE, body=body)
    assert desk.books.request(record.id)
    with sqlite3.connect(f"file:{desk.database}?mode=ro", uri=True) as database:
        row, = database.execute("SELECT * FROM operations WHERE id = ?", (record.id,))
    database.close()
    assert record.name in row
    assert not [value for value in row if isinstance(value, str) and SECRET in value]


def test_what_hangs_on_a_fingerprint_is_judged_by_what_is_there_now(desk: Desk) -> None:
    desk.ended(desk.record(desk.ask("POST", HERE, machine("marked"))))
    mark = desk.ask("GET", f"{HERE}/marked")["labelFingerprint"]
    labels = f"{HERE}/marked/setLabels"
    record = desk.failed("createTags", "status", path=labels, body={"labels": {"a": "b"}, "labelFingerprint": mark})
    desk.ended(desk.record(desk.ask("POST", labels, {"labels": {"x": "y"}, "labelFingerprint": mark})))
    with pytest.raises(Stale):
        desk.server.wishes.retry(OLGA, record, CONSOLE)
    line, = desk.audit(event="retry", operation=record.name)
    assert (line["outcome"], line["status"], line["reason"]) == ("refused", 412, "conditionNotMet")


def test_who_could_not_have_begun_it_can_neither_cancel_nor_retry(desk: Desk) -> None:
    rule = {"name": "closed", "network": "global/networks/default", "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}
    record = desk.failed("authorizeSecurityGroupIngress", "status", path="global/firewalls", body=rule)
    stranger = Caller("eve@example.com", "user", {"another": "admin"}, frozenset(), "")
    refused: list[tuple[Caller, type[Fault]]] = [(OLGA, Forbidden), (VIC, Forbidden), (stranger, NotFound)]
    for who, kind in refused:
        assert not desk.server.wishes.allowed(who, record)
        for wish in (desk.server.wishes.cancel, desk.server.wishes.retry):
            with pytest.raises(kind):
                wish(who, record, CONSOLE)
    assert len(desk.audit(event="retry", operation=record.name, outcome="refused", status=403)) == 2
    assert desk.server.wishes.allowed(ANN, record)
    assert desk.ended(desk.server.wishes.retry(ANN, record, CONSOLE)).error is None


def test_a_machine_that_is_being_deleted_is_not_held_up(desk: Desk) -> None:
    desk.ended(desk.record(desk.ask("POST", HERE, machine("leaving"))))
    record = desk.record(desk.ask("DELETE", f"{HERE}/leaving"))
    with pytest.raises(NotReady, match="was sent, and nothing takes that back"):
        desk.server.wishes.cancel(OLGA, record, CONSOLE)
    assert desk.ended(record).error is None
    assert "leaving" not in desk.machines()


def test_a_server_killed_right_after_it_was_told_takes_back_after_its_restart(launch: Launch) -> None:
    live, cloud = launch(job_delay=1.0)
    api = live.api()
    begun = [api.start("POST", HERE, machine(f"going-{number}")) for number in range(3)]
    store = Store.open(load(live.config).server.database_url())
    books = Operations(store)
    for operation in begun[:2]:
        record = books.get("demo", "zones/ch-gv2", operation["name"])
        books.cancel(record.id, OLGA.email, may_cancel)
    live.stop(signal.SIGKILL)
    store.close()
    live.start()
    ended = [live.api().until_done(operation) for operation in begun]
    codes = [operation.get("error", {}).get("errors", [{}])[0].get("code") for operation in ended]
    assert codes == ["OPERATION_CANCELED", "OPERATION_CANCELED", None]
    until = time.monotonic() + 10.0
    while (there := [row["name"] for row in cloud.world.machines() if row["state"] not in GONE]) != ["going-2"]:
        assert time.monotonic() < until, there
        time.sleep(0.05)


def test_a_request_goes_on_with_its_clouds_when_the_configuration_is_read_again(desk: Desk) -> None:
    begun, = desk.server._projects.open("demo").clouds
    desk.server.reload(load(desk.live.config))
    now, = desk.server._projects.open("demo").clouds
    assert now is not begun
    begun.ping()
    for retired, timer in list(desk.server._retired.items()):
        assert timer.interval == desk.server.config.server.request_seconds
        desk.server._let_go(retired)
        timer.cancel()
    with pytest.raises(Unavailable, match="is being closed"):
        begun.ping()
    now.ping()
