"""Makes secrets, the digests they are stored as, and the keys derived from the server's one key."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string

_LETTERS = string.ascii_letters + string.digits


def token() -> str:
    """A secret of 43 letters and digits, 256 bits of chance."""
    return "".join(secrets.choice(_LETTERS) for _ in range(43))


def digest(secret: str) -> str:
    """What is stored in a secret's place: enough to know it again, useless to a thief.

    Our secrets are random and long, so that a plain SHA-256 cannot be searched.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def derive(secret: bytes, purpose: str) -> bytes:
    """A key for one purpose only, 32 bytes."""
    return hmac.new(secret, b"gcelib " + purpose.encode(), hashlib.sha256).digest()
