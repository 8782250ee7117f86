"""Which requests share threads: those for the same clouds, so that a cloud that hangs holds no other's."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from gcelib.config import Config

BATCHES = "batch"
_MOST, _LONGEST = 1000, 100
"""How many projects' names are remembered, and of how many letters: anybody may ask for any."""


def alone(lane: str) -> bool:
    """Whether the lane is that of one cloud, so that nothing in it can be answered when that one is away."""
    return "," not in lane and lane != BATCHES


class Lanes:
    """Made of the configuration as it is now."""

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._known = _Known(config())

    def of(self, target: bytes) -> str:
        """The lane of a request for this target; "" for one that waits for no cloud, as operations do not."""
        parts = target.partition(b"?")[0].decode("latin-1").split("/")
        if parts[1:2] == [BATCHES]:
            return BATCHES
        if len(parts) < 5 or (parts[1], parts[3]) != ("compute", "projects") or "operations" in parts[5:]:
            return ""
        return self._now().lane(parts[4])

    def limit(self, threads: int) -> int:
        """How many threads one lane may have: half of them, or most where there is only one."""
        return max(1, threads // 2 if self._now().several else threads * 3 // 4)

    def _now(self) -> _Known:
        config = self._config()
        if self._known.config is not config:
            self._known = _Known(config)
        return self._known


class _Known:
    """What one configuration says of lanes, found out once."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.several = len({row.clouds for row in config.projects.values()}) > 1
        self._lanes: dict[str, str] = {}

    def lane(self, written: str) -> str:
        """The lane of a project, as a path has its name."""
        found = self._lanes.get(written)
        if found is None:
            found = self._lane(unquote(written))
            if len(self._lanes) < _MOST and len(written) <= _LONGEST:
                self._lanes[written] = found
        return found

    def _lane(self, name: str) -> str:
        public = self.config.image_projects.get(name)
        if public is not None:
            return public.cloud
        row = self.config.project(name) or self.config.projects.get("*")
        return ",".join(row.clouds) if row is not None else ""
