"""The ceiling: ten lines of Bottle on Cheroot that answer the bytes of a file; `python -m bench.ceiling FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import bottle
from cheroot import wsgi

BODY = Path(sys.argv[1]).read_bytes()
app = bottle.Bottle()


@app.get("/<path:path>")
def answer(path: str) -> bytes:
    """The bytes, whatever is asked."""
    bottle.response.content_type = "application/json; charset=UTF-8"
    return BODY


if __name__ == "__main__":
    server = wsgi.Server(("127.0.0.1", 0), app, numthreads=32)
    server.prepare()
    print(server.bind_addr[1], flush=True)
    server.serve()
