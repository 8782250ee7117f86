"""`python -m tests.console.screenshots [FOLDER]`: the pictures in docs/console.md, of a server that is busy."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.console.scene import BOSS, PASSWORD, ZONE, Scene, scene
from tests.security.browser.driver import Browser

IMAGES = Path(__file__).parent.parent.parent / "docs" / "images"
MOST = 150_000
"""Bytes of one picture."""

SHOTS = (
    ("console-overview", "/", 1000, 760, False),
    ("console-operations", "/operations", 1000, 700, True),
    ("console-clouds-phone", "/clouds", 375, 800, False),
    ("console-figures-phone", "/figures", 375, 800, True),
)
"""Name, page, width, height, dark."""


def main() -> None:
    """Make every picture."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, scene(Path(home) / "server") as made:
        made.ended()
        made.busy()
        window = Browser(Path(home) / "chromium")
        try:
            window.open(f"{made.url}/sign-in")
            window.type("#user", BOSS)
            window.type("#password", PASSWORD)
            window.click("button")
            window.until(lambda: window.found("nav"))
            window.until(lambda: "has not answered for" in window.text("main"))
            _pass_time(made)
            for name, page, width, height, dark in SHOTS:
                window.look(width=width, dark=dark, height=height)
                window.open(made.url + page)
                path = folder / f"{name}.png"
                window.picture(path)
                assert path.stat().st_size < MOST, (path, path.stat().st_size)
                print(path)
        finally:
            window.close()


def _pass_time(made: Scene) -> None:
    """Two minutes with clients that look, so that there are figures to draw."""
    api = made.live.api()
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for number in range(10):
            api.get(f"zones/{ZONE}/instances")
            if number % 5 == 0:
                api.call("GET", f"zones/{ZONE}/instances/nobody")
        time.sleep(0.3 + 0.7 * ((time.monotonic() // 20) % 3))


if __name__ == "__main__":
    main()
