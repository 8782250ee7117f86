"""A bounded load from processes of its own: requests on keep-alive connections, timed one by one."""

from __future__ import annotations

import multiprocessing
import multiprocessing.queues
import socket
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """Requests per second of all clients together, and the median request in milliseconds."""

    per_second: float
    p50_ms: float


Results = multiprocessing.queues.Queue
"""Of (when it began, when it ended, seconds of each request)."""


def _read(wire: socket.socket, room: memoryview) -> None:
    """One whole answer, which must be a 200 with a length; as little as a client can do."""
    have = _some(wire, room)
    end = -1
    while (end := bytes(room[:have]).find(b"\r\n\r\n")) < 0:
        have += _some(wire, room[have:])
    head = bytes(room[:end]).lower()
    if not head.startswith(b"http/1.1 200"):
        raise SystemExit(f"not 200: {bytes(room[:have])[:500]!r}")
    whole = end + 4 + int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    while have < whole:
        have += _some(wire, room[have:whole])


def _some(wire: socket.socket, room: memoryview) -> int:
    """How many bytes came, which there must be."""
    count = wire.recv_into(room)
    if not count:
        raise SystemExit("the server hung up, or its answer is longer than there is room for")
    return count


def _client(port: int, asked: bytes, seconds: float, results: Results[tuple[float, float, list[float]]]) -> None:
    room = memoryview(bytearray(4 << 20))
    with socket.create_connection(("127.0.0.1", port), timeout=60) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        times: list[float] = []
        begun = now = time.perf_counter()
        while now - begun < seconds:
            wire.sendall(asked)
            _read(wire, room)
            was, now = now, time.perf_counter()
            times.append(now - was)
    results.put((begun, now, times))


def load(port: int, path: str, token: str, *, clients: int = 2, seconds: float = 1.0) -> Figures:
    """GET `path` on each of `clients` connections, again and again for so many seconds."""
    lines = (f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Authorization: Bearer {token}", "", "")
    asked = "\r\n".join(lines).encode()
    results: Results[tuple[float, float, list[float]]] = multiprocessing.Queue()
    words = (port, asked, seconds, results)
    runs = [multiprocessing.Process(target=_client, args=words, daemon=True) for _ in range(clients)]
    for run in runs:
        run.start()
    answers = [results.get(timeout=seconds + 60) for _ in runs]
    for run in runs:
        run.join()
    times = [each for _, _, some in answers for each in some]
    return Figures(sum(len(some) / (end - begun) for begun, end, some in answers), statistics.median(times) * 1000)
