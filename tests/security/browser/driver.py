"""A real Chromium, driven by chromedriver's WebDriver protocol (W3C), with nothing but `requests`."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from tests.live import free_port

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMEDRIVER = shutil.which("chromedriver")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--no-proxy-server",
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
TAB, ENTER = "\ue004", "\ue007"


class Moved(Exception):
    """The page gave way to the next one between an element's being found and its being asked."""


class Browser:
    """One window. Scripts of pages run only with `scripts`; its profile lives in `folder`."""

    def __init__(self, folder: Path, *, scripts: bool = True) -> None:
        port = free_port()
        self._driver = subprocess.Popen(
            [str(CHROMEDRIVER), f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self._http = requests.Session()
        self._http.trust_env = False
        self._url = f"http://127.0.0.1:{port}"
        self._until_ready()
        options = {
            "binary": CHROMIUM, "args": [*_FLAGS, f"--user-data-dir={folder}"],
            "perfLoggingPrefs": {"enableNetwork": True},
        }
        wanted = {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
            "timeouts": {"pageLoad": 30_000},
        }
        session = self._post("/session", {"capabilities": {"alwaysMatch": wanted}})
        self._url += f"/session/{session['sessionId']}"
        if not scripts:
            self.devtools("Emulation.setScriptExecutionDisabled", value=True)

    def _until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                if self._http.get(f"{self._url}/status", timeout=5).json()["value"]["ready"]:
                    return
            except requests.ConnectionError:
                assert time.monotonic() < deadline, "chromedriver does not answer"
                time.sleep(0.05)

    def _post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._http.post(self._url + path, json=body or {}, timeout=60)
        assert answer.status_code == 200, answer.text[:500]
        return answer.json()["value"]

    def _get(self, path: str) -> Any:
        answer = self._http.get(self._url + path, timeout=60)
        if answer.status_code == 404:
            raise Moved(answer.text[:500])
        assert answer.status_code == 200, answer.text[:500]
        return answer.json()["value"]

    def devtools(self, command: str, **params: Any) -> Any:
        """A command of Chromium's own protocol."""
        return self._post("/goog/cdp/execute", {"cmd": command, "params": params})

    def open(self, url: str) -> None:
        """Go there and wait until it is loaded."""
        self._post("/url", {"url": url})

    @property
    def url(self) -> str:
        """Where the window is."""
        return str(self._get("/url"))

    @property
    def title(self) -> str:
        """The window's title."""
        return str(self._get("/title"))

    def found(self, css: str) -> list[str]:
        """The elements that a selector finds."""
        return [each[_ELEMENT] for each in self._post("/elements", {"using": "css selector", "value": css})]

    def text(self, css: str) -> str:
        """What one element shows."""
        return str(self._get(f"/element/{self.found(css)[0]}/text"))

    def role(self, css: str) -> str:
        """What one element is to a screen reader."""
        return str(self._get(f"/element/{self.found(css)[0]}/computedrole"))

    def label(self, css: str) -> str:
        """What a screen reader calls one element."""
        return str(self._get(f"/element/{self.found(css)[0]}/computedlabel"))

    def type(self, css: str, text: str) -> None:
        """Type into one element."""
        self._post(f"/element/{self.found(css)[0]}/value", {"text": text})

    def click(self, css: str) -> None:
        """Click on one element."""
        self._post(f"/element/{self.found(css)[0]}/click")

    def until(self, condition: Callable[[], Any], seconds: float = 20) -> None:
        """Wait until something is so: a form's answer is not waited for by the click that sends it."""
        def so() -> bool:
            try:
                return bool(condition())
            except Moved:
                return False

        deadline = time.monotonic() + seconds
        while not so():
            assert time.monotonic() < deadline, self.url
            time.sleep(0.02)

    def keys(self, text: str) -> None:
        """Press keys, wherever the focus is."""
        presses = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._post("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": presses}]})

    def focused(self) -> str:
        """The id of the element with the focus, else its tag."""
        return str(self.run("return document.activeElement.id || document.activeElement.tagName"))

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script of the test's own finds out; the page's policy does not apply to it."""
        return self._post("/execute/sync", {"script": script, "args": list(arguments)})

    def look(self, *, width: int, dark: bool, height: int = 800) -> None:
        """Make the window so wide, in CSS pixels, and light or dark."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 500)
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, path: Path) -> None:
        """Save what the window shows."""
        path.write_bytes(base64.b64decode(self.devtools("Page.captureScreenshot")["data"]))

    def requested(self) -> list[str]:
        """The addresses asked for since the last call, whoever asked."""
        events = [json.loads(entry["message"])["message"] for entry in self._post("/se/log", {"type": "performance"})]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def complaints(self) -> list[str]:
        """What the browser itself complained about since the last call: policies broken, things not loaded."""
        return [str(entry["message"]) for entry in self._post("/se/log", {"type": "browser"})]

    def until_refused(self, word: str) -> list[str]:
        """Wait until the browser complains of something with this word in it; what it said."""
        said: list[str] = []

        def heard() -> bool:
            said.extend(line for line in self.complaints() if word in line)
            return bool(said)

        self.until(heard)
        return said

    def close(self) -> None:
        """End browser and driver."""
        try:
            self._http.delete(self._url, timeout=30)
        finally:
            self._http.close()
            self._driver.terminate()
            self._driver.wait(30)
