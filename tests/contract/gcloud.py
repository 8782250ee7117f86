"""Runs gcloud against one server, with settings and a home of its own; it is loaded once for all commands."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contract import browser, tables
from tests.live import Live

SECONDS = 120
LOADED = Path(__file__).with_name("gcloud_loaded.py")
PERSON_SCRIPT = "https://sdk.cloud.google.com/authcode.html"


@dataclass(frozen=True)
class Ran:
    """What a command printed."""

    out: str
    err: str

    @property
    def rows(self) -> list[tables.Row]:
        """The rows of the list."""
        return tables.aligned(self.out)

    def column(self, name: str) -> list[str]:
        """One column of the list."""
        return [row[name] for row in self.rows]

    @property
    def data(self) -> Any:
        """What was printed with --format=json."""
        return json.loads(self.out)


def installation() -> dict[str, str]:
    """Of this process's environment where gcloud and its Python are, and no other setting."""
    return {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("CLOUDSDK_PY")}


class Loaded:
    """A gcloud that is loaded at its first command and forked for each, until this process ends."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self, words: list[str], environment: Mapping[str, str], cwd: Path, folder: Path) -> tuple[int, Ran]:
        """`gcloud WORDS` in this environment: its exit code and what it printed, which `folder` is needed for."""
        out, err = folder / "out", folder / "err"
        order = {"words": words, "environment": {**environment}, "cwd": str(cwd), "out": str(out), "err": str(err),
                 "seconds": SECONDS}
        with self._turn:
            process = self._started()
            assert process.stdin
            assert process.stdout
            print(json.dumps(order), file=process.stdin, flush=True)
            code = process.stdout.readline()
            assert code, "gcloud could not be loaded"
            return int(code), Ran(out.read_text(), err.read_text())

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            home = tempfile.TemporaryDirectory(prefix="gcloud")
            self._process = subprocess.Popen(
                ["gcloud"], env={**installation(), "HOME": home.name, "CLOUDSDK_PYTHON_ARGS": f"-S {LOADED}"},
                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            atexit.register(home.cleanup)
            atexit.register(self._process.communicate)
        return self._process


GCLOUD = Loaded()


@dataclass
class Gcloud:
    """gcloud for one server; not signed in yet."""

    live: Live
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the settings of the person who runs the tests but where gcloud and its Python are."""
        kept = installation()
        own = {
            "HOME": str(self.home),
            "CLOUDSDK_CONFIG": str(self.home / "config"),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": f"{self.live.url}/compute/v1/",
            "CLOUDSDK_CORE_PROJECT": "demo",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
            "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
            "CLOUDSDK_AUTH_AUTH_HOST": f"{self.live.url}/oauth2/auth",
            "CLOUDSDK_AUTH_TOKEN_HOST": f"{self.live.url}/oauth2/token",
            "CLOUDSDK_AUTH_CLIENT_ID": "gcloud",
            "CLOUDSDK_AUTH_CLIENT_SECRET": "gcloud",
        }
        if self.live.tls == "off":
            return {**kept, **own, "OAUTHLIB_INSECURE_TRANSPORT": "1"}
        return {**kept, **own, "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": str(self.live.ca)}

    def run(self, *words: str) -> Ran:
        """`gcloud WORDS`, which must end well; for what is not compute's."""
        done = subprocess.run(["gcloud", *words], capture_output=True, text=True, timeout=SECONDS, check=False,
                              env=self.environment, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"$ gcloud {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return Ran(done.stdout, done.stderr)

    def tried(self, *words: str) -> tuple[int, Ran]:
        """`gcloud compute WORDS`, working in this home: its exit code and what it printed."""
        return GCLOUD.run(["compute", *words], self.environment, self.home, self.home)

    def compute(self, *words: str, code: int = 0) -> Ran:
        """`gcloud compute WORDS`; it must end with `code` and must not have crashed."""
        ended, ran = self.tried(*words)
        said = f"$ gcloud compute {' '.join(words)}\n{ran.out}\n{ran.err}"
        assert "gcloud crashed" not in ran.err, said
        assert "Traceback" not in ran.err, said
        assert ended == code, said
        return ran

    def refused(self, *words: str) -> str:
        """The error of a command that must be refused: one message, without what gcloud puts around it."""
        text = self.compute(*words, code=1).err
        return text.partition("ERROR: ")[2].partition(") ")[2].removeprefix("Could not fetch resource:\n - ").strip()

    def activate(self) -> Ran:
        """Sign in with the key file of the server's service account."""
        self.live.sign_in()
        return self.run("auth", "activate-service-account", f"--key-file={self.live.key_file}")

    def log_in(self) -> str:
        """`gcloud auth login` by a person with a browser; gives what it said."""
        process = subprocess.Popen(["gcloud", "auth", "login", "--no-launch-browser"], stdin=subprocess.PIPE, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self.environment)
        assert process.stdout
        page = ""
        seen: list[str] = []
        while not page:
            line = process.stdout.readline()
            assert line, "".join(seen)
            seen.append(line)
            page = line.strip() if line.strip().startswith(f"{self.live.url}/oauth2/auth?") else ""
        arrived = browser.sign_in(page, str(self.live.ca) if self.live.tls == "auto" else True)
        said, _ = process.communicate(f"{self.code(arrived)}\n", timeout=SECONDS)
        assert process.returncode == 0, said
        return str(said)

    def code(self, arrived: browser.Arrived) -> str:
        """The code a person pastes: Google's page, to which the browser is sent, does no more than show it."""
        assert arrived.code or arrived.location.startswith(PERSON_SCRIPT), arrived
        if arrived.code:
            return arrived.code
        return browser.query(arrived.location)["code"]
