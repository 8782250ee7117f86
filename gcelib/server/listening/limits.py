"""How much and how long: every bound of the listener in one place."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024
BODY_LIMIT = 16 * MIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, seconds and counts.

    `held` bounds what all incomplete requests and answers not yet taken hold together; of each request the first
    `small` bytes do not count, so that whoever asks for little is answered whatever others hold. `read` is for one
    request to arrive (large bodies get more), `first` for a new connection to say anything, `idle` between
    two requests, `write` for a client to take its answer (large ones get more), `linger` for it to read a
    refusal. `waiting` requests may queue for a thread; `keep_alive` connections stay open between requests,
    `connections` are parked at most.
    """

    head: int = 64 * 1024
    body: int = BODY_LIMIT
    held: int = 256 * MIB
    small: int = 16 * 1024
    read: float = 10.0
    first: float = 60.0
    idle: float = 900.0
    write: float = 30.0
    linger: float = 2.0
    backlog: int = 128
    waiting: int = 1024
    keep_alive: int = 1000
    connections: int = 4000
