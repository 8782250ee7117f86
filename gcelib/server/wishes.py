"""Operators' wishes about operations: to cancel one, to carry one out anew that failed. For the console."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from gcelib.auth import policy
from gcelib.auth.caller import Caller
from gcelib.auth.seal import Broken, Seal
from gcelib.errors import KINDS, Bug, Fault, Forbidden, NotFound, NotReady
from gcelib.server.kept import from_data
from gcelib.server.operations.record import request_key
from gcelib.server.operations.runner import Runner
from gcelib.server.operations.wishes import may_retry, permission
from gcelib.server.trail import Trail
from gcelib.store.records import Record
from gcelib.web import Request, Response

Again = Callable[[Request, Caller, str], Response]
"""(a request, who asks, what its operation is to say of itself) to the answer, as if that caller had sent it."""


class Wishes:
    """Both are on the books before anything is done, and in the audit log whatever comes of them.

    Whoever may begin an operation may cancel it and carry it out anew: the role that its GCE method needs.
    `operations.wishes` has `may_cancel` and `may_retry`, which say beforehand why one cannot be had. `request` is the
    asker's own: where it came from, its id, and how links are made.
    """

    def __init__(self, again: Again, runner: Runner, trail: Trail, seal: Seal) -> None:
        self._again = again
        self._runner = runner
        self._trail = trail
        self._seal = seal

    def allowed(self, caller: Caller, record: Record) -> bool:
        """Whether the caller's role is enough for either wish."""
        try:
            policy.permit(caller, permission(record), "POST", record.project)
        except (NotFound, Forbidden):
            return False
        return True

    def cancel(self, caller: Caller, record: Record, request: Request) -> Record:
        """Have an operation cancelled, whichever process carries it on; the record, with the wish on the books.

        It ends soon, with an error that names the caller: what was not sent never is, what is under way at a cloud is
        waited for, and all is taken back. Raises NotFound, Forbidden, NotReady saying why it cannot be.
        """
        return self._told("cancel", caller, record, request, lambda: self._runner.cancel(record, caller.email))

    def retry(self, caller: Caller, record: Record, request: Request) -> Record:
        """Carry out anew what a failed operation was to do: the record of the new operation.

        What its client sent is sent once more, in the caller's name, and judged as any request by what the clouds hold
        now: names that are taken, fingerprints, roles, limits. Asked twice, the operation that the first time began
        comes back, until that has failed. Raises NotFound, Forbidden, NotReady saying why it cannot be, and whatever
        answers the request.
        """
        return self._told("retry", caller, record, request, lambda: self._retried(caller, record, request))

    def _retried(self, caller: Caller, record: Record, request: Request) -> Record:
        # As it is on the books: what a page was made from may be old.
        record = self._runner.operations.load(record.id) or record
        why = may_retry(record)
        if why:
            raise NotReady(why)
        before, id = self._earlier(caller, record)
        if before is not None:
            return before
        sent = self._sent(record, request)
        given = [pair for pair in parse_qsl(sent.query, keep_blank_values=True) if pair[0] not in _ABOUT_THE_ANSWER]
        sent = replace(sent, query=urlencode([*given, ("requestId", id)]))
        words = f"Operation '{record.name}' carried out anew, as {caller.email} wants."
        return self._begun(record, self._again(sent, caller, words))

    def _earlier(self, caller: Caller, record: Record) -> tuple[Record | None, str]:
        """(what the caller's last retry of it began, unless that has failed; the request id of the next one)."""
        for attempt in range(1000):
            id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{record.id}/retry {attempt}"))
            found = self._runner.operations.by_request(request_key(caller.email, record.project, id))
            if found is None or not found.done or not found.error:
                return found, id
        raise NotReady(f"The operation '{record.name}' was carried out anew a thousand times, in vain.")

    def _sent(self, record: Record, request: Request) -> Request:
        try:
            kept = self._seal.open(self._runner.operations.request(record.id), record.id)
        except Broken as error:
            raise NotReady(
                f"What the client sent for the operation '{record.name}' cannot be read any more ({error}): send it "
                "again from the client."
            ) from None
        return from_data(kept, request)

    def _begun(self, record: Record, response: Response) -> Record:
        answer = json.loads(response.body)
        if response.status >= 400:
            raise _fault(answer["error"])
        return self._runner.operations.get(record.project, record.scope, answer["name"])

    def _told(
        self, wish: str, caller: Caller, record: Record, request: Request, act: Callable[[], Record]
    ) -> Record:
        try:
            policy.permit(caller, permission(record), "POST", record.project)
            found = act()
        except Fault as fault:
            self._trail.wished(wish, caller, record, request, fault)
            raise
        self._trail.wished(wish, caller, record, request)
        return found


_ABOUT_THE_ANSWER = frozenset({"requestId", "fields", "prettyPrint", "alt"})


def _fault(error: dict[str, object]) -> Fault:
    """The fault that an answer tells of."""
    entries = error["errors"]
    reason = entries[0]["reason"] if isinstance(entries, list) else ""
    kinds = (kind for kind in KINDS.values() if (kind.status, kind.reason) == (error["code"], reason))
    return next(kinds, Bug)(str(error["message"]))
