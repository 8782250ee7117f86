"""The command as people run it: another process, a home directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CONFIG = """
[server]
state_dir = "state"
[clouds.gva]
provider = "cloudstack"
endpoint = "http://127.0.0.1:1/client/api"
key = "the-key"
secret = "the-secret"
[projects."ian@ianduffy.ie"]
clouds = ["gva"]
"""


class Shell:
    """Runs `gcelib` with a fresh home directory and no GCELIB_* variables but those given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        kept = {key: value for key, value in os.environ.items()
                if not key.startswith(("GCELIB_", "XDG_", "CLOUDSDK_")) and not key.lower().endswith("_proxy")}
        self.environ = {**kept, "HOME": str(self.home), "PYTHONPATH": str(ROOT), "COLUMNS": "110"}

    def run(self, *words: str | Path, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        """The finished command; it must never show a traceback."""
        done = subprocess.run(
            [sys.executable, "-m", "gcelib", *map(str, words)], input=stdin, text=True, capture_output=True,
            timeout=60, cwd=self.folder, env={**self.environ, **environ}, check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def config(self, text: str = CONFIG) -> Path:
        """A configuration file."""
        path = self.folder / "gcelib.toml"
        path.write_text(text)
        path.chmod(0o600)
        return path


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture(scope="session")
def shell_in() -> Callable[[Path], Shell]:
    """For tests that share one folder."""
    return Shell
