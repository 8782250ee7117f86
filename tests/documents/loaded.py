"""A `gcloud` for shells, loaded once for each environment it is called in: loading takes most of a command's time."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from tests.contract.gcloud import LOADED, SECONDS

ASK = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(sys.argv[1])
    asked.sendall(json.dumps([sys.argv[2:], dict(os.environ)]).encode() + b"\\n")
    code, out, err = json.loads(asked.makefile().readline())
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""


class Gcloud(socketserver.ThreadingUnixStreamServer):
    """Runs gcloud for whoever uses `line` as a command, until it is closed."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.folder, self.turn = folder, threading.Lock()
        self.processes: dict[str, subprocess.Popen[str]] = {}
        (folder / "ask.py").write_text(ASK)
        super().__init__(str(folder / "socket"), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def there(self) -> bool:
        """Whether it is installed."""
        return bool(shutil.which("gcloud"))

    @property
    def line(self) -> str:
        """The shell line that stands for gcloud; what is not compute's goes to gcloud itself."""
        ask = shlex.join([sys.executable, "-S", str(self.folder / "ask.py"), str(self.folder / "socket")])
        return f'[ "$1" = compute ] && exec {ask} "$@"\nexec {shlex.quote(shutil.which("gcloud") or "gcloud")} "$@"'

    def run(self, words: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
        """A command's exit code and what it printed."""
        with self.turn:
            process = self.loaded({name: value for name, value in environment.items() if name not in ("_", "SHLVL")})
            out, err = self.folder / "out", self.folder / "err"
            assert process.stdin
            assert process.stdout
            order = {"words": words, "out": str(out), "err": str(err), "seconds": SECONDS}
            print(json.dumps(order), file=process.stdin, flush=True)
            return int(process.stdout.readline()), out.read_text(), err.read_text()

    def loaded(self, environment: dict[str, str]) -> subprocess.Popen[str]:
        """The gcloud that was loaded in this environment."""
        key = json.dumps(environment, sort_keys=True)
        if key not in self.processes:
            known = {**environment, "CLOUDSDK_PYTHON_ARGS": f"-S {LOADED}"}
            path = shutil.which("gcloud", path=os.environ["PATH"]) or "gcloud"
            self.processes[key] = subprocess.Popen([path], env=known, text=True, stdin=subprocess.PIPE,
                                                   stdout=subprocess.PIPE)
        return self.processes[key]

    def close(self) -> None:
        """End all that is loaded."""
        self.shutdown()
        self.server_close()
        for process in self.processes.values():
            process.communicate()


class Handler(socketserver.StreamRequestHandler):
    """One command."""

    server: Gcloud

    def handle(self) -> None:
        """Run it and tell how it went."""
        words, environment = json.loads(self.rfile.readline())
        answer: Any = self.server.run(words, environment)
        self.wfile.write(json.dumps(answer).encode() + b"\n")
