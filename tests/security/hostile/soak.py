"""Sends hostile requests by the thousand and judges every answer; `python -m tests.security.hostile.soak 100000`."""

from __future__ import annotations

import collections
import contextlib
import json
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from gcelib.simulator import Simulator
from tests.conftest import launched
from tests.live import Live
from tests.security.hostile.attacks import Attack, Attacks
from tests.wire.machines import machine

TARGET = "target"
SLOWEST = 10.0


class Talk:
    """One connection, opened again whenever the server has had enough of it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._buffer = b""

    def ask(self, attack: Attack) -> list[tuple[int, dict[str, str], bytes]]:
        """Every answer to it; none when the server just hangs up. Raises TimeoutError when it does neither."""
        try:
            return self._asked(attack)
        except (EOFError, ConnectionError):
            self.close()
            return []

    def _asked(self, attack: Attack) -> list[tuple[int, dict[str, str], bytes]]:
        if not self._socket:
            self._socket = socket.create_connection(("localhost", self._port), timeout=SLOWEST)
        with contextlib.suppress(ConnectionError):  # It may have answered before all of it was sent.
            self._socket.sendall(attack.data)
            if attack.ends:
                self._socket.shutdown(socket.SHUT_WR)
        answers = [self._answer()]
        try:
            while attack.ends or answers[-1][0] == 100:
                answers.append(self._answer())
        except (EOFError, ConnectionError):
            self.close()
        if answers[-1][1].get("connection", "").lower() == "close":
            self.close()
        return answers

    def _answer(self) -> tuple[int, dict[str, str], bytes]:
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return int(first.split()[1]), headers, body

    def _more(self) -> None:
        assert self._socket
        data = self._socket.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data

    def close(self) -> None:
        """Hang up."""
        if self._socket:
            self._socket.close()
        self._socket, self._buffer = None, b""


@dataclass
class Verdict:
    """What came of it: how many of which status, what was wrong with which request, how long the slowest took."""

    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    wrong: list[tuple[str, str, bytes]] = field(default_factory=list)
    slowest: tuple[float, str, bytes] = (0.0, "", b"")
    hung_up: int = 0

    def judge(self, attack: Attack, answers: list[tuple[int, dict[str, str], bytes]], seconds: float) -> None:
        """Take one attack's answers into account."""
        self.hung_up += not answers
        self.slowest = max(self.slowest, (seconds, attack.kind, attack.data[:400]))
        for status, headers, body in answers:
            self.statuses[status] += 1
            wrong = mistake(attack, status, headers, body)
            if wrong:
                self.wrong.append((wrong, attack.kind, attack.data[:2000]))


def mistake(attack: Attack, status: int, headers: dict[str, str], body: bytes) -> str:
    """What is wrong with an answer; "" when nothing is."""
    if status >= 500:
        return f"{status}: {body[:300]!r}"
    kind = headers.get("content-type", "")
    if not body or status == 100:
        return ""
    if kind.startswith("multipart/mixed"):
        inner = [line for line in body.split(b"\r\n") if line.startswith(b"HTTP/1.1 5")]
        return f"in a batch: {inner[:3]}" if inner else ""
    if kind.startswith("text/html"):
        return "" if attack.page else f"HTML with {status}"
    if not kind.startswith("application/json"):
        return f"{status} of type {kind!r}"
    json.loads(body)
    return ""


def soak(live: Live, count: int, seed: int = 0, threads: int = 4) -> Verdict:
    """Send so many, over a few connections at once."""
    verdict, lock, token = Verdict(), threading.Lock(), live.sign_in()

    def work(number: int) -> None:
        attacks, talk = Attacks(seed * 1000 + number, token, TARGET), Talk(live.port)
        for _ in range(count // threads):
            attack = attacks.next()
            begun = time.monotonic()
            try:
                answers, hung = talk.ask(attack), ""
            except (TimeoutError, ValueError) as error:
                talk.close()
                answers, hung = [], f"no sound answer: {error!r}"
            with lock:
                verdict.judge(attack, answers, time.monotonic() - begun)
                if hung:
                    verdict.wrong.append((hung, attack.kind, attack.data[:2000]))
        talk.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return verdict


def resident(live: Live) -> int:
    """MiB of memory that the process holds."""
    assert live.process
    status = Path(f"/proc/{live.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def prepare(live: Live) -> None:
    """A machine to aim at."""
    live.api().change("POST", "zones/ch-gv2/instances", machine(TARGET))


def main(count: int) -> None:
    """A server of its own, so many requests, and figures every tenth of the way."""
    simulator = Simulator(job_delay=0.1)
    simulator.start()
    live = launched(Path(tempfile.mkdtemp()), simulator)
    try:
        prepare(live)
        print(f"start: {resident(live)} MiB")
        for part in range(10):
            begun = time.monotonic()
            verdict = soak(live, count // 10, seed=part)
            print(f"{(part + 1) * count // 10} requests: {resident(live)} MiB, {time.monotonic() - begun:.0f} s, "
                  f"{dict(sorted(verdict.statuses.items()))}, hung up {verdict.hung_up}, "
                  f"slowest {verdict.slowest[0]:.2f} s ({verdict.slowest[1]}: {verdict.slowest[2][:150]!r}), "
                  f"wrong {len(verdict.wrong)}", flush=True)
            for wrong in verdict.wrong[:5]:
                print("  WRONG", wrong)
    finally:
        live.stop()
        simulator.stop()
    print("tracebacks in the log:", live.said().count("Traceback"))
    print(live.home)


if __name__ == "__main__":
    main(int(sys.argv[1]))
