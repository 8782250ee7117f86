"""One value of the file or the environment as the type its option has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from gcelib.config.sealed import Secret

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


class Said(str):
    """A text from the environment: it may stand for a number, a boolean or a list separated by commas."""

    __slots__ = ()


def convert(value: Any, hint: Any, key: str) -> Any:
    """The value as `hint` (a type as the options have them). Raises ValueError saying what to write."""
    if get_origin(hint) is tuple:
        return _words(value, key)
    if get_origin(hint) is Mapping:
        return _table(value, key, texts=get_args(hint)[1] is str)
    if hint is bool:
        return _truth(value, key)
    if hint in (int, float):
        return _number(value, hint, key)
    if not isinstance(value, str):
        raise ValueError(f'{_show(value)} is not a text; write {key} = "..."')
    if any(ord(character) < 32 for character in value):
        raise ValueError("holds a line break or another control character; write it on one line.")
    return Secret(str(value)) if hint is Secret else Path(value) if hint is Path else str(value)


def _words(value: Any, key: str) -> tuple[str, ...]:
    if isinstance(value, Said):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        shown = f'["{value}"]' if isinstance(value, str) else '["...", "..."]'
        raise ValueError(f"is not a list of texts; write {key} = {shown}")
    return tuple(value)


def _table(value: Any, key: str, texts: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"is not a table; write it as a section of its own that ends in .{key}]")
    wrong = [name for name, each in value.items() if not isinstance(each, str)] if texts else []
    if wrong:
        raise ValueError(f'"{wrong[0]}" is not a text; write "{wrong[0]}" = "..."')
    return {name: str(each) if isinstance(each, Said) else each for name, each in value.items()}


def _truth(value: Any, key: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Said) and value.strip().lower() in _TRUE | _FALSE:
        return value.strip().lower() in _TRUE
    raise ValueError(f"{_show(value)} is neither true nor false; write {key} = true or {key} = false")


def _number(value: Any, hint: type[int] | type[float], key: str) -> int | float:
    try:
        number = hint(value) if isinstance(value, Said) else value
    except ValueError:
        number = None
    whole = isinstance(number, int) and not isinstance(number, bool)
    real = hint is float and isinstance(number, float) and math.isfinite(number)
    if number is not None and (whole or real):
        return hint(number)
    kind = "a whole number" if hint is int else "a number"
    raise ValueError(f"{_show(value)} is not {kind}; write {key} = 30")


def _show(value: Any) -> str:
    """The value for a message: short, and never a table that may hold secrets."""
    return f'"{value}"'[:60] if isinstance(value, str | int | float) else f"a {type(value).__name__}"
