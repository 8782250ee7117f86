"""`python -m tests.packaging.image [-- BUILD ARGUMENTS]`: the container file built by podman or docker, and run.

The container has a read-only root, no capability and one volume; it gets a cloud by variables, says that it is
healthy, answers, keeps its state over a restart, and stops by SIGTERM with 0. Where no registry is reached, `--base
TREE` takes a folder with a Debian and Python 3.13 (debootstrap trixie) for the image that the file begins with. What
follows `--` is handed to `build`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gcelib.simulator import Simulator
from tests.live import free_port
from tests.packaging import trial

ROOT = Path(__file__).parents[2]
FILE = ROOT / "packaging" / "Dockerfile"
IMAGE = "localhost/gcelib-trial"
BASE = "docker.io/library/python:3.13-slim"


class Engine:
    """Podman or docker, by its command line."""

    def __init__(self, program: str) -> None:
        self._program = program

    def __call__(self, *words: str | Path, check: bool = True) -> str:
        done = subprocess.run([self._program, *words], capture_output=True, text=True, timeout=900, check=False)
        if check and done.returncode != 0:
            raise SystemExit(f"{self._program} {' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()


def engine() -> str:
    """The program that answers; "" when there is none, or a docker without its daemon."""
    for name in ("podman", "docker"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    return ""


def imported(run: Engine, tree: Path, folder: Path) -> None:
    """The tree as the image that the file begins with; `python` is there as in that."""
    packed = folder / "base.tar"
    subprocess.run(["tar", "-C", tree, "-cf", packed, "."], check=True)
    path = "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
    run("import", "--change", path, packed, "localhost/base")
    with tempfile.TemporaryDirectory() as empty:
        (Path(empty) / "Dockerfile").write_text("FROM localhost/base\nRUN ln -s /usr/bin/python3 /usr/bin/python\n")
        run("build", "-t", BASE, empty)


def zones(run: Engine, name: str, port: int, folder: Path) -> list[str]:
    """What the container answers to the key of an account of its own."""
    token = run("exec", name, "gcelib", "client", "token", "--project", "demo", "--key-file", "/var/lib/gcelib/me.json")
    (folder / "ca.pem").write_text(run("exec", name, "cat", "/var/lib/gcelib/ca.pem"))
    found = trial.asked(f"https://localhost:{port}/compute/v1/projects/demo/zones", token, folder / "ca.pem")
    return [zone["name"] for zone in found["items"]]


def tried(run: Engine, cloud: Simulator, folder: Path) -> list[str]:
    """Start, health, an answer, the same after a restart, the end. The container goes in any case."""
    name, port, admin = f"gcelib-trial-{free_port()}", free_port(), free_port()
    keys = cloud.accounts["demo"]
    said = {"SERVER_LISTEN": f"0.0.0.0:{port}", "SERVER_ADMIN_LISTEN": f"127.0.0.1:{admin}",
            "SERVER_EXTERNAL_URL": f"https://localhost:{port}", "CLOUDS_SIM_PROVIDER": "cloudstack",
            "CLOUDS_SIM_ENDPOINT": cloud.url, "CLOUDS_SIM_KEY": keys.api_key, "CLOUDS_SIM_SECRET": keys.secret_key,
            "PROJECTS_DEMO_CLOUDS": "sim"}  # fmt: skip
    variables = [word for key, value in said.items() for word in ("--env", f"GCELIB_{key}={value}")]
    try:
        run("run", "--detach", "--name", name, "--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--network=host",
            "--security-opt=no-new-privileges", "--volume", f"{name}:/var/lib/gcelib", *variables, IMAGE)
        healthy(run, name, admin)
        run("exec", name, "gcelib", "account", "create-service", "me", "--project", "demo", "--role", "viewer",
            "--key-file", "/var/lib/gcelib/me.json")
        before = zones(run, name, port, folder)
        run("restart", "--time", "30", name)
        healthy(run, name, admin)
        assert zones(run, name, port, folder) == before
        assert run("exec", name, "id", "-u") == "5000"
        run("stop", "--time", "30", name)
        state = json.loads(run("inspect", name))[0]["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 0), state
        return before
    finally:
        run("rm", "--force", name, check=False)
        run("volume", "rm", "--force", name, check=False)


def healthy(run: Engine, name: str, admin: int) -> None:
    """Wait until the file's own health check, asked of the port that this container has, is content."""
    line = next(line for line in FILE.read_text().splitlines() if line.strip().startswith("CMD [\"python\", \"-c\""))
    words = json.loads(line.strip().removeprefix("CMD "))
    deadline = time.monotonic() + 60
    while subprocess.run([engine(), "exec", name, *(word.replace("5001", str(admin)) for word in words)],
                         capture_output=True, check=False).returncode:  # fmt: skip
        assert time.monotonic() < deadline, run("logs", name)
        time.sleep(0.2)


def main() -> int:
    """0 when all went well, or when there is neither podman nor docker, which is told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path)
    parser.add_argument("build", nargs="*")
    args = parser.parse_args()
    program = engine()
    if not program:
        print("NOT DONE: there is neither podman nor a docker that answers.")
        return 0
    run = Engine(program)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Simulator(job_delay=0.1) as cloud:
        if args.base:
            imported(run, args.base, Path(folder))
        run("build", "-t", IMAGE, "-f", FILE, *args.build, ROOT)
        size = int(json.loads(run("inspect", IMAGE))[0]["Size"]) // 1_000_000
        answered = tried(run, cloud, Path(folder))
    print(f"{program}: built, {size} MB; healthy; answered {', '.join(answered)}, also after a restart; stopped; "
          f"{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
