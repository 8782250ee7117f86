"""Fingerprints: what GCE's clients send back to say which version of a thing they changed."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from gcelib.errors import Invalid, Stale

_NAMES = ("fingerprint", "labelFingerprint")
SHORT = 64
"""Bytes of a value that many things have in common, most often nothing: its fingerprint is kept."""


def fingerprint(value: Any) -> str:
    """Eight bytes that tell a value from others (BLAKE2b, RFC 7693), in base64 free of `+` and `/`.

    gcloud sends a fingerprint back in the URL-safe alphabet; without those two both alphabets agree.
    `value` holds JSON values; equal values have equal fingerprints on every replica, whatever the order of
    their keys.
    """
    canonical = msgspec.json.encode(value, order="sorted")
    return _short(canonical) if len(canonical) <= SHORT else _of(canonical)


def _of(canonical: bytes) -> str:
    digest = hashlib.blake2b(canonical, digest_size=8).digest()
    # The last character stands for four bits only and is neither of the two.
    return binascii.b2a_base64(digest, newline=False).translate(_IN_BOTH_ALPHABETS).decode()


_IN_BOTH_ALPHABETS = bytes.maketrans(b"+/", b"AB")
_short = functools.lru_cache(4096)(_of)


def check(sent: str | None, current: str, what: str) -> None:
    """Let a write through whose fingerprint is absent or names the current version.

    `what` is the field that held it ("resource.fingerprint"). Raises `Stale` for another version's,
    `Invalid` for what is no base64 in either alphabet.
    """
    if not sent:
        return
    if _decoded(sent, what) != base64.b64decode(current):
        raise Stale("Supplied fingerprint does not match current fingerprint.", field=what)


def sent(body: Mapping[str, Any]) -> bool:
    """Whether a request says of what version its change is."""
    return bool(_given(body))


def touched(body: Mapping[str, Any]) -> str:
    """The fingerprints of what a request changes as far as it says, with spaces between: whole things and what has its
    own by "fingerprint", labels by "labelFingerprint".
    """
    return " ".join(sorted(_given(body) | {"labelFingerprint"} if "labels" in body else _given(body)))


def _given(body: Mapping[str, Any]) -> set[str]:
    """The names under which a request, or a part of it, has a fingerprint."""
    parts = [body, *(part for part in body.values() if isinstance(part, Mapping))]
    return {name for name in _NAMES if any(part.get(name) for part in parts)}


def _decoded(text: str, what: str) -> bytes:
    standard = text.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(
            f"Invalid value for field '{what}': it is not a base64 fingerprint.", field=what
        ) from None
