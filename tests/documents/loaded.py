"""A `gcloud` for shells, loaded once for all commands: loading takes most of a command's time."""

from __future__ import annotations

import json
import shlex
import shutil
import socketserver
import sys
import threading
from pathlib import Path

from tests.contract.gcloud import GCLOUD

ASK = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect(sys.argv[1])
    asked.sendall(json.dumps([sys.argv[2:], dict(os.environ), os.getcwd()]).encode() + b"\\n")
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

    def run(self, words: list[str], environment: dict[str, str], cwd: str) -> tuple[int, str, str]:
        """A command's exit code and what it printed."""
        with self.turn:
            code, ran = GCLOUD.run(words, environment, Path(cwd), self.folder)
        return code, ran.out, ran.err

    def close(self) -> None:
        """Answer nobody any more."""
        self.shutdown()
        self.server_close()


class Handler(socketserver.StreamRequestHandler):
    """One command."""

    server: Gcloud

    def handle(self) -> None:
        """Run it and tell how it went."""
        words, environment, cwd = json.loads(self.rfile.readline())
        self.wfile.write(json.dumps(self.server.run(words, environment, cwd)).encode() + b"\n")
