"""Which requests share threads: those for the same clouds, so that a cloud that hangs holds no other's."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from gcelib.config import Config

BATCHES = "batch"


def alone(lane: str) -> bool:
    """Whether the lane is that of one cloud, so that nothing in it can be answered when that one is away."""
    return "," not in lane and lane != BATCHES


class Lanes:
    """Made of the configuration as it is now."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config

    def of(self, target: bytes) -> str:
        """The lane of a request for this target; "" for one that waits for no cloud, as operations do not."""
        path = target.partition(b"?")[0].decode("latin-1")
        parts = path.split("/")
        if parts[1:2] == [BATCHES]:
            return BATCHES
        if len(parts) < 5 or (parts[1], parts[3]) != ("compute", "projects") or "operations" in parts[5:]:
            return ""
        config, name = self._config(), unquote(parts[4])
        public = config.image_projects.get(name)
        if public is not None:
            return public.cloud
        row = config.project(name) or config.projects.get("*")
        return ",".join(row.clouds) if row is not None else ""

    def limit(self, threads: int) -> int:
        """How many threads one lane may have: half of them, or most where there is only one."""
        several = len({row.clouds for row in self._config().projects.values()}) > 1
        return max(1, threads // 2 if several else threads * 3 // 4)
