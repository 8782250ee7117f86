"""Single values of a request body or query: what clients write, read as what GCE's schemas mean.

Every function takes the value, its schema (or a parameter as a mapping) and its path, and raises `Invalid`
naming it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import math
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from gcelib.errors import Invalid

Schema = Mapping[str, Any]

BOUNDS = {
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint64": (0, 2**64 - 1),
}
ANY_CASE = frozenset({"onHostMaintenance"})
"""gcutil sends the words of these fields in lower case."""
SECRET = frozenset({"rawKey", "rsaEncryptedKey", "sharedSecret", "privateKey", "value"})
"""Fields whose values are not repeated in a message."""

LONGEST_DESCRIPTION = 2048
"""Characters, as GCE has it."""

_WHOLE = re.compile(r"-?[0-9]{1,40}")
_PORT = re.compile(r"\.(?:portRange|ports\[\d+\])$")
"""A field of one port or several, as text: libcloud's load balancers send a single one as a number."""
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def scalar(value: Any, schema: Schema, path: str) -> Any:
    """A string, number or boolean as its schema has it: 64-bit integers as text, the others as numbers."""
    kind, form = schema.get("type", "string"), schema.get("format", "")
    if kind == "boolean":
        return boolean(value, path)
    if form in BOUNDS:
        number = integer(value, form, schema, path)
        return number if kind == "integer" else str(number)
    if kind == "integer":
        return integer(value, "int64", schema, path)
    if kind == "number":
        return decimal(value, path)
    if isinstance(value, int) and not isinstance(value, bool) and _PORT.search(path):
        value = str(value)
    if not isinstance(value, str):
        refuse(value, path, "Must be a string.")
    return text(value, schema, path)


def boolean(value: Any, path: str) -> bool:
    """true and false, also as words in any letter case or, in a query, 1 and 0."""
    if isinstance(value, bool):
        return value
    truth = _TRUTH.get(value.lower()) if isinstance(value, str) else None
    if truth is None:
        refuse(value, path, "Must be true or false.")
    return truth


def integer(value: Any, form: str, schema: Schema, path: str) -> int:
    """A whole number within its format's and its schema's bounds, also as digits in a string."""
    number: int | None = None
    if _WHOLE.fullmatch(value) if isinstance(value, str) else isinstance(value, float) and value.is_integer():
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None:
        refuse(value, path, "Must be a whole number.")
    low, high = BOUNDS[form]
    low = max(low, int(schema.get("minimum") or low))
    high = min(high, int(schema.get("maximum") or high))
    if not low <= number <= high:
        refuse(value, path, f"Must be between {low} and {high}.")
    return number


def decimal(value: Any, path: str) -> float:
    """A finite number, also as digits in a string."""
    number = math.nan
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            number = float(value)
    if not math.isfinite(number):
        refuse(value, path, "Must be a number.")
    return number


def text(value: str, schema: Schema, path: str) -> str:
    """A string that is one of the schema's words, matches its pattern, or is base64, where it says so."""
    if "\0" in value:
        refuse(value, path, "It holds a NUL character.")
    if len(value) > LONGEST_DESCRIPTION and path.endswith(".description"):
        refuse(value, path, f"It is longer than {LONGEST_DESCRIPTION} characters.")
    if schema.get("format") == "byte":
        _check_base64(value, path)
    if schema.get("enum"):
        return word(value, schema["enum"], path)
    if schema.get("pattern"):
        match(value, schema["pattern"], path)
    return value


def word(value: str, words: list[str] | tuple[str, ...], path: str) -> str:
    """One of an enum's words, spelt as the document has it."""
    if value in words:
        return value
    if path.rpartition(".")[2] in ANY_CASE:
        for each in words:
            if each.lower() == value.lower():
                return each
    return refuse(value, path, f"Must be one of {', '.join(words)}.")


def match(value: str, pattern: str, path: str) -> None:
    """Refuse a value that is not wholly what the document's own pattern describes."""
    if not re.fullmatch(pattern, value, re.ASCII):
        refuse(value, path, f"Must be a match of regex '(?:{pattern})'")


def refuse(value: Any, path: str, why: str) -> NoReturn:
    """Raise GCE's complaint about a field's value."""
    shown = _spelt(value)
    shown = shown if len(shown) <= 100 else shown[:100] + "..."
    shown = "(not shown)" if re.split(r"[.\[]", path)[-1] in SECRET else f"'{shown}'"
    raise Invalid(f"Invalid value for field '{path}': {shown}. {why}", field=path)


def _spelt(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{...}"
    return "[...]" if isinstance(value, list) else str(value)


def _check_base64(value: str, path: str) -> None:
    standard = value.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        refuse(value, path, "Must be base64.")
