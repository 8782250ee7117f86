"""A PostgreSQL server of a test's own, where its programs are installed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def programs() -> Path | None:
    """The folder with initdb and postgres, the newest one; None where there is none."""
    on_path = shutil.which("initdb")
    found = [Path(on_path).resolve()] if on_path else []
    for pattern in PLACES:
        found += Path("/").glob(f"{pattern[1:]}/initdb")
    return max(found).parent if found else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Postgres:
    """A cluster in a folder of its own, on a Unix socket; as root it runs as user postgres or nobody.

    `place` is where the folder is made, `settings` are PostgreSQL's, as NAME=VALUE.
    """

    def __init__(self, place: Path | None = None, *settings: str) -> None:
        """Raises AssertionError where PostgreSQL is not installed: ask `programs` first."""
        self.query = ""
        """More for the URLs of databases."""
        self._settings = ("listen_addresses=", "fsync=off", "max_connections=300", *settings)
        found = programs()
        assert found, "PostgreSQL's programs are not installed"
        self._programs = found
        self.home = Path(tempfile.mkdtemp(prefix="gcelib-pg-", dir=place))
        self.user = self._unprivileged()
        if self.user:
            os.chown(self.home, self.user.pw_uid, self.user.pw_gid)
        self.process: subprocess.Popen[bytes] | None = None
        self._run("initdb", "--pgdata", str(self.home / "data"), "--auth", "trust", "--username", "gcelib", "--no-sync",
                  "--encoding", "UTF8", "--locale", "C")

    def start(self) -> Postgres:
        """Serve; returns when it answers."""
        through = self.through()
        user = None if through else self.user
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*through, str(self._programs / "postgres"), "-D", str(self.home / "data"), "-k", str(self.home),
                 *(word for setting in self._settings for word in ("-c", setting))],
                stdout=log, stderr=log, user=user.pw_uid if user else None, group=user.pw_gid if user else None,
                extra_groups=[] if user else None, cwd=self.home,
            )
        deadline = time.monotonic() + 30
        while True:
            assert self.process.poll() is None, (self.home / "log").read_text()
            try:
                self.execute("SELECT 1")
                return self
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.home / "log").read_text()
                time.sleep(0.05)

    def through(self) -> tuple[str, ...]:
        """Words before the server's own, of a program that becomes it."""
        return ()

    def execute(self, sql: str, database: str = "postgres") -> None:
        """One statement, outside of a transaction."""
        with psycopg.connect(host=str(self.home), user="gcelib", dbname=database, autocommit=True) as connection:
            connection.execute(sql.encode())

    def database(self, name: str) -> str:
        """A new database; its SQLAlchemy URL."""
        self.execute(f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://gcelib@/{name}?host={self.home}{self.query}"

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; `start` may follow. SIGINT cuts sessions off, SIGQUIT is a crash, SIGKILL a worse one."""
        if self.process is not None:
            others = self._children() if self.process.poll() is None else []
            self._tell(signal.SIGCONT, [*others, self.process.pid])
            self.process.send_signal(how)
            self.process.wait(30)
            self.process = None
            deadline = time.monotonic() + 30
            # After SIGKILL they see by themselves that they are alone.
            while any(_alive(pid) for pid in others):
                assert time.monotonic() < deadline, (self.home / "log").read_text()
                time.sleep(0.02)

    def freeze(self) -> None:
        """Have it stand still: connections are accepted, as the system does that for it, and nothing is answered."""
        assert self.process is not None
        self._tell(signal.SIGSTOP, [self.process.pid])
        # From here on it makes no more of them.
        self._tell(signal.SIGSTOP, self._children())

    def thaw(self) -> None:
        """Have it go on where it stood."""
        assert self.process is not None
        self._tell(signal.SIGCONT, [*self._children(), self.process.pid])

    def _children(self) -> list[int]:
        assert self.process is not None
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = (map(int, line.split()) for line in listed.splitlines())
        return [pid for pid, parent in pairs if parent == self.process.pid]

    @staticmethod
    def _tell(what: signal.Signals, pids: list[int]) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, what)

    def remove(self) -> None:
        """End it, and remove its folder."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        user = self.user
        subprocess.run(
            [str(self._programs / program), *words], check=True, capture_output=True, timeout=120, cwd=self.home,
            user=user.pw_uid if user else None, group=user.pw_gid if user else None, extra_groups=[] if user else None,
        )

    @staticmethod
    def _unprivileged() -> pwd.struct_passwd | None:
        """Whom to become: PostgreSQL refuses to be run by root."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise AssertionError("root cannot run PostgreSQL, and there is no user postgres or nobody")
