"""Which of GCE's methods are served here, and which are refused by name."""

from __future__ import annotations

import functools

from gcelib.server.console.desk import Visit
from gcelib.server.console.frame import Page
from gcelib.server.console.markup import Child, Html, count, el, join, table
from gcelib.server.resources import offered
from gcelib.server.resources import table as routes


def page(visit: Visit) -> Page:
    """The table, which is the same for everybody."""
    return Page("Coverage", _body())


@functools.cache
def _body() -> Html:
    """Collections that serve something come first: there are few of them among very many."""
    served, methods = offered(), routes().methods
    parts: dict[str, tuple[list[str], list[str]]] = {}
    for method in sorted(methods.values(), key=lambda each: each.id):
        parts.setdefault(method.collection, ([], []))[method.id not in served].append(method.name)
    rows: list[list[Child]] = [
        [name, ", ".join(parts[name][0]) or "–", _refused(parts[name][1])]
        for name in sorted(parts, key=lambda each: (not parts[each][0], each))
    ]
    return join([
        el("h1", "Coverage"),
        el("p", f"{count(len(served & set(methods)))} of the {count(len(methods))} methods of Compute Engine v1 "
                f"(revision {routes().revision}) are served; the others answer 400 ",
           el("code", "unsupportedOperation"), ". What a served method can do on a cloud depends on its abilities."),
        table("GCE's collections", ("Collection", "Served", "Refused"), rows, hidden=True),
    ])


def _refused(names: list[str]) -> Child:
    if not names:
        return "–"
    return el("details", el("summary", count(len(names))), ", ".join(names))
