"""The accounts: who may come in, with which roles, and when each was last used."""

from __future__ import annotations

from gcelib.errors import Unavailable
from gcelib.server.console.desk import Visit, href, without
from gcelib.server.console.frame import Page
from gcelib.server.console.markup import Child, badge, el, join, long, many, moment, table
from gcelib.server.console.sight import ANY
from gcelib.store import Account

AT_ONCE = 200
"""Accounts on one page."""
_KINDS = {"user": "person", "service": "program", "cloud": "holder of keys to a cloud"}


def page(visit: Visit) -> Page:
    """Everybody for an admin of every project; who has a role there for one of some; else oneself."""
    try:
        all = visit.books().accounts.every()
    except Unavailable as fault:
        return Page("Accounts", join([el("h1", "Accounts"), without(fault)]))
    seen = [(each, roles) for each in all if (roles := visit.sight.roles_of(each)) is not None]
    skip = int(visit.asked("skip")) if visit.asked("skip").isdecimal() and len(visit.asked("skip")) < 8 else 0
    rows = [_row(visit, each, dict(roles)) for each, roles in seen[skip : skip + AT_ONCE]]
    heads = ("Account", "Kind", "Roles", "State", "Last used", "Made")
    more = [("More", skip + AT_ONCE)] if len(seen) > skip + AT_ONCE else []
    ways = [*([("The ones before", max(0, skip - AT_ONCE))] if skip else []), *more]
    body = join([
        el("h1", "Accounts"),
        el("p", many(len(seen), "account", "accounts"), ". ", el("code", "gcelib account"),
           " makes and changes them.", class_="quiet"),
        table("Accounts that you may see", heads, rows, hidden=True),
        el("nav", el("ul", [el("li", el("a", name, href=href("accounts", skip=str(at) if at else "")))
                            for name, at in ways], class_="choice"), aria_label="Pages") if ways else None,
    ])
    return Page("Accounts", body)


def _row(visit: Visit, account: Account, roles: dict[str, str]) -> list[Child]:
    used = visit.desk.used(account)
    held = [f"{role} of {'every project' if project == ANY else project}" for project, role in roles.items()]
    return [
        long(account.email), _KINDS.get(account.kind, account.kind), ", ".join(held) or "–",
        badge("note", "shut out") if account.disabled else badge("well", "good"),
        moment(used, visit.now) if used is not None else "never, as far as is known",
        moment(account.created, visit.now),
    ]
