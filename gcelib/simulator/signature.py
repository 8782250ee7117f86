"""Request signatures, computed as the management server computes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import quote

from gcelib.simulator.errors import unverified

AHEAD = 15 * 60


def encode(value: str) -> str:
    """Java's URL encoding with blanks as %20: only letters, digits and `*-._` stay as they are."""
    return quote(value, safe="*-._").replace("~", "%7E")


def base_text(pairs: dict[str, str]) -> str:
    """The text that is signed: all parameters but the signature, sorted by their names as sent."""
    names = sorted(name for name in pairs if name.lower() != "signature")
    return "&".join(f"{name}={encode(pairs[name])}" for name in names).lower()


def sign(pairs: dict[str, str], secret: str) -> str:
    """The signature of these parameters: HMAC-SHA1, base64."""
    digest = hmac.new(secret.encode(), base_text(pairs).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def verify(pairs: dict[str, str], folded: dict[str, str], secret: str, now: float, strict: bool) -> None:
    """Check a request's signature and, for version 3, its expiry.

    `pairs` are the parameters as sent, `folded` the same with names in lower case. `strict` demands
    version 3 with an expiry at most 15 minutes ahead. Raises ApiError 401.
    """
    if folded.get("signatureversion") == "3":
        _check_expiry(folded.get("expires", ""), now, strict)
    elif strict:
        raise unverified()
    if not hmac.compare_digest(sign(pairs, secret).encode(), folded.get("signature", "").encode()):
        raise unverified()


def _check_expiry(text: str, now: float, strict: bool) -> None:
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").astimezone(UTC).timestamp()
    except ValueError:
        raise unverified() from None
    if moment < now or (strict and moment > now + AHEAD):
        raise unverified()
