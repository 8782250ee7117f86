"""`python -m bench.flames`: where a warm and a cold list spend their time, as pictures in docs/; needs py-spy."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

from bench.house import HERE, Server, cloud, gcelib
from bench.load import load
from bench.warm import BASE, REMEMBERED

SECONDS = 10
DOCS = Path(__file__).parents[1] / "docs"


def record(server: Server, name: str, title: str, work: Callable[[], object]) -> None:
    """The functions of the server process while `work` is done again and again."""
    assert server.live.process
    file = DOCS / f"{name}.svg"
    words = ("--rate", "100", "--nonblocking", "--function", "--duration", str(SECONDS), "--output", str(file))
    spy = subprocess.Popen(["py-spy", "record", "--pid", str(server.live.process.pid), *words])

    def on() -> None:
        while spy.poll() is None:
            work()

    client = Thread(target=on)
    client.start()
    spy.wait()
    client.join()
    # py-spy's own title is its command line, with this machine's paths.
    file.write_text(re.sub(r"[^<>]*py-spy record[^<]*", title, file.read_text()))


def main() -> int:
    """Make both pictures."""
    if not shutil.which("py-spy"):
        sys.exit("py-spy is not on PATH: pip install py-spy")
    with cloud(100) as one, gcelib(one, extra=REMEMBERED) as server:
        server.get(HERE)
        again = lambda: load(server.live.port, BASE + HERE, server.token)  # noqa: E731
        record(server, "flame-warm", "a warm list of 100 machines", again)
    with cloud(1000) as one, gcelib(one) as server:
        server.get(HERE)
        record(server, "flame-cold", "a cold list of 1 000 machines", lambda: server.get(HERE, anew=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
