"""The audit log has every change and every refusal: who, how proved, from where, what, which project, the outcome."""

from __future__ import annotations

import json
import os
import resource
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from gcelib.auth.audit import Audit, note, noting
from gcelib.store.audit import AuditFile
from tests.conftest import Launch
from tests.live import Live
from tests.wire.machines import machine

ACCOUNT = "tester@demo.gcelib.local"
PASSWORD = "a password of these tests"


def lines(live: Live) -> list[dict[str, Any]]:
    """The audit log so far."""
    path = live.home / "state" / "audit.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def until(live: Live, **facts: str) -> dict[str, Any]:
    """The last line with these facts, once it is there."""
    deadline = time.monotonic() + 15
    while True:
        found = [line for line in lines(live) if facts.items() <= line.items()]
        if found:
            return found[-1]
        assert time.monotonic() < deadline, (facts, lines(live))
        time.sleep(0.05)


def test_a_change_tells_who_what_where_and_its_operation(launch: Launch) -> None:
    live, _ = launch()
    api = live.api("demo@example.com")
    done = api.change("POST", "zones/ch-gv2/instances", machine("noted"))
    asked = until(live, what="compute.instances.insert")
    assert asked["event"] == "request"
    assert asked["who"] == ACCOUNT
    assert asked["proof"] == "access token"
    assert asked["from"] == "127.0.0.1"
    assert (asked["project"], asked["named"]) == ("demo", "demo@example.com")
    assert asked["path"] == "/compute/v1/projects/demo@example.com/zones/ch-gv2/instances"
    assert (asked["outcome"], asked["status"], asked["operation"]) == ("done", 200, done["name"])
    assert asked["request_id"]
    ended = until(live, event="operation", operation=done["name"])
    assert (ended["outcome"], ended["who"], ended["project"]) == ("done", ACCOUNT, "demo")
    assert ended["target"] == "demo/zones/ch-gv2/instances/noted"
    assert "event=request" in live.said()
    mode = (live.home / "state" / "audit.log").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_reads_are_not_in_it_and_refusals_are(launch: Launch) -> None:
    live, _ = launch()
    api = live.api()
    api.get("zones")
    assert not [line for line in lines(live) if line.get("what") == "compute.zones.list"]
    assert api.call("GET", "zones/nowhere").status == 404
    assert until(live, what="compute.zones.get")["reason"] == "notFound"
    assert api.call("POST", "global/networks", {"name": "Not A Name"}).status == 400
    assert until(live, what="compute.networks.insert", outcome="refused")["status"] == 400
    stranger = requests.get(f"{live.url}/compute/v1/projects/demo/zones", headers={"Authorization": "Bearer wrong"},
                            timeout=10)  # fmt: skip
    assert stranger.status_code == 401
    refused = until(live, status=401)  # type: ignore[arg-type]
    assert refused["reason"] == "authError"
    assert refused["request_id"] == stranger.headers["x-request-id"]
    assert "who" not in refused
    assert "wrong" not in json.dumps(refused)


def test_a_role_too_weak_is_in_it_with_the_role_it_needs_not(launch: Launch) -> None:
    live, _ = launch()
    key = str(live.home / "viewer.json")
    live.run("account", "create-service", "looker", "--project", "demo", "--role", "viewer", "--key-file", key)
    live.token = live.run("client", "token", "--project", "demo", "--key-file", key).stdout.strip()
    assert live.api().call("DELETE", "zones/ch-gv2/instances/any").status == 403
    refused = until(live, what="compute.instances.delete")
    assert (refused["outcome"], refused["reason"], refused["project"]) == ("refused", "forbidden", "demo")
    assert refused["who"] == "looker@demo.gcelib.local"


def test_each_part_of_a_batch_is_a_line(launch: Launch) -> None:
    live, _ = launch()
    token = live.sign_in()
    part = "\r\n".join(["--b", "Content-Type: application/http", "Content-ID: <{0}>", "",
                        "DELETE /compute/v1/projects/demo/zones/ch-gv2/instances/none{0} HTTP/1.1", "", "", ""])
    body = part.format(1) + part.format(2) + "--b--"
    answer = requests.post(
        f"{live.url}/batch/compute/v1", body, timeout=20,
        headers={"Authorization": f"Bearer {token}", "Content-Type": 'multipart/mixed; boundary="b"'},
    )
    assert answer.status_code == 200, answer.text
    until(live, path="/compute/v1/projects/demo/zones/ch-gv2/instances/none1")
    until(live, path="/compute/v1/projects/demo/zones/ch-gv2/instances/none2")


