"""The wheel and the source distribution: made of this tree, whole, and enough to run gcelib."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from gcelib import __version__
from tests.packaging import trial

ROOT = Path(__file__).parents[2]
NOT_PACKED = re.compile(r"__pycache__|\.pyc$")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, the wheel made of what the source distribution holds."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT], check=True,
                   capture_output=True, timeout=120)
    return folder


def sources() -> set[str]:
    """Every file of the package that belongs to it."""
    listed = subprocess.run(["git", "ls-files", "gcelib"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {line for line in listed.stdout.splitlines() if (ROOT / line).exists() and not NOT_PACKED.search(line)}


def test_twine_finds_nothing_to_say_of_them(made: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *made.iterdir()],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert len(re.findall("PASSED", done.stdout)) == 2


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(made: Path) -> None:
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed_files:
        names = packed_files.namelist()
    packed = {name for name in names if not name.startswith(f"gcelib-{__version__}.")}
    assert sources() <= packed
    assert {name for name in packed if not (ROOT / name).exists()} == set()
    assert any(name.endswith("migrations/versions/__init__.py") or "/migrations/versions/" in name for name in packed)


def test_the_source_distribution_holds_what_packages_are_built_of_and_no_tests(made: Path) -> None:
    (source,) = made.glob("*.tar.gz")
    with tarfile.open(source) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert sources() <= names
    assert {"setup.py", "pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", "packaging/gcelib.service",
            "packaging/Dockerfile", "packaging/manpages.py", "docs/cli.md"} <= names
    assert not [name for name in names if name.startswith("tests") or NOT_PACKED.search(name)]


def test_the_wheel_starts_answers_and_stops_in_an_environment_of_its_own(made: Path, tmp_path: Path) -> None:
    (wheel,) = made.glob("*.whl")
    place = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True, timeout=60)
    python = place / "bin" / "python"
    subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index",
                    "--disable-pip-version-check", wheel], check=True, timeout=60)
    # What gcelib needs is lent by the environment of the tests; `python -m tests.packaging.installs` installs it.
    lent = sysconfig.get_paths()["purelib"]
    (inside,) = place.glob("lib/python*/site-packages")
    (inside / "lent.pth").write_text(f"{lent}\n")
    environ = trial.environment(tmp_path)
    program = place / "bin" / "gcelib"
    said = subprocess.run([program, "--version"], env=environ, capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.startswith(f"gcelib {__version__} ")
    where = subprocess.run([python, "-c", "import gcelib; print(gcelib.__file__)"], env=environ, capture_output=True,
                           text=True, timeout=60, check=True, cwd=tmp_path)
    assert where.stdout.startswith(str(inside))
    assert trial.demo([program], tmp_path, environ)
