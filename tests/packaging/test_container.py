"""The container file: it says what it should, and its own lines for health and start work, where no Docker is."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import requests

from gcelib.simulator import Simulator
from tests.live import free_port

ROOT = Path(__file__).parents[2]
FILE = ROOT / "packaging" / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    """Each instruction and its argument, continued lines put together."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", FILE.read_text()))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def last(word: str) -> str:
    """The argument of the last instruction of a kind."""
    return [rest for name, rest in instructions() if name == word][-1]


def variables() -> dict[str, str]:
    """What ENV sets for gcelib."""
    return dict(pair.split("=", 1) for pair in shlex.split(last("ENV")) if pair.startswith("GCELIB_"))


def test_it_is_made_of_instructions_that_there_are() -> None:
    known = {"FROM", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} == known
    assert [rest.split()[0] for name, rest in instructions() if name == "FROM"] == ["python:3.13-slim"] * 2


def test_it_runs_as_nobody_special_and_keeps_its_state_in_the_volume() -> None:
    assert last("USER") == "5000:5000"
    assert last("VOLUME") == variables()["GCELIB_SERVER_STATE_DIR"]
    # After USER nothing is run or copied that would belong to root.
    names = [name for name, _ in instructions()]
    assert not {"RUN", "COPY"} & set(names[names.index("USER"):])
    assert f"0.0.0.0:{last('EXPOSE')}" == variables()["GCELIB_SERVER_LISTEN"]


def test_what_the_build_needs_is_sent_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    assert sent == {"gcelib", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md"}
    assert all((ROOT / name).exists() for name in sent)
    assert any(fnmatch("gcelib/__pycache__", line) for line in lines)


@pytest.fixture(scope="module")
def running(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int, int]]:
    """The image's command with its variables alone and no configuration file: the state, the ports."""
    state = tmp_path_factory.mktemp("container") / "state"
    account = simulator.accounts["demo"]
    port, admin = free_port(), free_port()
    environ = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(state), "PYTHONDONTWRITEBYTECODE": "1",
        **variables(), "GCELIB_SERVER_STATE_DIR": str(state), "GCELIB_SERVER_LISTEN": f"0.0.0.0:{port}",
        "GCELIB_SERVER_ADMIN_LISTEN": f"127.0.0.1:{admin}", "GCELIB_CLOUDS_SIM_PROVIDER": "cloudstack",
        "GCELIB_CLOUDS_SIM_ENDPOINT": simulator.url, "GCELIB_CLOUDS_SIM_KEY": account.api_key,
        "GCELIB_CLOUDS_SIM_SECRET": account.secret_key, "GCELIB_PROJECTS_DEMO_CLOUDS": "sim",
    }
    command = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
    with subprocess.Popen(command, env=environ, cwd=state.parent, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "serving" in process.stdout.readline()
            yield state, port, admin
        finally:
            process.terminate()
    assert process.returncode == 0


def health(admin: int) -> int:
    """The exit code of the health check, asked of another port."""
    words = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
    words[0] = sys.executable
    return subprocess.run([word.replace("5001", str(admin)) for word in words], check=False, timeout=30,
                          stderr=subprocess.DEVNULL).returncode


def test_it_answers_by_variables_alone_and_is_healthy(running: tuple[Path, int, int]) -> None:
    state, port, admin = running
    answer = requests.get(f"https://localhost:{port}/compute/v1/projects/demo/zones", verify=str(state / "ca.pem"),
                          timeout=30)
    assert answer.status_code == 401
    assert health(admin) == 0
    assert health(free_port()) != 0


def test_it_writes_into_its_state_only(running: tuple[Path, int, int]) -> None:
    state, _, _ = running
    assert os.listdir(state.parent) == ["state"]
    assert (state / "gcelib.sqlite").exists()
