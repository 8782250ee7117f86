"""The first page: what is wrong and how it is mended, and the four or five numbers that tell how things are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gcelib import __version__
from gcelib.errors import Unavailable
from gcelib.server.console import figures, operations
from gcelib.server.console.clouds import state, summary
from gcelib.server.console.desk import Visit, href, listed, without
from gcelib.server.console.frame import Page
from gcelib.server.console.markup import Child, Html, badge, count, el, join, lasted, many, moment
from gcelib.server.console.plot import spark
from gcelib.server.findings import WRONG, Finding

_SHOWN = 6


def page(visit: Visit) -> Page:
    """How this server is, as far as it is this person's business."""
    findings = visit.findings()
    body = join([
        el("h1", "Overview"),
        _verdict(findings),
        listed(findings) if findings else None,
        el("ul", [_card(*each) for each in _numbers(visit)], class_="cards"),
        _work(visit),
        _server(visit) if visit.sight.admin else None,
    ])
    bad = sum(each.level == WRONG for each in findings)
    return Page("Overview", body, 5.0, f"{many(bad, 'thing is', 'things are')} wrong" if bad else "Nothing is wrong")


def _verdict(findings: list[Finding]) -> Html:
    bad = sum(each.level == WRONG for each in findings)
    if bad:
        return el("p", badge("wrong", f"{many(bad, 'thing', 'things')} to be mended"))
    return el("p", badge("well", "Nothing is wrong") if not findings else badge("note", "Works; worth a look"))


def _card(name: str, way: str, number: Child, more: Child) -> Html:
    return el("li", el("h2", el("a", name, href=way)), el("p", number, class_="number"), more, class_="card")


def _numbers(visit: Visit) -> Iterator[tuple[str, str, Child, Child]]:
    pulses = visit.pulses()
    yield ("Clouds", href("clouds"), summary(pulses),
           el("ul", [el("li", state(pulse), f" {pulse.name}") for pulse in pulses], class_="plain"))
    yield "Operations", href("operations"), *_operations(visit)
    lately, hour = visit.desk.samples.lately(), visit.desk.samples.hour()
    per_second = [sum(point.requests.values()) for point in hour]
    bad = sum(lately.requests.get(kind, 0.0) for kind in "5") if lately else 0.0
    yield ("Requests", href("figures"), figures.per_second(sum(lately.requests.values())) if lately else "–",
           [el("p", f"{figures.per_second(bad)} answered with 5xx", class_="quiet"),
            spark(per_second, "Requests a second in the last hour")])
    yield ("Answers from memory", href("figures"), "–" if lately is None or lately.known is None
           else figures.percent(lately.known), el("p", "of the lists that were looked at in the last minute",
                                                  class_="quiet"))


def _operations(visit: Visit) -> tuple[Child, Child]:
    try:
        whole = operations.total(visit.books().glimpses.tallies(visit.sight.operations()).values())
    except Unavailable as fault:
        return "–", without(fault)
    since = ["The oldest was begun ", moment(whole.oldest, visit.now), ". "] if whole.oldest is not None else []
    failed: Child = "None failed lately."
    if whole.failed:
        failed = [el("a", f"{count(whole.failed)} failed", href=href("operations", show="failed")),
                  f" of the last {count(whole.ended)}."]
    return f"{count(whole.open)} under way", el("p", since, failed, class_="quiet")


def _work(visit: Visit) -> Html | None:
    """The oldest operations under way and the last that failed."""
    seen = visit.sight.operations()
    try:
        open = visit.books().glimpses.open(seen, _SHOWN)
        failed = visit.desk.glimpses.ended(seen, _SHOWN // 2, failed=True)
    except Unavailable:
        return None
    return join([
        [el("h2", "Longest under way"), operations.listed(open, visit.now, "The oldest that are not done", hidden=True)]
        if open else None,
        [el("h2", "Failed last"), operations.listed(failed, visit.now, "The last that failed", hidden=True)]
        if failed else None,
    ])


def _server(visit: Visit) -> Html:
    server = visit.desk.config().server
    told: dict[str, Child] = {
        "Version": __version__, "Runs for": lasted(max(1.0, visit.now - visit.desk.began)),
        "Clients call": server.public_url(), "Database": _database(server.database_url()),
        "Configuration": str(visit.desk.config().path or "none, or from the environment"),
    }
    return join([el("h2", "This server"), el("dl", [[el("dt", name), el("dd", said)] for name, said in told.items()],
                                             class_="facts")])


def _database(url: str) -> str:
    """Which database it is, without user and password."""
    if url.startswith("sqlite"):
        return f"SQLite, {Path(url.partition('///')[2].partition('?')[0])}"
    return f"PostgreSQL, {url.rpartition('@')[2].partition('?')[0]}"
