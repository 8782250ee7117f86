"""What may be done about an operation from here: that it is cancelled, by whoever might have begun it."""

from __future__ import annotations

from gcelib.auth import audit
from gcelib.errors import Forbidden, NotFound
from gcelib.server.console.desk import Visit, href
from gcelib.server.console.frame import csrf
from gcelib.server.console.markup import Html, el
from gcelib.server.operations.wishes import may_cancel, permission
from gcelib.store.records import Record

CANCEL = "cancel"


def offered(visit: Visit, record: Record) -> Html | None:
    """The forms for what can be done, and why what cannot; nothing for who may not."""
    if record.done or not _permitted(visit, record):
        return None
    why = may_cancel(record)
    if why:
        return el("p", why, class_="quiet")
    return el("details", el("summary", "Cancel this operation"), el(
        "form", csrf(visit.session),
        el("p", "What was not sent to the cloud yet never is; what was done is taken back. Then it ends with an error "
                "that names you."),
        el("button", "Cancel it", class_="main"), method="post", action=href("operations", record.name, CANCEL),
    ), id="cancel")


def done(visit: Visit, record: Record, deed: str) -> str:
    """Do it; where to look next. Raises Forbidden, NotFound, NotReady with the reason."""
    audit.note(what=deed, project=record.project, operation=record.name)
    if deed != CANCEL:
        raise NotFound(f"An operation cannot be asked to '{deed}'.")
    if not _permitted(visit, record):
        raise Forbidden(
            f"{visit.session.caller.email} may look at the operation '{record.name}' and not cancel it: "
            f"{permission(record)} needs more than the role '{visit.sight.role(record.project)}'."
        )
    visit.desk.cancel(record, visit.session.caller.email)
    return href("operations", record.name)


def _permitted(visit: Visit, record: Record) -> bool:
    return visit.sight.may(permission(record), record.project)
