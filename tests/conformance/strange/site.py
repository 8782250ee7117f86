"""A gcelib over the untold cloud and its strange drivers, and how to change their moods."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.api import Api
from tests.live import Live

HERE = Path(__file__).parent
UNTOLD = HERE.parent / "untold"
TOKEN = "untold-token"
CLOUD = """
[clouds.{name}]
provider = "{name}"
endpoint = "http://127.0.0.1:{port}"
key = "untold-token"
timeout = 3
[projects.{project}]
clouds = ["{name}"]
"""
SATED = """
[clouds.sated]
provider = "needy"
endpoint = "http://127.0.0.1:{port}"
key = "untold-token"
[clouds.sated.options.arguments.create_node]
ex_contract = "C-17"
[projects.sated]
clouds = ["sated"]
"""
NAMES = {"strange": "demo", "open": "open", "needy": "needy", "sullen": "sullen", "crowded": "crowded"}


@dataclass
class Strange:
    """The daemon, the cloud, and the moods of its drivers."""

    live: Live
    cloud: subprocess.Popen[str]
    port: str

    @property
    def api(self) -> Api:
        """A client of the moody driver's project."""
        return self.live.api()

    @property
    def moods(self) -> Path:
        """What tells the drivers their moods."""
        return self.live.home / "moods"

    @contextmanager
    def moody(self, **moods: str) -> Iterator[None]:
        """Within this context these calls behave so."""
        self.write(moods)
        try:
            yield
        finally:
            self.write({})

    @contextmanager
    def felt(self, call: str, mood: str) -> Iterator[None]:
        """Within this context the call behaves so, and it is not left before one has: it may come after an answer."""
        before = self._felt(call, mood)
        with self.moody(**{call: mood}):
            yield
            self.until(lambda: self._felt(call, mood) > before)

    def _felt(self, call: str, mood: str) -> int:
        path = self.moods.with_suffix(".felt")
        return path.read_text().splitlines().count(f"{call} {mood}") if path.exists() else 0

    def write(self, moods: dict[str, str]) -> None:
        """Put the moods into their file, at one stroke."""
        fresh = self.moods.with_suffix(".fresh")
        fresh.write_text(json.dumps(moods))
        fresh.rename(self.moods)

    def ask(self, path: str, project: str = "demo") -> requests.Response:
        """A list of the cloud's as it is now, not as it is remembered."""
        url = f"{self.live.url}/compute/v1/projects/{project}/{path}"
        headers = {"Authorization": f"Bearer {self.live.sign_in()}", "Cache-Control": "no-cache"}
        return requests.get(url, headers=headers, timeout=60)

    def operation(self, target: str) -> Any:
        """The last operation about a machine, once there is one."""
        found: list[Any] = []

        def there() -> bool:
            rows = self.api.get("zones/east-1/operations").get("items", [])
            found.extend(row for row in rows if row["targetLink"].endswith(f"/{target}"))
            return bool(found)

        self.until(there)
        return found[-1]

    def until(self, there: Callable[[], bool], seconds: float = 20) -> None:
        """Wait for something that must come."""
        deadline = time.monotonic() + seconds
        while not there():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def machines(self, name: str) -> int:
        """How many machines of a name the cloud itself has."""
        url, headers = f"http://127.0.0.1:{self.port}/servers", {"X-Token": TOKEN}
        return sum(row["name"] == name for row in requests.get(url, headers=headers, timeout=20).json())


def begun(home: Path) -> Strange:
    """Everything, started. Whoever starts it ends it."""
    cloud = subprocess.Popen([sys.executable, str(UNTOLD / "cloud.py"), "0"], stdout=subprocess.PIPE, text=True)
    assert cloud.stdout is not None
    port = cloud.stdout.readline().strip()
    clouds = "".join(CLOUD.format(name=name, project=project, port=port) for name, project in NAMES.items())
    told = clouds + SATED.format(port=port)
    environ = {"PYTHONPATH": f"{HERE}:{UNTOLD}", "STRANGE_MOODS": str(home / "moods")}
    live = Live(home, "", "", "", clouds=told, environ=environ).start()
    live.sign_in()
    live.run("account", "grant", "tester@demo.gcelib.local", "--project", "*", "--role", "admin")
    return Strange(live, cloud, port)


def body(name: str, **fields: Any) -> dict[str, Any]:
    """A small machine in the east."""
    disk = {"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "global/images/debian-12"}}
    return {"name": name, "machineType": "zones/east-1/machineTypes/small", "disks": [disk],
            "networkInterfaces": [{"network": "global/networks/default"}], **fields}
