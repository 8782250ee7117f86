"""gcelib loaded once and forked for each server and command of tests: loading it is most of what a start computes.

`python -m tests.forked FD` answers orders on that socket: each is `[[WORD, ...], {ENVIRONMENT}, FOLDER]` with four
descriptors, where to tell how it goes and the three of the command's own. What is told is the process's number on a
line, and its exit code on another. A command has an interpreter as it is at its start, the modules of LOADED in it.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

LOADED = ("gcelib.cli.serve", "gcelib.server.daemon", "gcelib.drivers.cloudstack.cloud", "alembic.command")
"""What a server over a CloudStack cloud loads, whatever it is told."""
ROOT = Path(__file__).parent.parent
QUIET = {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
"""What tests have in the environment of gcelib."""
ENVIRON = {**os.environ, **QUIET}
"""As it was before any test."""


class Process:
    """What a subprocess.Popen is to those who started it, for a process that another one forked."""

    def __init__(self, told: IO[bytes]) -> None:
        self._told, self._turn = told, threading.Lock()
        self.returncode: int | None = None
        number = told.readline()
        if not number:
            told.close()
            raise AssertionError("nothing was forked: what `python -m tests.forked` wrote as it ended says why")
        self.pid = int(number)

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once it has ended. Raises subprocess.TimeoutExpired."""
        if (code := self._ended(timeout)) is None:
            raise subprocess.TimeoutExpired("gcelib", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            # It may have ended, and who waits for it has yet to tell.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, seconds: float | None) -> int | None:
        with self._turn:
            if self.returncode is None:
                poll = select.poll()
                poll.register(self._told, select.POLLIN)
                if poll.poll(None if seconds is None else seconds * 1000):
                    self.returncode = int(self._told.readline())
                    self._told.close()
            return self.returncode


class Loaded:
    """The process that is forked; it ends with this one."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen([sys.executable, "-m", "tests.forked", str(theirs.fileno())], cwd=ROOT,
                                             env=ENVIRON, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL)
        atexit.register(self.close)

    def start(self, words: Sequence[str], environ: Mapping[str, str], streams: Sequence[IO[bytes]]) -> Process:
        """`gcelib WORDS` with these three streams; for one thread at a time."""
        order = json.dumps([list(words), dict(environ), os.getcwd()]).encode()
        told, tell = os.pipe()
        socket.send_fds(self._orders, [order], [tell, *(each.fileno() for each in streams)])
        os.close(tell)
        return Process(open(told, "rb", buffering=0))

    def close(self) -> None:
        """Fork no more."""
        self._orders.close()
        self._process.wait(10)


class Starter:
    """Starts gcelib. Whoever measures time or memory wants it to start by itself, which it does until told."""

    def __init__(self) -> None:
        self.forked = False
        self._turn = threading.Lock()
        self._loaded: Loaded | None = None

    def start(
        self, words: Sequence[str], environ: Mapping[str, str], streams: Sequence[IO[bytes]]
    ) -> Process | subprocess.Popen[bytes]:
        """`gcelib WORDS` as a process with this environment and these three streams.

        It is forked where that makes no difference: what an interpreter reads of its environment it has read before.
        """
        if not self.forked or _at_start(environ) != _at_start(ENVIRON):
            return by_itself(words, environ, streams)
        with self._turn:
            self._loaded = self._loaded or Loaded()
            return self._loaded.start(words, environ, streams)

    def run(self, words: Sequence[str], environ: Mapping[str, str], given: str) -> subprocess.CompletedProcess[str]:
        """`gcelib WORDS` once it has read what is given and ended."""
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            streams[0].write(given.encode())
            streams[0].seek(0)
            process = self.start(words, environ, streams)
            try:
                code = process.wait(60)
            finally:
                process.kill()
            for each in streams:
                each.seek(0)
            _, out, err = (each.read().decode() for each in streams)
        return subprocess.CompletedProcess(["gcelib", *words], code, out, err)


STARTER = Starter()


def by_itself(
    words: Sequence[str], environ: Mapping[str, str], streams: Sequence[IO[bytes]]
) -> subprocess.Popen[bytes]:
    """`gcelib WORDS` as a process with an interpreter of its own."""
    given, out, err = streams
    return subprocess.Popen([sys.executable, "-m", "gcelib", *words], stdin=given, stdout=out, stderr=err, env=environ)


def _at_start(environ: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(("GCELIB_", "PYTEST_"))}


def serve(orders: socket.socket) -> None:
    """Fork for each order until there are no more."""
    gc.disable()
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, given, *_ = socket.recv_fds(orders, 1 << 20, 4)
        if not order:
            return None
        if not os.fork():
            orders.close()
            return keep(json.loads(order), *given)
        for each in given:
            os.close(each)


def keep(order: Any, tell: int, *streams: int) -> None:
    """Be who waits for the command's process, and tell."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if not (pid := os.fork()):
        os.close(tell)
        return become(order, streams)
    # Nobody who waits for the end of what is written here is to wait for this process.
    os.dup2(1, 2)
    for each in streams:
        os.close(each)
    os.write(tell, f"{pid}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        os.write(tell, f"{code}\n".encode())
    os._exit(0)


def become(order: Any, streams: Sequence[int]) -> None:
    """Be the process of this command from here on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    words, environ, folder = order
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[1:] = words
    runpy.run_module("gcelib", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
