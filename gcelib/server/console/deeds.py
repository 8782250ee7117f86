"""What may be done about an operation from here, by whoever may begin such: it is cancelled, or carried out anew."""

from __future__ import annotations

from gcelib.errors import NotFound
from gcelib.server.console.desk import Visit, href
from gcelib.server.console.frame import csrf
from gcelib.server.console.markup import Html, el
from gcelib.server.operations.wishes import may_cancel, may_retry
from gcelib.store.records import Record

CANCEL, RETRY = "cancel", "retry"


def offered(visit: Visit, record: Record) -> Html | None:
    """The form for what can be done, or why it cannot; nothing for who may not, or where nothing could be wanted."""
    if (record.done and not record.error) or not visit.desk.wishes.allowed(visit.session.caller, record):
        return None
    if not record.done:
        return _form(visit, record, CANCEL, "Cancel this operation", "Cancel it", may_cancel(record),
                     "What was not sent to the cloud yet never is; what was done is taken back. Then it ends with an "
                     "error that names you.")
    if record.project not in visit.sight.projects():
        return el("p", "Only its caller, whose keys it needs, can have it done anew.", class_="quiet")
    return _form(visit, record, RETRY, "Carry it out anew", "Do it again", may_retry(record),
                 "What the client sent is sent once more, in your name, and judged by what the clouds hold now.")


def _form(visit: Visit, record: Record, deed: str, summary: str, button: str, why_not: str, what: str) -> Html:
    if why_not:
        return el("p", why_not, class_="quiet")
    return el("details", el("summary", summary), el(
        "form", csrf(visit.session), el("p", what), el("button", button, class_="main"), method="post",
        action=href("operations", record.name, deed),
    ), id=deed)


def done(visit: Visit, record: Record, deed: str) -> str:
    """Do it; where to look next. Raises NotFound, Forbidden, NotReady with the reason, and what answers the request."""
    caller, wishes = visit.session.caller, visit.desk.wishes
    if deed == CANCEL:
        return href("operations", wishes.cancel(caller, record, visit.request).name)
    if deed == RETRY:
        return href("operations", wishes.retry(caller, record, visit.request).name)
    raise NotFound(f"An operation cannot be asked to '{deed}'.")
