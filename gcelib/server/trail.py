"""What goes into the audit log: API requests, sign-ins and tokens, and how operations ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from gcelib.auth import audit, policy
from gcelib.auth.audit import Audit
from gcelib.auth.caller import Caller
from gcelib.errors import Fault
from gcelib.server.routes import Method
from gcelib.store.records import Record
from gcelib.web import Request, Response

_SIGN_INS = {"auth": "sign-in", "token": "token", "revoke": "sign-out"}
"""Last segment of the path -> event; the other paths of auth's only tell, and are events when refused."""

_LONGEST_ERROR = 4096


class Trail:
    """One line each, out of what is known when an answer is ready."""

    def __init__(self, lines: Audit) -> None:
        self._lines = lines

    def request(self, request: Request, method: Method | None, noted: Mapping[str, str], response: Response) -> None:
        """A request to the API; `noted` is what was found out on the way. A batch is its parts."""
        change = method is not None and policy.needed(method.id, method.verb) != "viewer"
        if not self._lines.wants(change=change, status=response.status):
            return
        what = method.id if method else ""
        self._lines.line("request", audit.outcome_of(response.status), {
            "who": noted.get("who", ""), "proof": noted.get("proof", ""), "from": request.remote, "what": what,
            "project": noted.get("project", ""), "named": noted.get("named", ""), "verb": request.method,
            "path": request.path, "operation": noted.get("operation", ""), "status": response.status,
            "reason": noted.get("reason", ""), "request_id": request.id,
        })  # fmt: skip

    def sign_in(self, request: Request, noted: Mapping[str, str], response: Response) -> None:
        """A request to auth's own paths."""
        last = request.path.rpartition("/")[2]
        event = _SIGN_INS.get(last, "") if request.method == "POST" or last == "revoke" else ""
        if not self._lines.wants(change=bool(event), status=response.status):
            return
        error = _oauth_error(response)
        outcome = "refused" if error and response.status < 400 else audit.outcome_of(response.status)
        self._lines.line(event or "auth", outcome, {
            "who": noted.get("who", ""), "proof": noted.get("proof", ""), "from": request.remote,
            "verb": request.method, "path": request.path,
            "status": response.status, "reason": noted.get("reason", "") or error, "request_id": request.id,
        })  # fmt: skip

    def console(self, request: Request, noted: Mapping[str, str], response: Response) -> None:
        """Somebody signed in to the console or out of it, or a form of it was refused."""
        if not self._lines.wants(change=True, status=response.status):
            return
        last = request.path.rpartition("/")[2]
        self._lines.line(last if last.startswith("sign-") else "console", audit.outcome_of(response.status), {
            "who": noted.get("who", ""), "proof": noted.get("proof", ""), "from": request.remote,
            "verb": request.method, "path": request.path, "status": response.status,
            "reason": noted.get("reason", ""), "request_id": request.id,
        })  # fmt: skip

    def wished(self, wish: str, caller: Caller, record: Record, request: Request, fault: Fault | None = None) -> None:
        """Somebody wants an operation cancelled or carried out anew, and gets it, or the fault."""
        status = fault.status if fault else 200
        if self._lines.wants(change=True, status=status):
            self._lines.line(wish, audit.outcome_of(status), {
                "who": caller.email, "proof": caller.proof, "from": request.remote, "what": record.method,
                "project": record.project, "target": record.target, "operation": record.name, "status": status,
                "reason": fault.reason if fault else "", "request_id": request.id,
            })  # fmt: skip

    def ended(self, record: Record) -> None:
        """An operation is DONE."""
        if self._lines.wants(change=True):
            reason = str(record.error["errors"][0].get("code", "")) if record.error else ""
            self._lines.line("operation", "failed" if record.error else "done", {
                "who": record.caller, "what": record.verb, "project": record.project, "target": record.target,
                "operation": record.name, "reason": reason,
            })  # fmt: skip


def _oauth_error(response: Response) -> str:
    """The error's name in an OAuth answer (RFC 6749 4.1.2.1 and 5.2), "" for none."""
    if 300 <= response.status < 400:
        return parse_qs(urlsplit(response.headers.get("Location", "")).query).get("error", [""])[0]
    kind = response.headers.get("Content-Type", "")
    if response.status < 400 or "json" not in kind or len(response.body) > _LONGEST_ERROR:
        return ""
    error = json.loads(response.body).get("error", "")
    return error if isinstance(error, str) else ""
