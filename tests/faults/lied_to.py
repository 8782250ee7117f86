"""A gcelib whose one cloud is lied about: what its answers may be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.between import Between, truth
from tests.live import Live

FORGETFUL = "[cache]\nzones = 0\nsizes = 0\nimages = 0\nnodes = 0\nother = 0\n"
"""A configuration in which every list is asked for anew."""


class LiedTo:
    """A running gcelib that remembers no list, over cloud `lab` behind `between`."""

    def __init__(self, live: Live, between: Between) -> None:
        self.live, self.between, self.api = live, between, live.api()

    def told(self, path: str) -> tuple[int, set[str]]:
        """The status of one list and the names in it, which may be no mistake of gcelib's."""
        answer = self.api.call("GET", path)
        assert answer.status != 500, answer.data
        if answer.status == 503:
            assert "'lab'" in answer.message
            assert int(answer.headers["Retry-After"]) > 0
        return answer.status, {item["name"] for item in answer.data.get("items", [])}

    def well(self, path: str, names: set[str]) -> None:
        """The truth is told again, and shown as soon as the cloud is asked again."""
        self.between.lie = truth
        self.api.until(lambda: self.api.call("GET", path), 200)
        assert self.told(path) == (200, names)


@contextmanager
def lied_to(home: Path, between: Between, clouds: str) -> Iterator[LiedTo]:
    """For a while; at its end it must have made no mistake."""
    live = Live(home, between.url, "", "", clouds=clouds, extra=FORGETFUL).start()
    yield LiedTo(live, between)
    between.lie = truth
    assert live.stop() == 0
    between.close()
    assert "Traceback" not in live.said(), live.said()[-5000:]
