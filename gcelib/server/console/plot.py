"""Lines over time, drawn as SVG by the server: no script, no picture from elsewhere, and the numbers as a table."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gcelib.server.console.markup import Html, el, table

_WIDE, _HIGH = 600, 160
_MOST_ROWS = 13
_SHORTEST = 300.0
"""Seconds that a plot shows at least."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line: a value for each time, None where there is a gap."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Plot:
    """`id` is for links, `told` says a value for people, `most` is what the scale reaches at least."""

    id: str
    title: str
    series: Sequence[Series]
    told: Callable[[float], str]
    most: float = 0.0


def figure(plot: Plot, times: Sequence[float], span: float, now: float) -> Html:
    """The plot of the `span` seconds before `now`, of less where there is little yet, with a key and its numbers."""
    span = min(span, max(_SHORTEST, 300.0 * math.ceil((now - min(times, default=now)) / 300.0)))
    highest = max((value for line in plot.series for value in line.values if value is not None), default=0.0)
    top = nice(max(highest, plot.most))
    lines = [
        el("polyline", points=" ".join(run), class_=f"line line{at}")
        for at, line in enumerate(plot.series) for run in _runs(line.values, times, span, now, top)
    ]
    grid = [el("line", x1=0, x2=_WIDE, y1=y, y2=y, class_="grid") for y in (0, _HIGH // 2, _HIGH)]
    said = "; ".join(f"{line.name}: {_summary(line, plot.told)}" for line in plot.series)
    drawing = el(
        "svg", grid, lines, viewBox=f"0 -2 {_WIDE} {_HIGH + 4}", preserveAspectRatio="none", role="img",
        aria_label=f"{plot.title}. {said}.",
    )
    marks = [el("span", plot.told(value)) for value in (top, top / 2, 0.0)]
    scale = el("div", marks, class_="scale", aria_hidden="true")
    axis = el("div", [el("span", text) for text in _ago(span)], class_="axis", aria_hidden="true")
    return el(
        "figure", el("figcaption", plot.title), el("div", scale, drawing, class_="plot"), axis,
        _key(plot), _numbers(plot, times), class_="card", id=plot.id,
    )


def spark(values: Sequence[float | None], label: str) -> Html:
    """A small line without a scale, beside a number."""
    known = [value for value in values if value is not None]
    top = max(known, default=0.0) or 1.0
    step = 120 / max(1, len(values) - 1)
    at = " ".join(
        f"{number * step:.1f},{28 - 26 * value / top:.1f}" for number, value in enumerate(values) if value is not None
    )
    line = el("polyline", points=at, class_="line line0") if at else None
    return el("svg", line, viewBox="0 0 120 30", preserveAspectRatio="none", role="img", aria_label=label,
              class_="spark")


def nice(most: float) -> float:
    """The round number that a scale to `most` ends with."""
    if most <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1.0, 2.0, 4.0, 6.0, 8.0, 10.0) if step * power >= most * 0.999)


def _runs(
    values: Sequence[float | None], times: Sequence[float], span: float, now: float, top: float
) -> list[list[str]]:
    """The stretches without a gap, as SVG's points."""
    runs: list[list[str]] = [[]]
    for when, value in zip(times, values, strict=True):
        if value is None or when < now - span:
            runs.append([])
            continue
        x = _WIDE * (1 - (now - when) / span)
        runs[-1].append(f"{x:.1f},{_HIGH * (1 - value / top):.1f}")
    # One point alone would not be seen.
    return [run if len(run) > 1 else [run[0], _beside(run[0])] for run in runs if run]


def _beside(point: str) -> str:
    x, _, y = point.partition(",")
    return f"{float(x) + 2:.1f},{y}"


def _summary(line: Series, told: Callable[[float], str]) -> str:
    known = [value for value in line.values if value is not None]
    if not known:
        return "nothing yet"
    if not any(known):
        return "none"
    return f"{'last' if line.values[-1] is None else 'now'} {told(known[-1])}, at most {told(max(known))}"


def _ago(span: float) -> tuple[str, str, str]:
    if span > 7200:
        return f"{span / 3600:.0f} h ago", f"{span / 7200:.0f} h", "now"
    return f"{span / 60:.0f} min ago", f"{span / 120:g} min", "now"


def _key(plot: Plot) -> Html:
    """Which line is which, and how it is now."""
    def sample(at: int) -> Html:
        line = el("line", x1=0, x2=28, y1=5, y2=5, class_=f"line line{at}")
        return el("svg", line, viewBox="0 0 28 10", aria_hidden="true")

    return el("ul", [el("li", sample(at), f" {line.name}: {_summary(line, plot.told)}")
                     for at, line in enumerate(plot.series)], class_="key")


def _numbers(plot: Plot, times: Sequence[float]) -> Html:
    """The same as a table, some of the times."""
    step = max(1, math.ceil(len(times) / _MOST_ROWS))
    chosen = [*range(len(times) - 1, -1, -step)][::-1]
    rows = [
        [f"{datetime.datetime.fromtimestamp(times[at], datetime.UTC):%H:%M:%S}",
         *("–" if line.values[at] is None else plot.told(line.values[at] or 0.0) for line in plot.series)]
        for at in chosen
    ]
    heads = ["Time (UTC)", *(line.name for line in plot.series)]
    return el("details", el("summary", "Numbers"), table(plot.title, heads, rows, hidden=True, lay=False))
