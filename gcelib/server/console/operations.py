"""The list of operations: those under way, the oldest first, and those that ended lately."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gcelib.errors import Unavailable
from gcelib.server.console.desk import Visit, href, without
from gcelib.server.console.frame import Page
from gcelib.server.console.markup import Child, Html, badge, bar, count, el, join, lasted, long, many, moment, table
from gcelib.server.console.projects import called
from gcelib.server.operations.state import Phase
from gcelib.store.glimpses import LOOKED_AT, Glimpse, Projects, Tally

AT_ONCE = 50
"""Operations on one page."""
KINDS = {"": "Under way", "failed": "Failed", "ended": "Ended"}

_LIVE = 2.0


def page(visit: Visit) -> Page:
    """What goes on, or what went wrong, or what ended; of one project where `project` is asked for."""
    kind = visit.asked("show") if visit.asked("show") in KINDS else ""
    project = visit.asked("project")
    try:
        body, news = _listed(visit, kind, project)
    except Unavailable as fault:
        return Page("Operations", join([el("h1", "Operations"), without(fault)]), _LIVE)
    return Page("Operations", body, _LIVE, news)


def _listed(visit: Visit, kind: str, project: str) -> tuple[Html, str]:
    projects = visit.sight.operations()
    if project:
        # One that may not be seen looks like one that has none.
        projects = [name for name in (project,) if projects is None or name in projects]
    whole = total(visit.books().glimpses.tallies(projects).values())
    skip = int(visit.asked("skip")) if visit.asked("skip").isdecimal() and len(visit.asked("skip")) < 6 else 0
    rows = _rows(visit, kind, projects, skip)
    ways = [
        el("li", el("a", f"{name} ({count(number)})", href=href("operations", show=each, project=project),
                    aria_current="true" if each == kind else None))
        for (each, name), number in zip(KINDS.items(), (whole.open, whole.failed, whole.ended), strict=True)
    ]
    news = f"{many(whole.open, 'operation', 'operations')} under way, {count(whole.failed)} failed lately"
    body = join([
        el("h1", "Operations", f" of {called(project)}" if project else ""),
        el("nav", el("ul", ways, class_="choice"), aria_label="Which operations"),
        listed(rows, visit.now, KINDS[kind], hidden=True) if rows else el("p", _none(kind)),
        _pages(kind, project, skip, len(rows)),
        el("p", f"Among the {count(LOOKED_AT)} that ended last.", class_="quiet") if kind else None,
    ])
    return body, news


def _rows(visit: Visit, kind: str, projects: Projects, skip: int) -> Sequence[Glimpse]:
    if not kind:
        return visit.desk.glimpses.open(projects, AT_ONCE, skip)
    return visit.desk.glimpses.ended(projects, AT_ONCE, skip, failed=kind == "failed")


def _none(kind: str) -> str:
    return {"": "Nothing is under way.", "failed": "None failed lately.", "ended": "None ended lately."}[kind]


def _pages(kind: str, project: str, skip: int, shown: int) -> Html | None:
    ways: list[Child] = []
    if skip:
        back = max(0, skip - AT_ONCE)
        ways.append(el("li", el("a", "The ones before", href=href("operations", show=kind, project=project,
                                                                   skip=str(back) if back else ""))))
    if shown == AT_ONCE:
        ways.append(el("li", el("a", "More", href=href("operations", show=kind, project=project,
                                                        skip=str(skip + AT_ONCE)))))
    return el("nav", el("ul", ways, class_="choice"), aria_label="Pages") if ways else None


def listed(rows: Sequence[Glimpse], now: float, caption: str, *, hidden: bool = False) -> Html:
    """Operations as a table."""
    heads = ("Operation", "Project", "State", "Step", "Begun", "By")
    return table(caption, heads, ([
        el("a", f"{row.verb} {target(row)}", href=href("operations", row.name), class_="long"), called(row.project),
        [state(row), bar(row.progress, "Progress") if not row.done else None], long(step(row)),
        _times(row, now), long(row.caller) if row.caller else "–",
    ] for row in rows), hidden=hidden)


def target(row: Glimpse) -> str:
    """What an operation is about, without its project."""
    return row.target.partition("/")[2] or row.target


def state(row: Glimpse) -> Html:
    """How an operation is, in a word."""
    if not row.done:
        failing = bool(row.state.get("fault") or row.canceller)
        word = "takes back" if row.state.get("fault") else "is cancelled" if row.canceller else row.status.lower()
        return badge("wrong" if failing else "busy", f"{word} {row.progress} %")
    return badge("wrong", "failed") if row.error else badge("well", "done")


def step(row: Glimpse) -> str:
    """What it is at: the step, or why it failed."""
    if row.done:
        return first_error(row.error) if row.error else "–"
    if row.state.get("fault"):
        return str(row.state["fault"].get("message", ""))
    steps = row.state.get("steps", {})
    over = (Phase.DONE, Phase.FAILED, Phase.SKIPPED, Phase.UNDONE)
    settled = sum(each.get("phase") in over for each in steps.values())
    at = next((name for name, each in steps.items() if each.get("phase") not in over), "")
    said = f"{settled} of {len(steps)} done" + (f"; at {at}" if at else "") if steps else "waits for its turn"
    return f"{said}. {row.state['says']}" if row.state.get("says") else said


def first_error(error: dict[str, object]) -> str:
    """The first message of an operation's error."""
    errors = error.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else error
    return str(first.get("message", "")) if isinstance(first, dict) else ""


def total(tallies: Iterable[Tally]) -> Tally:
    """Several tallies as one."""
    each = list(tallies)
    begun = [tally.oldest for tally in each if tally.oldest is not None]
    return Tally(sum(tally.open for tally in each), min(begun, default=None), sum(tally.ended for tally in each),
                 sum(tally.failed for tally in each))


def _times(row: Glimpse, now: float) -> list[Child]:
    told: list[Child] = [moment(row.insert_time, now)]
    if row.done and row.end_time is not None:
        told.append(f", took {lasted(max(0.0, row.end_time - row.insert_time))}")
    return told
