"""Fills in what a step's arguments refer to: fields of earlier steps' results, and the time of submission."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from gcelib.errors import Bug
from gcelib.server.operations.state import Phase, StepState

NOW = "$now"


class NotYet(Exception):
    """What is referred to is not known yet: the step it comes from is still under way."""


def resolved(args: Mapping[str, Any], steps: Mapping[str, StepState], now: float) -> dict[str, Any]:
    """The arguments with every reference replaced, and "$now" by the RFC 3339 time `now`.

    Raises NotYet while a step that is referred to is under way, Bug when it cannot give the value any more.
    """
    values = {name: _value(value, steps) for name, value in args.items()}
    if values.get("submitted") == NOW:
        values["submitted"] = stamp(now)
    return values


def stamp(moment: float) -> str:
    """A time in seconds since the epoch as RFC 3339, in UTC, with milliseconds."""
    when = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return when.isoformat(timespec="milliseconds")


def _value(value: Any, steps: Mapping[str, StepState]) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"$ref"}:
            return _referred(str(value["$ref"]), steps)
        return {name: _value(each, steps) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [one for each in value for one in _spread(each, _value(each, steps))]
    return value


def _spread(written: Any, value: Any) -> list[Any]:
    """A reference among the items of a list that stands for several stands for each of them."""
    several = isinstance(written, Mapping) and set(written) == {"$ref"} and isinstance(value, (list, tuple))
    return [*value] if several else [value]


def _referred(reference: str, steps: Mapping[str, StepState]) -> Any:
    name, _, fieldname = reference.partition(".")
    state = steps.get(name)
    if state is None:
        raise Bug(f"A step refers to '{reference}', and there is no step '{name}'.")
    if fieldname == "target" and state.target:
        return state.target
    if fieldname != "target" and fieldname in state.result:
        return state.result[fieldname]
    if not state.settled and state.phase != Phase.WAITING:
        raise NotYet(reference)
    raise Bug(f"A step refers to '{reference}', which step '{name}' ({state.phase}) did not give.")
