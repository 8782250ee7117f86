"""Files that hold secrets: whose they are and who may read them."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from gcelib.config import Config, ConfigError
from gcelib.config.sealed import open_to_others
from gcelib.server.findings import Finding, note, well, wrong

ABOUT = "files"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PUBLIC = frozenset({"ca.pem"})
"""What is there to be read by others."""


def permissions(config: Config) -> Iterator[Finding]:
    """Everything in state_dir, and the secrets that the configuration points to."""
    state = config.server.state_dir
    if not state.is_dir():
        yield note(ABOUT, f"There is no {state} yet.", "`gcelib serve` makes it when it first starts.")
        return
    found = [*_directory(state), *_secrets(config), *_seal_key(config), *_owners(state)]
    yield from found
    if not found:
        yield well(ABOUT, f"Only their owner can read the secrets in {state}.")


def configuration(config: Config) -> Iterator[Finding]:
    """The configuration file: others than its group never may read it, the group is worth knowing of."""
    if config.path and config.path.is_file() and config.path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield wrong(ABOUT, f"{config.path} can be changed by others than its owner.", _chmod("go-w", config.path))


def _directory(state: Path) -> Iterator[Finding]:
    if state.stat().st_mode & _OTHERS:
        yield wrong(ABOUT, f"Others can look into {state}.", _chmod("700", state))
    for path, told in _held(state):
        if path.name not in _PUBLIC and stat.S_ISREG(told.st_mode) and told.st_mode & _OTHERS:
            yield wrong(ABOUT, f"Others can read or change {path}.", _chmod("600", path))


def _secrets(config: Config) -> Iterator[Finding]:
    for text in (config.server.seal_key_file, config.server.key):
        path = Path(text)
        if text and path.is_file() and path.stat().st_mode & _OTHERS:
            yield wrong(ABOUT, f"Others can read or change {path}.", _chmod("600", path))


def _seal_key(config: Config) -> Iterator[Finding]:
    path = config.server.seal_key_path()
    try:
        if path.exists() and not open_to_others(path):
            config.server.seal_key()
    except (ConfigError, OSError) as error:
        said = " ".join(error.mistakes) if isinstance(error, ConfigError) else f"{path}: {error.strerror}."
        yield wrong(ABOUT, said, "Put the key back that was there; with another one page tokens end, and callers sign "
                    "in again with their cloud keys.")


def _owners(state: Path) -> Iterator[Finding]:
    owner = state.stat().st_uid
    foreign = [path for path, told in _held(state) if told.st_uid != owner]
    if foreign:
        names = ", ".join(path.name for path in foreign)
        quoted = " ".join(shlex.quote(str(path)) for path in foreign)
        yield wrong(ABOUT, f"{names} in {state} belong to another user than the directory; the daemon may not be able "
                    "to use them.", f"sudo chown --reference={shlex.quote(str(state))} {quoted}")


def _held(state: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """What is in it; the server makes and removes files there meanwhile."""
    for path in sorted(state.iterdir()):
        with suppress(FileNotFoundError):
            yield path, path.stat()


def _chmod(mode: str, path: Path) -> str:
    return f"chmod {mode} {shlex.quote(str(path))}"
