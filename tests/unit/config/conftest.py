"""Configurations written to a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gcelib.config import Config, ConfigError, load

GOOD = """
[server]
state_dir = "state"
[clouds.gva]
provider = "cloudstack"
endpoint = "https://cloud.example/client/api"
key = "the-key"
secret = "the-secret"
[projects.demo]
clouds = ["gva"]
"""


class Written:
    """A configuration file in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "gcelib.toml"

    def load(self, text: str, environ: Mapping[str, str] | None = None, mode: int = 0o600) -> Config:
        """Write the text and read it as the daemon does."""
        self.path.write_text(text)
        self.path.chmod(mode)
        return load(self.path, environ or {})

    def mistakes(self, text: str, environ: Mapping[str, str] | None = None, mode: int = 0o600) -> list[str]:
        """What reading the text complains about."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ, mode)
        return caught.value.mistakes


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


@pytest.fixture
def changed() -> Callable[..., str]:
    """The good configuration with one line put into a section, or a text replaced."""

    def change(section: str = "", line: str = "", *, old: str = "", new: str = "", more: str = "") -> str:
        text = GOOD.replace(old, new) if old else GOOD
        if section:
            heading = f"[{section}]\n"
            text = text.replace(heading, heading + line + "\n") if heading in text else f"{text}{heading}{line}\n"
        return text + more

    return change
