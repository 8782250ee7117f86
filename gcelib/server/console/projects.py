"""The projects: on which clouds they stand, by whose keys, and what is under way in them."""

from __future__ import annotations

from collections.abc import Mapping

from gcelib.config import ProjectConfig, keys
from gcelib.errors import Unavailable
from gcelib.server.console.desk import Visit, href, without
from gcelib.server.console.frame import Page
from gcelib.server.console.markup import Child, Html, count, el, join, moment, prose, table
from gcelib.server.console.sight import ANY
from gcelib.store.glimpses import Tally

_KEYS = {"cloud": "gcelib's own", "caller": "each caller's own"}


def page(visit: Visit) -> Page:
    """Every project that may be seen, and callers' own accounts that have operations."""
    tallies: Mapping[str, Tally] = {}
    none: Tally | None = Tally()
    missing: Html | None = None
    try:
        tallies = visit.books().glimpses.tallies(visit.sight.operations())
    except Unavailable as fault:
        missing, none = without(fault), None
    rows = visit.sight.projects()
    heads = ("Project", "Other names", "Clouds", "Keys", "Your role", "Under way", "Failed lately")
    body = join([
        el("h1", "Projects"), missing,
        table("Projects of the configuration", heads, [_row(visit, row, tallies.get(name, none))
                                                        for name, row in rows.items()], hidden=True)
        if rows else el("p", prose("You have a role on no project of the configuration. `gcelib account grant` gives "
                                   "one.")),
        _callers(visit, {name: tally for name, tally in tallies.items() if name not in visit.desk.config().projects}),
    ])
    return Page("Projects", body, 5.0)


def _row(visit: Visit, row: ProjectConfig, tally: Tally | None) -> list[Child]:
    name = "every other name" if row.name == ANY else row.name
    return [
        name, ", ".join(row.aliases) or "–", ", ".join(row.clouds), _KEYS.get(row.credentials, row.credentials),
        visit.sight.role(row.name), *_numbers(visit, row.name, tally),
    ]


def _numbers(visit: Visit, project: str, tally: Tally | None) -> list[Child]:
    """How many operations are under way and failed lately; None: that is not known now."""
    if tally is None:
        return ["–", "–"]
    since = [", since ", moment(tally.oldest, visit.now)] if tally.oldest is not None else []
    return [
        [el("a", count(tally.open), href=href("operations", project=project)), since] if tally.open else "0",
        el("a", count(tally.failed), href=href("operations", show="failed", project=project)) if tally.failed else "0",
    ]


def _callers(visit: Visit, tallies: Mapping[str, Tally]) -> Html | None:
    """Accounts of clouds whose holders brought their own keys; only those who see all see them."""
    if not tallies:
        return None
    rows = [[called(name), *_numbers(visit, name, tally)] for name, tally in sorted(tallies.items())]
    return join([
        el("h2", "Callers' own accounts"),
        table("Accounts with operations, by cloud", ("Account", "Under way", "Failed lately"), rows, hidden=True),
    ])


def called(project: str) -> str:
    """A project's name for people: a caller's own account by its cloud and its id there."""
    parts = keys.parts(project)
    if parts is None:
        return project
    cloud, account, inner = parts
    return f"account {account} of cloud '{cloud}'" + (f", its project {inner}" if inner else "")
