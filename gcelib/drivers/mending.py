"""Rows of clouds' answers read tolerantly: a bad field is as if it were missing, a bad row never spoils its list."""

from __future__ import annotations

import logging
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

LOG = logging.getLogger(__name__)
Kind = TypeVar("Kind")

BROKEN = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
"""What msgspec raises for texts that are no JSON, and for values that are not of the type asked for."""
NOTHING: Any = object()
LONGEST_ID = 100


def mended(fields: Mapping[str, Any], kind: type[Kind]) -> Kind:
    """An object of this struct; a field of a wrong type is what can be saved of it, else its default.

    Raises msgspec.ValidationError without a field that must be there.
    """
    kept: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        value = fields.get(field.encode_name)
        if value is None:
            continue
        try:
            kept[field.name] = msgspec.convert(value, field.type, strict=False)
        except BROKEN:
            saved = _saved(value, field.type)
            LOG.warning("field %s of %s has a wrong type and is mended", field.name, called(kind, fields))
            if saved is not NOTHING:
                kept[field.name] = saved
    lacking = [each.name for each in msgspec.structs.fields(kind) if each.required and each.name not in kept]  # type: ignore[arg-type]
    if lacking:
        raise msgspec.ValidationError(f"no {', '.join(lacking)}")
    return kind(**kept)


def called(kind: type, fields: Any) -> str:
    """What a row is called in the log: its kind, and its id or name where it has one."""
    named = ""
    for key in ("id", "name", "zoneName"):
        value = fields.get(key) if isinstance(fields, Mapping) else None
        if isinstance(value, str | int) and value != "":
            named = f" '{str(value)[:LONGEST_ID]}'"
            break
    return f"{kind.__name__}{named}"


def _saved(value: Any, wanted: Any) -> Any:
    """What can be saved of a field: the good members of a list or table, a number as text; NOTHING for nothing."""
    for each in typing.get_args(wanted) if isinstance(wanted, types.UnionType) else (wanted,):
        found = _saved_as(value, each)
        if found is not NOTHING:
            return found
    return NOTHING


def _saved_as(value: Any, wanted: Any) -> Any:
    if wanted is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return _member(value, wanted) if isinstance(value, Mapping) else NOTHING
    shape, inner = typing.get_origin(wanted), typing.get_args(wanted)
    if shape in (list, tuple) and isinstance(value, list | tuple):
        return shape(found for item in value if (found := _member(item, inner[0])) is not NOTHING)
    if shape is dict and isinstance(value, Mapping):
        found = {name: _member(item, inner[1]) for name, item in value.items() if isinstance(name, str)}
        return {name: item for name, item in found.items() if item is not NOTHING}
    return NOTHING


def _member(item: Any, wanted: Any) -> Any:
    try:
        return msgspec.convert(item, wanted, strict=False)
    except BROKEN:
        pass
    try:
        return mended(item, wanted) if isinstance(item, Mapping) and issubclass(wanted, msgspec.Struct) else NOTHING
    except BROKEN:
        return NOTHING
