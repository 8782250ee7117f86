"""One thing the doctor found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

WELL, NOTE, WRONG = "well", "note", "wrong"
"""All right; worth knowing, but nothing is broken; something does not work or is not safe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` is the part that was looked at, `said` what it is like, `cure` what to do, "" for nothing."""

    about: str
    level: str
    said: str
    cure: str = ""


def well(about: str, said: str) -> Finding:
    """All right."""
    return Finding(about, WELL, said)


def note(about: str, said: str, cure: str = "") -> Finding:
    """Worth knowing."""
    return Finding(about, NOTE, said, cure)


def wrong(about: str, said: str, cure: str) -> Finding:
    """To be mended."""
    return Finding(about, WRONG, said, cure)
