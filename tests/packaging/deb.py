"""`python -m tests.packaging.deb PACKAGE`: a Debian package in a Debian that has booted systemd, in a container.

It is installed, configured, started, asked, reloaded, upgraded, stopped, removed, installed again and purged, as
tests/packaging/trial.sh has it. Needs root, debootstrap and systemd-nspawn; `--root` names a tree of debootstrap's to
copy in place of making one (minbase with python3, adduser, systemd and dbus).
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
INCLUDED = "python3,adduser,systemd,dbus"
UNIT = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh /root/trial.sh
StandardOutput=file:/root/said
StandardError=inherit
ExecStopPost=/bin/systemctl --no-block --force poweroff
"""


def lacking() -> str:
    """What keeps this from being done here; "" when nothing does."""
    needed = [name for name in ("debootstrap", "systemd-nspawn", "dpkg-deb") if not shutil.which(name)]
    if os.getuid() != 0:
        return "it needs root"
    return f"there is no {', '.join(needed)} here" if needed else ""


def bootstrap(tree: Path) -> None:
    """A small Debian of this machine's release."""
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    subprocess.run(["debootstrap", "--variant=minbase", f"--include={INCLUDED}", release, tree], check=True,
                   stdout=subprocess.DEVNULL, timeout=900)


def successor(package: Path, folder: Path) -> Path:
    """The same package with a higher version, and a configuration file that has changed."""
    tree = folder / "successor"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    lines = [f"{line}.1" if line.startswith("Version:") else line for line in control.read_text().splitlines()]
    control.write_text("\n".join(lines) + "\n")
    with (tree / "etc" / "default" / "gcelib").open("a") as file:
        file.write("# What the next version says.\n")
    made = folder / "second.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, made], check=True,
                   stdout=subprocess.DEVNULL)
    return made


def booted(tree: Path, package: Path, second: Path) -> str:
    """Boot the tree and run the trial in it; what it said. The network of the container is its own."""
    shutil.copy(package, tree / "root" / "first.deb")
    shutil.copy(second, tree / "root" / "second.deb")
    shutil.copy(HERE / "trial.sh", tree / "root" / "trial.sh")
    units = tree / "etc" / "systemd" / "system"
    (units / "trial.service").write_text(UNIT)
    # Whatever default target there is, the trial goes with it.
    wanted = units / "multi-user.target.wants"
    wanted.mkdir(exist_ok=True)
    (wanted / "trial.service").symlink_to("../trial.service")
    (units / "default.target").unlink(missing_ok=True)
    (units / "default.target").symlink_to("/lib/systemd/system/multi-user.target")
    subprocess.run(["systemd-nspawn", "--quiet", "--keep-unit", "--register=no", "--private-network", "--boot",
                    "--directory", tree], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=600)  # fmt: skip
    said = tree / "root" / "said"
    return said.read_text() if said.exists() else "The container did not get as far as the trial."


def main() -> int:
    """0 when every step was done, or when none can be done here, which is told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path)
    parser.add_argument("--root", type=Path)
    args = parser.parse_args()
    if why := lacking():
        print(f"NOT DONE: {why}.")
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        if args.root:
            subprocess.run(["cp", "-a", args.root, tree], check=True)
        else:
            bootstrap(tree)
        said = booted(tree, args.package, successor(args.package, Path(folder)))
    steps = [line.removeprefix("STEP ") for line in said.splitlines() if line.startswith("STEP ")]
    if steps[-1:] != ["done"]:
        print(said, file=sys.stderr)
        return 1
    print(f"{args.package.name}: {'; '.join(steps[:-1])}; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
