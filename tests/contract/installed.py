"""Clients that no extra of gcelib brings: where the environment says, else where `make clients` put it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLIENTS = Path(sys.prefix) / "clients"


def ansible_lines() -> dict[str, str]:
    """Shell lines for ansible's commands by name; empty where none of them is to be had."""
    if shutil.which("ansible-playbook"):
        return {}
    if not (CLIENTS / "ansible").is_dir():
        return {}
    run = f'PYTHONPATH="{CLIENTS / "ansible"}:${{PYTHONPATH:-}}" exec "{sys.executable}" -m ansible'
    return {f"ansible-{name}": f'{run} {name} "$@"' for name in ("playbook", "galaxy", "inventory")}


def environment() -> dict[str, str]:
    """What leads to the collection and to the Node library."""
    found = {name: os.environ[name] for name in ("ANSIBLE_COLLECTIONS_PATH", "NODE_PATH") if name in os.environ}
    return {"ANSIBLE_COLLECTIONS_PATH": str(CLIENTS), "NODE_PATH": str(CLIENTS / "node" / "node_modules"), **found,
            **go_environment()}


def go_environment() -> dict[str, str]:
    """Where Go finds Google's library: where the environment says, else where Debian puts it. What was compiled is
    kept where this user's own is, whatever home a test has."""
    there = {"GOPATH": os.environ["GOPATH"]} if "GOPATH" in os.environ else {
        "GOPATH": "/usr/share/gocode", "GO111MODULE": "off"}
    return {**there, "GOCACHE": os.environ.get("GOCACHE", str(Path.home() / ".cache" / "go-build"))}


def has_go(path: str) -> bool:
    """Whether Go is on this PATH and knows Google's library."""
    return _works(path, "go", "list", "google.golang.org/api/compute/v1")


def has_java(path: str) -> bool:
    """Whether a JDK that runs programs from source is on this PATH."""
    return _works(path, "keytool", "-help") and _works(path, "javac", "--help")


def java_jars() -> str:
    """A class path with Google's auth library: what the environment says in GCELIB_TEST_JARS, else Debian's; "" for
    none."""
    if given := os.environ.get("GCELIB_TEST_JARS"):
        return given
    jars = [Path("/usr/share/java") / f"{name}.jar" for name in _AUTH_JARS]
    return os.pathsep.join(map(str, jars)) if all(jar.is_file() for jar in jars) else ""


_AUTH_JARS = (
    "google-auth-library-oauth2-http", "google-auth-library-credentials", "google-http-client",
    "google-http-client-gson", "google-http-client-jackson2", "gson", "guava", "jackson-core", "opencensus-api",
    "opencensus-contrib-http-util", "grpc-context",
)
"""What ServiceAccountCredentials of libgoogle-auth-java needs."""


def has_ansible(path: str) -> bool:
    """Whether Ansible is on this PATH and Google's collection where Ansible looks."""
    return _works(path, "ansible-galaxy", "collection", "list", "google.cloud")


def has_node(path: str) -> bool:
    """Whether Node.js is on this PATH and knows Google's library."""
    return _works(path, "node", "-e", "require.resolve('@google-cloud/compute')")


def programs(folder: Path, lines: dict[str, str]) -> str:
    """A PATH on which a command is found for each shell line, ahead of all that is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, line in lines.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def skip_without(there: bool, what: str) -> None:
    """Skip, saying what is not installed and how it is had."""
    if not there:
        pytest.skip(f"{what} is not installed: `make clients` does that")


def _works(path: str, *words: str) -> bool:
    program = shutil.which(words[0], path=path)
    if not program:
        return False
    known = {**os.environ, **environment(), "PATH": path}
    return not subprocess.run([program, *words[1:]], env=known, capture_output=True, check=False).returncode
