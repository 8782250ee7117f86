"""Google's library for Go, with a key file and over TLS: pages, changes waited for, and errors."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract import installed
from tests.live import Live

PROGRAM = Path(__file__).parent / "go_scripts" / "everything.go"
NEEDED = "Go with google.golang.org/api (Debian: golang-go golang-google-api-dev golang-golang-x-oauth2-google-dev)"

Said = dict[str, Any]


@pytest.fixture(scope="module")
def said(secure: Live) -> Said:
    """What each story of the program came to; skips where the library is not installed."""
    if not installed.has_go(os.environ["PATH"]):
        pytest.skip(f"{NEEDED} is not installed")
    known = {**os.environ, **installed.environment(), "URL": secure.url, "KEY_FILE": str(secure.key_file),
             "PROJECT": "demo", "SSL_CERT_FILE": str(secure.ca)}
    done = subprocess.run(["go", "run", str(PROGRAM)], env=known, capture_output=True, text=True, timeout=300,
                          check=False)
    assert done.returncode == 0, done.stderr
    found: Said = json.loads(done.stdout)
    return found


def test_pages_scopes_and_a_filter(said: Said) -> None:
    assert said["lists"] == {"pages": 3, "images": 28, "scopes": 3, "zone": "de-adv1"}


def test_a_machine_from_making_to_deleting(said: Said) -> None:
    found = said["machine"]
    assert (found["made"], found["read"], found["gone"]) == ("DONE", ["RUNNING", "yes"], "DONE")


def test_an_error_carries_its_code_and_the_servers_words(said: Said) -> None:
    found = said["machine"]
    expected = {"missing": (404, "notFound"), "taken": (409, "alreadyExists"), "stale": (412, "conditionNotMet")}
    assert {name: tuple(found[name][:2]) for name in expected} == expected
    assert "instances/by-go' was not found" in found["missing"][2]


def test_a_change_of_something_global_is_waited_for(said: Said) -> None:
    assert said["wall"] == {"made": "DONE", "gone": "DONE"}
