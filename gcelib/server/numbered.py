"""Finds a thing by the number that answers show as its id, among things that no directory has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def numbered(ref: str, things: Iterable[T], number: Callable[[T], str]) -> T | None:
    """The one whose number `ref` is; None where it is nobody's, or no number."""
    if not (ref.isascii() and ref.isdigit()):
        return None
    return next((thing for thing in things if number(thing) == ref), None)