def test_account_commands_are_in_it_without_password_and_key(launch: Launch) -> None:
    live, _ = launch()
    live.run("account", "create-user", "ann@example.com", "--project", "demo", "--role", "viewer",
             "--password-stdin", input=PASSWORD + "\n")  # fmt: skip
    live.run("account", "grant", "ann@example.com", "--project", "demo", "--role", "admin")
    live.run("account", "disable", "ann@example.com")
    live.run("account", "list")
    assert live.run("account", "revoke", "nobody@example.com", "--project", "demo", check=False).returncode == 1
    found = [(line["what"], line["outcome"], line["account"]) for line in lines(live) if line["event"] == "account"]
    assert found == [
        ("create-user", "done", "ann@example.com"), ("grant", "done", "ann@example.com"),
        ("disable", "done", "ann@example.com"), ("revoke", "refused", "nobody@example.com"),
    ]  # fmt: skip
    grant = until(live, what="grant")
    assert (grant["project"], grant["role"], grant["proof"]) == ("demo", "admin", "command line")
    assert grant["who"]
    assert PASSWORD not in (live.home / "state" / "audit.log").read_text()


def test_sign_ins_and_refused_tokens_are_in_it(launch: Launch) -> None:
    live, _ = launch()
    live.sign_in()
    given = until(live, event="token")
    assert (given["outcome"], given["who"]) == ("done", ACCOUNT)
    assert given["proof"] == "assertion"
    form = {"grant_type": "authorization_code", "code": "stolen-code", "client_id": "x", "redirect_uri": "http://localhost/"}
    assert requests.post(f"{live.url}/oauth2/token", form, timeout=10).status_code == 400
    refused = until(live, event="token", outcome="refused")
    assert refused["reason"] == "invalid_grant"
    assert "stolen-code" not in (live.home / "state" / "audit.log").read_text()


@pytest.mark.parametrize(("level", "reads", "changes"), [("all", True, True), ("off", False, False)])
def test_the_operator_says_how_much(launch: Launch, level: str, reads: bool, changes: bool) -> None:
    live, _ = launch(server_extra=f'audit = "{level}"')
    api = live.api()
    api.get("zones")
    assert api.call("DELETE", "zones/ch-gv2/instances/none").status == 404
    what = {line.get("what") for line in lines(live)}
    assert ("compute.zones.list" in what, "compute.instances.delete" in what) == (reads, changes)


def test_a_rotated_log_is_begun_anew_and_none_is_lost(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "state" / "audit.log")
    stop = threading.Event()

    def write(name: int) -> None:
        for number in range(500):
            file.add(f"{name} {number}".encode())
        stop.set()

    writers = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for writer in writers:
        writer.start()
    moved = 0
    while not stop.is_set():
        if file.path.exists():
            file.path.rename(tmp_path / f"old{moved}")
            moved += 1
    for writer in writers:
        writer.join()
    file.add(b"last")
    files = [*tmp_path.glob("old*"), file.path]
    found = [line for each in files for line in each.read_text().splitlines()]
    assert sorted(found) == sorted([f"{name} {number}" for name in range(4) for number in range(500)] + ["last"])
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    file.close()


def test_a_log_open_to_others_is_shut_and_a_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text("before\n")
    path.chmod(0o644)
    file = AuditFile(path)
    file.add(b"after")
    file.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "before\nafter\n"
    os.symlink(tmp_path / "elsewhere", tmp_path / "link.log")
    with pytest.raises(OSError, match="symbolic links"):
        AuditFile(tmp_path / "link.log").add(b"x")


def test_a_line_of_which_a_part_only_was_written_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    file = AuditFile(path)
    file.add(b"first")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            file.add(b"a line for which there is no room")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    file.add(b"second")
    path.write_bytes(path.read_bytes() + b"cut off with the proc")
    AuditFile(path).add(b"third")
    assert path.read_text().splitlines() == ["first", "a li", "second", "cut off with the proc", "third"]
    file.close()


def test_a_line_that_cannot_be_written_stops_nothing_and_is_an_error_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(_line: bytes) -> None:
        raise OSError(28, "No space left on device")

    Audit(full).line("request", "done", {"who": "ann@example.com"})
    assert "No space left on device" in caplog.text


def test_what_strangers_write_cannot_forge_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="gcelib.audit")
    written: list[bytes] = []
    Audit(written.append).line("sign-in", "refused", {"who": "x\nevent=sign-in outcome=done who=root", "path": "a b"})
    assert len(written) == 1
    assert b"\n" not in written[0]
    assert "\n" not in caplog.messages[0]
    assert " who=root" not in caplog.messages[0].replace("\\nevent=sign-in outcome=done who=root", "")


def test_facts_belong_to_the_request_they_were_told_in() -> None:
    note(lost="nobody listens")
    with noting() as outer:
        note(who="outer")
        with noting() as inner:
            note(who="inner")
        note(more="yes")
    assert (outer, inner) == ({"who": "outer", "more": "yes"}, {"who": "inner"})
