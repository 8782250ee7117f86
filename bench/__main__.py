"""`python -m bench`: gcelib's warm lists beside the ceiling that answers the same bytes, and calls per request.

Writes a table to bench/results/latest.md. Takes about a minute; all traffic stays on loopback.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from bench.load import Figures, load
from gcelib.simulator import Simulator
from tests.live import Live, free_port

SIZES = (1, 100, 500)
PATH = "/compute/v1/projects/demo/zones/ch-gv2/instances"
RESULTS = Path(__file__).parent / "results"


def row(size: int, ours: Figures, ceiling: Figures) -> str:
    """One line of the table."""
    return (
        f"| {size} | {ours.bytes // 1024} KiB | {ours.per_second:.0f} | {ceiling.per_second:.0f} "
        f"| {ours.per_second / ceiling.per_second:.2f} | {ours.p50_ms:.2f} | {ours.p50_ms / ceiling.p50_ms:.2f} |"
    )


def measure(size: int) -> str:
    """gcelib over a cloud with this many machines, then the ceiling with the same bytes, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        cloud = Simulator(job_delay=0, preload=size)
        cloud.start()
        account = cloud.accounts["demo"]
        live = Live(home, cloud.url, account.api_key, account.secret_key).start()
        try:
            token = live.sign_in()
            asked = urllib.request.Request(live.url + PATH, headers={"Authorization": f"Bearer {token}"})
            with urllib.request.urlopen(asked, timeout=30) as answer:
                (home / "body").write_bytes(answer.read())
            ours = load(live.port, PATH, token)
        finally:
            live.stop()
            cloud.stop()
        return row(size, ours, ceiling(home / "body"))


def ceiling(body: Path) -> Figures:
    """The same load on the ten-line server."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.ceiling", str(body), str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        process.stdout.readline()
        return load(port, "/x", "none")
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    """Measure, print, write."""
    lines = [
        "| machines | answer | requests/s | ceiling | ratio | p50 ms | ratio |",
        "|---|---|---|---|---|---|---|",
        *(measure(size) for size in SIZES),
    ]
    table = "\n".join(lines) + "\n"
    print(table)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.md").write_text(table)


if __name__ == "__main__":
    main()
