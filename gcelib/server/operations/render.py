"""An operation as GCE writes it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from gcelib.server.operations.resolve import stamp
from gcelib.store.records import Record


def render(record: Record, at: Callable[[str], str]) -> dict[str, Any]:
    """The `compute#operation` of a record; `at` makes a full link from a path below `projects/`.

    What GCE leaves out while it has no value is left out.
    """
    base = f"{record.project}/{record.scope}"
    values: dict[str, Any] = {
        "kind": "compute#operation",
        "id": record.number,
        "name": record.name,
        "operationType": record.verb,
        "status": record.status,
        "progress": record.progress,
        "targetLink": at(record.target),
        "targetId": record.target_id,
        "user": record.caller,
        "insertTime": stamp(record.insert_time),
        "startTime": _perhaps(record.start_time),
        "endTime": _perhaps(record.end_time) if record.done else "",
        "selfLink": at(f"{base}/operations/{record.name}"),
        "clientOperationId": record.client_operation_id,
        "description": record.description,
        "operationGroupId": record.work.get("group", ""),
        "statusMessage": "" if record.done else _says(record),
    }
    kind = record.scope.partition("s/")[0]
    if kind in ("zone", "region"):
        values[kind] = at(base)
    if record.warnings:
        values["warnings"] = [dict(warning) for warning in record.warnings]
    if record.done and record.error:
        values["error"] = record.error
        if record.http_status:
            values["httpErrorStatusCode"] = record.http_status
            values["httpErrorMessage"] = HTTPStatus(record.http_status).phrase.upper()
    return {name: value for name, value in values.items() if value != ""}


def _says(record: Record) -> str:
    says = str(record.state.get("says", ""))
    if not record.canceller:
        return says
    return f"Being cancelled, as {record.canceller} wants: what it did is taken back. {says}".rstrip()


def _perhaps(moment: float | None) -> str:
    return "" if moment is None else stamp(moment)
