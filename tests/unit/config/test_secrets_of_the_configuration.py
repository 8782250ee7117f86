"""Secrets stay hidden, and files that hold them stay shut."""

from __future__ import annotations

import os
import pickle
import stat
import threading

import pytest

from gcelib.config import ConfigError, Secret, ServerConfig
from gcelib.config.sealed import write_private


def test_a_secret_shows_itself_only_when_asked():
    secret = Secret("hidden-word")
    assert secret.reveal() == "hidden-word"
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret!r}", repr({"secret": secret})):
        assert "hidden-word" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_a_printed_configuration_shows_no_secret(written, changed):
    text = changed("clouds.gva.options", 'password = "hidden-word"')
    urls = 'database = "postgresql://u:hidden-word@h/d"\ngenerations = "rediss://u:hidden-word@h:1/2"'
    config = written.load(text.replace("[server]", f"[server]\n{urls}"))
    assert config.clouds["gva"].options == {"password": "hidden-word"}
    for word in ("the-key", "the-secret", "hidden-word"):
        assert word not in repr(config)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o666])
def test_a_configuration_with_secrets_that_others_can_read_is_refused(written, changed, mode):
    found = written.mistakes(changed(), mode=mode)
    assert found == [f"{written.path}: can be read by every user of this machine and holds clouds.gva.secret; "
                     f"run: chmod 600 {written.path}"]


@pytest.mark.parametrize(("line", "held"), [
    ('[server]\ndatabase = "postgresql://u:pw@h/d"', "server.database"),
    ('[server]\ndatabase = "postgresql://h/d?password=pw"', "server.database"),
    ('[server]\ndatabase = "postgresql://h/d"\ngenerations = "redis://:pw@h"', "server.generations"),
    ('[server]\ndatabase = "postgresql://h/d"\ngenerations = "unix:///s?db=1&password=pw"', "server.generations"),
    ('[clouds.gva.options]\npassword = "pw"', "clouds.gva.options.password"),
])
def test_other_secrets_shut_the_file_too(written, line, held):
    text = f'{line}\n[clouds.gva]\nprovider = "x"\n[projects.demo]\nclouds = ["gva"]\n'
    found = written.mistakes(text, mode=0o644)
    assert f"holds {held}; run: chmod 600" in found[0]


def test_a_configuration_without_secrets_may_be_open(written, changed):
    (written.folder / "secret").write_text("s\n")
    (written.folder / "secret").chmod(0o640)
    text = changed(old='secret = "the-secret"', new='secret_file = "secret"')
    assert written.load(text, mode=0o644).clouds["gva"].secret.reveal() == "s"


def test_a_secret_file_that_others_can_read_is_refused(written, changed):
    path = written.folder / "secret"
    path.write_text("s")
    path.chmod(0o644)
    found = written.mistakes(changed(old='secret = "the-secret"', new='secret_file = "secret"'))
    assert found == [f"clouds.gva.secret_file: {path} can be read by every user of this machine; "
                     f"run: chmod 600 {path}"]


@pytest.mark.parametrize(("content", "what"), [(None, "cannot be read"), (b" \n", "is empty"), (b"\xff", "not text")])
def test_a_secret_file_without_a_secret_is_refused(written, changed, content, what):
    path = written.folder / "secret"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    found = written.mistakes(changed(old='secret = "the-secret"', new='secret_file = "secret"'))
    assert len(found) == 1
    assert what in found[0]


def test_key_and_secret_may_come_from_variables(written, changed):
    text = changed(old='key = "the-key"', new='key_env = "K"').replace('secret = "the-secret"', 'secret_env = "S"')
    config = written.load(text, {"K": "k", "S": "s"})
    assert (config.clouds["gva"].key, config.clouds["gva"].secret.reveal()) == ("k", "s")
    found = written.mistakes(text, {"K": "k"})
    assert found == ["clouds.gva.secret_env: the environment has no S; export it, or use secret_file."]


def test_a_private_key_that_others_can_read_is_refused(written, changed):
    (written.folder / "key.pem").write_text("key")
    (written.folder / "key.pem").chmod(0o644)
    found = written.mistakes(changed("server", 'cert = "gcelib.toml"\nkey = "key.pem"'))
    assert len(found) == 1
    assert "chmod 600" in found[0]


def test_the_seal_key_is_made_once_and_shut(tmp_path):
    server = ServerConfig(state_dir=tmp_path / "state")
    key = server.seal_key()
    assert len(key) == 32
    assert server.seal_key() == key
    path = tmp_path / "state" / "seal.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["seal.key"]


def test_replicas_that_start_together_agree_on_the_seal_key(tmp_path):
    server = ServerConfig(state_dir=tmp_path)
    gate = threading.Barrier(8)
    keys: set[bytes] = set()

    def start() -> None:
        gate.wait()
        keys.add(server.seal_key())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 1


def test_a_seal_key_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "shared.key"
    path.write_bytes(b"x" * 40)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        ServerConfig(state_dir=tmp_path, seal_key_file=str(path)).seal_key()


def test_a_seal_key_that_is_too_short_is_refused(tmp_path):
    path = tmp_path / "shared.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="5 bytes, too few"):
        ServerConfig(state_dir=tmp_path, seal_key_file=str(path)).seal_key()


def test_a_seal_key_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="can be neither read nor made"):
        ServerConfig(state_dir=tmp_path / "file").seal_key()


def test_a_device_is_never_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is no file"):
        write_private(tmp_path / "pipe", b"new", replace=True)
    assert (tmp_path / "pipe").is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
