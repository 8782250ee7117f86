"""Runs gcutil 1.16.1, unmodified, under Python 2.7, against one server and from a home of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.contract import browser, tables
from tests.live import free_port

NEEDED = "set GCUTIL to the gcutil executable (and GCUTIL_PYTHON to a Python 2.7, if it is not on PATH)"
SECONDS = 120


def executable() -> str:
    """What GCUTIL names; "" when it names nothing."""
    path = os.environ.get("GCUTIL", "")
    return path if path and Path(path).is_file() else ""


def python() -> str:
    """A Python 2.7; "" when there is none. A version manager's stand-in is followed, for it needs the real HOME."""
    for candidate in _pythons():
        said = subprocess.run([candidate, "-c", "import sys; print(sys.version_info[:2] == (2, 7) and sys.executable)"],
                              capture_output=True, text=True, timeout=60, check=False)
        if said.returncode == 0 and said.stdout.strip() not in ("", "False"):
            return said.stdout.strip()
    return ""


def _pythons() -> Iterator[str]:
    named = os.environ.get("GCUTIL_PYTHON")
    if named:
        yield named
    for name in ("python2.7", "python2"):
        found = shutil.which(name)
        if found:
            yield found
    versions = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    yield from (str(path) for path in sorted(versions.glob("2.7*/bin/python2.7")))


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[tables.Row]:
        """The first table's rows."""
        return tables.drawn(self.out)[0]

    @property
    def operations(self) -> list[tables.Row]:
        """The last table's rows: that of operations, after a change."""
        return tables.drawn(self.out)[-1]

    @property
    def details(self) -> dict[str, list[str]]:
        """The only table, of one thing."""
        return tables.details(self.out)


@dataclass
class Gcutil:
    """gcutil with the flags that lead it to `url`; `ca` is the authority to trust, for https."""

    program: list[str]
    url: str
    home: Path
    ca: Path | None = None
    project: str = "demo"
    flags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        (self.home / ".ssh").mkdir(parents=True, exist_ok=True)
        if self.ca:
            (self.home / "ca_certs_locater.py").write_text(f"def get():\n    return {str(self.ca)!r}\n")

    def make_ssh_key(self) -> str:
        """Put the key there that gcutil would else ask a passphrase for; gives the public one."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
                                    serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        (self.home / ".ssh/google_compute_engine").write_bytes(private)
        (self.home / ".ssh/google_compute_engine.pub").write_bytes(public + b" ann@home\n")
        return public.decode()

    def command(self, *words: str) -> list[str]:
        """The whole command line."""
        return [
            *self.program, f"--api_host={self.url}/", f"--authorization_uri_base={self.url}/oauth2",
            "--auth_service_account=", f"--credentials_file={self.home}/credentials", "--cached_flags_file=/dev/null",
            "--nocheck_for_new_version", "--norequire_tty", "--norespect_terminal_width", "--sleep_between_polls=1",
            f"--project={self.project}", *self.flags, *words,
        ]

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the person's who runs the tests but PATH, behind the programs of its own home."""
        path = f"{self.home}/bin{os.pathsep}{os.environ['PATH']}"
        own = {"HOME": str(self.home), "PATH": path, "PYTHONUNBUFFERED": "1", "USER": "ann", "BROWSER": "true",
               "LC_ALL": "C"}
        return {**own, **({"PYTHONPATH": str(self.home)} if self.ca else {})}

    def run(self, *words: str, answers: str = "", code: int = 0) -> Ran:
        """Run a command with these lines on its standard input; it must end with `code` and without a traceback."""
        done = subprocess.run(self.command(*words), input=answers, capture_output=True, text=True, timeout=SECONDS,
                              env=self.environment, check=False)
        said = f"$ gcutil {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr, said
        assert done.returncode == code, said
        return Ran(done.returncode, done.stdout, done.stderr)

    def log_in(self) -> str:
        """`gcutil auth` with the code carried by hand; gives what it said."""
        process = self._auth("--noauth_local_webserver")
        arrived = browser.sign_in(self._page(process), str(self.ca) if self.ca else True)
        assert arrived.code
        assert arrived.title == f"Success code={arrived.code}"
        return self._ended(process, f"{arrived.code}\n")

    def log_in_locally(self) -> str:
        """`gcutil auth` that waits for the browser on a port of its own; gives what it said."""
        port = free_port()
        process = self._auth("--auth_local_webserver", "--auth_host_name=127.0.0.1", f"--auth_host_port={port}")
        arrived = browser.sign_in(self._page(process), str(self.ca) if self.ca else True)
        assert arrived.location.startswith(f"http://127.0.0.1:{port}/?code=")
        with requests.get(arrived.location, timeout=30) as shown:
            assert shown.status_code == 200
        return self._ended(process, "")

    def _auth(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command("auth", "--noconfirm_email", *words), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment)

    def _page(self, process: subprocess.Popen[str]) -> str:
        """The address it asks the person to open."""
        assert process.stdout
        seen = []
        for line in process.stdout:
            seen.append(line)
            if line.strip().startswith(f"{self.url}/oauth2/auth?"):
                return line.strip()
        raise AssertionError("".join(seen))

    def _ended(self, process: subprocess.Popen[str], answer: str) -> str:
        said, _ = process.communicate(answer, timeout=SECONDS)
        assert process.returncode == 0, said
        return str(said)
