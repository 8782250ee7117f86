"""`python -m tests.packaging.installs`: what `make dist` made, installed with all it needs on every Python it is for.

Each gets an empty environment: the version is said, a demo started, one request answered, and the end clean. The oldest
has the source distribution, the others the wheel, and the container's Python what the container is built of besides. A
Python that is not here is told of and left out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.packaging import trial

ROOT = Path(__file__).parents[2]
CONTAINER = "3.13"
"""The Python of packaging/Dockerfile."""


def tried(python: Path, package: Path | str, folder: Path) -> str:
    """One Python with one package; what came of it. Raises CalledProcessError, AssertionError."""
    began = time.monotonic()
    place = folder / "venv"
    environ = trial.environment(folder)
    subprocess.run([python, "-m", "venv", place], check=True, env=environ, timeout=120)
    pip = [place / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-q", "--no-input", package], check=True, timeout=600, env=environ)
    subprocess.run([*pip, "check"], check=True, timeout=60, env=environ, stdout=subprocess.DEVNULL)
    program: list[str | Path] = [place / "bin" / "gcelib"]
    said = subprocess.run([*program, "--version"], check=True, capture_output=True, text=True, env=environ, timeout=60)
    zones = trial.demo(program, folder, environ)
    return f"{said.stdout.strip()}; answered {', '.join(zones)}; stopped; {time.monotonic() - began:.0f} s"


def sent(folder: Path) -> Path:
    """What .dockerignore lets through to the container's build, in a folder of its own."""
    source = folder / "source"
    source.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            place = ROOT / line[1:]
            if place.is_dir():
                shutil.copytree(place, source / place.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
            else:
                shutil.copy(place, source)
    return source


def main() -> int:
    """All of them; 1 when one fails or there is nothing to install."""
    (*wheels,) = (ROOT / "dist").glob("*.whl")
    (*sources,) = (ROOT / "dist").glob("*.tar.gz")
    if not wheels or not sources:
        print("There is nothing in dist/: make dist", file=sys.stderr)
        return 1
    for number, (version, python) in enumerate(trial.pythons().items()):
        package = wheels[0] if number else sources[0]
        if python is None:
            print(f"python{version}: NOT DONE, it is not here", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            print(f"python{version}, {package.name}: {tried(python, package, Path(folder))}", flush=True)
        if version == CONTAINER:
            with tempfile.TemporaryDirectory() as folder:
                built = tried(python, f"{sent(Path(folder))}[postgres,redis,otel]", Path(folder))
            print(f"python{version}, as the container is built: {built}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
