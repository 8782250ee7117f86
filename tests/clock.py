"""A time that tests set."""

from __future__ import annotations


class Clock:
    """Callable as `time.monotonic` and `time.time` are; stands still unless a test moves `now`."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now
