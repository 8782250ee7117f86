"""`gcelib account` as it is typed."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path

import pytest
from served import Site

from gcelib.cli import main
from gcelib.errors import Invalid
from gcelib.store import Account, AccountRows, Store

CONFIG = """
[server]
listen = "127.0.0.1:5123"
tls = "off"
state_dir = "{state}"
[clouds.c]
provider = "dummy"
key = "k"
[projects.demo]
clouds = ["c"]
aliases = ["me@example.com"]
[projects.other]
clouds = ["c"]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "gcelib.toml"
    file.write_text(CONFIG.format(state=tmp_path / "state"))
    file.chmod(0o600)
    return str(file)


def _account(config: str, *words: str) -> int:
    return main(["account", *words, "--config", config])


def _listed(config: str, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert _account(config, "list", "--format", "json") == 0
    return {row["email"]: row for row in json.loads(capsys.readouterr().out)}


def test_a_service_account_gets_a_key_file_only_its_owner_reads(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "robot.json"
    made = ("create-service", "robot", "--project", "demo", "--role", "operator", "--key-file", str(file))
    assert _account(config, *made) == 0
    key = json.loads(file.read_text())
    assert key["token_uri"] == "http://127.0.0.1:5123/oauth2/token"
    assert file.stat().st_mode & 0o777 == 0o600
    assert key["private_key"] not in capsys.readouterr().out
    assert _listed(config, capsys)["robot@demo.gcelib.local"]["roles"] == {"demo": "operator"}


def test_a_key_file_is_never_overwritten_unasked(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "precious"
    file.write_text("mine")
    made = ("create-service", "robot", "--project", "demo", "--role", "viewer", "--key-file", str(file))
    assert _account(config, *made) == 1
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert _listed(config, capsys) == {}
    assert _account(config, *made, "--force") == 0
    first = json.loads(file.read_text())["private_key_id"]
    assert _account(config, "rotate-key", "robot", "--key-file", str(file)) == 1
    assert _account(config, "rotate-key", "robot", "--key-file", str(file), "--force") == 0
    assert json.loads(file.read_text())["private_key_id"] != first


def test_a_user_may_be_made_from_a_pipe_or_a_file(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("secret words\n"))
    role = ("--project", "me@example.com", "--role", "admin")
    assert _account(config, "create-user", "Ann@Example.com", *role, "--password-stdin") == 0
    (tmp_path / "password").write_text("other words\n")
    assert _account(config, "create-user", "bob", *role, "--password-file", str(tmp_path / "password")) == 0
    listed = _listed(config, capsys)
    assert listed["ann@example.com"]["roles"] == {"demo": "admin"}
    assert set(listed) == {"ann@example.com", "bob@demo.gcelib.local"}
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert _account(config, "create-user", "eve", *role, "--password-stdin") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("x\n"))
    assert _account(config, "create-user", "bob", *role, "--password-stdin") == 1
    assert "already exists" in capsys.readouterr().err


def test_roles_are_given_and_taken(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("x\n"))
    assert _account(config, "create-user", "ann", "--project", "demo", "--role", "viewer") == 0
    assert _account(config, "grant", "ann", "--project", "other", "--role", "admin") == 0
    assert _account(config, "grant", "ann", "--project", "*", "--role", "viewer") == 0
    assert _account(config, "revoke", "ann", "--project", "demo") == 0
    assert _account(config, "disable", "ann") == 0
    row = _listed(config, capsys)["ann@demo.gcelib.local"]
    assert (row["roles"], row["disabled"], row["used"]) == ({"*": "viewer", "other": "admin"}, True, None)
    assert _account(config, "disable", "ann", "--undo") == 0
    assert _account(config, "revoke", "ann", "--project", "demo") == 1
    assert _listed(config, capsys)["ann@demo.gcelib.local"]["disabled"] is False
    assert _account(config, "list") == 0
    assert capsys.readouterr().out == "ann@demo.gcelib.local\tuser\t*=viewer, other=admin\n"


def test_json_tells_when_an_account_was_last_used(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a password\n"))
    assert _account(config, "create-user", "ann", "--project", "demo", "--role", "viewer", "--password-stdin") == 0
    with contextlib.closing(Store.open(f"sqlite:///{tmp_path}/state/gcelib.sqlite")) as store:
        AccountRows(store).used({"ann@demo.gcelib.local": 1_700_000_000.0})
    assert _listed(config, capsys)["ann@demo.gcelib.local"]["used"] == "2023-11-14T22:13:20+00:00"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("grant", "nobody", "--project", "demo", "--role", "viewer"), "no account nobody"),
        (("revoke", "nobody", "--project", "demo"), "no account nobody"),
        (("disable", "nobody@example.com"), "no account"),
        (("rotate-key", "nobody", "--key-file", "{tmp}/k"), "no account"),
        (("create-service", "r", "--project", "dmeo", "--role", "viewer", "--key-file", "{tmp}/k"), '"demo"'),
        (("create-service", "r r", "--project", "demo", "--role", "viewer", "--key-file", "{tmp}/k"), "cannot name"),
        (("create-service", "r", "--project", "demo", "--role", "viewer", "--key-file", "{tmp}/no/k"), "no directory"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    assert _account(config, *(word.replace("{tmp}", str(tmp_path)) for word in words)) == 1
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told
    assert not (tmp_path / "k").exists()


@pytest.mark.parametrize("became", ["", '[projects.other]\nclouds = ["c"]\ncredentials = "caller"\n'])
def test_a_role_on_a_project_that_is_gone_or_its_callers_own_now_can_be_taken_away(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], became: str
) -> None:
    made = ("--role", "viewer", "--key-file", str(tmp_path / "robot.json"))
    assert _account(config, "create-service", "robot", "--project", "demo", *made) == 0
    assert _account(config, "grant", "robot", "--project", "other", "--role", "admin") == 0
    text = Path(config).read_text()
    Path(config).write_text(text.replace('[projects.other]\nclouds = ["c"]\n', became))
    assert _account(config, "grant", "robot", "--project", "other", "--role", "viewer") == 1
    assert _account(config, "revoke", "robot", "--project", "other") == 0
    assert _listed(config, capsys)["robot@demo.gcelib.local"]["roles"] == {"demo": "viewer"}
    assert _account(config, "revoke", "robot", "--project", "other") == 1


@pytest.mark.parametrize("where", ["{tmp}/folder", "/proc/robot.json", "{tmp}/pipe"])
def test_where_no_key_file_can_be_written_nothing_is_made_and_no_old_key_ends(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    key_file = where.format(tmp=tmp_path)
    made = ("create-service", "robot", "--project", "demo", "--role", "viewer", "--key-file")
    assert _account(config, *made, key_file, "--force") == 1
    assert key_file.rpartition("/")[0] in capsys.readouterr().err
    assert _listed(config, capsys) == {}
    assert _account(config, *made, str(tmp_path / "robot.json")) == 0
    with contextlib.closing(Store.open(f"sqlite:///{tmp_path}/state/gcelib.sqlite")) as store:
        before = AccountRows(store).keys("robot@demo.gcelib.local")
        assert len(before) == 1
        assert _account(config, "rotate-key", "robot", "--key-file", key_file, "--force") == 1
        assert AccountRows(store).keys("robot@demo.gcelib.local") == before


@pytest.mark.parametrize(
    "words", [(), ("grant", "a"), ("grant", "a", "--project", "demo", "--role", "emperor"), ("dance",)]
)
def test_wrong_usage_is_exit_code_2(config: str, words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["account", *words])
    assert caught.value.code == 2


def test_a_short_name_that_two_accounts_share_must_be_written_out(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for project in ("demo", "other"):
        made = ("--project", project, "--role", "viewer", "--key-file", str(tmp_path / project))
        assert _account(config, "create-service", "robot", *made) == 0
    assert _account(config, "disable", "robot") == 1
    assert "robot@other.gcelib.local" in capsys.readouterr().err
    assert _account(config, "disable", "robot@other.gcelib.local") == 0


def test_an_account_of_a_cloud_is_taken_neither_for_a_person_nor_for_a_program(site: Site) -> None:
    rows = AccountRows(site.store)
    rows.add(Account("me@gva.cloud.gcelib.local", "cloud", "gva", "1", False, 0.0))
    with pytest.raises(Invalid, match="an account of a cloud"):
        site.accounts.rotate_key("me@gva.cloud.gcelib.local", site.url)
    with pytest.raises(Invalid, match="an account of a cloud"):
        site.accounts.set_password("me@gva.cloud.gcelib.local", "new")
