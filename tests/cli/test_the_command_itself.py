"""Help, versions, exit codes, and failures as lines."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
import subprocess
import sys

import pytest

from gcelib import __version__
from gcelib.cli import COMMANDS


def test_the_version_names_the_api_revision(shell):
    done = shell.run("--version")
    assert done.returncode == 0
    assert re.fullmatch(rf"gcelib {re.escape(__version__)} \(Compute Engine API v1, revision \d{{8}}\)\n", done.stdout)


def test_help_names_every_command(shell):
    done = shell.run("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^    {command} +\S", done.stdout, re.MULTILINE), command


def test_whoever_types_the_name_alone_is_told_what_there_is(shell):
    done = shell.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert all(command in done.stderr for command in COMMANDS)
    assert "To try it" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_teaches_by_examples(shell, command):
    done = shell.run(command, "--help")
    assert done.returncode == 0
    assert f"gcelib {command}" in done.stdout.partition("options:")[2]


@pytest.mark.parametrize("words", [(), ("frobnicate",), ("check", "--frobnicate"), ("coverage", "--format", "xml")])
def test_wrong_usage_is_2(shell, words):
    done = shell.run(*words)
    assert done.returncode == 2
    assert "usage: gcelib" in done.stderr


def test_a_missing_configuration_is_1_and_says_what_to_do(shell):
    done = shell.run("check")
    assert done.returncode == 1
    assert "run: gcelib configure" in done.stderr


def test_check_counts_what_it_found(shell):
    done = shell.run("check", "--config", shell.config())
    assert (done.returncode, done.stdout) == (0, "OK: 1 cloud, 1 project\n")


def test_check_tells_all_mistakes(shell):
    path = shell.config("[server]\nlisten = 1\nthreads = 0\n")
    done = shell.run("check", "--config", path)
    assert done.returncode == 1
    for place in ("server.listen:", "server.threads:", "clouds:"):
        assert place in done.stderr


def test_check_refuses_a_provider_libcloud_does_not_have(shell):
    done = shell.run("check", "--config", shell.config(), GCELIB_CLOUDS_GVA_PROVIDER="cloudstak")
    assert done.returncode == 1
    assert "clouds.gva.provider: " in done.stderr


def test_check_reads_the_users_own_file(shell):
    folder = shell.home / ".config" / "gcelib"
    folder.mkdir(parents=True)
    shell.config().rename(folder / "gcelib.toml")
    if sys.platform == "linux":
        assert shell.run("check").returncode == 0


def test_a_reader_that_has_enough_is_no_failure(shell):
    command = f"{sys.executable} -m gcelib coverage | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=shell.environ, timeout=60,
                          check=True)
    assert done.stdout.startswith("# Coverage\n")
    assert done.stderr == ""


def test_where_nobody_listens_or_letters_are_few_it_does_what_it_was_told(shell):
    path = shell.config()
    command = f"{sys.executable} -m gcelib"
    closed = subprocess.run(["bash", "-c", f"{command} check --config {path} >&- <&-"], capture_output=True, text=True,
                            env=shell.environ, timeout=60, check=False)
    assert (closed.returncode, closed.stderr) == (0, "")
    mute = subprocess.run(["bash", "-c", f"{command} check --config {path}.gone 2>&-"], capture_output=True, text=True,
                          env=shell.environ, timeout=60, check=False)
    assert (mute.returncode, mute.stdout) == (1, ""), "what went wrong is no output"
    assert shell.run("coverage", PYTHONIOENCODING="ascii").returncode == 0


def test_an_interrupted_command_is_130(shell):
    process = subprocess.Popen([sys.executable, "-u", "-m", "gcelib", "configure"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=shell.environ)
    assert process.stdout is not None
    assert process.stdout.read(4) == b"Bind"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == b"gcelib: interrupted.\n"


def test_coverage_lists_every_method_once(shell):
    data = json.loads(shell.run("coverage", "--format", "json").stdout)
    served = [row for row in data["methods"] if row["served"]]
    assert data["served"] == len(served) > 0
    assert len({row["id"] for row in data["methods"]}) == len(data["methods"]) > 900
    assert {"compute.zones.list", "compute.instances.insert"} <= {row["id"] for row in served}
    page = shell.run("coverage").stdout
    assert f"{len(served)} of the {len(data['methods'])} methods" in page


def test_root_makes_nothing_in_the_state_of_another_user(shell):
    if os.geteuid() != 0:
        pytest.skip("only root could")
    path = shell.config()
    state = shell.folder / "state"
    state.mkdir()
    os.chown(state, pwd.getpwnam("nobody").pw_uid, -1)
    for words in (("list",), ("grant", "ann", "--project", "ian@ianduffy.ie", "--role", "admin")):
        done = shell.run("account", *words, "--config", path)
        assert done.returncode == 1
        assert "run this as that user: sudo -u 'nobody' " in done.stderr
    assert list(state.iterdir()) == []
