"""Builds the Debian package: `make deb`. gcelib and what it needs, in an environment of its own below /usr/lib/gcelib.

The package is for the Python of the machine that builds it (`--python`), for the libraries' wheels are. What makes it
different from one build to the next is taken out; it is dated by SOURCE_DATE_EPOCH where that is set.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from email.utils import formatdate
from pathlib import Path

import manpages

from gcelib import __version__
from gcelib.cli.completion import SHELLS

ROOT = Path(__file__).parent.parent
DEBIAN = Path(__file__).parent / "debian"
HOME = "usr/lib/gcelib"
EXTRAS = "[postgres,redis,otel]"
MAINTAINER = "{} <{}>".format(os.environ.get("DEBFULLNAME", "The authors of gcelib"),
                              os.environ.get("DEBEMAIL", "gcelib@localhost"))  # fmt: skip
"""Whoever builds the package, as Debian's own tools take it."""
COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/gcelib",
    "zsh": "usr/share/zsh/vendor-completions/_gcelib",
    "fish": "usr/share/fish/vendor_completions.d/gcelib.fish",
}
LEFT_OUT = (".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "build", "dist", "*.egg-info", "tests", "bench")
"""What of a checkout is not looked at for a wheel."""
PROGRAM = """\
#!/usr/lib/gcelib/bin/python -I
import sys

from gcelib.cli import main

sys.exit(main())
"""


def ran(*words: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What a command printed. Raises CalledProcessError with what it said besides."""
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=cwd, env=env).stdout


def environment(tree: Path, python: str, bare: bool) -> None:
    """The wheel and, unless `bare`, its libraries where the package will have them, with no trace of this place."""
    home = tree / HOME
    ran(python, "-m", "venv", "--without-pip", home)
    with tempfile.TemporaryDirectory() as folder:
        # Whoever builds at the same time writes into the same build and egg-info, too.
        copy = shutil.copytree(ROOT, Path(folder) / "gcelib", ignore=shutil.ignore_patterns(*LEFT_OUT))
        ran(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, copy)
        (wheel,) = Path(folder).glob("*.whl")
        wanted = ["--no-deps", wheel] if bare else ["--only-binary=:all:", f"{wheel}{EXTRAS}"]
        ran(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", home / "bin" / "python", "install",
            "-q", "--no-input", "--no-compile", *wanted)
    shutil.rmtree(home / "share", ignore_errors=True)
    shutil.rmtree(home / "include", ignore_errors=True)
    (home / "lib64").unlink(missing_ok=True)
    for script in (home / "bin").iterdir():
        script.unlink()
    interpreter = Path(ran(python, "-c", "import sys; print(sys.executable)").strip()).resolve()
    (home / "bin" / "python").symlink_to(os.path.relpath(interpreter, Path("/") / HOME / "bin"))
    (home / "pyvenv.cfg").write_text(f"home = {interpreter.parent}\ninclude-system-site-packages = false\n")
    for record in home.rglob("direct_url.json"):
        record.unlink()
    for record in home.rglob("*.dist-info/RECORD"):
        kept = [line for line in record.read_text().splitlines(keepends=True)
                if "direct_url.json" not in line and not line.startswith("..")]
        record.write_text("".join(kept))
    for tests in home.glob("lib/*/site-packages/libcloud/test"):
        shutil.rmtree(tests)


def placed(tree: Path, place: str, content: str | bytes, mode: int = 0o644) -> Path:
    """A file of the package."""
    path = tree / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def documents(tree: Path, version: str, epoch: int) -> None:
    """Manual pages, completions, examples, the copyright and the changes."""
    for name, page in manpages.pages().items():
        placed(tree, f"usr/share/man/man{name[-1]}/{name}.gz", gzip.compress(page.encode(), 9, mtime=0))
    for shell in SHELLS:
        placed(tree, COMPLETIONS[shell], ran(sys.executable, "-m", "gcelib", "completion", shell, cwd=ROOT))
    own = "usr/share/doc/gcelib"
    placed(tree, f"{own}/copyright", (DEBIAN / "copyright").read_text())
    changes = (f"gcelib ({version}) unstable; urgency=medium\n\n  * See CHANGELOG.md.gz.\n\n"
               f" -- {MAINTAINER}  {formatdate(epoch)}\n")
    placed(tree, f"{own}/changelog.gz", gzip.compress(changes.encode(), 9, mtime=0))
    placed(tree, f"{own}/CHANGELOG.md.gz", gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), 9, mtime=0))
    here = ROOT / "packaging"
    for example in [*sorted((here / "examples").glob("*.toml")), here / "grafana" / "gcelib.json",
                    here / "prometheus" / "gcelib.rules.yml"]:  # fmt: skip
        placed(tree, f"{own}/examples/{example.name}", example.read_text())
    placed(tree, "usr/share/lintian/overrides/gcelib", (DEBIAN / "lintian-overrides").read_text())


def service(tree: Path) -> None:
    """The command, the unit with the package's paths, and what the operator may change."""
    placed(tree, "usr/bin/gcelib", PROGRAM, 0o755)
    unit = (ROOT / "packaging" / "gcelib.service").read_text().replace("/opt/gcelib/bin/gcelib", "/usr/bin/gcelib")
    placed(tree, "usr/lib/systemd/system/gcelib.service", re.sub(r"\A(#.*\n)+", "", unit))
    placed(tree, "etc/default/gcelib", (DEBIAN / "gcelib.default").read_text())
    (tree / "etc" / "gcelib").mkdir()


def control(tree: Path, version: str, python: str) -> None:
    """What dpkg reads."""
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    major, minor = map(int, ran(python, "-c", "import sys; print(*sys.version_info[:2])").split())
    said = (DEBIAN / "control").read_text().format(
        version=version, maintainer=MAINTAINER, architecture=ran("dpkg", "--print-architecture").strip(),
        size=sum(-(-path.stat().st_size // 1024) for path in files), python=f"{major}.{minor}",
        after=f"{major}.{minor + 1}",
    )
    sums = [f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n" for path in files]
    placed(tree, "DEBIAN/control", said)
    placed(tree, "DEBIAN/md5sums", "".join(sums))
    placed(tree, "DEBIAN/conffiles", "/etc/default/gcelib\n")
    for script in ("postinst", "prerm", "postrm"):
        placed(tree, f"DEBIAN/{script}", (DEBIAN / script).read_text(), 0o755)


def modes(paths: Iterable[Path]) -> None:
    """Folders and programs 0755, everything else 0644, whatever the umask of whoever builds."""
    for path in paths:
        if not path.is_symlink():
            runs = path.is_dir() or (path.read_bytes()[:2] == b"#!" and path.parent.name in ("bin", "DEBIAN"))
            path.chmod(0o755 if runs else 0o644)


def build(target: Path, python: str, version: str, *, bare: bool = False) -> Path:
    """The package's file in the folder `target`; `bare`: without libraries, to look at the rest without having to fetch
    them. Raises CalledProcessError of whatever fails."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        environment(tree, python, bare)
        service(tree)
        documents(tree, version, epoch)
        control(tree, version, python)
        modes([tree, *tree.rglob("*")])
        target.mkdir(parents=True, exist_ok=True)
        ran("dpkg-deb", "--root-owner-group", "-Zgzip" if bare else "-Zxz", "--build", tree, target,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)})
    (made,) = target.glob(f"gcelib_{version}_*.deb")
    return made


def main() -> int:
    """Build it and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=ROOT / "dist")
    parser.add_argument("--python", default="/usr/bin/python3", help="Debian's own, for which the package is")
    parser.add_argument("--version", default=__version__)
    args = parser.parse_args()
    try:
        print(build(args.target, args.python, args.version))
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd))}\n{error.stdout}{error.stderr}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
