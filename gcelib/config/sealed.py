"""Things that must not be seen: a secret that hides itself, secret files, and the key that seals tokens."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from pathlib import Path

from gcelib.config.mistakes import ConfigError

SEAL_KEY_MINIMUM = 32


class Secret:
    """A text that shows itself only when asked by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself; never put it into a log, a URL or an error."""
        return self._text

    def __str__(self) -> str:
        return "***" if self._text else ""

    def __repr__(self) -> str:
        return f"Secret({str(self)!r})"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and secrets.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> str:
        raise TypeError("A Secret is not written anywhere; reveal it where it is used.")


def open_to_others(path: Path) -> bool:
    """Whether any user of this machine may read the file."""
    return bool(path.stat().st_mode & stat.S_IROTH)


def no_file(path: Path) -> str:
    """Why no file can be read there, for people, "" when one is there: a folder on the way may be closed to us."""
    try:
        return "" if path.is_file() else f"there is no file {path}"
    except OSError as error:
        return f"{path} cannot be looked at: {error.strerror}"


def shut(path: Path) -> str:
    """What to tell about a file that is open to others."""
    return f"{path} can be read by every user of this machine; run: chmod 600 {path}"


def read_secret_file(path: Path) -> str:
    """The file's text without white space around it. Raises ValueError with what to do."""
    try:
        if open_to_others(path):
            raise ValueError(shut(path))
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text.") from None
    if not text:
        raise ValueError(f"{path} is empty.")
    return text


def write_private(path: Path, content: bytes, *, replace: bool) -> bool:
    """Write a file only its owner reads, complete or not at all; False when it is there and not replaced.

    A hard link is the one way to create a file complete that fails when it exists, so that of several
    processes starting at once one wins and the others see what it wrote. What is there and is no file – a device, say –
    is never replaced: that raises OSError.
    """
    if replace and path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "It is no file, and is not replaced", str(path))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(draft, path)
            return True
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    return True


def new_seal_key(path: Path) -> Path:
    """Put a new seal key in place of the one there, which is kept beside it; where. Raises ConfigError.

    With one kept there already – a change that was cut off – nothing is done but telling where.
    """
    old = path.with_name(f"{path.name}.old")
    seal_key(path)
    try:
        if not old.exists():
            write_private(old, path.read_bytes(), replace=False)
            write_private(path, secrets.token_urlsafe(48).encode() + b"\n", replace=True)
    except OSError as error:
        raise ConfigError([f"server.seal_key_file: {path} cannot be replaced: {error.strerror}."]) from None
    return old


def seal_key(path: Path) -> bytes:
    """32 bytes made from the seal key file, which is created when missing. Raises ConfigError.

    Any content of 32 bytes or more will do, so that a key made by any tool can be shared by replicas.
    """
    try:
        if not path.exists():
            write_private(path, secrets.token_urlsafe(48).encode() + b"\n", replace=False)
        if open_to_others(path):
            raise ConfigError([f"server.seal_key_file: {shut(path)}"])
        content = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError([
            f"server.seal_key_file: {path} can be neither read nor made: {error.strerror}; "
            "name a readable file, or a state_dir that this user may write."
        ]) from None
    if len(content) < SEAL_KEY_MINIMUM:
        raise ConfigError([
            f"server.seal_key_file: {path} holds {len(content)} bytes, too few for a key; "
            f"run: openssl rand -base64 48 > {path}"
        ])
    return hashlib.sha256(b"gcelib seal key\n" + content).digest()
