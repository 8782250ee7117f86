"""CloudStack's answers, read tolerantly: one bad row never spoils a list.

A field of a wrong type is dropped with a warning, a row without its key is skipped with one.
"""

from __future__ import annotations

import datetime
import functools
import json
import logging
from typing import Any, TypeVar

import msgspec

from gcelib.drivers.cloudstack.records import ErrorRow, Row
from gcelib.drivers.faults import Garbled, Refusal
from gcelib.drivers.mending import BROKEN as BROKEN
from gcelib.drivers.mending import called, mended

LOG = logging.getLogger(__name__)

Fields = dict[str, msgspec.Raw]
Kind = TypeVar("Kind", bound=Row)
Any_ = TypeVar("Any_")


def envelope(command: str, status: int, content_type: str, content: bytes) -> Fields:
    """The fields of the one object in an answer. Raises Refusal for an error, Garbled for no answer."""
    try:
        outer: dict[str, Fields] = msgspec.json.decode(content, type=dict[str, Fields])
    except BROKEN:
        try:
            outer = msgspec.json.decode(_without_constants(content), type=dict[str, Fields])
        except BROKEN:
            raise Garbled(_described(status, content_type, content), refused=_turned_away(status)) from None
    names = (command.lower(), "errorresponse")
    for key, fields in outer.items():
        if key.lower().endswith("response") or key.lower() in names:
            error = one(msgspec.json.encode(fields), ErrorRow) if "errorcode" in fields else ErrorRow()
            if status >= 400 or error.errorcode:
                raise Refusal(error.errorcode or status, error.errortext, command)
            if not _answers(key.lower(), command.lower()):
                raise Garbled(f"{key[:80]}, the answer of another call")
            return fields
    raise Garbled(_described(status, content_type, content), refused=_turned_away(status))


def _answers(key: str, command: str) -> bool:
    """Whether this is the name of the command's answer: lists keep to the rule, some others have names of their own.

    Another list's rows would not be found in it, and be taken for none.
    """
    return key in (command, f"{command}response") or not (command.startswith("list") or key.startswith("list"))


def _without_constants(content: bytes) -> bytes:
    """The text with null for NaN and Infinity, which are no JSON and which some servers write all the same."""
    return msgspec.json.encode(json.loads(content, parse_constant=lambda constant: None))


def _turned_away(status: int) -> bool:
    """A status with which a proxy or web server says that it passed nothing on."""
    return 300 <= status < 500 or status == 503


def _described(status: int, content_type: str, content: bytes) -> str:
    return f"HTTP {status}, {content_type or 'no content type'}, {len(content)} bytes"


def rows(fields: Fields, key: str, kind: type[Kind]) -> tuple[list[Kind], int]:
    """The rows of a list answer, and how many there were before bad ones were left out. Raises Garbled for no list."""
    raw = fields.get(key, b"[]")
    try:
        found = msgspec.json.decode(raw, type=_list_of(kind), strict=False)
        good = [row for row in found if row.mark]
        if len(good) == len(found):
            return good, len(found)
    except BROKEN:
        pass
    try:
        each: list[msgspec.Raw] = msgspec.json.decode(raw, type=list[msgspec.Raw] | None) or []
    except BROKEN:
        raise Garbled(f"'{key}' is not a list") from None
    return [row for row in (_row(item, kind) for item in each) if row is not None], len(each)


def count(fields: Fields) -> int | None:
    """The count that a list answer tells of all its rows, on every page; None for none."""
    try:
        return msgspec.json.decode(bytes(fields["count"]), type=int, strict=False)
    except (KeyError, *BROKEN):
        return None


@functools.cache
def _list_of(kind: type[Any_]) -> Any:
    return list[kind]  # type: ignore[valid-type]


def _row(raw: msgspec.Raw, kind: type[Kind]) -> Kind | None:
    try:
        row: Kind | None = one(bytes(raw), kind)
    except Garbled:
        row = None
    if row is None or not row.mark:
        LOG.warning("a row of the cloud's list is left out: not a usable %s", called(kind, _plain(raw)))
        return None
    return row


def _plain(raw: msgspec.Raw) -> Any:
    """A row as it is, for the log; None where it cannot be read."""
    try:
        return msgspec.json.decode(raw)
    except BROKEN:
        return None


def one(raw: bytes, kind: type[Any_]) -> Any_:
    """One object of this kind; fields of a wrong type fall back to their default. Raises Garbled."""
    try:
        return msgspec.json.decode(raw, type=kind, strict=False)
    except BROKEN:
        pass
    try:
        fields = msgspec.json.decode(raw)
    except BROKEN:
        raise Garbled(f"no {kind.__name__}") from None
    if not isinstance(fields, dict):
        raise Garbled(f"no {kind.__name__}")
    return mended(fields, kind)


def time_of(text: str) -> datetime.datetime | None:
    """CloudStack's `2013-10-13T21:41:27+0200` in UTC; None for anything else."""
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=datetime.UTC)
    try:
        return parsed.astimezone(datetime.UTC)
    except OverflowError:
        return None


def text(raw: msgspec.Raw) -> str:
    """A text or a number as text; "" for anything else."""
    try:
        value = msgspec.json.decode(raw)
    except BROKEN:
        return ""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
