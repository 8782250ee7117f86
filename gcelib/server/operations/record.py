"""Makes the record of a new operation: its name, number and request key, as GCE forms them."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from gcelib.errors import Bug, Invalid
from gcelib.server.operations.plan import Work, came, work_to_data
from gcelib.store.records import Record


@dataclass(frozen=True, slots=True)
class Origin:
    """What an operation comes of: a request of GCE's `method`. `description` is for people, `sealed` gives what is
    kept of the request, sealed for the operation of the id given."""

    method: str = ""
    description: str = ""
    sealed: Callable[[str], str] = lambda id: ""


NOWHERE = Origin()
"""Of an operation that no request began."""


def new_record(
    work: Work,
    *,
    project: str,
    scope: str,
    caller: str,
    request_id: str,
    client_operation_id: str,
    now: float,
    origin: Origin,
) -> Record:
    """A PENDING record, on nobody's books yet. Raises Bug for work whose steps share a name."""
    names = [step.name for step in work.steps]
    if len(set(names)) != len(names):
        raise Bug(f"Two steps of {work.verb} share a name: {', '.join(names)}.")
    return Record(
        id=uuid.uuid4().hex,
        name=new_name(now),
        number=str(secrets.randbits(62) + 2**62),
        project=project,
        scope=scope,
        verb=work.verb,
        target=work.target,
        target_id=work.target_id,
        target_kind=work.target_kind,
        caller=caller,
        request_key=request_key(caller, project, request_id),
        insert_time=now,
        due=now,
        warnings=[{"code": code, "message": message} for code, message in work.warnings],
        work=work_to_data(work),
        state=came(work),
        client_operation_id=client_operation_id,
        method=origin.method,
        description=origin.description,
    )


def new_name(now: float) -> str:
    """A name in Google's form: "operation-", the time in milliseconds, 13 and twice 8 hexadecimal digits."""
    return f"operation-{int(now * 1000)}-{int(now * 1e6):013x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"


def request_key(caller: str, project: str, request_id: str) -> str | None:
    """What a client's request id is on the books; None when it sent none."""
    return f"{caller} {project} {request_id.lower()}" if request_id else None


def same_request(asked: str, earlier: Record, change: tuple[str, str] | None = None) -> None:
    """Nothing, when the earlier operation came of the same request. Raises Invalid: an id stands for one only.

    `change` is (verb, target) where it is known already.
    """
    if asked != earlier.work.get("asked", "") or change not in (None, (earlier.verb, earlier.target)):
        raise Invalid(
            f"Invalid value for field 'requestId': it was used before, by operation '{earlier.name}' "
            f"({earlier.verb} of '{earlier.target}'). Send a new one for another change.",
            field="requestId",
        )
