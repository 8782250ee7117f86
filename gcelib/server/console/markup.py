"""HTML as values: what is not markup already is escaped, whoever wrote it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from html import escape

_EMPTY = frozenset({"br", "hr", "input", "link", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]


def el(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """An element. `class_` is written class, `aria_label` aria-label; True stands alone, None and False are not there.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Several pieces of HTML and of text as one piece of HTML."""
    return Html("".join(_piece(child) for child in children))


def _piece(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return str(child)
    if isinstance(child, str):
        return escape(child)
    if isinstance(child, int):
        return str(child)
    return join(child)


def _attribute(key: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def lasted(seconds: float) -> str:
    """How long something took or is ago, for people: "43 ms", "12 s", "3 min", "5 h", "9 days"."""
    if seconds < 0.9995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    for unit, size, most in (("s", 1, 90), ("min", 60, 90 * 60), ("h", 3600, 48 * 3600)):
        if seconds < most:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"


def moment(when: float, now: float) -> Html:
    """A time: how long ago it was, and exactly."""
    exact = datetime.datetime.fromtimestamp(when, datetime.UTC)
    since = now - when
    told = "now" if -1 < since < 1 else f"{lasted(round(since))} ago" if since > 0 else f"in {lasted(round(-since))}"
    return el("time", told, datetime=exact.isoformat(timespec="seconds"), title=f"{exact:%Y-%m-%d %H:%M:%S} UTC")


def count(number: float) -> str:
    """A number for people, its thousands apart."""
    return f"{number:,.0f}".replace(",", "\u202f")


def many(number: int, one: str, more: str) -> str:
    """"1 operation", "3 operations"."""
    return f"{count(number)} {one if number == 1 else more}"


def table(
    caption: str, heads: Iterable[str], rows: Iterable[Iterable[Child]], *, hidden: bool = False, lay: bool = True
) -> Html:
    """A table whose first column heads its rows; with `lay` each row stands by itself on a phone, its cells named.

    The roles say again what the elements are: a cell that is laid out as a block is none any more to browsers.
    `hidden`: its caption is for those who hear it only.
    """
    names = list(heads)
    head = el("tr", [el("th", name, scope="col", role="columnheader") for name in names], role="row")
    body = [
        el("tr", [_cell(names[at], cell, first=at == 0) for at, cell in enumerate(row)], role="row") for row in rows
    ]
    return el(
        "table", el("caption", caption, class_="unseen" if hidden else None),
        el("thead", head, role="rowgroup"), el("tbody", body, role="rowgroup"), role="table",
        class_="lay" if lay else None,
    )


def _cell(name: str, content: Child, *, first: bool) -> Html:
    if first:
        return el("th", content, scope="row", role="rowheader")
    return el("td", el("div", content), role="cell", data_label=name)


def long(text: str) -> Html:
    """A text that may have no blanks, as clouds' words and names: it may be broken anywhere."""
    return el("span", text, class_="long")


def prose(text: str) -> Html:
    """A sentence of ours; what stands in `backticks`, as in messages for a terminal, is code."""
    parts = text.split("`")
    return join(el("code", part) if at % 2 and at < len(parts) - 1 else f"`{part}" if at % 2 else part
                for at, part in enumerate(parts))


def badge(level: str, text: str) -> Html:
    """A state in a word, with a colour and a sign that says the same: "well", "note", "wrong" or "busy"."""
    signs = {"well": "\u2713", "note": "!", "wrong": "\u2717", "busy": "\u2026"}
    return el("span", el("span", signs[level], aria_hidden="true"), f" {text}", class_=f"badge {level}")


def bar(percent: int, label: str) -> Html:
    """How far something is."""
    return el("progress", f"{percent} %", value=percent, max=100, aria_label=label)
