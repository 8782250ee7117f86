"""Figures over time: requests, how long they took, calls to clouds, answers from memory, operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gcelib.server import metrics
from gcelib.server.console.desk import Visit, href
from gcelib.server.console.frame import Page
from gcelib.server.console.markup import Html, count, el, join, lasted, table
from gcelib.server.console.plot import Plot, Series, figure
from gcelib.server.console.samples import Point

_SPANS = {"": ("The last hour", 3600.0), "day": ("The last day", 86400.0)}
_MOST_METHODS = 12


def page(visit: Visit) -> Page:
    """The plots, of an hour or a day, and the methods that were called most."""
    chosen = visit.asked("span") if visit.asked("span") in _SPANS else ""
    samples = visit.desk.samples
    points = samples.day() if chosen else samples.hour()
    ways = [el("li", el("a", name, href=href("figures", span=each), aria_current="true" if each == chosen else None))
            for each, (name, _) in _SPANS.items()]
    times = [point.when for point in points]
    body = join([
        el("h1", "Figures"),
        el("nav", el("ul", ways, class_="choice"), aria_label="Of which time"),
        el("p", "Of this process, since it was started; all of them are on ", el("a", "/metrics", href="/metrics"),
           " for Prometheus.", class_="quiet"),
        el("div", [figure(plot, times, _SPANS[chosen][1], visit.now) for plot in plots(points)], class_="cards wide"),
        _methods(),
    ])
    return Page("Figures", body, 10.0)


def plots(points: Sequence[Point]) -> list[Plot]:
    """What is drawn of these points."""
    def of(kind: str) -> list[float | None]:
        return [point.requests.get(kind, 0.0) for point in points]

    well = [sum(number for kind, number in point.requests.items() if kind in "123") for point in points]
    return [
        Plot("requests", "Requests a second", [
            Series("done (2xx, 3xx)", well), Series("refused (4xx)", of("4")), Series("failed (5xx)", of("5")),
        ], per_second),
        Plot("latency", "How long requests took", [
            Series("half took at most", [point.median for point in points]),
            Series("95 of 100 at most", [point.slow for point in points]),
        ], lasted),
        Plot("calls", "Calls to clouds a second", [
            Series("all", [point.calls for point in points]),
            Series("failed", [point.failed_calls for point in points]),
        ], per_second),
        Plot("memory", "Lists answered from memory", [Series("share", [point.known for point in points])], percent,
             1.0),
        Plot("open", "Operations under way", [Series("not done", [point.open for point in points])], count, 4.0),
    ]


def per_second(value: float) -> str:
    """A rate for people."""
    return f"{value:.0f}/s" if value >= 10 or value == 0 else f"{value:.1f}/s" if value >= 0.1 else f"{value:.2f}/s"


def percent(share: float) -> str:
    """A share for people."""
    return f"{100 * share:.0f} %"


def _methods() -> Html | None:
    """The methods that were called most."""
    calls, bad, seconds = defaultdict[str, float](float), defaultdict[str, float](float), defaultdict[str, float](float)
    wanted = ("gcelib_requests_total", "gcelib_request_seconds_sum")
    for family in metrics.registry.restricted_registry(wanted).collect():
        for sample in family.samples:
            method = sample.labels["method"]
            if sample.name == "gcelib_request_seconds_sum":
                seconds[method] += sample.value
                continue
            calls[method] += sample.value
            if sample.labels["status"].startswith("5"):
                bad[method] += sample.value
    if not calls:
        return None
    rows = [
        [method.removeprefix("compute."), count(number), count(bad[method]), lasted(seconds[method] / number)]
        for method, number in sorted(calls.items(), key=lambda each: -each[1])[:_MOST_METHODS]
    ]
    return join([
        el("h2", "Called most"),
        table("Methods, since the process was started", ("Method", "Requests", "Failed", "Took on average"), rows,
              hidden=True),
    ])
