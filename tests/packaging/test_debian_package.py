"""The Debian package without its libraries: what is in it, where, what dpkg is told. `make deb-test` installs it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gcelib import __version__
from gcelib.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package unpacked, its control files in DEBIAN."""
    if not shutil.which("dpkg-deb") or not Path(PYTHON).exists():
        pytest.skip("Debian packages are built on Debian")
    sys.path.insert(0, str(ROOT / "packaging"))
    try:
        spec = importlib.util.spec_from_file_location("deb", ROOT / "packaging" / "deb.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        folder = tmp_path_factory.mktemp("deb")
        made = module.build(folder, PYTHON, __version__, bare=True)
    finally:
        sys.path.remove(str(ROOT / "packaging"))
    subprocess.run(["dpkg-deb", "-R", made, folder / "tree"], check=True)
    return folder / "tree"


def test_everything_an_operator_looks_for_is_in_its_place(package: Path) -> None:
    pages = {f"usr/share/man/man1/gcelib-{command}.1.gz" for command in COMMANDS}
    for place in (*pages, "usr/share/man/man1/gcelib.1.gz", "usr/share/man/man5/gcelib.toml.5.gz", "etc/default/gcelib",
                  "usr/share/bash-completion/completions/gcelib", "usr/share/zsh/vendor-completions/_gcelib",
                  "usr/share/fish/vendor_completions.d/gcelib.fish", "usr/share/doc/gcelib/copyright",
                  "usr/share/doc/gcelib/changelog.gz", "usr/share/doc/gcelib/examples/cloudstack.toml",
                  "usr/share/doc/gcelib/examples/gcelib.rules.yml",
                  "usr/lib/systemd/system/gcelib.service"):  # fmt: skip
        assert (package / place).is_file(), place
    (code,) = package.glob("usr/lib/gcelib/lib/python3*/site-packages/gcelib")
    listed = subprocess.run(["git", "ls-files", "gcelib"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lost = [line for line in listed.splitlines() if (ROOT / line).exists() and not (code.parent / line).exists()]
    assert lost == []
    assert (package / "usr/bin/gcelib").stat().st_mode & 0o777 == 0o755


def test_the_unit_runs_the_packages_own_command(package: Path) -> None:
    unit = (package / "usr/lib/systemd/system/gcelib.service").read_text()
    assert "ExecStart=/usr/bin/gcelib serve --config /etc/gcelib/gcelib.toml\n" in unit
    assert "/opt/" not in unit


def test_what_the_operator_changes_is_kept_and_data_goes_by_purge_alone(package: Path) -> None:
    control = package / "DEBIAN"
    assert (control / "conffiles").read_text() == "/etc/default/gcelib\n"
    for script in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", control / script], check=True)
    for script in ("postinst", "prerm"):
        assert "rm -" not in (control / script).read_text()
    before, _, after = (control / "postrm").read_text().partition('if [ "$1" = purge ]; then\n')
    assert "rm -" not in before
    assert "rm -rf /var/lib/gcelib /etc/gcelib\n" in after


def test_the_package_is_for_the_python_it_was_built_with(package: Path) -> None:
    control = (package / "DEBIAN/control").read_text()
    version = subprocess.run([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True,
                             text=True, check=True).stdout.strip()
    assert f"python3 (>= {version}), " in control
    assert (package / f"usr/lib/gcelib/lib/python{version}").is_dir()
    assert re.search(rf"^Version: {re.escape(__version__)}$", control, re.MULTILINE)


def test_nothing_in_it_tells_where_it_was_built(package: Path) -> None:
    for path in (*package.glob("usr/lib/gcelib/pyvenv.cfg"), *package.rglob("*.dist-info/*"), *package.glob("etc/**/*"),
                 *package.glob("usr/bin/*"), *package.glob("usr/share/**/*"), *package.glob("DEBIAN/*")):  # fmt: skip
        if path.is_file():
            assert str(ROOT).encode() not in path.read_bytes(), path
    assert not [*package.rglob("direct_url.json")]
