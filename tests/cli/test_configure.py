"""`gcelib configure`, unattended and with a person (or a pipe) who answers."""

from __future__ import annotations

import grp
import os
import stat
import subprocess
import sys
import tomllib

import pytest

from gcelib.simulator import Simulator

FLAGS = ("--no-test", "--endpoint", "https://cloud.example/client/api", "--key", "k", "--secret", "hidden-word")


def test_unattended_it_lists_every_missing_answer(shell):
    done = shell.run("configure", "--no-input")
    assert done.returncode == 2
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["--host", "--key", "--secret"]
    assert not list(shell.home.rglob("*.toml"))


def test_unattended_it_writes_a_configuration_that_check_accepts(shell):
    done = shell.run("configure", "--no-input", *FLAGS)
    assert done.returncode == 0, done.stderr
    assert "hidden-word" not in done.stdout + done.stderr
    path, = shell.home.rglob("gcelib.toml")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["gcelib.toml"]
    assert shell.run("check").stdout == "OK: 1 cloud, 1 project\n"
    data = tomllib.loads(path.read_text())
    assert data["server"] == {"listen": "127.0.0.1:5000"}
    assert data["clouds"]["cloudstack"]["secret"] == "hidden-word"
    assert data["projects"] == {"demo": {"clouds": ["cloudstack"]}}
    assert "# threads = 32" in path.read_text()


def test_for_a_service_it_says_where_the_state_is_and_lets_a_group_read(shell):
    path = shell.folder / "new.toml"
    group = grp.getgrgid(os.getgid()).gr_name
    done = shell.run("configure", "--config", path, "--no-input", *FLAGS, "--state-dir", "state", "--group", group)
    assert done.returncode == 0, done.stderr
    assert tomllib.loads(path.read_text())["server"]["state_dir"] == str(shell.folder / "state")
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (0o640, os.getgid())
    done = shell.run("configure", "--config", path, "--no-input", "--no-test", "--force", "--region", "ch")
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert tomllib.loads(path.read_text())["server"]["state_dir"] == str(shell.folder / "state")


def test_a_group_that_is_not_there_is_refused_before_anything_is_written(shell):
    path = shell.folder / "new.toml"
    done = shell.run("configure", "--config", path, "--no-input", *FLAGS, "--group", "nobody-of-this-name")
    assert (done.returncode, path.exists()) == (1, False)
    assert "there is no group nobody-of-this-name" in done.stderr


def test_host_port_protocol_and_path_make_an_endpoint(shell):
    path = shell.folder / "new.toml"
    done = shell.run("configure", "--config", path, "--no-input", "--no-test", "--host", "cloud.example", "--port",
                     "8080", "--protocol", "http", "--path", "api", "--key", "k", "--secret", "s")
    assert done.returncode == 0, done.stderr
    assert tomllib.loads(path.read_text())["clouds"]["cloudstack"]["endpoint"] == "http://cloud.example:8080/api"


def test_the_questions_are_those_of_gstack_in_its_order(shell):
    answers = "0.0.0.0\n6000\ncloud.example\n8443\nhttps\n/client/api\nk\ns\nme@example.com\nch-gva\n"
    path = shell.folder / "new.toml"
    done = shell.run("configure", "--config", path, "--no-test", stdin=answers)
    assert done.returncode == 0, done.stderr
    data = tomllib.loads(path.read_text())
    assert data["server"]["listen"] == "0.0.0.0:6000"
    assert data["clouds"]["cloudstack"] == {
        "provider": "cloudstack", "endpoint": "https://cloud.example:8443/client/api", "key": "k", "secret": "s",
        "region": "ch-gva",
    }
    assert list(data["projects"]) == ["me@example.com"]


def test_a_wrong_answer_is_asked_again(shell):
    path = shell.folder / "new.toml"
    done = shell.run("configure", "--config", path, "--no-test",
                     stdin="\nfifty\n5005\nhttps://c.example/client/api\nk\n\ns\n\n\n")
    assert done.returncode == 0, done.stderr
    assert '"fifty" is not a port' in done.stdout
    assert tomllib.loads(path.read_text())["server"]["listen"] == "127.0.0.1:5005"


def test_an_answer_that_is_needed_is_asked_for_in_words(shell):
    done = shell.run("configure", "--config", shell.folder / "new.toml", "--no-test", "--key", "k", "--secret", "s",
                     stdin="\n\n\nhttps://c.example/client/api\n\n\n")
    assert done.returncode == 0, done.stderr
    assert "This is needed: " in done.stdout


