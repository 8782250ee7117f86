"""What a cloud says of a set of keys when it is looked at closely: rights, limits, ways of its own."""

from __future__ import annotations

from dataclasses import dataclass

WELL, NOTE, WRONG = "well", "note", "wrong"
"""All right; worth knowing, but nothing is broken; something does not work or is not safe."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing: how bad it is, what it is like, and what to do, "" for nothing. For people."""

    level: str
    said: str
    cure: str = ""
