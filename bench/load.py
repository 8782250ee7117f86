"""A bounded load from processes of its own: requests on keep-alive connections, timed one by one."""

from __future__ import annotations

import http.client
import multiprocessing
import multiprocessing.queues
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """Requests per second of all clients together, and the median request in milliseconds."""

    per_second: float
    p50_ms: float
    bytes: int


Results = multiprocessing.queues.Queue
"""Of (seconds of each request, bytes of an answer)."""


def _client(port: int, path: str, token: str, count: int, results: Results[tuple[list[float], int]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times: list[float] = []
    size = 0
    for _ in range(count):
        started = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:200]!r}")
        times.append(time.perf_counter() - started)
        size = len(body)
    results.put((times, size))


def load(port: int, path: str, token: str, *, clients: int = 2, count: int = 300) -> Figures:
    """`count` requests on each of `clients` connections, after a short warm-up."""
    results: Results[tuple[list[float], int]] = multiprocessing.Queue()
    for size in (20, count):
        runs = [
            multiprocessing.Process(target=_client, args=(port, path, token, size, results)) for _ in range(clients)
        ]
        started = time.perf_counter()
        for run in runs:
            run.start()
        answers = [results.get(timeout=120) for _ in runs]
        for run in runs:
            run.join()
        seconds = time.perf_counter() - started
    times = [each for answer in answers for each in answer[0]]
    return Figures(len(times) / seconds, statistics.median(times) * 1000, answers[0][1])