def test_at_a_terminal_keys_that_the_cloud_refuses_are_asked_for_again_and_the_rest_is_kept(shell):
    path = shell.folder / "new.toml"
    with Simulator() as cloud:
        account = cloud.accounts["demo"]
        words = ["configure", "--config", path, "--bind-port", "5005", "--endpoint", cloud.url, "--secret",
                 account.secret_key, "--region", ""]
        done = subprocess.run(
            [sys.executable, "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)", sys.executable, "-m",
             "gcelib", *words], input=f"127.0.0.1\nmistyped\nours\n\n{account.api_key}\n\n", text=True, timeout=60,
            capture_output=True, env=shell.environ, cwd=shell.folder, check=False)
    assert done.returncode == 0, done.stdout
    assert "does not accept these keys" in done.stdout
    assert "API key [mistyped]: " in done.stdout
    data = tomllib.loads(path.read_text())
    assert (data["clouds"]["cloudstack"]["key"], [*data["projects"]]) == (account.api_key, ["ours"])


def test_answers_that_end_early_name_the_option(shell):
    done = shell.run("configure", "--no-test", stdin="\n\nhttps://c.example/client/api\n")
    assert done.returncode == 2
    assert "--key is missing" in done.stderr


@pytest.mark.parametrize(("flags", "what"), [
    (("--bind-port", "many"), '--bind-port: "many" is not a port'),
    (("--host", "h", "--protocol", "gopher"), "--protocol: "),
])
def test_a_wrong_flag_is_wrong_usage(shell, flags, what):
    done = shell.run("configure", "--no-input", "--no-test", "--key", "k", "--secret", "s", *flags)
    assert done.returncode == 2
    assert what in done.stderr


def test_answers_that_make_no_configuration_are_not_written(shell):
    path = shell.folder / "new.toml"
    done = shell.run("configure", "--config", path, "--no-input", "--no-test", "--endpoint", "cloud", "--key", "k",
                     "--secret", "s")
    assert done.returncode == 1
    assert "clouds.cloudstack.endpoint: is not an http(s) URL" in done.stderr
    assert [each.name for each in shell.folder.iterdir()] == ["home"]


def test_a_file_that_is_there_stays(shell):
    path = shell.config()
    before = path.read_text()
    done = shell.run("configure", "--config", path, "--no-input", *FLAGS)
    assert done.returncode == 1
    assert "--force" in done.stderr
    assert path.read_text() == before


def test_force_keeps_what_is_not_asked_and_the_old_file(shell):
    path = shell.config()
    before = path.read_text()
    path.write_text(before + '[clouds.dk]\nprovider = "cloudstack"\n[clouds.dk.zones]\n"Z 1" = "dk-1"\n'
                             "[cache]\nnodes = 2.5\n")
    done = shell.run("configure", "--config", path, "--force", "--no-input", "--no-test", "--bind-port", "6000")
    assert done.returncode == 0, done.stderr
    data = tomllib.loads(path.read_text())
    old = tomllib.loads((shell.folder / "gcelib.toml.old").read_text())
    assert data.pop("server") == {"state_dir": "state", "listen": "127.0.0.1:6000"}
    old.pop("server")
    assert data == old
    assert stat.S_IMODE((shell.folder / "gcelib.toml.old").stat().st_mode) == 0o600


def test_a_saved_secret_is_offered_without_being_shown(shell):
    path = shell.config()
    done = shell.run("configure", "--config", path, "--force", "--no-test", stdin="\n" * 8)
    assert done.returncode == 0, done.stderr
    assert "Secret key [the saved one]" in done.stdout
    assert "the-secret" not in done.stdout
    assert tomllib.loads(path.read_text())["clouds"]["gva"]["secret"] == "the-secret"


def test_a_secret_file_is_referred_to(shell):
    (shell.folder / "secret").write_text("s")
    (shell.folder / "secret").chmod(0o600)
    path = shell.folder / "new.toml"
    done = shell.run("configure", "--config", path, "--no-input", "--no-test", "--endpoint", "https://c.example/",
                     "--key", "k", "--secret-file", "secret")
    assert done.returncode == 0, done.stderr
    cloud = tomllib.loads(path.read_text())["clouds"]["cloudstack"]
    assert cloud["secret_file"] == str(shell.folder / "secret")
    assert "secret" not in cloud


def test_a_cloud_that_does_not_answer_leaves_nothing_behind(shell):
    path = shell.folder / "new.toml"
    done = shell.run("configure", "--config", path, "--no-input", "--endpoint", "http://127.0.0.1:1/client/api",
                     "--key", "k", "--secret", "hidden-word")
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "nothing was written" in done.stderr
    assert "hidden-word" not in done.stdout + done.stderr
    assert not path.exists()
