"""Installs the clients that the tests drive and that no extra of gcelib brings: Ansible with Google's collection, and
Google's library and axe-core for Node.js, beside the Python that runs this."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(sys.prefix) / "clients"
"""Where they go, apart from what gcelib's own tests need: `ansible`, `ansible_collections` and `node`.
tests/contract/installed.py looks there."""
COLLECTION = "ansible_collections/google/cloud/"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq")


def ansible() -> None:
    """Ansible's core from PyPI and, of the big package of collections, the one of Google's alone."""
    where = ("--target", str(FOLDER / "ansible"))
    subprocess.run([*PIP, "install", "--no-input", "--upgrade", *where, "ansible-core>=2.16,<3"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*PIP, "download", "--no-deps", "--only-binary=:all:", "--dest", folder, "ansible"], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(FOLDER, members=[name for name in packed.namelist() if name.startswith(COLLECTION)])


def node() -> None:
    """Google's library, what it signs in with, and what finds out whether a page is for everybody, where there is npm.
    """
    if not shutil.which("npm"):
        print("There is no npm: the tests of Google's library for Node.js, and of the console by axe, will be skipped.")
        return
    (FOLDER / "node").mkdir(parents=True, exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    subprocess.run(["npm", "install", *quiet, "--prefix", str(FOLDER / "node"), "@google-cloud/compute@6",
                    "google-auth-library@10", "axe-core@4"], check=True)


if __name__ == "__main__":
    ansible()
    node()
