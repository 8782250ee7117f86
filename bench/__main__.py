"""`python -m bench`: what README and docs/performance.md say of speed, measured beside references in the same run.

Writes a table, the figures and a plot to bench/results/. All traffic stays on loopback.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench import changes, cold, start, warm
from bench.figures import HEAD, Figure
from gcelib.cli.telling import Progress

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- figures of make bench -->\n", "<!-- end of figures -->"
WORK: Mapping[str, Callable[[int], Iterator[Figure]]] = {
    "lists": warm.lists, "gets": warm.gets, "choices": warm.choices, "thousand": cold.thousand,
    "ten-thousand": cold.ten_thousand, "several": cold.several, "calls": changes.calls, "jobs": changes.jobs,
    "in-flight": changes.in_flight, "start": start.start, "growth": cold.growth,
}
GATED = ("lists", "thousand")
"""What CI looks at: the quick ones."""


def main() -> int:
    """Measure, print, write; 1 when a target is missed, with `--gate` only when what may not be missed is."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("work", nargs="*", help=f"what to measure: {', '.join(WORK)}; everything when left out")
    parser.add_argument("--rounds", type=int, default=5, help="how often each thing is measured (5)")
    parser.add_argument("--page", action="store_true", help="put them into docs/performance.md as well")
    parser.add_argument("--quiet", action="store_true", help="show no progress on a terminal")
    parser.add_argument("--gate", action="store_true", help="the quick ones; only ratios and counts matter")
    given = parser.parse_args()
    if unknown := set(given.work) - WORK.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))} to measure")
    rounds, names = (3, GATED) if given.gate else (given.rounds, given.work or WORK)
    print(HEAD, flush=True)
    figures: list[Figure] = []
    with Progress(given.quiet) as progress:
        for number, name in enumerate(names, 1):
            progress(f"measuring {name}", number, len(names))
            for figure in WORK[name](rounds):
                figures.append(figure)
                progress.clear()
                print(figure.row(), flush=True)
    if given.gate:
        shut = [figure.work for figure in figures if not figure.open_gate]
        print(f"\nThe gate is shut by: {', '.join(shut)}" if shut else "\nThe gate is open.")
        return 1 if shut else 0
    write(figures)
    if given.page:
        publish()
    return 0 if all(figure.met for figure in figures) else 1


def write(figures: list[Figure]) -> None:
    """The table, the figures as data, and the plot, for which Matplotlib is needed (`make bench` installs it)."""
    from bench.plot import plot

    RESULTS.mkdir(exist_ok=True)
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    (RESULTS / "latest.md").write_text("\n".join([f"{machine}\n", HEAD, *(figure.row() for figure in figures)]) + "\n")
    data = [{"work": figure.work, "unit": figure.unit, "values": [*figure.values], "target": figure.target,
             "at_most": figure.most, "beside": figure.beside} for figure in figures]
    (RESULTS / "latest.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    plot(figures, RESULTS / "latest.svg")


def publish() -> None:
    """The table and the plot, from the results into the page."""
    head, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(head + BEGIN + (RESULTS / "latest.md").read_text() + END + tail)
    shutil.copyfile(RESULTS / "latest.svg", PAGE.parent / "performance.svg")


if __name__ == "__main__":
    sys.exit(main())
