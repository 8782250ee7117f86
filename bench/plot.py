"""The figures as a picture: how far each is from its target, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot

from bench.figures import Figure


def plot(figures: Sequence[Figure], file: Path) -> None:
    """Bars of value / target, or target / value where more is better: left of 1 is good. With their spread."""
    shares = [[value / each.target if each.most else each.target / value for value in each.values] for each in figures]
    middle = [sorted(share)[len(share) // 2] for share in shares]
    spread = [[m - min(s) for m, s in zip(middle, shares, strict=True)],
              [max(s) - m for m, s in zip(middle, shares, strict=True)]]
    figure, axes = pyplot.subplots(figsize=(9, 0.32 * len(figures) + 1.2), layout="constrained")
    colours = ["#2b7a78" if each.met else "#c0392b" for each in figures]
    axes.barh([f"{each.work} ({each.unit or 'count'})" for each in figures], middle, xerr=spread, color=colours,
              error_kw={"elinewidth": 1, "ecolor": "#555555"})
    axes.axvline(1, color="#222222", linewidth=1)
    axes.set_xlabel("share of the target; left of the line it is met")
    axes.invert_yaxis()
    axes.tick_params(labelsize=8)
    figure.savefig(file)
    pyplot.close(figure)
